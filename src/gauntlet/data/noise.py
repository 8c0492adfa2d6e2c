"""What a distance shows by chance alone, and how sure a measured one is.

Two samples of the very same distribution are never at distance 0. ``noise_of`` simulates what they show: many pairs of
samples of the sizes at hand are drawn from the pooled distribution, and each pair is measured as the gate measures.
The quantile at 1 − alpha is the **floor**: a distance below it is no evidence of a difference, and a threshold below
it cannot be held with these rows.

The interval holds the true distances that would show the measured one: the second distribution is moved along the line
through both, and each place on it is simulated in the same way. At the low end what was measured is as much as chance
leaves likely, at the high end as little. So a limit fails no more often than promised where the truth lies on it.

A number's distance is one of shares of common cells, a category's one of shares of categories, so a sample is a
multinomial draw and the cost does not depend on the number of rows. Shares of cells are read off quantiles, which place
a cut between cells only to within a part of their step, or, where one value fills whole steps, say no more than which
step it is in; the simulation reads its draws off in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.comparators import Cells, Pair, aligned_counts, listing_error, number_cells
from gauntlet.data.distance import jensen_shannon, l_infinity

Array = NDArray[np.float64]
Distance: TypeAlias = Callable[[Array, Array], Array]
_ROUNDING = 1e-9
_FARTHEST = 64.0
"""How far along the line a confidence bound is looked for, in multiples of what was found."""
_HALVINGS = 5
_REPLICATES_BEYOND = 20
"""Replicates that lie beyond both ends of an interval, as many as a search for its ends needs."""
_CATEGORIES = 256
"""Categories beyond the most frequent ones are drawn as one: each of them moves less than any of these."""


@dataclass(frozen=True)
class Noise:
    """How a measured distance stands against chance.

    Attributes:
        floor: what equal distributions show at most, at confidence 1 − alpha, with samples of these sizes.
        expected: what equal distributions show on average.
        interval: the distance between the two distributions, at confidence 1 − alpha. Its low end is 0 when the
            measured distance is not above the floor. Its high end is never below the measured distance, nor below the
            distance of what the smaller sample may have missed altogether.
    """

    floor: float
    expected: float
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
    laws, sizes = laws_of(pair), (pair.before.present, pair.after.present)
    same = laws.draw_same(sizes, replicates, rng)
    error = listing_error(pair) if pair.categorical else 0.0
    floor = quantile(same, 1 - alpha) + error
    enough = min(replicates, math.ceil(_REPLICATES_BEYOND / alpha))
    samples = Samples(laws, sizes, enough, int(rng.integers(2**63)))
    low = 0.0 if measured <= floor else samples.farthest_below(measured, 1 - alpha / 2)
    high = max(measured, samples.farthest_below(measured, alpha / 2), missed(min(sizes), alpha, laws.distance))
    return Noise(floor, float(same.mean()) + error, (max(0.0, low - error), min(1.0, high + error)))


@dataclass(frozen=True)
class Samples:
    """Samples of distributions that lie on the line through those of a pair, the first of which stays.

    Attributes:
        laws: of the pair.
        sizes: of the samples, before and after.
        replicates: how many pairs of samples are drawn of each.
        seed: the same for all of them, so that a distribution farther away shows farther distances.
    """

    laws: Laws
    sizes: tuple[int, int]
    replicates: int
    seed: int

    def shown(self, along: float) -> Array:
        """Distances measured where the second distribution is so far along the line: at 0 the first, at 1 as found."""
        rng = np.random.default_rng([self.seed, 1])
        after = self.laws.along(along).draw(1, self.sizes[1], self.replicates, rng)
        return self.laws.distance(self._before, after)

    @cached_property
    def _before(self) -> Array:
        """Samples of the first distribution: it stays, so they are drawn once."""
        return self.laws.draw(0, self.sizes[0], self.replicates, np.random.default_rng([self.seed, 0]))

    def farthest_below(self, measured: float, probability: float) -> float:
        """The farthest true distance of which a quantile of what is measured lies below ``measured``.

        A confidence bound by inversion of a test (Casella and Berger, "Statistical Inference", 2002, section 9.2): with
        the quantile at 1 − α/2 it is the low end, with that at α/2 the high one. 0 where even equal distributions show
        more; to one part in 32 of the line between two doublings.
        """
        is_low_end = probability > 0.5

        def shows_less(along: float) -> bool:
            return quantile(self.shown(along), probability) < measured

        near, far = 0.0, 1.0
        while shows_less(far):
            near, far = far, 2 * far
            if far > _FARTHEST:
                break
        else:
            if not near and not shows_less(0.0):
                return 0.0
            for _ in range(_HALVINGS):
                middle = (near + far) / 2
                near, far = (middle, far) if shows_less(middle) else (near, middle)
        end = self.laws.along(near if is_low_end else far)
        return float(end.distance(*end.shares))


def quantile(distances: Array, probability: float) -> float:
    """Of simulated distances: the next one outwards where it lies between two, since many are exactly alike."""
    if probability > 0.5:
        return float(np.quantile(distances, probability, method="higher"))
    return float(np.quantile(distances, probability, method="lower"))


def missed(rows: int, alpha: float, distance: Distance) -> float:
    """How far a distribution may be of which so many rows show nothing: all its difference is in what they missed.

    A part of share 1 − (alpha / 2)^(1 / rows) is missed by all rows with a chance of alpha / 2.
    """
    share = 1 - math.pow(alpha / 2, 1 / rows)
    return float(distance(np.array([1.0, 0.0]), np.array([1 - share, share])))


class Laws(Protocol):
    """The two distributions of a column as far as they are known, to draw samples from."""

    @property
    def shares(self) -> tuple[Array, Array]:
        """Of cells or categories, before and after; shapes (k,)."""

    @property
    def distance(self) -> Distance:
        """Of two such shares."""

    def along(self, far: float) -> Laws:
        """The second one so far on the line from the first (0) through where it is (1) and beyond."""

    def draw_same(self, sizes: tuple[int, int], replicates: int, rng: np.random.Generator) -> Array:
        """Distances of samples that both come from the pooled distribution, shape (replicates,)."""

    def draw(self, side: int, rows: int, replicates: int, rng: np.random.Generator) -> Array:
        """Shares that samples of the first (0) or second (1) distribution show, shape (replicates, k)."""


def distances_of(laws: Laws, sizes: tuple[int, int], replicates: int, rng: np.random.Generator) -> Array:
    """Distances of samples, each from its own distribution, shape (replicates,)."""
    before, after = (laws.draw(side, sizes[side], replicates, rng) for side in (0, 1))
    return laws.distance(before, after)


def laws_of(pair: Pair) -> Laws:
    """The distributions of a pair."""
    if not pair.categorical:
        return Numbers(number_cells(pair))
    _, *counts = aligned_counts(pair)
    before, after = _lump(counts[0], counts[1])
    return Categories((before / before.sum(), after / after.sum()))


@dataclass(frozen=True)
class Numbers:
    """Of a number: shares of cells, read off quantiles."""

    cells: Cells

    distance = staticmethod(jensen_shannon)

    @property
    def shares(self) -> tuple[Array, Array]:
        """Of the cells."""
        return self.cells.shares

    def along(self, far: float) -> Numbers:
        """See ``Laws``."""
        return Numbers(replace(self.cells, shares=(self.shares[0], _along(self.shares, far))))

    def draw_same(self, sizes: tuple[int, int], replicates: int, rng: np.random.Generator) -> Array:
        """See ``Laws``."""
        pooled, phases = _pooled(self.cells, sizes), _phases(self.cells, replicates, rng)
        found = [
            _read_off(_cuts(pooled, sizes[side], replicates, rng), phases[side], self.cells, side, rng)
            for side in (0, 1)
        ]
        return jensen_shannon(found[0], found[1])

    def draw(self, side: int, rows: int, replicates: int, rng: np.random.Generator) -> Array:
        """See ``Laws``."""
        return _between(_blur(_cuts(self.shares[side], rows, replicates, rng), self.cells.reach[side], rng))


def _along(shares: tuple[Array, Array], far: float) -> Array:
    """Shares on the line through two, shape (k,); beyond them, what would be negative is none."""
    found = np.maximum(shares[0] + far * (shares[1] - shares[0]), 0.0)
    return np.asarray(found / found.sum())


def _cuts(shares: Array, rows: int, replicates: int, rng: np.random.Generator) -> Array:
    """Cumulative shares of samples at the cuts between cells, shape (replicates, k − 1)."""
    drawn = rng.multinomial(rows, shares / shares.sum(), size=replicates) / rows
    return np.asarray(np.cumsum(drawn, axis=1)[:, :-1])


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


@dataclass(frozen=True)
class Categories:
    """Of a category: shares of the most frequent ones, and of all others as one."""

    shares: tuple[Array, Array]

    distance = staticmethod(l_infinity)

    def along(self, far: float) -> Categories:
        """See ``Laws``."""
        return Categories((self.shares[0], _along(self.shares, far)))

    def draw_same(self, sizes: tuple[int, int], replicates: int, rng: np.random.Generator) -> Array:
        """See ``Laws``."""
        weight = sizes[0] / sum(sizes)
        pooled = weight * self.shares[0] + (1 - weight) * self.shares[1]
        return distances_of(Categories((pooled, pooled)), sizes, replicates, rng)

    def draw(self, side: int, rows: int, replicates: int, rng: np.random.Generator) -> Array:
        """See ``Laws``."""
        shares = self.shares[side]
        return np.asarray(rng.multinomial(rows, shares / shares.sum(), size=replicates) / rows)


def _lump(before: Array, after: Array) -> tuple[Array, Array]:
    """The most frequent categories one by one, all others as one."""
    if len(before) <= _CATEGORIES:
        return before, after
    order = np.argsort(-(before / before.sum() + after / after.sum()), kind="stable")
    kept, rest = order[: _CATEGORIES - 1], order[_CATEGORIES - 1 :]
    return np.append(before[kept], before[rest].sum()), np.append(after[kept], after[rest].sum())
