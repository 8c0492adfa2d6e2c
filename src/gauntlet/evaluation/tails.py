"""How unevenly the units of a sample carry a statistic: what its variance does not know.

An interval from a variance is too narrow where the variance rests on few units (a hundred rows of ten thousand differ
between two models; one error in a thousand is a thousand times the others), and where a kind of unit that matters may
be missing from the sample altogether. Two things are kept for this:

- the *concentration* Σd⁴ / (Σd²)² of the units' influences d, from which a variance gets its degrees of freedom;
- the largest contributions to a mean loss, from which follows how much units that the sample has not met may add.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gauntlet.evaluation.metrics import Linear, Metric, Scale
from gauntlet.evaluation.sample import Floats, Ints

MOST_KEPT = 1001
"""Largest contributions that are kept of a slice: a constant, so that shards merge exactly."""
_FEWEST = 5
_FAR = 0.05
"""Share of the largest values among which those of each group are looked for first."""
_STANDARD_ERRORS = 0.75
"""By how many of its standard errors a tail is taken heavier than estimated. Chosen by simulation: at 0 a mean of
squared t₃ errors lies above its interval in 8 % of samples of 200 rows, at 1 half of the samples of 200 rows with
double-exponential errors have no upper end at all (nominal 2.5 %)."""
_ROUNDING = 1e-10
"""Share of the terms' size below which the rest of a sum is rounding."""
_MOST_SHAPE = 0.98
"""A tail with a shape of 1 or more has no mean."""


@dataclass(frozen=True)
class Quartic:
    """Statistic whose influence of a unit is (u − r v) / V, with its value r and V the sum of v.

    Without v: an area, whose influence is u; or a share, whose weight u is.

    Attributes:
        model, other: of a model, or of the difference to another; -1: none.
        metric: position of the metric.
        block: of an area's column of influences; -1: whatever the slice.
        top, bottom: u and v as linear combinations of columns.
    """

    model: int
    other: int
    metric: int
    block: int
    top: Linear
    bottom: Linear


def powers(u: Floats, v: Floats | None) -> Iterator[Floats]:
    """The (n,) products u⁴, u³v, u²v², uv³, v⁴, one after the other.

    Args:
        u: (n,).
        v: (n,), or ``None`` for ones.
    """
    square = u * u
    yield square * square
    yield square * u if v is None else square * u * v
    yield square if v is None else square * (v * v)
    yield u if v is None else u * v**3
    yield np.ones_like(u) if v is None else v**4


def fourth(sums: Floats, ratio: Floats, total: Floats) -> Floats:
    """Σ ((u − r v) / V)⁴ from the sums of ``powers``; NaN where it is lost in rounding.

    Args:
        sums: (..., 5).
        ratio, total: (...) the r and V.
    """
    terms = np.stack([math.comb(4, j) * (-ratio) ** j * sums[..., j] for j in range(5)])
    central = terms.sum(axis=0)
    size = np.abs(terms).sum(axis=0)
    kept = (central > _ROUNDING * size) | (size == 0)
    return np.asarray(np.where(kept, central, np.nan) / np.where(total > 0, total, 1.0) ** 4)


def degrees_of_freedom(concentration: Floats, support: Floats) -> Floats:
    """Degrees of freedom of a variance of m units whose influences have the kurtosis κ: 2m / (κ − 1), at most m − 1.

    A sum of squares with this kurtosis varies as a chi-square with so many degrees of freedom does (Satterthwaite
    1946). Normal influences give m; k equal ones among zeros about 2k.

    Args:
        concentration: Σd⁴ / (Σd²)² = κ / m; 0 where unknown.
        support: m.
    """
    most = np.maximum(support - 1, 0.0)
    excess = concentration - 1 / np.where(support > 0, support, 1.0)
    return np.asarray(np.where(excess > 0, np.minimum(2 / np.where(excess > 0, excess, 1.0), most), most))


