"""Intervals of one share of rows and of the difference of two."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import TypeAlias

from gauntlet.stats import beta

Counted: TypeAlias = tuple[float, float]
"""Successes and rows."""
Interval: TypeAlias = Callable[[float, float, float], tuple[float, float]]
"""Of a share, by successes, rows and alpha."""


def wilson(successes: float, rows: float, alpha: float) -> tuple[float, float]:
    """Two-sided score interval of a proportion at confidence 1 − ``alpha``.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Holds near 0 and 1,
    where the textbook interval collapses. No rows: (0, 1).

    >>> low, high = wilson(8, 10, 0.05)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if rows <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(1 - alpha / 2)
    share = successes / rows
    scale = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= rows else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: float, rows: float, alpha: float) -> tuple[float, float]:
    """Two-sided exact interval of a proportion at confidence 1 − ``alpha``: it covers at least what it says.

    Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934), by the tails of the beta
    distribution. Counts may be fractions of rows: clustered rows enter at their effective number (Korn and Graubard,
    "Confidence intervals for proportions with small expected number of positive counts", 1998). No rows: (0, 1).

    >>> low, high = clopper_pearson(8, 10, 0.05)
    >>> round(low, 4), round(high, 4)
    (0.4439, 0.9748)
    """
    if rows <= 0:
        return 0.0, 1.0
    failures = rows - successes
    low = beta.quantile(alpha / 2, successes, failures + 1) if successes > 0 else 0.0
    high = beta.quantile(1 - alpha / 2, successes + 1, failures) if failures > 0 else 1.0
    return low, high


def chance_of_first_hits(hits: float, before: float, after: float) -> float:
    """Chance that all of ``hits`` fall into the last ``after`` of ``before + after`` rows in random order.

    It is Fisher's exact test (one-sided) of no hit in ``before`` rows against ``hits`` in ``after``, and for values
    beyond the extreme of ``before`` rows of any continuous law the distribution of the number of exceedances (Gumbel
    and von Schelling, Annals of Mathematical Statistics 21, 1950).

    >>> round(chance_of_first_hits(2, 70, 30), 4)  # 30 · 29 / (100 · 99)
    0.0879
    """
    if hits <= 0:
        return 1.0
    if hits > after:
        return 0.0
    rows = before + after
    ways = (math.lgamma(after + 1), math.lgamma(rows - hits + 1), math.lgamma(after - hits + 1), math.lgamma(rows + 1))
    return math.exp(min(0.0, ways[0] + ways[1] - ways[2] - ways[3]))


def difference_of_shares(
    first: Counted, second: Counted, alpha: float, interval: Interval = clopper_pearson
) -> tuple[float, float]:
    """Interval of (share of ``second``) − (share of ``first``), each given as (successes, rows).

    Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998), method 10, combines the Wilson intervals of both. With few rows and a small ``alpha`` these end too near:
    at 10 rows and alpha 0.005, a change on a limit of 5 points is taken for one beyond it in up to 2.8 %. Combined in
    the same way, exact intervals stay within ``alpha`` wherever they were enumerated (``tests/unit/stats``).

    >>> low, high = difference_of_shares((48, 80), (56, 70), 0.05, wilson)  # Newcombe's example (a): 56/70 - 48/80
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    before, after = _share(first), _share(second)
    low_before, high_before = interval(*first, alpha)
    low_after, high_after = interval(*second, alpha)
    difference = after - before
    return (
        max(-1.0, difference - math.hypot(after - low_after, high_before - before)),
        min(1.0, difference + math.hypot(high_after - after, before - low_before)),
    )


def _share(counted: Counted) -> float:
    return counted[0] / counted[1] if counted[1] else 0.0
