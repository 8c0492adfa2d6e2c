"""The area under the ROC curve and its influence, with weights and slices, in O(n log n).

DeLong, DeLong & Clarke-Pearson (1988) give the variance from placements: for each positive the share of negatives it
outscores, for each negative the share of positives that outscore it. Sun & Xu (2014) read placements off midranks in
one sort. Here the ranks are cumulative weights, which generalises them to weighted rows, and a second, stable sort by
group gives every slice's placements from the one sort by score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.evaluation.sample import Floats, Ints


@dataclass(frozen=True)
class Ranking:
    """Rows in ascending order of score; made once, used for every partition.

    Attributes:
        order: (n,) row at each rank.
        tied: (n,) True where a row's score equals that of the rank before; None when no two scores are equal.
    """

    order: Ints
    tied: NDArray[np.bool_] | None


def rank(score: Floats) -> Ranking:
    """Sort rows by score."""
    order = np.argsort(score)
    ascending = score[order]
    tied = np.empty(len(score), dtype=np.bool_)
    tied[0] = False
    np.equal(ascending[1:], ascending[:-1], out=tied[1:])
    return Ranking(order, tied if tied.any() else None)


def auc(label: Floats, score: Floats, weight: Floats | None = None) -> float:
    """P(score of a positive > score of a negative) + half P(tie), rows drawn in proportion to weight.

    Equals the trapezoid area under the (weighted) ROC curve. NaN when a class has no weight. Constant scores give 0.5.

    >>> import numpy as np
    >>> auc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return auc_influence(label, score, weight)[0]


def auc_influence(label: Floats, score: Floats, weight: Floats | None = None) -> tuple[float, Floats]:
    """AUC and each row's influence on it; the influences sum to zero within each class.

    Influence of a positive i: (wᵢ / W₊)(F₋(sᵢ) - AUC), of a negative j: (wⱼ / W₋)(1 - F₊(sⱼ) - AUC), ties in F counted
    half. Scaled by √(m / (m - 1)) within each class of m rows, their sum of squares is DeLong's variance.

    Args:
        label, score, weight: (n,); no weight means equal weights.
    """
    everyone = np.zeros(len(label), dtype=np.int64)
    value, influence = grouped_auc(rank(score), label, weight, everyone, 1)
    return float(value[0]), influence


def grouped_auc(
    ranking: Ranking,
    label: Floats,
    weight: Floats | None,
    codes: Ints,
    groups: int,
    *,
    corrected: bool = False,
) -> tuple[Floats, Floats]:
    """AUC of every group and each row's influence on its own group's.

    Args:
        ranking: the rows by score.
        label: (n,) 0 or 1.
        weight: (n,), or None for equal weights.
        codes: (n,) group of each row, -1 for none.
        groups: number of groups.
        corrected: scale influences by √(m / (m - 1)) within each class of (Kish effective) size m.

    Returns:
        (groups,) AUC, NaN where a class is missing; (n,) influence, 0 outside groups and in groups without an AUC.
    """
    if groups == 1 and codes.min() == 0:
        row, bounds, tied = ranking.order, np.array([0, len(codes)]), ranking.tied
    else:
        row, bounds, tied = _regroup(ranking, codes, groups)
    positive = label[row]
    if weight is None:
        w, w_pos = None, positive
        w_neg = 1.0 - positive
    else:
        w = weight[row]
        w_pos = w * positive
        w_neg = w - w_pos
    below_neg, total_neg = _placements(w_neg, bounds, tied)
    below_pos, total_pos = _placements(w_pos, bounds, tied)
    both = (total_pos > 0) & (total_neg > 0)
    safe_neg, safe_pos = np.where(both, total_neg, 1.0), np.where(both, total_pos, 1.0)
    pairs = _segment_sums(w_pos * below_neg, bounds)
    area = np.where(both, pairs / (safe_neg * safe_pos), 0.0)
    # A positive's placement is the share of negatives below it; a negative's, the share of positives above it.
    sizes = np.diff(bounds)
    scale_pos, scale_neg = both / safe_pos, both / safe_neg
    if corrected:
        scale_pos = scale_pos * _correction(total_pos, w_pos, weight is not None, bounds)
        scale_neg = scale_neg * _correction(total_neg, w_neg, weight is not None, bounds)
    is_positive = positive == 1
    numerator = np.where(is_positive, below_neg, -below_pos)
    slope_pos, slope_neg = scale_pos / safe_neg, scale_neg / safe_pos
    if groups == 1:
        influence = numerator * np.where(is_positive, slope_pos[0], slope_neg[0])
        influence += np.where(is_positive, -area[0] * scale_pos[0], (1 - area[0]) * scale_neg[0])
    else:
        influence = numerator * np.where(is_positive, np.repeat(slope_pos, sizes), np.repeat(slope_neg, sizes))
        influence += np.where(
            is_positive, np.repeat(-area * scale_pos, sizes), np.repeat((1 - area) * scale_neg, sizes)
        )
    if w is not None:
        influence *= w
    out = np.zeros(len(label))
    out[row] = influence
    return np.where(both, area, np.nan), out


