"""Page of the performance gate: metrics with intervals, and curves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gauntlet.evaluation import curves, wording
from gauntlet.evaluation.performance import Estimate, Performance
from gauntlet.prediction.format import Manifest
from gauntlet.reports.plots import CalibrationBin, Series
from gauntlet.reports.views.classification import Classification, calibration_bins, classification
from gauntlet.reports.views.regression import Regression, regression

_HYPHEN = re.compile(r"(?<= )-(?=\S| )")
"""A minus of a formula, in a definition written with plain characters."""


@dataclass(frozen=True)
class MetricRow:
    """Row of the table of metrics, formatted."""

    title: str
    value: str
    interval: str
    definition: str


@dataclass(frozen=True)
class CurvePoints:
    """A curve over the decision threshold as plain lists."""

    x: list[float]
    y: list[float]
    threshold: list[float]

    @property
    def series(self) -> list[Series]:
        """The curve as a plot's series."""
        return [Series("this model", self.x, self.y)]


@dataclass(frozen=True)
class Distribution:
    """A histogram of one or two groups: edges, and the shares of each group in order."""

    edges: list[float]
    names: tuple[str, ...]
    shares: tuple[list[float], ...]


@dataclass(frozen=True)
class PerformanceView:
    """Content of the page.

    Attributes:
        task: ``binary | multiclass | regression``.
        split: the evaluation rows.
        rows: their number.
        confidence: of every interval on the page.
        classes: names, in order; empty for a regression.
        metrics: all of them.
        units: check → the unit that its sentence says numbers in.
        roc, precision_recall: binary.
        calibration: binary.
        confusion: classifiers: actual by decided, summed weights.
        by_class: classifiers: what happens class by class.
        threshold: binary: the decision threshold.
        clustered: whether rows come in groups: intervals of pictures would take them as independent.
        base_rate: binary: share of positives.
        scores: binary: scores of each actual class.
        regression: where a regression errs.
    """

    task: str
    split: str
    rows: int
    confidence: float
    classes: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    units: Mapping[str, str]
    threshold: float
    clustered: bool = False
    base_rate: float | None = None
    roc: CurvePoints | None = None
    precision_recall: CurvePoints | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    confusion: tuple[tuple[float, ...], ...] | None = None
    scores: Distribution | None = None
    by_class: Classification | None = None
    regression: Regression | None = None


def performance_view(result: Performance, manifest: Manifest) -> PerformanceView:
    """Make the view of a result."""
    sample = result.sample
    view = PerformanceView(
        task=manifest.task,
        split=manifest.split,
        rows=sample.rows,
        confidence=float(result.verdict.facts["confidence"]),
        classes=manifest.named_classes,
        metrics=tuple(metric_row(estimate) for estimate in result.estimates),
        units={estimate.metric.name: wording.unit(estimate.metric) for estimate in result.estimates},
        threshold=sample.threshold,
        clustered=manifest.clustered,
    )
    if manifest.task == "regression":
        return replace(view, regression=regression(sample))
    confusion = tuple(tuple(float(cell) for cell in row) for row in curves.confusion(sample))
    view = replace(view, confusion=confusion, by_class=classification(sample, manifest.named_classes))
    if manifest.task == "multiclass":
        return view
    scores = curves.scores_by_class(sample, manifest.named_classes)
    return replace(
        view,
        base_rate=sum(confusion[1]) / (sum(confusion[0]) + sum(confusion[1])),
        roc=_points(curves.roc(sample)),
        precision_recall=_points(curves.precision_recall(sample)),
        calibration=calibration_bins(curves.reliability(sample)),
        scores=Distribution(
            scores.edges.tolist(), tuple(scores.shares), tuple(share.tolist() for share in scores.shares.values())
        ),
    )


def metric_row(estimate: Estimate) -> MetricRow:
    """Format a metric with the digits that its interval supports."""
    low, high = (wording.level(estimate.metric, end, estimate.interval) for end in estimate.interval)
    return MetricRow(
        title=wording.title(estimate.metric),
        value=wording.level(estimate.metric, estimate.value, estimate.interval),
        interval=f"{low} to {high}",
        definition=_HYPHEN.sub("−", estimate.metric.definition),
    )


def _points(curve: curves.Curve) -> CurvePoints:
    return CurvePoints(curve.x.tolist(), curve.y.tolist(), curve.threshold.tolist())
