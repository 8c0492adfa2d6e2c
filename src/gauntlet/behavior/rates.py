"""Exact one-sided bounds of a failure rate (Clopper & Pearson 1934)."""

from __future__ import annotations

from gauntlet.evaluation.shares import clopper_pearson


def exact_bounds(failures: float, units: float, *, below: float, above: float) -> tuple[float, float]:
    """The interval of a failure rate, each end by itself.

    Args:
        failures: units that failed, in [0, units].
        units: independent units tried, above 0.
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
