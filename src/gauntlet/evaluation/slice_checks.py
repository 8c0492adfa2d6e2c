"""Checks one slice against one demand, from an estimate and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gauntlet.evaluation import wording
from gauntlet.evaluation.fairness import Demand
from gauntlet.evaluation.performance import level_check
from gauntlet.evaluation.power import rows_needed
from gauntlet.evaluation.slices import Slice
from gauntlet.verdict import Check, Status, decide, worst

Interval = tuple[float, float]

LOW_SUPPORT = "evaluate_slices.low_support"
"""Code of what is reported and not judged."""


@dataclass(frozen=True)
class Measured:
    """Statistic of one slice.

    Attributes:
        slice: the slice.
        against: its reference, as in "than for …": ``the rest``, ``sex=Male``; ``""`` for a level.
        value: gap, ratio or level; NaN where undefined.
        interval: simultaneous over the gate.
        sides: the metric in the slice and in the reference (NaN for a level).
        rows: rows (or clusters) of the slice.
        support: effective number of rows (or clusters) that the metric is a mean over, on the smaller side.
        clustered: whether ``rows`` and ``support`` count clusters.
        standard_error: of the value; ``None``: not known.
    """

    slice: Slice
    against: str
    value: float
    interval: Interval
    sides: tuple[float, float]
    rows: int
    support: float = math.inf
    clustered: bool = False
    standard_error: float | None = None


@dataclass(frozen=True)
class SliceFinding:
    """Finding of one slice and demand."""

    demand: Demand
    measured: Measured
    check: Check

    @property
    def severity(self) -> float:
        """Value relative to its limit, for ranking only: 1 is at the limit."""
        value, bound = self.measured.value, self.check.bound
        if bound is None or math.isnan(value):
            return -math.inf
        if self.demand.kind == "ratio" and value > 0 and bound != 1:
            return math.log(value) / math.log(bound)
        if self.demand.kind == "level":
            return bound - value if self.check.direction == "min" else value - bound
        return value / bound if bound else abs(value)


def judge(demand: Demand, measured: Measured, confidence: float, *, min_support: int = 0) -> SliceFinding:
    """Check a statistic against a demand.

    Args:
        demand: the demand.
        measured: the statistic.
        confidence: confidence of the gate, for the sentence.
        min_support: fewest rows that the metric may be a mean over; on fewer it is reported and not judged.
    """
    finding = _judge(demand, measured, confidence)
    defined = not math.isnan(measured.value)
    return _reported(finding, confidence, min_support) if defined and measured.support < min_support else finding


def _judge(demand: Demand, measured: Measured, confidence: float) -> SliceFinding:
    name = f"{measured.slice.name}: {demand.title}"
    if demand.kind == "level":
        return SliceFinding(demand, measured, _level(demand, measured, name, confidence))
    bound, direction = _nearer_bound(demand, measured.value)
    if math.isnan(measured.value) or any(math.isnan(end) for end in measured.interval):
        reason = (
            f"{measured.slice.name}: {demand.metric.title} cannot be compared, because it is undefined there or for "
            f"{measured.against} ({demand.metric.definition.rstrip('.')})."
        )
        check = Check(
            name,
            Status.INCONCLUSIVE,
            reason,
            bound=bound,
            direction=direction,
            sample_size=measured.rows,
            code=demand.code,
            subject=measured.slice.name,
        )
        return SliceFinding(demand, measured, check)
    status = worst(
        decide(measured.interval, bound=limit, direction=side)
        for limit, side in ((demand.low, "min"), (demand.high, "max"))
        if limit is not None
    )
    needed = None
    if status is Status.INCONCLUSIVE:
        needed = rows_needed(
            value=measured.value,
            interval=measured.interval,
            bound=bound,
            rows=measured.rows,
            standard_error=measured.standard_error,
        )
    finding = _gap(demand, measured, confidence) if demand.kind == "gap" else _ratio(demand, measured, confidence)
    reason = f"{finding}, {_outcome(demand, status, bound, needed)}."
    check = Check(
        name,
        status,
        reason,
        measured.value,
        measured.interval,
        bound,
        direction,
        measured.rows,
        needed,
        code=demand.code,
        subject=measured.slice.name,
    )
    return SliceFinding(demand, measured, check)


def _reported(finding: SliceFinding, confidence: float, min_support: int) -> SliceFinding:
    """The finding without its decision: too few rows of the kind that the metric is a mean over."""
    demand, measured = finding.demand, finding.measured
    words = {"gap": _gap, "ratio": _ratio, "level": _level_found}[demand.kind](demand, measured, confidence)
    effectively = "" if measured.support == round(measured.support) else "effectively "
    rows = wording.support(demand.metric, clustered=measured.clustered)
    found = f"{effectively}{math.floor(measured.support):,} {rows}"
    check = Check(
        finding.check.name,
        Status.INCONCLUSIVE,
        f"{words}, on {found}; fewer than {min_support:,} are reported and not judged.",
        measured.value,
        measured.interval,
        finding.check.bound,
        finding.check.direction,
        measured.rows,
        math.ceil(measured.rows * min_support / measured.support) if measured.support > 0 else None,
        code=LOW_SUPPORT,
        subject=measured.slice.name,
    )
    return replace(finding, check=check)


def _level(demand: Demand, measured: Measured, name: str, confidence: float) -> Check:
    bound, direction = (demand.low, "min") if demand.low is not None else (demand.high, "max")
    assert bound is not None
    check = level_check(
        demand.metric,
        measured.value,
        measured.interval,
        bound=bound,
        direction="min" if direction == "min" else "max",
        rows=measured.rows,
        confidence=confidence,
        code=demand.code,
        where=measured.slice.name,
        standard_error=measured.standard_error,
    )
    undefined = check.status is Status.ERROR
    return replace(check, name=name, status=Status.INCONCLUSIVE if undefined else check.status)


def _nearer_bound(demand: Demand, value: float) -> tuple[float, str]:
    """The nearer limit, and its direction."""
    neutral = 1.0 if demand.kind == "ratio" else 0.0
    if demand.high is not None and (demand.low is None or value >= neutral):
        return demand.high, "max"
    assert demand.low is not None
    return demand.low, "min"


def _level_found(demand: Demand, measured: Measured, confidence: float) -> str:
    metric, interval = demand.metric, measured.interval
    value = wording.level(metric, measured.value, interval)
    spread = wording.level_interval(metric, interval, confidence)
    return f"{measured.slice.name}: {metric.title} is {value} ({spread})"


def _gap(demand: Demand, measured: Measured, confidence: float) -> str:
    """``sex=Female: selection rate is 12.1 points lower than for the rest (…)``."""
    metric, interval = demand.metric, measured.interval
    slice_value, other = (wording.level(metric, side, interval) for side in measured.sides)
    if measured.value == 0:
        how = f"as high as for {measured.against}"
    else:
        how = (
            f"{wording.gap(metric, measured.value, interval)} {'higher' if measured.value > 0 else 'lower'} "
            f"than for {measured.against}"
        )
    spread = wording.gap_interval(metric, interval, confidence)
    return f"{measured.slice.name}: {metric.title} is {how} ({slice_value} against {other}; {spread})"


def _ratio(demand: Demand, measured: Measured, confidence: float) -> str:
    metric, interval = demand.metric, measured.interval
    low, high = (end * measured.sides[1] for end in interval)  # what the ratio's interval says of the slice's own value
    slice_value, other = (wording.level(metric, side, (low, high)) for side in measured.sides)
    return (
        f"{measured.slice.name}: {metric.title} is {wording.ratio(measured.value, interval)} times that of "
        f"{measured.against} ({slice_value} against {other}; {wording.ratio_interval(interval, confidence)})"
    )


def _outcome(demand: Demand, status: Status, bound: float, needed: int | None) -> str:
    if demand.kind == "gap":
        allowed = f"the {wording.limit(demand.metric, abs(bound), of_gap=True)} allowed"
        beyond = "more than"
    else:
        allowed = f"the limit of {bound:.3g}"
        beyond = "beyond"
    if status is Status.PASS:
        return f"within {allowed}"
    if status is Status.FAIL:
        return f"{beyond} {allowed}"
    return f"too uncertain to tell whether it is within {allowed}{wording.about_rows(needed, 'rows of this slice')}"
