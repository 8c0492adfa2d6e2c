"""The area under the ROC curve and its influence, with weights and slices, in O(n log n).

DeLong, DeLong & Clarke-Pearson (1988) give the variance from placements: for each positive the share of negatives it
outscores, for each negative the share of positives that outscore it. Sun & Xu (2014) read placements off midranks in
one sort. Here the ranks are cumulative weights, which generalises them to weighted rows, and a second, stable sort by
group gives every slice's placements from the one sort by score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.evaluation.sample import Floats, Ints

Bools = NDArray[np.bool_]
Codes = NDArray[np.int16]
"""Groups as 16-bit numbers, where there are few enough."""
_ROWS_AT_ONCE = 1 << 17
"""Rows of small groups worked on together: the memory they need is used again, and fits the processor's cache."""


@dataclass(frozen=True)
class Ranking:
    """Rows in ascending order of score; made once, used for every partition.

    Attributes:
        order: (n,) row at each rank.
        positive: (n,) whether that row is positive.
        weight: (n,) its weight, or None for equal weights.
        run: (n,) number of the run of equal scores it belongs to, ascending; None when no two scores are equal.
    """

    order: Ints
    positive: Bools
    weight: Floats | None
    run: Ints | None


def rank(label: Floats, score: Floats, weight: Floats | None = None) -> Ranking:
    """Sort rows by score.

    Args:
        label: (n,) 0 or 1.
        score: (n,).
        weight: (n,), or None for equal weights.
    """
    order = np.argsort(score)
    ascending = score[order]
    rises = ascending[1:] != ascending[:-1]
    run = None if rises.all() else np.concatenate([[0], np.cumsum(rises)])
    return Ranking(order, (label == 1)[order], None if weight is None else weight[order], run)


def grouped_auc(
    ranking: Ranking, codes: Ints | Codes, groups: int, *, corrected: bool = False, out: Floats | None = None
) -> tuple[Floats, Floats]:
    """AUC of every group and each row's influence on its own group's.

    The AUC is P(score of a positive > score of a negative) + half P(tie), rows drawn in proportion to weight: the
    trapezoid area under the (weighted) ROC curve. Constant scores give 0.5. Influence of a positive i:
    (wᵢ / W₊)(F₋(sᵢ) - AUC), of a negative j: (wⱼ / W₋)(1 - F₊(sⱼ) - AUC), ties in F counted half; they sum to zero
    within each class. Corrected, their sum of squares is DeLong's variance.

    Args:
        ranking: the rows by score.
        codes: (n,) group of each row, -1 for none.
        groups: number of groups.
        corrected: scale influences by √(m / (m - 1)) within each class of (Kish effective) size m.
        out: (n,) array to write the influences to.

    Returns:
        (groups,) AUC, NaN where a class is missing; (n,) influence, 0 outside groups and in groups without an AUC.

    >>> ranking = rank(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> grouped_auc(ranking, np.zeros(4, dtype=np.int64), 1)[0].tolist()
    [0.75]
    """
    influence = np.empty(len(codes)) if out is None else out
    place, bounds = _regroup(ranking.order, codes, groups)
    if bounds[-1] < len(codes):
        influence[:] = 0.0
    area = np.empty(groups)
    for first, last in _batches(bounds):
        here = slice(bounds[first], bounds[last])
        inner = bounds[first : last + 1] - bounds[first]
        part = _subset(ranking, here if place is None else place[here], inner)
        area[first:last], values = _area(part, inner, corrected)
        influence[part.order] = values
    return area, influence


def _regroup(order: Ints, codes: Ints | Codes, groups: int) -> tuple[Ints | None, Ints]:
    """Ranks in order of (group, score), None for as they are; and (groups + 1,) the groups' bounds among them."""
    if groups == 1 and codes.min() == 0:
        return None, np.array([0, len(codes)])
    # numpy sorts 16-bit keys by radix, in O(n).
    ranked = codes.astype(np.int16 if groups < 1 << 15 else np.int64, copy=False)[order]
    bounds = np.cumsum(np.bincount(ranked + 1, minlength=groups + 1))
    place = np.argsort(ranked, kind="stable")
    return place[bounds[0] :], bounds - bounds[0]


def _batches(bounds: Ints) -> Iterator[tuple[int, int]]:
    """Consecutive groups, first and past the last, of together ``_ROWS_AT_ONCE`` rows or one group."""
    first, groups = 0, len(bounds) - 1
    while first < groups:
        last = int(np.searchsorted(bounds, bounds[first] + _ROWS_AT_ONCE, side="right")) - 1
        yield first, (first := max(first + 1, min(last, groups)))


def _subset(ranking: Ranking, ranks: Ints | slice, bounds: Ints) -> Ranking:
    """The rows at these ranks, which are in groups with these bounds."""
    run = None
    if ranking.run is not None:
        # Two rows of a group tie when their runs of equal scores are the same.
        run = ranking.run[ranks]
        rises = np.empty(len(run), dtype=np.bool_)
        np.not_equal(run[1:], run[:-1], out=rises[1:])
        rises[bounds[:-1][np.diff(bounds) > 0]] = True
        run = np.cumsum(rises) - 1
    weight = None if ranking.weight is None else ranking.weight[ranks]
    return Ranking(ranking.order[ranks], ranking.positive[ranks], weight, run)


