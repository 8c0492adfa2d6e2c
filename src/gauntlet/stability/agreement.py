"""What two models answer to the same rows: how far scores moved, and how many decisions flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gauntlet.evaluation.intervals import clopper_pearson
from gauntlet.evaluation.sample import Floats, Ints, Task


@dataclass(frozen=True)
class Agreement:
    """Two models on the same rows.

    Attributes:
        names: of the two.
        identical: every score is the same, to the last bit.
        median, largest: change of a score over rows; multiclass: of the class whose probability moved most.
        moved: share of rows whose score changed at all.
        flips: (weighted) share of rows decided otherwise; ``None`` for a regression, which decides nothing.
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
class Rows:
    """How rows count.

    Attributes:
        task: what is predicted.
        threshold: binary: where decisions are made.
        weights: (n,) or ``None``.
        clusters: (n,) codes or ``None``.
    """

    task: Task
    threshold: float
    weights: Floats | None
    clusters: Ints | None


def agreement(names: tuple[str, str], first: Floats, second: Floats, rows: Rows, confidence: float) -> Agreement:
    """Compare two models' scores.

    Args:
        names: what the two are called.
        first, second: (n,) scores, (n, classes) for multiclass.
        rows: how rows count and decide.
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


def pairwise(names: Sequence[str], scores: Sequence[Floats], rows: Rows, confidence: float) -> tuple[Agreement, ...]:
    """Every two of the models; the intervals of their flips hold together (Bonferroni). Most flips first."""
    pairs = list(combinations(range(len(scores)), 2))
    each = 1 - (1 - confidence) / max(len(pairs), 1)
    found = [agreement((names[i], names[j]), scores[i], scores[j], rows, each) for i, j in pairs]
    return tuple(sorted(found, key=lambda pair: (-(pair.flips or 0.0), -pair.median)))


def decisions(scores: Floats, rows: Rows) -> Ints:
    """(n,) the class each row is decided to be."""
    decided = scores.argmax(axis=1) if rows.task == "multiclass" else scores >= rows.threshold
    return np.asarray(decided, dtype=np.int64)


def _share(hit: np.ndarray, rows: Rows) -> tuple[float, float]:
    """The weighted share, and the number of independent rows with its variance (Korn & Graubard 1998).

    Clusters add their rows' deviations first. Where none or all are hit there is no variance to see; the size is then
    Kish's, (Σv)²/Σv² over the units.
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
