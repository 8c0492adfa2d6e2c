"""The features page: what was redefined, in which spans, how, whom it harms, and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gauntlet.features.diagnosis import Kind
from gauntlet.features.findings import Comparison, FeatureFinding
from gauntlet.features.gate import FeaturesResult
from gauntlet.features.wording import equation, explain
from gauntlet.reports.format import MISSING, interval, number, percent, signed
from gauntlet.reports.page import render
from gauntlet.verdict import Status

_MOST_MAPPED = 12
_MOST_DRAWN = 12
"""Features that differ and are drawn; the table holds all."""


@dataclass(frozen=True)
class Cell:
    """One row of a feature's 2×2: the values of history, or of new rows.

    Attributes:
        age: ``History``, ``New rows``.
        stored, recomputed: the median, or the commonest category; a dash where there is none.
        stored_range, recomputed_range: the middle half of the values; empty where there is none.
        status: ``pass`` where they agree, ``fail`` where they differ, ``none`` where nothing was compared.
        words: the same for a reader.
    """

    age: str
    stored: str
    recomputed: str
    stored_range: str
    recomputed_range: str
    status: str
    words: str


@dataclass(frozen=True)
class Offender:
    """A feature that differs.

    Attributes:
        feature: its name.
        how: its diagnosis in words.
        mend: what to do.
        matrix: the 2×2, by age.
        spans: every span, written out: see ``SPAN_HEAD``.
        points: (stored, recomputed) values to draw; empty for text.
        line: (slope, intercept), where a line explains it.
        drawn: what the points are.
        mapping: (stored, recomputed) categories, where one leads to the other.
        legend: what the numbers of the matrix are.
    """

    feature: str
    how: str
    mend: str
    matrix: tuple[Cell, ...]
    spans: tuple[tuple[str, ...], ...]
    points: tuple[Sequence[float], Sequence[float]]
    line: tuple[float, float] | None
    drawn: str
    mapping: tuple[tuple[str, str], ...]
    legend: str


SPAN_HEAD = ("Span", "Rows compared", "Differ", "Lose a value", "Gain one", "Median change", "Largest", "How")


@dataclass(frozen=True)
class FeaturesView:
    """The features page.

    Attributes:
        code, store: what computed the new values, and what holds the stored ones.
        spans, rows, matched: what was replayed.
        compared: features compared.
        offenders: features that differ, worst first.
        more: offenders beyond those drawn.
        impact: (label, value, note) tiles; empty where it was not measured.
        impact_sentence: the same in words.
        agreeing: (feature, rows, share that differs, largest change), of the features that agree.
        left_out: (feature, why).
        notes: what a reader should know.
        span_head: see ``SPAN_HEAD``.
    """

    code: str
    store: str
    spans: int
    rows: int
    matched: int
    compared: int
    offenders: tuple[Offender, ...]
    more: int
    impact: tuple[tuple[str, str, str], ...]
    impact_sentence: str
    agreeing: tuple[tuple[str, ...], ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    span_head: tuple[str, ...] = SPAN_HEAD


def features_page(result: FeaturesResult) -> str:
    """The report of ``check_features``."""
    return render(
        "features.html.j2",
        title="Are stored features still what the code computes?",
        subtitle=f"{result.code} against {result.store}" if result.store else result.code,
        view=features_view(result),
        verdict=result.verdict,
    )


def features_view(result: FeaturesResult) -> FeaturesView:
    """Gather what the report shows."""
    differing = [one for one in result.findings if one.check.status is Status.FAIL]
    return FeaturesView(
        code=result.code,
        store=result.store,
        spans=int(result.verdict.facts.get("spans", 0)),
        rows=int(result.verdict.facts.get("rows", 0)),
        matched=int(result.verdict.facts.get("matched", 0)),
        compared=len(result.findings),
        offenders=tuple(_offender(one, result.store) for one in differing[:_MOST_DRAWN]),
        more=max(0, len(differing) - _MOST_DRAWN),
        impact=_impact(result),
        impact_sentence=result.impact.sentence if result.impact is not None else "",
        agreeing=tuple(_agreeing(one) for one in result.findings if one.check.status is Status.PASS),
        left_out=tuple((result.left_out or {}).items()),
        notes=result.notes,
    )


def _offender(finding: FeatureFinding, store: str) -> Offender:
    worst, found = finding.worst, finding.diagnosis
    is_line = found is not None and found.kind in (Kind.NORMALIZATION, Kind.UNIT, Kind.SHIFT, Kind.SIGN, Kind.NOISE)
    line = None
    if is_line and found is not None and found.slope is not None and found.intercept is not None:
        line = (found.slope, found.intercept)
    kind = "rows" if worst.replay is not None else "quantiles"
    return Offender(
        finding.feature,
        explain(found),
        finding.mend,
        tuple(
            _cell(age, words, finding.comparisons) for age, words in (("historical", "History"), ("new", "New rows"))
        ),
        tuple(_span(one) for one in finding.comparisons),
        worst.quantiles,
        line,
        f"{kind.capitalize()} of {worst.span.name}: {store} across, recomputed upwards.",
        found.mapping[:_MOST_MAPPED] if found is not None and not worst.quantiles[0] else (),
        "Median, and below it the middle half of the values." if worst.quantiles[0] else "The commonest value.",
    )


def _cell(age: str, words: str, comparisons: Sequence[Comparison]) -> Cell:
    own = [one for one in comparisons if one.span.age == age]
    if not own:
        return Cell(words, MISSING, MISSING, "", "", "none", "nothing to compare")
    differs = any(one.differs for one in own)
    stored, stored_range = _typical(own, 0)
    new, new_range = _typical(own, 1)
    status, said = ("fail", "they differ") if differs else ("pass", "they agree")
    return Cell(words, stored, new, stored_range, new_range, status, said)


def _typical(comparisons: Sequence[Comparison], side: int) -> tuple[str, str]:
    """Median and middle half of the stored (0) or recomputed (1) values; of text the commonest value."""
    known = np.asarray([value for one in comparisons for value in one.quantiles[side] if math.isfinite(value)])
    if len(known):
        low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
        return number(middle), f"{number(low)} to {number(high)}"
    common = next((one.replay.common[side] for one in comparisons if one.replay is not None), "")
    return common or MISSING, ""


def _span(one: Comparison) -> tuple[str, ...]:
    how = MISSING if one.diagnosis is None or not one.differs else (equation(one.diagnosis) or one.diagnosis.kind.value)
    replayed = one.replay
    if replayed is None:
        return (one.span.name, f"{one.rows:,}", f"distance {number(one.measured)}", *([MISSING] * 4), how)
    return (
        one.span.name,
        f"{replayed.matched:,}",
        percent(replayed.share),
        f"{replayed.lost:,}",
        f"{replayed.gained:,}",
        number(replayed.median),
        number(replayed.largest),
        how,
    )


def _agreeing(finding: FeatureFinding) -> tuple[str, ...]:
    worst = finding.worst
    rows = f"{sum(one.rows for one in finding.comparisons):,}"
    if worst.replay is None:
        return (finding.feature, rows, f"distance {number(worst.measured)}", MISSING)
    largest = max(one.replay.largest for one in finding.comparisons if one.replay is not None)
    return (finding.feature, rows, percent(worst.measured), number(largest))


def _impact(result: FeaturesResult) -> tuple[tuple[str, str, str], ...]:
    impact = result.impact
    if impact is None:
        return ()
    tiles = [("Rows scored twice", f"{impact.rows:,}", "on stored and on recomputed features")]
    if impact.flips is not None:
        tiles.append(("Other decisions", percent(impact.share), interval(impact.interval, unit="%")))
    tiles.append(("Mean change of the score", signed(impact.mean_change), f"{number(impact.mean_size)} in size"))
    if impact.metric is not None:
        ends = interval(impact.metric.interval)
        tiles.append(
            (
                impact.metric.title,
                f"{number(impact.metric.recomputed)} → {number(impact.metric.stored)}",
                f"change {ends}",
            )
        )
    return tuple(tiles)
