"""What a distance shows by chance alone, and how sure a measured one is.

Two samples of the very same distribution are never at distance 0. ``noise_of`` simulates what they show: many pairs of
samples of the sizes at hand are drawn from the pooled distribution, and each pair is measured as the gate measures.
The quantile at 1 − alpha is the **floor**: a distance below it is no evidence of a difference, and a threshold below
it cannot be held with these rows. A second simulation draws each side from its own distribution and gives an interval.

A number's distance is one of shares of common cells, a category's one of shares of categories, so a sample is a
multinomial draw and the cost does not depend on the number of rows. Shares of cells are read off quantiles, which place
a cut between cells only to within a part of their step, or, where one value fills whole steps, say no more than which
step it is in; the simulation reads its draws off in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.comparators import Cells, Pair, aligned_counts, listing_error, number_cells
from gauntlet.data.distance import jensen_shannon, l_infinity

Array = NDArray[np.float64]
_ROUNDING = 1e-9
_CATEGORIES = 256
"""Categories beyond the most frequent ones are drawn as one: each of them moves less than any of these."""


@dataclass(frozen=True)
class Noise:
    """How a measured distance stands against chance.

    Attributes:
        floor: what equal distributions show at most, at confidence 1 − alpha, with samples of these sizes.
        interval: the distance between the two distributions, at confidence 1 − alpha. Its low end is 0 when the
            measured distance is not above the floor, and its high end is never below the measured distance.
    """

    floor: float
    interval: tuple[float, float]


def noise_of(pair: Pair, measured: float, *, alpha: float, replicates: int, rng: np.random.Generator) -> Noise:
    """The noise in the distance of one pair.

    Args:
        pair: the column before and after.
        measured: their distance.
        alpha: chance of calling equal distributions different, for this column alone.
        replicates: simulated pairs; alpha should be worth several of them.
        rng: source of randomness.
    """
    draw = _categories if pair.categorical else _numbers
    same, apart = draw(pair, replicates, rng)
    error = listing_error(pair) if pair.categorical else 0.0
    floor = float(np.quantile(same, 1 - alpha)) + error
    low, high = _basic_interval(measured, apart, alpha, is_squared=not pair.categorical)
    if measured <= floor:
        low = 0.0
    return Noise(floor, (max(0.0, low - error), min(1.0, high + error)))


def rows_for_floor(before: int, after: int, factor: float) -> int | None:
    """Rows the second sample needs so that the noise shrinks by ``factor``; ``None`` if more of it alone cannot do it.

    The variance of a difference of two shares goes with 1/n + 1/m.

    Args:
        before, after: rows of the two samples now.
        factor: variance wanted, over the variance now; in (0, 1).

    >>> rows_for_floor(1_000_000, 1_000, 0.5)
    2003
    """
    wanted = (1 / before + 1 / after) * factor - 1 / before
    return math.ceil(1 / wanted) if wanted > 0 else None


def _basic_interval(measured: float, replicates: Array, alpha: float, *, is_squared: bool) -> tuple[float, float]:
    """Basic bootstrap interval: replicates lie from the estimate as the estimate lies from the truth.

    Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 5.2. Taken on the square root of the
    Jensen–Shannon divergence, which is a metric and about linear in the shift behind it.
    """
    estimate, found = (math.sqrt(measured), np.sqrt(replicates)) if is_squared else (measured, replicates)
    low, high = (2 * estimate - float(np.quantile(found, q)) for q in (1 - alpha / 2, alpha / 2))
    low, high = max(0.0, min(low, estimate)), max(high, estimate)
    return (low * low, high * high) if is_squared else (low, high)


def _numbers(pair: Pair, replicates: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Distances of replicates (drawn from the pooled, from the two own distributions), each shape (replicates,)."""
    cells = number_cells(pair)
    sizes = (pair.before.present, pair.after.present)

    def draw(side: int, shares: Array) -> Array:
        drawn = rng.multinomial(sizes[side], shares / shares.sum(), size=replicates) / sizes[side]
        return np.asarray(np.cumsum(drawn, axis=1)[:, :-1])

    pooled = _pooled(cells, sizes)
    phases = _phases(cells, replicates, rng)
    same = [_read_off(draw(side, pooled), phases[side], cells, side, rng) for side in (0, 1)]
    apart = [_between(_blur(draw(side, cells.shares[side]), cells.reach[side], rng)) for side in (0, 1)]
    return jensen_shannon(same[0], same[1]), jensen_shannon(apart[0], apart[1])


