"""Two models' decisions on the same rows, as counts: exact McNemar, and the score test with a margin.

For unweighted, unclustered rows only; ``families.differences`` covers the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import binom, norm

from gauntlet.errors import ConfigurationError, DataError


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


def score_test(counts: PairedCounts, margin: float) -> tuple[float, float]:
    """Nam's (1997) score test of non-inferiority, H0: p1 - p2 ≤ -margin against H1: p1 - p2 > -margin.

    Args:
        counts: the table.
        margin: in [0, 1).

    Returns:
        The statistic z and its one-sided p-value. The variance is that under the maximum-likelihood estimate given
        p1 - p2 = -margin (closed form), so that zero discordant pairs are no division by zero.

    Raises:
        ConfigurationError: a margin outside [0, 1).
    """
    if not 0 <= margin < 1:
        raise ConfigurationError("lies outside [0, 1)", field="margin", value=margin, mend="Give a share")
    z = _score(counts, -margin)
    return z, float(norm.sf(z))


def _score(counts: PairedCounts, difference: float) -> float:
    """Score statistic of H0: p1 - p2 = difference (Tango 1998; Nam 1997).

    Under H0 the probability q of "second only" maximises the likelihood at the larger root of
    2n·q² + B·q + C = 0 with B = -b - c + (2n - b + c)·δ and C = -c·δ·(1 - δ), where b counts "first only" and c
    "second only"; Var(b - c) = n(2q + δ(1 - δ)).
    """
    n, b, c = counts.rows, counts.first_only, counts.second_only
    linear = -(b + c) + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    second = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * second + difference * (1 - difference))
    distance = b - c - n * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def score_interval(counts: PairedCounts, critical: float) -> tuple[float, float]:
    """Interval of p1 - p2 by inverting the score test (Tango 1998).

    Args:
        counts: the table.
        critical: critical value of |z|, positive.
    """
    estimate = counts.difference
    edge = 1 - 1e-12

    def end(side: int) -> float:
        far = side * edge

        def excess(difference: float) -> float:
            return abs(_score(counts, difference)) - critical

        if abs(estimate - far) < 1e-9 or excess(far) <= 0:
            return float(side)
        return float(brentq(excess, estimate, far, xtol=1e-12))

    return end(-1), end(1)
