"""The pictures behind the numbers, as arrays small enough to draw: curves, bins and tables of one model's scores.

All are weighted: a row counts with its weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation.sample import Floats, Sample
from gauntlet.evaluation.shares import wilson

MOST_POINTS = 100
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Curve:
    """A curve over the decision threshold, p points, from the strictest threshold to the mildest.

    Attributes:
        x, y: (p,) coordinates in [0, 1]. ROC: false-positive rate, true-positive rate; PR: recall, precision.
        threshold: (p,) scores at or above it are positive; finite, in [0, 1].
    """

    x: Floats
    y: Floats
    threshold: Floats


@dataclass(frozen=True)
class Binned:
    """Calibration curve: observed against predicted shares, in b bins of about equal counts.

    Attributes:
        predicted: (b,) mean prediction.
        observed: (b,) mean label.
        low, high: (b,) 95 % interval of ``observed``, one bin at a time.
        rows: (b,) rows.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    rows: Floats


@dataclass(frozen=True)
class Histogram:
    """Shares of the weight in equal bins.

    Attributes:
        edges: (b + 1,).
        shares: name of the group → (b,) shares that add up to 1.
    """

    edges: Floats
    shares: dict[str, Floats]


def roc(sample: Sample, most_points: int = MOST_POINTS) -> Curve:
    """Receiver operating characteristic of a binary sample with both classes, from (0, 0) to (1, 1)."""
    threshold, positive, negative = _cumulated(sample)
    return _thinned(negative / negative[-1], positive / positive[-1], threshold, most_points)


def precision_recall(sample: Sample, most_points: int = MOST_POINTS) -> Curve:
    """Precision over recall of a binary sample with positives; no interpolation between thresholds.

    The first point (nothing is positive yet) takes the precision of the next.
    """
    threshold, positive, negative = _cumulated(sample)
    chosen = positive + negative
    precision = np.divide(positive, chosen, out=np.ones_like(positive), where=chosen > 0)
    precision[0] = precision[min(1, len(precision) - 1)]
    return _thinned(positive / positive[-1], precision, threshold, most_points)


def reliability(sample: Sample, bins: int = 10) -> Binned:
    """Binary: share of positives against mean score; regression: mean value against mean prediction.

    Bins hold about equally many rows; equal scores stay together, so there may be fewer bins.
    """
    edges = np.unique(np.quantile(sample.score, np.linspace(0, 1, bins + 1)[1:-1]))
    code = np.searchsorted(edges, sample.score, side="right")
    _, code = np.unique(code, return_inverse=True)
    weight = np.bincount(code, sample.weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted = np.bincount(code, sample.weight * sample.score) / weight
        observed = np.bincount(code, sample.weight * sample.label) / weight
        effective = weight**2 / np.bincount(code, sample.weight**2)
        if sample.task == "binary":
            low, high = wilson(observed, effective, _NORMAL_95)
        else:
            spread = np.bincount(code, sample.weight * (sample.label - observed[code]) ** 2) / weight
            half = _NORMAL_95 * np.sqrt(spread / np.maximum(effective - 1, 1))  # spread is of n, the error of n - 1
            low, high = observed - half, observed + half
    keep = weight > 0
    rows = np.bincount(code).astype(np.float64)
    return Binned(predicted[keep], observed[keep], low[keep], high[keep], rows[keep])


def confusion(sample: Sample) -> Floats:
    """(classes, classes) sums of weights: actual class by decided class; binary at the sample's threshold."""
    actual = sample.label.astype(np.int64)
    decided = (
        (sample.score >= sample.threshold).astype(np.int64) if sample.task == "binary" else sample.score.argmax(axis=1)
    )
    k = sample.classes
    table = np.bincount(actual * k + decided, sample.weight, minlength=k * k).reshape(k, k)
    return table.astype(np.float64)


def scores_by_class(sample: Sample, classes: tuple[str, ...], bins: int = 25) -> Histogram:
    """Distribution of scores of a binary sample, for each actual class."""
    edges = np.linspace(0, 1, bins + 1)
    shares = {}
    for index, name in enumerate(classes):
        chosen = sample.label == index
        counts, _ = np.histogram(sample.score[chosen], edges, weights=sample.weight[chosen])
        shares[name] = counts / max(counts.sum(), np.finfo(np.float64).tiny)
    return Histogram(edges, shares)


def errors(sample: Sample, bins: int = 31) -> Histogram:
    """Distribution of prediction − label of a regression, with the outer 1 % on either side in the outer bins."""
    error = sample.score - sample.label
    low, high = np.quantile(error, [0.01, 0.99])
    least = 1e-9 * max(1.0, abs(low), abs(high))
    if high - low < least:  # the same error on every row, but for its last digits
        low, high = low - 0.5 * max(1.0, least), high + 0.5 * max(1.0, least)
    counts, edges = np.histogram(np.clip(error, low, high), bins, (low, high), weights=sample.weight)
    return Histogram(edges, {"error": counts / counts.sum()})


def _cumulated(sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Distinct scores from the largest down, after a start above them all, and the weights of each class so far."""
    order = np.argsort(-sample.score, kind="stable")
    score, weight, label = sample.score[order], sample.weight[order], sample.label[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    positive = np.append(0.0, np.cumsum(weight * label)[last])
    negative = np.append(0.0, np.cumsum(weight * (1 - label))[last])
    return np.append(1.0, score[last]), positive, negative


def _thinned(x: Floats, y: Floats, threshold: Floats, most_points: int) -> Curve:
    """At most so many points, evenly spread along the curve's length, its ends kept."""
    if len(x) > most_points:
        length = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
        nearest = np.searchsorted(length, np.linspace(0, length[-1], most_points))
        keep = np.unique(np.concatenate([[0], np.minimum(nearest, len(x) - 1), [len(x) - 1]]))[:most_points]
        keep[-1] = len(x) - 1
        x, y, threshold = x[keep], y[keep], threshold[keep]
    return Curve(x, y, threshold)
