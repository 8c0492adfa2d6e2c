"""The rows a metric is computed on: labels, one model's scores, weights and clusters, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Task = Literal["binary", "multiclass", "regression"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """One model's predictions on n rows. Build it with ``sample``, which checks what this class takes for granted.

    Attributes:
        task: what is predicted.
        label: (n,) float; binary 0 or 1; multiclass the class index; regression the value.
        score: (n,) float; binary probability of class 1; regression the prediction; multiclass (n, K) probabilities.
        weight: (n,) float, finite, non-negative, with a positive sum; ones when the rows are not weighted.
        cluster: (n,) int codes 0..G-1 of the sampling unit each row belongs to, or None: every row is its own.
        threshold: binary only: a score at or above it is the decision 1.
        weighted: False when all weights are equal.
    """

    task: Task
    label: Floats
    score: Floats
    weight: Floats
    cluster: Ints | None = None
    threshold: float = 0.5
    weighted: bool = False

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
) -> Sample:
    """Check arrays and hold them as a ``Sample``.

    Args:
        label: (n,) labels as in ``Sample``.
        score: (n,) or, for multiclass, (n, K) scores.
        task: ``binary | multiclass | regression``.
        weight: (n,) non-negative example weights, or None.
        cluster: (n,) identifiers of the sampling unit (strings or numbers), or None.
        threshold: decision threshold of a binary score, in (0, 1).

    Raises:
        DataError: arrays of unequal length or wrong shape, no rows, NaN or infinite values, labels or probabilities
            out of range, a negative weight, all weights zero.
    """
    raise NotImplementedError


def same_rows(samples: tuple[Sample, ...]) -> None:
    """Check that several models were scored on the same rows: equal labels, weights, clusters and task.

    Raises:
        DataError: naming what differs.
    """
    raise NotImplementedError
