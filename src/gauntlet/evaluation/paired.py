"""Two models' decisions on the same rows, as counts: exact McNemar, and the score test with a margin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PairedCounts:
    """A paired 2 x 2 table of right (or positive) answers.

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

    @property
    def rows(self) -> int:
        """Number of pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def difference(self) -> float:
        """Share of the first minus share of the second."""
        return (self.first_only - self.second_only) / self.rows


def mcnemar(counts: PairedCounts) -> float:
    """Two-sided exact p-value of equal shares: binomial on the discordant pairs; 1 when there are none."""
    raise NotImplementedError


def score_test(counts: PairedCounts, margin: float) -> tuple[float, float]:
    """Nam's (1997) score test of non-inferiority, H0: p1 - p2 <= -margin against H1: p1 - p2 > -margin.

    Args:
        counts: the table.
        margin: in [0, 1).

    Returns:
        The statistic z and its one-sided p-value. The variance is that of the maximum-likelihood estimate under
        p1 - p2 = -margin (closed form), so that zero discordant pairs are no division by zero.
    """
    raise NotImplementedError


def score_interval(counts: PairedCounts, critical: float) -> tuple[float, float]:
    """Interval of p1 - p2 by inverting the score test (Tango 1998) at a critical value of |z|."""
    raise NotImplementedError