def _regroup(ranking: Ranking, codes: Ints, groups: int) -> tuple[Ints, Ints, NDArray[np.bool_] | None]:
    """Rows of groups in order of (group, score), the groups' bounds in it, and which ranks tie with the one before."""
    ranked = codes[ranking.order]
    kind = np.uint8 if groups < 1 << 8 else np.uint16 if groups < 1 << 16 else np.int64
    # numpy sorts 8- and 16-bit keys by radix, in O(n); -1 wraps round to the largest key, after every group.
    place = np.argsort(ranked.astype(kind), kind="stable")
    if kind is np.int64:
        place = np.concatenate([place[np.searchsorted(ranked[place], 0) :], place[: np.count_nonzero(ranked < 0)]])
    sizes = np.bincount(ranked[ranked >= 0] if ranked.min() < 0 else ranked, minlength=groups)
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    place = place[: bounds[-1]]
    tied = None
    if ranking.tied is not None:
        # Two rows of a group tie when their runs of equal scores are the same.
        run = np.cumsum(~ranking.tied)[place]
        tied = np.empty(len(place), dtype=np.bool_)
        tied[:1] = False
        np.equal(run[1:], run[:-1], out=tied[1:])
        tied[bounds[:-1][bounds[:-1] < len(place)]] = False
    return ranking.order[place], bounds, tied


def _placements(weight: Floats, bounds: Ints, tied: NDArray[np.bool_] | None) -> tuple[Floats, Floats]:
    """Weight in the same group below each row, plus half the weight tied with it; and each group's total."""
    until = np.cumsum(weight)
    edges = np.concatenate([[0.0], until])[bounds]
    total = np.diff(edges)
    if tied is None:
        below = until - weight
        # A row's own weight counts half, as any tie does; it meets no row of its own class, so it never matters.
    else:
        starts = np.flatnonzero(~tied)
        ends = np.append(starts[1:], len(tied))
        before = np.where(starts > 0, until[starts - 1], 0.0)
        below = np.repeat((before + until[ends - 1]) / 2, ends - starts)
    below -= edges[0] if len(bounds) == 2 else np.repeat(edges[:-1], np.diff(bounds))
    return below, total


def _segment_sums(values: Floats, bounds: Ints) -> Floats:
    full = np.flatnonzero(np.diff(bounds) > 0)
    sums = np.zeros(len(bounds) - 1)
    if len(full):
        sums[full] = np.add.reduceat(values, bounds[full])
    return sums


def _correction(total: Floats, weight: Floats, weighted: bool, bounds: Ints) -> Floats:
    size = total
    if weighted:
        squares = _segment_sums(weight * weight, bounds)
        size = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
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
    parts = [grouped_auc(rank(score), label, weight, everyone, 1, corrected=True) for score in scores]
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
