"""Page of the performance gate: metrics with intervals, and curves."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.evaluation import curves, wording
from gauntlet.evaluation.performance import Estimate, Performance
from gauntlet.prediction.format import Manifest
from gauntlet.reports.plots import CalibrationBin, Series


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
        roc, precision_recall: binary.
        calibration: binary.
        confusion: classifiers: actual by decided, summed weights.
        threshold: binary: the decision threshold.
        base_rate: binary: share of positives.
        scores: binary: scores of each actual class.
        residuals, predicted: regression: their distribution; mean actual over mean predicted value.
    """

    task: str
    split: str
    rows: int
    confidence: float
    classes: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    threshold: float
    base_rate: float | None = None
    roc: CurvePoints | None = None
    precision_recall: CurvePoints | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    confusion: tuple[tuple[float, ...], ...] | None = None
    scores: Distribution | None = None
    residuals: Distribution | None = None
    predicted: tuple[Series, ...] = ()

    @property
    def decided_names(self) -> list[str]:
        """Heads of the confusion matrix's columns."""
        return [f"decided {name}" for name in self.classes]

    @property
    def confusion_numbers(self) -> list[int]:
        """Indices of its columns of numbers."""
        return list(range(1, len(self.classes) + 1))

    @property
    def confusion_rows(self) -> list[list[str]]:
        """The confusion matrix as text: each count with its share of the actual class."""
        written = []
        for name, row in zip(self.classes, self.confusion or (), strict=False):
            total = sum(row) or 1.0
            written.append([name, *(f"{cell:,.0f} ({100 * cell / total:.1f}%)" for cell in row)])
        return written


def performance_view(result: Performance, manifest: Manifest) -> PerformanceView:
    """Make the view of a result."""
    sample = result.sample
    view = PerformanceView(
        task=manifest.task,
        split=manifest.split,
        rows=sample.rows,
        confidence=float(result.verdict.facts["confidence"]),
        classes=manifest.classes,
        metrics=tuple(metric_row(estimate) for estimate in result.estimates),
        threshold=sample.threshold,
    )
    if manifest.task == "regression":
        return PerformanceView(**{**vars(view), "residuals": _residuals(result), "predicted": _predicted(result)})
    confusion = tuple(tuple(float(cell) for cell in row) for row in curves.confusion(sample))
    if manifest.task == "multiclass":
        return PerformanceView(**{**vars(view), "confusion": confusion})
    scores = curves.scores_by_class(sample, manifest.classes)
    binary = {
        "base_rate": sum(confusion[1]) / (sum(confusion[0]) + sum(confusion[1])),
        "confusion": confusion,
        "roc": _points(curves.roc(sample)),
        "precision_recall": _points(curves.precision_recall(sample)),
        "calibration": _calibration(curves.reliability(sample)),
        "scores": Distribution(
            scores.edges.tolist(), tuple(scores.shares), tuple(share.tolist() for share in scores.shares.values())
        ),
    }
    return PerformanceView(**{**vars(view), **binary})


def metric_row(estimate: Estimate) -> MetricRow:
    """Format a metric with the digits that its interval supports."""
    low, high = (wording.level(estimate.metric, end, estimate.interval) for end in estimate.interval)
    return MetricRow(
        title=wording.title(estimate.metric),
        value=wording.level(estimate.metric, estimate.value, estimate.interval),
        interval=f"{low} to {high}",
        definition=estimate.metric.definition,
    )


def _points(curve: curves.Curve) -> CurvePoints:
    return CurvePoints(curve.x.tolist(), curve.y.tolist(), curve.threshold.tolist())


def _calibration(binned: curves.Binned) -> tuple[CalibrationBin, ...]:
    columns = (binned.predicted, binned.observed, binned.low, binned.high, binned.rows)
    return tuple(
        CalibrationBin(float(predicted), float(observed), float(low), float(high), int(rows))
        for predicted, observed, low, high, rows in zip(*columns, strict=True)
    )


def _residuals(result: Performance) -> Distribution:
    histogram = curves.residuals(result.sample)
    return Distribution(
        histogram.edges.tolist(), tuple(histogram.shares), tuple(s.tolist() for s in histogram.shares.values())
    )


def _predicted(result: Performance) -> tuple[Series, ...]:
    """Mean actual over mean predicted value, in bins of about equal counts."""
    binned = curves.reliability(result.sample, bins=20)
    predicted = binned.predicted.tolist()
    return (
        Series("mean actual value", predicted, binned.observed.tolist()),
        Series("a perfect model", predicted, predicted),
    )