@dataclass(frozen=True)
class Tail:
    """The upper tail of the units' contributions to a mean; arrays of one shape, NaN where there is none.

    A contribution is what a unit adds to the mean, times the support: of unweighted rows, the row's loss.

    Attributes:
        largest: the largest contribution.
        count: number k of contributions that the shape rests on.
        threshold: the largest one below them.
        shape: Hill's (1975) estimate of ξ in P(X > x) ~ x^(-1/ξ): the mean of log(X / threshold) above it.
    """

    largest: Floats
    count: Floats
    threshold: Floats
    shape: Floats

    def take(self, at: Ints) -> Tail:
        """The tails at these positions of the flattened arrays."""
        return Tail(*(getattr(self, field.name).reshape(-1)[at] for field in fields(self)))

    def unseen(self, support: Floats, share: Floats) -> Floats:
        """Mean contribution of the units in the farthest ``share`` of the distribution; infinite if it has no mean.

        The Pareto tail above ``threshold`` continued to that share, x_q / (1 − ξ), with ξ taken higher by part of its
        standard error ξ / √k; at least the largest contribution seen. NaN where there is no tail.

        Args:
            support: units in the sample.
            share: in (0, 1).
        """
        shape = self.shape / (1 - _STANDARD_ERRORS / np.sqrt(np.maximum(self.count, 1.0)))
        heavy = shape >= _MOST_SHAPE
        safe = np.where(heavy, 0.0, shape)
        quantile = self.threshold * (self.count / np.where(support > 0, support * share, 1.0)) ** safe
        return np.asarray(np.where(heavy, np.inf, np.maximum(quantile / (1 - safe), self.largest)))


def kept(number: int) -> int:
    """How many of the largest contributions a tail index rests on: about half of n^0.7."""
    return min(max(_FEWEST, round(math.pow(number, 0.7) / 2)), MOST_KEPT - 1)


def tail_of(largest: Floats, number: int) -> tuple[float, float, float, float]:
    """Fields of ``Tail`` before scaling.

    Args:
        largest: up to ``MOST_KEPT`` largest contributions, descending.
        number: of all contributions.
    """
    if not len(largest):
        return np.nan, np.nan, np.nan, np.nan
    count = min(kept(number), len(largest) - 1)
    threshold = float(largest[count]) if count else 0.0
    if threshold <= 0:
        return float(largest[0]), float(count), 0.0, 0.0
    return float(largest[0]), float(count), threshold, float(np.log(largest[:count] / threshold).mean())


def largest_by_group(values: Floats, codes: Sequence[Ints], groups: Sequence[int]) -> list[list[Floats]]:
    """Of each group of each partition the ``MOST_KEPT`` largest values, descending.

    Args:
        values: (n,).
        codes: of each partition the (n,) group of each value, -1 for none: a group of its own, which comes last.
        groups: of each partition the number of groups.
    """
    # The largest of all hold the largest of every group of which enough are among them.
    far = _FAR * len(values)
    candidates = np.arange(len(values))
    if far > MOST_KEPT:
        least = np.partition(values, len(values) - int(far))[len(values) - int(far)]
        candidates = np.flatnonzero(values >= least)
    return [
        _by_group(values, np.where(part < 0, number, part), number + 1, candidates)
        for part, number in zip(codes, groups, strict=True)
    ]


def _by_group(values: Floats, codes: Ints, groups: int, candidates: Ints) -> list[Floats]:
    sizes = np.bincount(codes, minlength=groups)
    enough = np.bincount(codes[candidates], minlength=groups) >= np.minimum(sizes, MOST_KEPT)
    chosen = candidates if enough.all() else np.flatnonzero(~enough[codes])
    parts = _split(values, codes, groups, chosen)
    if not enough.all() and enough.any():
        others = _split(values, codes, groups, candidates)
        parts = [other if full else part for part, other, full in zip(parts, others, enough, strict=True)]
    return [_largest(part) for part in parts]


def _split(values: Floats, codes: Ints, groups: int, at: Ints) -> list[Floats]:
    """The values at these positions, group by group."""
    named = codes[at]
    order = np.argsort(named.astype(np.uint16) if groups < 1 << 16 else named, kind="stable")
    bounds = np.cumsum(np.bincount(named, minlength=groups))[:-1]
    return np.split(values[at][order], bounds)


def joined(parts: list[Floats]) -> Floats:
    """The ``MOST_KEPT`` largest of several lists, descending."""
    return _largest(np.concatenate(parts)) if parts else np.empty(0)


def _largest(values: Floats) -> Floats:
    if len(values) > MOST_KEPT:
        values = np.partition(values, len(values) - MOST_KEPT)[len(values) - MOST_KEPT :]
    return np.sort(values)[::-1]


def loss_column(metric: Metric) -> str | None:
    """The column that a mean loss, its root, or what it leaves unexplained sums; ``None``: the metric is none."""
    return metric.columns[0] if metric.scale is Scale.POSITIVE or metric.explained else None