def _pooled(cells: Cells, sizes: tuple[int, int]) -> Array:
    """The one distribution that both sides may come from, shape (k,).

    Each side counts by its rows, but where steps are all that is known of a cut, the middle between the two says more.
    """
    first, second = (np.cumsum(shares)[:-1] for shares in cells.shares)
    weight = np.where(cells.lumped[0] & cells.lumped[1], 0.5, sizes[0] / sum(sizes))
    return _between(weight * first + (1 - weight) * second)


def _phases(cells: Cells, replicates: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Where in its step a lumped cut may be, for each side; shapes (replicates, k − 1), 0 where cuts are not lumped.

    Where both sides found it in the same step, it is anywhere in it, at the same place for both. Where they found it
    in adjoining steps, it is about the boundary, and a mere nothing puts the sides a whole step apart. With many such
    cuts that averages out; a single one must not count as evidence, so each replicate has one put so.
    """
    first, second = (np.cumsum(shares)[:-1] for shares in cells.shares)
    step = max(cells.step)
    lumped, apart = cells.lumped[0] & cells.lumped[1], np.abs(first - second) / step
    anywhere = rng.uniform(-0.5, 0.5, size=(replicates, len(first))) * np.where(lumped & (apart < 0.5), step, 0)
    astride = np.zeros_like(anywhere)
    adjoining = np.flatnonzero(lumped & (apart >= 0.5) & (apart < 1.5))
    if len(adjoining):
        astride[np.arange(replicates), rng.choice(adjoining, replicates)] = rng.choice([-0.5, 0.5], replicates) * step
    return anywhere + astride, anywhere - astride


def _read_off(cuts: Array, phase: Array, cells: Cells, side: int, rng: np.random.Generator) -> Array:
    """What quantiles tell of drawn cuts: the middle of a step at lumped ones, about the share at others.

    Args:
        cuts: shape (replicates, k − 1).
        phase: where in its step a lumped cut is; shape (replicates, k − 1).
        cells: where steps and uncertainty are.
        side: which side's, 0 or 1.
        rng: source of randomness.
    """
    step = cells.step[side]
    middle = (np.floor((cuts + phase) / step + _ROUNDING) + 0.5) * step
    return _between(np.where(cells.lumped[side], middle, _blur(cuts, cells.reach[side], rng)))


def _blur(cuts: Array, reach: Array, rng: np.random.Generator) -> Array:
    return np.asarray(cuts + rng.uniform(-1, 1, size=cuts.shape) * reach)


def _between(cuts: Array) -> Array:
    """Shares of the cells between cuts that need not be in order: shape (..., k − 1) to (..., k)."""
    cuts = np.clip(cuts, 0, 1)
    ends = np.ones((*cuts.shape[:-1], 1))
    return np.diff(np.concatenate([0 * ends, np.maximum.accumulate(cuts, axis=-1), ends], axis=-1), axis=-1)


def _categories(pair: Pair, replicates: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """As ``_numbers``, for shares of categories."""
    _, *counts = aligned_counts(pair)
    before, after = _lump(counts[0], counts[1])
    sizes = (pair.before.present, pair.after.present)
    pooled = (before + after) / (before + after).sum()

    def distances(first: Array, second: Array) -> Array:
        drawn = [
            rng.multinomial(size, shares, size=replicates) / size
            for size, shares in zip(sizes, (first, second), strict=True)
        ]
        return l_infinity(drawn[0], drawn[1])

    return distances(pooled, pooled), distances(before / before.sum(), after / after.sum())


def _lump(before: Array, after: Array) -> tuple[Array, Array]:
    """The most frequent categories one by one, all others as one."""
    if len(before) <= _CATEGORIES:
        return before, after
    order = np.argsort(-(before / before.sum() + after / after.sum()), kind="stable")
    kept, rest = order[: _CATEGORIES - 1], order[_CATEGORIES - 1 :]
    return np.append(before[kept], before[rest].sum()), np.append(after[kept], after[rest].sum())
