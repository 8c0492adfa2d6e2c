"""Page of the feature gate: features that differ, by span, with diagnosis, impact and mend."""

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
"""Most features drawn; the table holds all."""


@dataclass(frozen=True)
class Cell:
    """Row of a feature's 2×2: values of history, or of new rows.

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
    """Feature that differs.

    Attributes:
        feature: its name.
        how: its diagnosis in words.
        mend: what to do.
        matrix: the 2×2, by age.
        spans: every span, written out: see ``SPAN_HEAD``.
        points: (stored, recomputed) values to draw; empty for text.
        line: (slope, intercept), where a line explains it.
        drawn: caption of the points.
        mapping: (stored, recomputed) categories, where one leads to the other.
        legend: legend of the matrix.
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
    """Content of the page.

    Attributes:
        code, store: sources of new and of stored values.
        spans, rows, matched: size of the replay.
        compared: features compared.
        offenders: features that differ, worst first.
        more: number of offenders not drawn.
        impact: (label, value, note) tiles; empty where it was not measured.
        impact_sentence: the same in words.
        agreeing: (feature, rows, share that differs, largest change), of the features that agree.
        left_out: (feature, why).
        notes: remarks.
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
    """Render the report of ``check_features``."""
    return render(
        "features.html.j2",
        title="Are stored features still what the code computes?",
        subtitle=f"{result.code} against {result.store}" if result.store else result.code,
        view=features_view(result),
        verdict=result.verdict,
    )


def features_view(result: FeaturesResult) -> FeaturesView:
    """Make the view of a result."""
    differing = [finding for finding in result.findings if finding.check.status is Status.FAIL]
    return FeaturesView(
        code=result.code,
        store=result.store,
        spans=int(result.verdict.facts.get("spans", 0)),
        rows=int(result.verdict.facts.get("rows", 0)),
        matched=int(result.verdict.facts.get("matched", 0)),
        compared=len(result.findings),
        offenders=tuple(_offender(finding, result.store) for finding in differing[:_MOST_DRAWN]),
        more=max(0, len(differing) - _MOST_DRAWN),
        impact=_impact(result),
        impact_sentence=result.impact.sentence if result.impact is not None else "",
        agreeing=tuple(_agreeing(finding) for finding in result.findings if finding.check.status is Status.PASS),
        left_out=tuple((result.left_out or {}).items()),
        notes=result.notes,
    )


def _offender(finding: FeatureFinding, store: str) -> Offender:
    worst, diagnosis = finding.worst, finding.diagnosis
    is_line = diagnosis is not None and diagnosis.kind in (
        Kind.NORMALIZATION,
        Kind.UNIT,
        Kind.SHIFT,
        Kind.SIGN,
        Kind.NOISE,
    )
    line = None
    if is_line and diagnosis is not None and diagnosis.slope is not None and diagnosis.intercept is not None:
        line = (diagnosis.slope, diagnosis.intercept)
    kind = "rows" if worst.replay is not None else "quantiles"
    return Offender(
        finding.feature,
        explain(diagnosis),
        finding.mend,
        tuple(
            _cell(age, words, finding.comparisons) for age, words in (("historical", "History"), ("new", "New rows"))
        ),
        tuple(_span(comparison) for comparison in finding.comparisons),
        worst.quantiles,
        line,
        f"{kind.capitalize()} of {worst.span.name}: {store} across, recomputed upwards.",
        diagnosis.mapping[:_MOST_MAPPED] if diagnosis is not None and not worst.quantiles[0] else (),
        "Median, and below it the middle half of the values." if worst.quantiles[0] else "The commonest value.",
    )


def _cell(age: str, words: str, comparisons: Sequence[Comparison]) -> Cell:
    of_age = [comparison for comparison in comparisons if comparison.span.age == age]
    if not of_age:
        return Cell(words, MISSING, MISSING, "", "", "none", "nothing to compare")
    differs = any(comparison.differs for comparison in of_age)
    stored, stored_range = _typical(of_age, 0)
    new, new_range = _typical(of_age, 1)
    status, agreement = ("fail", "they differ") if differs else ("pass", "they agree")
    return Cell(words, stored, new, stored_range, new_range, status, agreement)


def _typical(comparisons: Sequence[Comparison], side: int) -> tuple[str, str]:
    """Median and middle half of the stored (0) or recomputed (1) values; of text the most frequent value."""
    known = np.asarray(
        [value for comparison in comparisons for value in comparison.quantiles[side] if math.isfinite(value)]
    )
    if len(known):
        low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
        return number(middle), f"{number(low)} to {number(high)}"
    common = next((comparison.replay.common[side] for comparison in comparisons if comparison.replay is not None), "")
    return common or MISSING, ""


def _span(comparison: Comparison) -> tuple[str, ...]:
    how = (
        MISSING
        if comparison.diagnosis is None or not comparison.differs
        else (equation(comparison.diagnosis) or comparison.diagnosis.kind.value)
    )
    replayed = comparison.replay
    if replayed is None:
        return (
            comparison.span.name,
            f"{comparison.rows:,}",
            f"distance {number(comparison.measured)}",
            *([MISSING] * 4),
            how,
        )
    return (
        comparison.span.name,
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
    rows = f"{sum(comparison.rows for comparison in finding.comparisons):,}"
    if worst.replay is None:
        return (finding.feature, rows, f"distance {number(worst.measured)}", MISSING)
    largest = max(comparison.replay.largest for comparison in finding.comparisons if comparison.replay is not None)
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
