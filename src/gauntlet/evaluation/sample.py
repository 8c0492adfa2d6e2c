"""Sample that metrics are computed on: labels, one model's scores, weights and clusters, validated once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gauntlet.errors import ConfigurationError, DataError

Task = Literal["binary", "multiclass", "regression"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SUM_TOLERANCE = 1e-3
"""Tolerance of the sum of class probabilities, enough for single precision and many classes."""


@dataclass(frozen=True)
class Sample:
    """One model's predictions on n rows. Build it with ``sample``, which validates it.

    Attributes:
        task: what is predicted.
        label: (n,) float; binary 0 or 1; multiclass the class index; regression the value.
        score: (n,) float; binary probability of class 1; regression the prediction; multiclass (n, K) probabilities.
        weight: (n,) float, finite, non-negative, with a positive sum; ones when the rows are not weighted.
        cluster: (n,) int codes 0..G-1 of the sampling unit each row belongs to, or None: every row is its own.
        threshold: binary only: a score at or above it is the decision 1.
        weighted: whether any weight is not 1.
        origin: regression only: a value near the labels; sums of squares are taken around it, so that they keep
            their digits. Shards that will be merged share one.
    """

    task: Task
    label: Floats
    score: Floats
    weight: Floats
    cluster: Ints | None = None
    threshold: float = 0.5
    weighted: bool = False
    origin: float = 0.0

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.label)

    @property
    def classes(self) -> int:
        """Number of classes: K for multiclass, 2 for binary, 0 for regression."""
        if self.task == "multiclass":
            return int(self.score.shape[-1])
        return 2 if self.task == "binary" else 0


def sample(
    label: ArrayLike,
    score: ArrayLike,
    *,
    task: Task,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    threshold: float = 0.5,
    origin: float | None = None,
) -> Sample:
    """Check arrays and hold them as a ``Sample``.

    Args:
        label: (n,) labels as in ``Sample``.
        score: (n,) or, for multiclass, (n, K) scores.
        task: ``binary | multiclass | regression``.
        weight: (n,) non-negative example weights, or None.
        cluster: (n,) identifiers of the sampling unit (strings or numbers), or None.
        threshold: decision threshold of a binary score, in (0, 1).
        origin: as in ``Sample``; None takes the mean label.

    Raises:
        ConfigurationError: a threshold outside (0, 1).
        DataError: arrays of unequal length or wrong shape, no rows, NaN or infinite values, labels or probabilities
            out of range, a negative weight, all weights zero.
    """
    if not 0 < threshold < 1:
        raise ConfigurationError(
            "lies outside (0, 1)", field="threshold", value=threshold, mend="Choose a probability between 0 and 1"
        )
    labels = _numbers("label", label, 1)
    scores = _numbers("score", score, 2 if task == "multiclass" else 1)
    weights = np.ones(len(labels)) if weight is None else _numbers("weight", weight, 1)
    clusters = None if cluster is None else _codes(cluster)
    for name, values in (("score", scores), ("weight", weights), ("cluster", clusters)):
        if values is not None and len(values) != len(labels):
            raise DataError(
                f"has another length than label ({len(labels)})",
                field=name,
                value=len(values),
                mend="Give one per row",
            )
    if weights.min() < 0 or weights.sum() <= 0:
        raise DataError(
            "must not be negative, nor all zero",
            field="weight",
            value=float(weights.min()),
            mend="Drop such rows or correct their weights",
        )
    _check_range(task, labels, scores)
    if origin is None:
        origin = float(np.average(labels, weights=weights)) if task == "regression" else 0.0
    weighted = bool((weights != 1).any())
    return Sample(task, labels, scores, weights, clusters, threshold, weighted, origin)


def same_rows(samples: Sequence[Sample]) -> None:
    """Check that several models were scored on the same rows: equal task, labels, weights and clusters.

    Raises:
        DataError: naming what differs.
    """
    first = samples[0]
    for other in samples[1:]:
        clusters_equal = (
            other.cluster is None if first.cluster is None else np.array_equal(first.cluster, _or_empty(other.cluster))
        )
        equal = {
            "task": first.task == other.task and first.classes == other.classes,
            "label": np.array_equal(first.label, other.label),
            "weight": np.array_equal(first.weight, other.weight),
            "cluster": clusters_equal,
        }
        for name, same in equal.items():
            if not same:
                raise DataError(
                    "differs between the models compared", field=name, mend="Score both models on the same rows"
                )


def _or_empty(cluster: Ints | None) -> Ints:
    return np.empty(0, dtype=np.int64) if cluster is None else cluster


def _numbers(name: str, values: ArrayLike, dimensions: int) -> Floats:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("holds values that are no numbers", field=name, value=str(error)) from error
    if array.ndim != dimensions or array.size == 0:
        raise DataError(
            f"must be a non-empty array of {dimensions} dimension(s)",
            field=name,
            value=array.shape,
            mend="Give one value per row" if dimensions == 1 else "Give one column per class",
        )
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0])
        raise DataError(
            f"holds NaN or infinity, first in row {bad}", field=name, value=str(array[bad]), mend="Mend or drop the row"
        )
    return array


def _codes(cluster: ArrayLike) -> Ints:
    values = np.asarray(cluster)
    if values.ndim != 1:
        raise DataError("must be a 1-dimensional array", field="cluster", value=values.shape)
    return np.unique(values, return_inverse=True)[1].astype(np.int64, copy=False)


def _check_range(task: Task, label: Floats, score: Floats) -> None:
    if task == "regression":
        return
    classes = 2 if task == "binary" else score.shape[1]
    bad = (label < 0) | (label >= classes) | (label != np.floor(label))
    if bad.any():
        raise DataError(
            f"must be a class index from 0 to {classes - 1}", field="label", value=float(label[bad][0]), mend="Map it"
        )
    if score.min() < 0 or score.max() > 1:
        worst = score.min() if score.min() < 0 else score.max()
        raise DataError("must be a probability", field="score", value=float(worst), mend="Calibrate the scores")
    if task == "multiclass" and np.abs(score.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        far = int(np.abs(score.sum(axis=1) - 1).argmax())
        raise DataError(
            f"does not sum to 1 over the classes in row {far}",
            field="score",
            value=float(score[far].sum()),
            mend="Normalise the class probabilities",
        )
