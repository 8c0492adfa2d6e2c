"""Where a regression errs, for pictures: predicted and actual values, and errors by tenths of the predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation.sample import Floats, Sample

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Tenths:
    """Errors of b groups of about equally many rows, by rising prediction; error is prediction − label.

    Attributes:
        low, high: (b,) smallest and largest prediction.
        rows: (b,) rows.
        bias: (b,) mean error.
        bias_ends: (2, b) its 95 % interval by the normal approximation, one group at a time; ``None`` where rows are
            clustered, since it takes rows as independent.
        absolute: (b,) mean absolute error.
        root: (b,) root of the mean squared error.
    """

    low: Floats
    high: Floats
    rows: Floats
    bias: Floats
    bias_ends: Floats | None
    absolute: Floats
    root: Floats


def errors_by_tenths(sample: Sample, groups: int = 10) -> Tenths:
    """Divide a regression's rows by their prediction; equal predictions stay together, so there may be fewer groups."""
    edges = np.unique(np.quantile(sample.score, np.linspace(0, 1, groups + 1)[1:-1]))
    _, code = np.unique(np.searchsorted(edges, sample.score, side="right"), return_inverse=True)
    error = sample.score - sample.label
    weight = np.bincount(code, sample.weight)

    def mean(values: Floats) -> Floats:
        return np.divide(np.bincount(code, sample.weight * values), weight, out=np.zeros(len(weight)), where=weight > 0)

    bias = mean(error)
    squared = np.bincount(code, sample.weight**2)
    effective = np.divide(weight**2, squared, out=np.zeros(len(weight)), where=squared > 0)
    half = _NORMAL_95 * np.sqrt(mean((error - bias[code]) ** 2) / np.maximum(effective - 1, 1))
    low, high = np.full(len(weight), np.inf), np.full(len(weight), -np.inf)
    np.minimum.at(low, code, sample.score)
    np.maximum.at(high, code, sample.score)
    return Tenths(
        low,
        high,
        np.bincount(code).astype(np.float64),
        bias,
        None if sample.cluster is not None else np.array([bias - half, bias + half]),
        mean(np.abs(error)),
        np.sqrt(mean(error**2)),
    )


def predicted_and_actual(sample: Sample, most: int = 600) -> tuple[Floats, Floats]:
    """Predictions and labels of at most so many rows, spread evenly over the order of predictions, with both ends."""
    order = np.argsort(sample.score, kind="stable")
    if len(order) > most:
        order = order[np.unique(np.linspace(0, len(order) - 1, most).round().astype(np.int64))]
    return sample.score[order], sample.label[order]
