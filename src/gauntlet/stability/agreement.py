"""Agreement of two models on the same rows: changes of scores, and share of flipped decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gauntlet.evaluation.sample import Floats, Ints, Task
from gauntlet.evaluation.shares import clopper_pearson


@dataclass(frozen=True)
class Agreement:
    """Agreement of two models on the same rows.

    Attributes:
        names: names of the two.
        identical: whether all scores are bit-identical.
        median, largest: change of a score over rows; multiclass: of the class whose probability changed most.
        moved: share of rows whose score changed at all.
        flips: (weighted) share of rows with another decision; ``None`` for a regression, which makes none.
        interval: exact interval of ``flips``.
        rows: rows or, where they are clustered or weighted, the effective number behind the interval.
    """

    names: tuple[str, str]
    identical: bool
    median: float
    largest: float
    moved: float
    flips: float | None
    interval: tuple[float, float]
    rows: int


@dataclass(frozen=True)
class EvaluationRows:
    """Weights, clusters and decision threshold of the evaluation rows.

    Attributes:
        task: the task.
        threshold: binary: the decision threshold.
        weights: (n,) or ``None``.
        clusters: (n,) codes or ``None``.
    """

    task: Task
    threshold: float
    weights: Floats | None
    clusters: Ints | None


def agreement(
    names: tuple[str, str], first: Floats, second: Floats, rows: EvaluationRows, confidence: float
) -> Agreement:
    """Compare two models' scores.

    Args:
        names: names of the two.
        first, second: (n,) scores, (n, classes) for multiclass.
        rows: their weights, clusters and threshold.
        confidence: of the interval of the flips.
    """
    change = np.abs(first - second)
    change = change.max(axis=1) if change.ndim == 2 else change
    flips, interval, size = None, (0.0, 0.0), len(change)
    if rows.task != "regression":
        flipped = decisions(first, rows) != decisions(second, rows)
        flips, effective = _share(flipped, rows)
        low, high = clopper_pearson(flips, effective, confidence)
        interval, size = (float(low), float(high)), int(effective)
    return Agreement(
        names=names,
        identical=not change.any(),
        median=float(np.median(change)),
        largest=float(change.max()),
        moved=float((change > 0).mean()),
        flips=flips,
        interval=interval,
        rows=size,
    )


def pairwise(
    names: Sequence[str], scores: Sequence[Floats], rows: EvaluationRows, confidence: float
) -> tuple[Agreement, ...]:
    """Compare every pair of models, with simultaneous intervals of flips (Bonferroni). Most flips first."""
    pairs = list(combinations(range(len(scores)), 2))
    each = 1 - (1 - confidence) / max(len(pairs), 1)
    agreements = [agreement((names[i], names[j]), scores[i], scores[j], rows, each) for i, j in pairs]
    return tuple(sorted(agreements, key=lambda pair: (-(pair.flips or 0.0), -pair.median)))


def decisions(scores: Floats, rows: EvaluationRows) -> Ints:
    """(n,) the predicted class of each row."""
    decided = scores.argmax(axis=1) if rows.task == "multiclass" else scores >= rows.threshold
    return np.asarray(decided, dtype=np.int64)


def _share(hit: np.ndarray, rows: EvaluationRows) -> tuple[float, float]:
    """Weighted share, and the effective sample size that its variance implies (Korn & Graubard 1998).

    Deviations are summed within clusters first. Where none or all are hit, the variance is 0; the size is then Kish's,
    (Σv)²/Σv² over the units.
    """
    weights = np.ones(len(hit)) if rows.weights is None else rows.weights
    share = float(np.average(hit, weights=weights))
    if rows.weights is None and rows.clusters is None:
        return share, float(len(hit))
    unit = np.arange(len(hit)) if rows.clusters is None else rows.clusters
    size = np.bincount(unit, weights)
    kish = float(size.sum() ** 2 / (size**2).sum())
    if not 0 < share < 1:
        return share, kish
    deviations = np.bincount(unit, weights * (hit - share))
    units = int((size > 0).sum())
    variance = units / max(units - 1, 1) * float((deviations**2).sum()) / float(size.sum()) ** 2
    return share, min(share * (1 - share) / variance, float(len(hit)))