def _area(ranking: Ranking, bounds: Ints, corrected: bool) -> tuple[Floats, Floats]:
    """(groups,) AUC, NaN where a class is missing, and (n,) influences of rows in order of (group, score)."""
    pos = _side(np.flatnonzero(ranking.positive), ranking.weight, bounds)
    neg = _side(np.flatnonzero(~ranking.positive), ranking.weight, bounds)
    both = (pos.total > 0) & (neg.total > 0)
    size_pos, size_neg = np.where(both, pos.total, 1.0), np.where(both, neg.total, 1.0)
    # A positive's placement is the share of negatives below it; a negative's, the share of positives above it.
    below_pos, below_neg = _outscored(pos, neg, ranking.run), _outscored(neg, pos, ranking.run)
    won = below_pos if pos.weight is None else below_pos * pos.weight
    area = np.where(both, _segment_sums(won, pos.bounds) / (size_pos * size_neg), 0.0)
    scale_pos, scale_neg = (both * (_correction(side) if corrected else 1.0) for side in (pos, neg))
    scale_pos, scale_neg = scale_pos / size_pos, scale_neg / size_neg
    influence = np.empty(len(ranking.order))
    influence[pos.at] = _linear(below_pos, scale_pos / size_neg, -area * scale_pos, pos)
    influence[neg.at] = _linear(below_neg, -scale_neg / size_pos, (1 - area) * scale_neg, neg)
    return np.where(both, area, np.nan), influence


@dataclass(frozen=True)
class _Side:
    """The rows of one class, in order of (group, score).

    Attributes:
        at: (m,) their positions among the rows of both classes.
        weight: (m,) or None.
        bounds: (groups + 1,) where each group's begin.
        until: (groups + 1,) their weight before each group.
    """

    at: Ints
    weight: Floats | None
    bounds: Ints
    until: Floats

    @property
    def total(self) -> Floats:
        """(groups,) weight in each group."""
        return np.diff(self.until)


def _side(at: Ints, weight: Floats | None, bounds: Ints) -> _Side:
    inner = np.searchsorted(at, bounds)
    if weight is None:
        return _Side(at, None, inner, inner.astype(np.float64))
    side_weight = weight[at]
    return _Side(at, side_weight, inner, _before(side_weight)[inner])


def _before(weight: Floats) -> Floats:
    """(m + 1,) weight before each row, and of all."""
    return np.concatenate([[0.0], np.cumsum(weight)])


def _outscored(own: _Side, other: _Side, run: Ints | None) -> Floats:
    """(m,) weight of the other class in the same group below each row, plus half the weight tied with it."""
    if run is None:
        # A row's position counts both classes, its index its own.
        others = own.at - np.arange(len(own.at))
        below = others if other.weight is None else _before(other.weight)[others]
    else:
        tied = np.bincount(run[other.at], other.weight, minlength=int(run[-1]) + 1 if len(run) else 0)
        below = (np.cumsum(tied) - tied / 2)[run[own.at]]
    return np.asarray(below - np.repeat(other.until[:-1], np.diff(own.bounds)))


def _linear(values: Floats, slope: Floats, constant: Floats, side: _Side) -> Floats:
    """(m,) a linear function of the values with each group's coefficients, times the weights."""
    sizes = np.diff(side.bounds)
    result = values * np.repeat(slope, sizes)
    result += np.repeat(constant, sizes)
    if side.weight is not None:
        result *= side.weight
    return result


def _segment_sums(values: Floats, bounds: Ints) -> Floats:
    full = np.flatnonzero(np.diff(bounds) > 0)
    sums = np.zeros(len(bounds) - 1)
    if len(full):
        sums[full] = np.add.reduceat(values, bounds[full])
    return sums


def _correction(side: _Side) -> Floats:
    """(groups,) √(m / (m - 1)) of the class's effective size m."""
    size = side.total
    if side.weight is not None:
        squares = _segment_sums(side.weight**2, side.bounds)
        size = np.divide(size**2, squares, out=np.zeros_like(size), where=squares > 0)
    return np.asarray(np.where(size > 1, np.sqrt(size / np.where(size > 1, size - 1, 1.0)), 1.0))


def delong(label: Floats, scores: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """AUCs of several models on the same rows and their DeLong covariance.

    Args:
        label: (n,) 0 or 1.
        scores: (models, n).
        weight: (n,) or None.

    Returns:
        (models,) AUCs, (models, models) covariance.
    """
    everyone = np.zeros(len(label), dtype=np.int64)
    parts = [grouped_auc(rank(label, score, weight), everyone, 1, corrected=True) for score in scores]
    influence = np.stack([part[1] for part in parts])
    return np.array([part[0][0] for part in parts]), influence @ influence.T


def hanley_mcneil(area: Floats, first: Floats, second: Floats) -> Floats:
    """Variance that an AUC is expected to have, from its value and the class sizes alone.

    Hanley & McNeil (1982) for exponential scores, made symmetric in the classes (Newcombe 2006):
    A(1 - A) / (mn) · (1 + ((m + n)/2 - 1) · ((1 - A)/(2 - A) + A/(1 + A))). 0 where a class is empty or A is unknown.
    """
    usable = (first > 0) & (second > 0) & ~np.isnan(area)
    a, m, n = (np.where(usable, part, 1.0) for part in (area, first, second))
    pairs = 1 + np.maximum((m + n) / 2 - 1, 0.0) * ((1 - a) / (2 - a) + a / (1 + a))
    return np.asarray(np.where(usable, a * (1 - a) / (m * n) * pairs, 0.0))
