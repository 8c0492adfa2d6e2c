"""The label's rate by span: is there a time, a source or a split in which it differs from the rest?

Each span is held against all other rows. Classes: the difference of two independent shares, Newcombe's interval; a
regression's label: the difference of two means, in standard deviations of the label. Intervals hold together over all
spans and classes (Bonferroni), and clustered rows count at their effective number (Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from gauntlet.data.integrity.labels import Target, class_name
from gauntlet.data.integrity.policy import LabelRatePolicy
from gauntlet.data.integrity.sql import ROWS, SPLIT, listed, micros
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import amount, counted
from gauntlet.data.phrasing import share as percent
from gauntlet.data.split import in_order
from gauntlet.errors import ConfigurationError
from gauntlet.stats.planning import rows_for_difference, rows_for_mean
from gauntlet.stats.proportions import difference_of_shares
from gauntlet.verdict import Check, Status, decide, worst

LABEL_RATE = "check_integrity.label_rate"
_MOST_SPANS = 400
_WRITTEN = {"day": "%Y-%m-%d", "week": "week of %Y-%m-%d", "month": "%Y-%m", "quarter": "%Y, quarter ", "year": "%Y"}


@dataclass(frozen=True)
class Sums:
    """What is summed over rows: of n, y (the label, or 1 for a class) and, over clusters, what their spread needs."""

    clusters: float
    rows: float
    total: float
    squares: float
    products: float
    sizes: float

    def __sub__(self, other: Sums) -> Sums:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sums(*(mine - theirs for mine, theirs in pairs))

    def __add__(self, other: Sums) -> Sums:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sums(*(mine + theirs for mine, theirs in pairs))

    @property
    def mean(self) -> float:
        """Of y."""
        return self.total / self.rows if self.rows else 0.0

    @property
    def variance(self) -> float:
        """Of the mean, as a ratio of sums over clusters; infinite with fewer than two of them."""
        if self.clusters < 2:
            return math.inf
        mean = self.mean
        spread = max(0.0, self.squares - 2 * mean * self.products + mean * mean * self.sizes)
        return spread * self.clusters / (self.clusters - 1) / self.rows**2

    @property
    def effective(self) -> float:
        """Independent rows that a share of these is worth; at most ``rows``, a cluster each where it has no spread."""
        share = self.mean
        if not 0 < share < 1:
            return self.clusters
        # The variance carries m / (m - 1): adding 1 gives m back.
        return min(self.rows, share * (1 - share) / self.variance + 1) if self.variance else self.rows


@dataclass(frozen=True)
class SpanRate:
    """The label in one span.

    Attributes:
        span: its name.
        label_class: the class whose share it is; empty for a regression.
        rows: how many.
        rate: share of the class, or mean label.
        rest: the same of all other rows.
        interval: of (rate − rest), regression: in standard deviations of the label; simultaneous.
        status: against the tolerance.
        rows_needed: of the span, which would decide; only when inconclusive.
    """

    span: str
    label_class: str
    rows: int
    rate: float
    rest: float
    interval: tuple[float, float]
    status: Status
    rows_needed: int | None = None


@dataclass(frozen=True)
class LabelRates:
    """The label in all spans.

    Attributes:
        spans: large enough to judge, in order.
        small: (span, rows) too small to judge.
        tolerance: largest difference allowed.
        deviation: the label's standard deviation; regression only, else 1.
        checks: one a span and class, or what stands in for them.
    """

    spans: tuple[SpanRate, ...]
    small: tuple[tuple[str, int], ...]
    tolerance: float
    deviation: float
    checks: tuple[Check, ...]


def compare_spans(tables: Tables, target: Target, rate: LabelRatePolicy, confidence: float) -> LabelRates:
    """Hold every span against the rest.

    Raises:
        ConfigurationError: there are more spans than can be judged.
    """
    classes: Sequence[Any] = target.judged or ("",)
    found = {one: _sums(tables, target, one, rate) for one in classes}
    spans = next(iter(found.values()), {})
    if len(spans) > _MOST_SPANS:
        raise ConfigurationError(
            f"makes {len(spans):,} spans; {_MOST_SPANS} can be judged together",
            field="policy.label_rate.by",
            value=rate.column or rate.by,
            mend="Take longer ones",
        )
    small = tuple((span, int(sums.rows)) for span, sums in spans.items() if sums.rows < rate.min_rows)
    large = [span for span, sums in spans.items() if sums.rows >= rate.min_rows]
    if len(spans) < 2:
        reason = "All rows with a label are of one span, so there is none to compare its rate with."
        return LabelRates((), small, rate.tolerance, 1.0, (Check("label rate", Status.ERROR, reason, code=LABEL_RATE),))
    deviation = _deviation(tables, target)
    alpha = (1 - confidence) / max(1, len(large) * len(classes))
    rates, checks = [], []
    for one, sums in found.items():
        everything = sum(sums.values(), Sums(0, 0, 0, 0, 0, 0))
        for span in large:
            measured = _compare(span, one, sums[span], everything - sums[span], target, rate, alpha, deviation)
            rates.append(measured)
            checks.append(_check(measured, target, rate, deviation))
    checks += _too_small(small, rate.min_rows)
    return LabelRates(tuple(rates), small, rate.tolerance, deviation, tuple(checks))


def _sums(tables: Tables, target: Target, one: Any, rate: LabelRatePolicy) -> dict[str, Sums]:
    """Span → sums, in order of time or of splits."""
    label = target.name
    y = f"{label}::DOUBLE" if target.task == "regression" else f"({target.is_class(one)})::DOUBLE"
    if tables.cluster:
        each = "count(*) AS n, sum(y) AS y, sum(y) * sum(y) AS yy, sum(y) * count(*) AS yn, count(*) * count(*) AS nn"
        unit, grouped = f", {listed(tables.cluster)} AS unit", " GROUP BY span, unit"
    else:
        each, unit, grouped = "1 AS n, y, y * y AS yy, y AS yn, 1 AS nn", "", ""
    inner = f"SELECT {_span(tables, rate)} AS span, {y} AS y{unit} FROM {ROWS} WHERE {label} IS NOT NULL"
    rows = tables.all(
        "SELECT span, count(*), sum(n)::DOUBLE, sum(y)::DOUBLE, sum(yy)::DOUBLE, sum(yn)::DOUBLE, sum(nn)::DOUBLE FROM"
        f" (SELECT span, {each} FROM ({inner}){grouped})"
        f" GROUP BY span ORDER BY span LIMIT {_MOST_SPANS + 1}"
    )
    found = dict(zip(_named([span for span, *_ in rows]), (Sums(*sums) for _, *sums in rows), strict=True))
    return {name: found[name] for name in in_order(found)} if _by_split(rate) else found


def _named(spans: Sequence[str | None]) -> list[str]:
    """Names of spans; the one of rows without a value is called by none that another has."""
    missing = "missing"
    while missing in spans:
        missing = f"({missing})"
    return [missing if span is None else span for span in spans]


def _by_split(rate: LabelRatePolicy) -> bool:
    return rate.column is None and rate.by == "split"


def _span(tables: Tables, rate: LabelRatePolicy) -> str:
    if _by_split(rate):
        return SPLIT
    if rate.column is not None:
        return f"{tables.names[rate.column]}::VARCHAR"
    name = tables.roles.time
    assert name is not None, "the gate has made sure"
    moment = f"make_timestamp(({micros(tables.names[name], tables.columns[name])})::BIGINT)"
    start = f"strftime(date_trunc('{rate.by}', {moment}), '{_WRITTEN[rate.by]}')"
    return f"{start}{f' || quarter({moment})' if rate.by == 'quarter' else ''}"


def _deviation(tables: Tables, target: Target) -> float:
    if target.task != "regression":
        return 1.0
    return float(tables.one(f"SELECT stddev_pop({target.name}) FROM {ROWS}")[0] or 0.0) or 1.0


def _compare(
    span: str,
    one: Any,
    here: Sums,
    rest: Sums,
    target: Target,
    rate: LabelRatePolicy,
    alpha: float,
    deviation: float,
) -> SpanRate:
    if target.task == "regression":
        middle = (here.mean - rest.mean) / deviation
        half = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(here.variance + rest.variance) / deviation
        interval = (middle - half, middle + half)
    else:
        sides = [(side.mean * side.effective, side.effective) for side in (rest, here)]
        interval = difference_of_shares(sides[0], sides[1], alpha)
    both = [
        decide(interval, bound=-rate.tolerance, direction="min"),
        decide(interval, bound=rate.tolerance, direction="max"),
    ]
    status = worst(both)
    needed = _needed(here, rest, target, rate.tolerance, alpha, deviation) if status is Status.INCONCLUSIVE else None
    label_class = "" if one == "" else class_name(one)
    return SpanRate(span, label_class, int(here.rows), here.mean, rest.mean, interval, status, needed)


def _check(found: SpanRate, target: Target, rate: LabelRatePolicy, deviation: float) -> Check:
    written = amount if target.task == "regression" else percent
    difference = (found.rate - found.rest) / deviation
    if target.task == "regression":
        what, unit = f"`{target.column}` is {written(found.rate)} on average", "standard deviations"
        numbers = (
            f"{amount(found.interval[0])} to {amount(found.interval[1])} {unit}; allowed: ±{amount(rate.tolerance)}"
        )
    else:
        what = f"`{target.column}` is {found.label_class} in {written(found.rate)} of rows"
        low, high = (amount(100 * end) for end in found.interval)
        numbers = f"a difference of {low} to {high} points; allowed: ±{amount(100 * rate.tolerance)}"
    tail = {
        Status.FAIL: " Find out what changed there before a model learns it.",
        Status.INCONCLUSIVE: " These rows cannot tell.",
    }
    reason = f"In {found.span}, {what}, elsewhere {written(found.rest)} ({numbers}).{tail.get(found.status, '')}"
    many = f", {found.label_class}" if target.task == "multiclass" else ""
    bound = math.copysign(rate.tolerance, difference)
    return Check(
        f"label rate: {found.span}{many}",
        found.status,
        reason,
        difference,
        found.interval,
        bound,
        "max" if bound > 0 else "min",
        found.rows,
        found.rows_needed,
        code=LABEL_RATE,
        subject=found.span,
    )


def _needed(here: Sums, rest: Sums, target: Target, tolerance: float, alpha: float, deviation: float) -> int | None:
    """Rows of the span that would decide, the rest staying as it is; its clusters as large as they are."""
    if target.task == "regression":
        difference = abs(here.mean - rest.mean) / deviation
        one_row, other = math.sqrt(here.variance * here.rows) / deviation, rest.variance / deviation**2
        distance = abs(difference - tolerance)
        return rows_for_mean(distance, one_row, alpha, other, both_ways=difference < tolerance)
    effective = rows_for_difference((rest.mean * rest.effective, rest.effective), here.mean, tolerance, alpha)
    return None if effective is None else math.ceil(effective * here.rows / here.effective)


def _too_small(small: Sequence[tuple[str, int]], least: int) -> Iterator[Check]:
    if small:
        named = ", ".join(f"{span} ({counted(rows, 'row')})" for span, rows in small[:5])
        more = f" and {len(small) - 5:,} more" if len(small) > 5 else ""
        reason = f"Too small to judge, at {least:,} rows and more: {named}{more}."
        yield Check("label rate: small spans", Status.INCONCLUSIVE, reason, rows_needed=least, code=LABEL_RATE)
