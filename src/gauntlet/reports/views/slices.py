"""Page of the slices gate: differences between slices, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.evaluation import wording
from gauntlet.evaluation.fairness import Demand
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.performance import Estimate
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.evaluation.slice_checks import LOW_SUPPORT, SliceFinding
from gauntlet.evaluation.slices_gate import SliceRow, SlicesResult
from gauntlet.prediction.format import Manifest
from gauntlet.reports.plots import ForestRow
from gauntlet.verdict import Status

_MOST_ROWS = 40
"""Most slices drawn, the worst; the tables hold all."""


@dataclass(frozen=True)
class Forest:
    """Forest plot of one statistic over slices.

    Attributes:
        title: title of the plot.
        caption: how to read it.
        rows: worst first.
        left_out: number of slices not drawn.
        bound, direction: the limit, where it is one-sided.
        limits: (low, high) where it is two-sided.
        reference: value of no difference, or that of all rows.
        unit: ``"%"`` for shares.
        log: for ratios.
    """

    title: str
    caption: str
    rows: tuple[ForestRow, ...]
    left_out: int
    bound: float | None
    direction: str
    limits: tuple[float, float] | None
    reference: float
    unit: str
    log: bool


@dataclass(frozen=True)
class SlicesView:
    """Content of the page.

    Attributes:
        split, rows, confidence, min_rows, min_support: rows and settings of the comparison.
        threshold: binary: the decision threshold.
        reading: summary, in a short paragraph.
        demands: one plot for each demand of the policy.
        table_head, table: every slice with its metrics, written out.
        numbers: columns of ``table`` that hold numbers.
        gaps: every comparison, written out, worst first.
        units: check → the unit that its sentence says numbers in.
        metrics: one plot for each metric of the table.
    """

    split: str
    rows: int
    confidence: float
    min_rows: int
    min_support: int
    threshold: float | None
    reading: tuple[str, ...]
    demands: tuple[Forest, ...]
    table_head: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    gaps: tuple[tuple[str, ...], ...]
    units: Mapping[str, str]
    metrics: tuple[Forest, ...]


def slices_view(result: SlicesResult, manifest: Manifest, policy: SlicesPolicy) -> SlicesView:
    """Make the view of a result."""
    metrics = [estimate.metric for estimate in result.overall]
    return SlicesView(
        split=manifest.split,
        rows=manifest.rows,
        confidence=policy.confidence,
        min_rows=policy.min_rows,
        min_support=policy.min_support,
        threshold=policy.threshold if manifest.task == "binary" else None,
        reading=_reading(result),
        demands=tuple(_demand_forest(demand, result) for demand in _demands(result)),
        table_head=("Slice", "Rows", *(wording.title(metric) for metric in metrics)),
        table=(_table_row("all rows", manifest.rows, result.overall, metrics), *_slice_rows(result, metrics)),
        numbers=tuple(range(1, len(metrics) + 2)),
        gaps=tuple(_gap_row(finding) for finding in result.findings),
        units={finding.check.name: _unit(finding.demand) for finding in result.findings},
        metrics=tuple(_metric_forest(estimate, result) for estimate in result.overall),
    )


def _reading(result: SlicesResult) -> tuple[str, ...]:
    """Summarize: largest difference, counts of comparisons by status, slices that were too small."""
    sentences = []
    if result.findings:
        worst = result.findings[0].check
        sentences.append(worst.reason)
        reported = [finding for finding in result.findings if finding.check.code == LOW_SUPPORT]
        counts = {status: sum(f.check.status is status for f in result.findings) for status in Status}
        tallies = [
            f"{number} {words}"
            for number, words in (
                (counts[Status.FAIL], "beyond what the policy allows"),
                (counts[Status.INCONCLUSIVE] - len(reported), "undecided"),
                (len(reported), "reported and not judged"),
                (counts[Status.PASS], "within it"),
            )
            if number
        ]
        sentences.append(f"Of {len(result.findings)} comparisons, {', '.join(tallies)}.")
        sentences += _too_few(reported)
    small = [row.slice.name for row in result.slices if not row.judged]
    if small:
        sentences.append(f"Too small to judge: {_named(small)}.")
    return tuple(sentences)


def _too_few(reported: list[SliceFinding]) -> list[str]:
    """A sentence for each metric with slices that it could not judge: ``Too few positives to judge …``."""
    slices: dict[str, list[str]] = {}
    for finding in reported:
        rows = wording.support(finding.demand.metric, clustered=finding.measured.clustered)
        slices.setdefault(rows, []).append(finding.measured.slice.name)
    return [f"Too few {rows} to judge: {_named(list(dict.fromkeys(names)))}." for rows, names in slices.items()]


def _named(slices: list[str]) -> str:
    return "; ".join(slices[:5]) + (f" and {len(slices) - 5} more" if len(slices) > 5 else "")


def _demands(result: SlicesResult) -> tuple[Demand, ...]:
    """Demands checked on at least one slice; the one with the worst finding first."""
    return tuple({finding.demand.title: finding.demand for finding in result.findings}.values())


def _demand_forest(demand: Demand, result: SlicesResult) -> Forest:
    findings = [finding for finding in result.findings if finding.demand.title == demand.title]
    share = wording.is_share(demand.metric)
    scale = 100.0 if share and demand.kind == "gap" else 1.0
    rows = tuple(
        ForestRow(
            label=finding.measured.slice.name,
            estimate=_scaled(finding.measured.value, scale),
            low=_scaled(finding.measured.interval[0], scale),
            high=_scaled(finding.measured.interval[1], scale),
            n=finding.measured.rows,
            status=finding.check.status.value,
        )
        for finding in findings[:_MOST_ROWS]
    )
    low, high = _scaled(demand.low, scale), _scaled(demand.high, scale)
    return Forest(
        title=_heading(demand),
        caption=_caption(demand),
        rows=rows,
        left_out=len(findings) - len(rows),
        bound=None if demand.two_sided else low if low is not None else high,
        direction="" if demand.two_sided else "min" if low is not None else "max",
        limits=(low, high) if low is not None and high is not None else None,
        reference=1.0 if demand.kind == "ratio" else 0.0,
        unit="%" if share and demand.kind == "level" else "",
        log=demand.kind == "ratio",
    )


def _unit(demand: Demand) -> str:
    return "" if demand.kind == "ratio" else wording.unit(demand.metric, of_gap=demand.kind == "gap")


def _heading(demand: Demand) -> str:
    """``Demographic parity (ratio)``, ``AUC``."""
    words = demand.title.replace(demand.metric.name, demand.metric.title).replace("_", " ")
    return words[:1].upper() + words[1:]


def _caption(demand: Demand) -> str:
    what = demand.metric.title
    if demand.kind == "gap":
        points = ", in points" if wording.is_share(demand.metric) else ""
        return f"Difference in {what} between the slice and those it is compared with{points}. Shaded: not allowed."
    if demand.kind == "ratio":
        return (
            f"{wording.title(demand.metric)} of the slice over that of those it is compared with. Shaded: not allowed."
        )
    return f"{wording.title(demand.metric)} in each slice. Shaded: not allowed."


def _metric_forest(overall: Estimate, result: SlicesResult) -> Forest:
    estimates = [(row, _of(row, overall.metric)) for row in result.slices]
    known = [(row, estimate) for row, estimate in estimates if estimate is not None]
    rows = [
        ForestRow(row.slice.name, estimate.value, *estimate.interval, n=row.units)
        for row, estimate in sorted(known, key=lambda pair: pair[1].value)
    ]
    cut = rows if len(rows) <= _MOST_ROWS else rows[: _MOST_ROWS // 2] + rows[-_MOST_ROWS // 2 :]
    written = wording.level(overall.metric, overall.value, overall.interval)
    return Forest(
        title=wording.title(overall.metric),
        caption=f"{overall.metric.definition} On all rows it is {written} (the thin line).",
        rows=tuple(cut),
        left_out=len(rows) - len(cut),
        bound=None,
        direction="",
        limits=None,
        reference=overall.value,
        unit="%" if wording.is_share(overall.metric) else "",
        log=False,
    )


def _slice_rows(result: SlicesResult, metrics: list[Metric]) -> list[tuple[str, ...]]:
    return [_table_row(row.slice.name, row.rows, row.estimates, metrics) for row in result.slices]


def _table_row(name: str, rows: int, estimates: tuple[Estimate, ...], metrics: list[Metric]) -> tuple[str, ...]:
    known = {estimate.metric.name: estimate for estimate in estimates}
    cells = []
    for metric in metrics:
        estimate = known.get(metric.name)
        cells.append("–" if estimate is None else wording.level(metric, estimate.value, estimate.interval))
    return (name, f"{rows:,}", *cells)


def _gap_row(finding: SliceFinding) -> tuple[str, ...]:
    measured, metric = finding.measured, finding.demand.metric
    group, other = (
        "–" if math.isnan(side) else wording.level(metric, side, measured.interval) for side in measured.sides
    )
    against = f"{other} ({measured.against})" if measured.against else "–"
    return (finding.check.status.value, measured.slice.name, finding.demand.title, group, against, finding.check.reason)


def _of(row: SliceRow, metric: Metric) -> Estimate | None:
    return next((estimate for estimate in row.estimates if estimate.metric.name == metric.name), None)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None or math.isnan(value) else scale * value
