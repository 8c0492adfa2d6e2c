"""Exact one-sided bounds of a failure rate (Clopper & Pearson 1934), and the sample size that would decide."""

from __future__ import annotations

import math

from gauntlet.evaluation.shares import clopper_pearson

_MOST_ROWS = 10**9


def exact_bounds(failures: float, units: float, *, below: float, above: float) -> tuple[float, float]:
    """The interval of a failure rate, each end by itself.

    Args:
        failures: units that failed, in [0, units].
        units: independent units tried, above 0; both may be fractional, for planning.
        below: confidence, in (0.5, 1), that the rate is not below the low end.
        above: confidence, in (0.5, 1), that the rate is not above the high end.

    >>> low, high = exact_bounds(0, 299, below=0.95, above=0.95)
    >>> low, round(high, 5)
    (0.0, 0.00997)
    """
    share = failures / units
    low, _ = clopper_pearson(share, units, 2 * below - 1)
    _, high = clopper_pearson(share, units, 2 * above - 1)
    return float(low), float(high)


def units_needed(failures: int, units: int, limit: float, *, below: float, above: float) -> int | None:
    """Estimate the fewest units that would decide at the same failure rate.

    Returns:
        At least ``units``; ``None`` when the rate sits on the limit.

    >>> units_needed(0, 50, 0.01, below=0.95, above=0.95)
    299
    """
    rate = failures / units

    def decided(count: int) -> bool:
        low, high = exact_bounds(rate * count, count, below=below, above=above)
        return high <= limit or low > limit

    if math.isclose(rate, limit, rel_tol=1e-9):
        return None
    enough = units
    while not decided(enough):
        enough *= 2
        if enough > _MOST_ROWS:
            return None
    short = max(units - 1, enough // 2)
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if decided(middle) else (middle, enough)
    return enough
