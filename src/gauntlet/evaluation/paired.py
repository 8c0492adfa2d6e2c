"""Two models' decisions on the same rows, as counts: exact McNemar, and the score test with a margin.

For unweighted, unclustered rows only; ``families.differences`` covers the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from gauntlet.errors import DataError
from gauntlet.evaluation.sample import Floats

_HALVINGS = 50
"""Bisection steps: the limits are right to 2⁻⁴⁹."""


@dataclass(frozen=True)
class PairedCounts:
    """A paired 2 × 2 table of right (or positive) answers.

    Attributes:
        both: rows both models have right.
        first_only: rows only the first (challenger) has right.
        second_only: rows only the second (champion) has right.
        neither: rows neither has right.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.first_only, self.second_only, self.neither) < 0 or self.rows == 0:
            raise DataError(
                "must hold non-negative counts of at least one row",
                field="counts",
                value=(self.both, self.first_only, self.second_only, self.neither),
            )

    @property
    def rows(self) -> int:
        """Number of pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def difference(self) -> float:
        """Share of the first minus share of the second."""
        return (self.first_only - self.second_only) / self.rows


def mcnemar(counts: PairedCounts) -> float:
    """Two-sided exact p-value of equal shares: binomial on the discordant pairs; 1 when there are none.

    >>> round(mcnemar(PairedCounts(both=59, first_only=6, second_only=16, neither=80)), 5)
    0.05248
    """
    discordant = counts.first_only + counts.second_only
    smaller = min(counts.first_only, counts.second_only)
    return float(min(1.0, 2 * binom.cdf(smaller, discordant, 0.5)))


def score_limits(first_only: Floats, second_only: Floats, rows: Floats, critical: Floats) -> tuple[Floats, Floats]:
    """Tango's limits for arrays of tables; counts may be fractional (effective counts of weighted or clustered rows).

    Args:
        first_only, second_only: discordant pairs either way.
        rows: pairs, positive.
        critical: critical values of |z|.
    """
    shape = np.broadcast_shapes(first_only.shape, second_only.shape, rows.shape, critical.shape)
    estimate = np.broadcast_to((first_only - second_only) / rows, shape)
    ends = []
    for far in (-1.0, 1.0):
        inside, outside = estimate.astype(np.float64), np.full(shape, far)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            within = np.abs(_score(first_only, second_only, rows, middle)) <= critical
            inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
        ends.append(inside)
    return ends[0], ends[1]


def _score(b: Floats, c: Floats, n: Floats, difference: Floats) -> Floats:
    """Score statistic of H0: p1 - p2 = difference (Tango 1998; Nam 1997), b counting "first only", c "second only".

    Under H0 the probability q of "second only" maximises the likelihood at the larger root of
    2n·q² + B·q + C = 0 with B = -b - c + (2n - b + c)·δ and C = -c·δ·(1 - δ), where Var(b - c) = n(2q + δ(1 - δ)).
    """
    linear = -(b + c) + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    second = (np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * second + difference * (1 - difference))
    distance = b - c - n * difference
    score = distance / np.sqrt(np.where(variance > 0, variance, 1.0))
    return np.asarray(np.where(variance > 0, score, np.where(distance == 0, 0.0, np.copysign(np.inf, distance))))
