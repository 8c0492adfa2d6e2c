"""Page of the champion comparison: metrics, slices and decisions of two models on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gauntlet.evaluation import wording
from gauntlet.evaluation.comparison import ChampionResult
from gauntlet.evaluation.difference_checks import SLICE, Difference
from gauntlet.evaluation.paired import PairedCounts
from gauntlet.prediction.format import Manifest
from gauntlet.reports.plots import ForestRow
from gauntlet.verdict import Check

_MOST_ROWS = 40


@dataclass(frozen=True)
class MetricComparison:
    """Comparison of one metric, formatted.

    Attributes:
        title: the metric.
        challenger, champion: its values.
        difference: challenger − champion, with its sign.
        interval: of the difference.
        reading: ``better``, ``worse`` or ``no difference shown``.
    """

    title: str
    challenger: str
    champion: str
    difference: str
    interval: str
    reading: str


@dataclass(frozen=True)
class ChampionView:
    """Content of the page.

    Attributes:
        compared: whether there was a champion.
        same: whether both models give identical scores.
        split, rows: the evaluation rows.
        metrics: every metric of both.
        slice_rows: improvement of each slice (positive: the challenger is better), worst first; shares in points.
        slice_metric: its metric; empty when no slices were compared.
        slice_bound: the margin on that scale.
        left_out: number of slices not drawn.
        not_compared: names of the slices that were not compared.
        decisions: how decisions changed, as rows of a table.
        mcnemar: exact p-value of McNemar's test; ``None``: not tested.
        seed_counted: whether the seed spread is in the intervals.
        seed_source: source of the seed spread: ``training``, ``5 re-trainings``.
        units: check → the unit that its sentence says numbers in.
    """

    compared: bool
    same: bool
    split: str
    rows: int
    metrics: tuple[MetricComparison, ...] = ()
    slice_rows: tuple[ForestRow, ...] = ()
    slice_metric: str = ""
    slice_bound: float | None = None
    left_out: int = 0
    not_compared: tuple[str, ...] = ()
    decisions: tuple[tuple[str, str, str], ...] = ()
    mcnemar: float | None = None
    seed_counted: bool = False
    seed_source: str = ""
    units: Mapping[str, str] = field(default_factory=dict)


def champion_view(result: ChampionResult, manifest: Manifest) -> ChampionView:
    """Make the view of a result."""
    slices = result.slices[:_MOST_ROWS]
    checks = {check.subject: check for check in result.verdict.checks if check.code == SLICE}
    first = slices[0] if slices else None
    bound = checks[first.slice.name].bound if first is not None else None
    return ChampionView(
        compared=bool(result.overall),
        same=result.same,
        split=manifest.split,
        rows=manifest.rows,
        metrics=tuple(_metric(difference) for difference in result.overall),
        slice_rows=tuple(_slice_row(difference, checks[difference.slice.name]) for difference in slices),
        slice_metric=_in_what(first),
        slice_bound=-abs(bound) * _scale(first) if first is not None and bound is not None else None,
        left_out=len(result.slices) - len(slices),
        not_compared=tuple(slice_.name for slice_ in result.not_compared),
        decisions=_decisions(result.decisions.counts) if result.decisions is not None else (),
        mcnemar=result.decisions.p_value if result.decisions is not None else None,
        seed_counted=bool(result.verdict.facts.get("seed_variance")),
        units=_units(result),
        seed_source=str(result.verdict.facts.get("seed_variance_from", "")),
    )


def _units(result: ChampionResult) -> dict[str, str]:
    units = {found.name: wording.unit(found.metric, of_gap=True) for found in (*result.overall, *result.slices)}
    return units | {f"{name}: improvement": unit for name, unit in units.items()}


def _metric(difference: Difference) -> MetricComparison:
    metric, interval = difference.metric, difference.interval
    challenger, other = (wording.level(metric, side, interval) for side in (difference.challenger, difference.champion))
    low, high = difference.improvement_interval
    reading = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    sign = "+" if difference.value > 0 else ""
    return MetricComparison(
        title=wording.title(metric),
        challenger=challenger,
        champion=other,
        difference=sign + wording.signed_gap(metric, difference.value, interval),
        interval=wording.gap_ends(metric, interval),
        reading=reading,
    )


def _slice_row(difference: Difference, check: Check) -> ForestRow:
    scale = _scale(difference)
    low, high = (scale * end for end in difference.improvement_interval)
    return ForestRow(
        difference.slice.name,
        scale * difference.improvement,
        low,
        high,
        n=difference.rows,
        status=check.status.value,
    )


def _in_what(difference: Difference | None) -> str:
    if difference is None:
        return ""
    return wording.title(difference.metric) + (", in points" if wording.is_share(difference.metric) else "")


def _scale(difference: Difference) -> float:
    return 100.0 if wording.is_share(difference.metric) else 1.0


def _decisions(counts: PairedCounts) -> tuple[tuple[str, str, str], ...]:
    cells = (
        ("Both right", counts.both),
        ("Only the challenger right", counts.first_only),
        ("Only the champion right", counts.second_only),
        ("Both wrong", counts.neither),
    )
    return tuple((name, f"{count:,}", f"{100 * count / counts.rows:.2f}%") for name, count in cells)
