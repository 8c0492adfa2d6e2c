"""Sample size that would decide, and the power of a plan."""

from __future__ import annotations

import math

from scipy.stats import norm

from gauntlet.errors import ConfigurationError


def rows_needed(*, value: float, standard_error: float, bound: float, rows: int, critical: float) -> int | None:
    """Rows at which an interval of half-width ``critical · se`` would no longer reach the bound, if the value stays.

    The half-width shrinks with √rows: rows · (critical · se / |value - bound|)², rounded up.

    Args:
        value: the estimate.
        standard_error: its standard error at ``rows`` rows, same scale.
        bound: the limit.
        rows: rows (or clusters) it was measured on.
        critical: critical value of the interval (1.96, or a simultaneous one).

    Returns:
        At least ``rows``; None when the value sits on the bound or nothing is known (no number of rows would do).

    >>> rows_needed(value=0.02, standard_error=0.01, bound=0.0, rows=100, critical=3.0)
    225
    """
    distance = abs(value - bound)
    if not (math.isfinite(distance) and math.isfinite(standard_error) and distance > 0):
        return None
    ratio = critical * standard_error / distance
    factor = ratio * ratio  # infinite where a power would raise an error
    return max(rows, _up(rows * factor)) if math.isfinite(rows * factor) else None


def power(*, effect: float, standard_error: float, alpha: float, sides: int = 1) -> float:
    """Probability that a Wald test of level alpha rejects when the true effect is this far from the bound.

    Φ(effect / se - z), plus for two sides the chance of rejecting on the wrong one.

    Args:
        effect: distance of the truth from the bound, on the side of the alternative.
        standard_error: of the estimate, positive.
        alpha: level of the test.
        sides: 1 or 2.

    A true effect of two standard errors is missed in a third of all tests:

    >>> round(power(effect=0.02, standard_error=0.01, alpha=0.05), 2)
    0.64
    """
    distance = effect / standard_error
    critical = norm.isf(alpha / sides)
    wrong = norm.cdf(-distance - critical) if sides == 2 else 0.0
    return float(norm.cdf(distance - critical) + wrong)


def sample_size(*, effect: float, deviation: float, alpha: float, power: float = 0.8, sides: int = 1) -> int:
    """Rows for a planned power: ((z(1 - alpha/sides) + z(power)) · deviation / effect)², rounded up.

    Args:
        effect: distance from the bound worth detecting, positive.
        deviation: standard deviation of one row's influence: standard error · √rows of a pilot.
        alpha: level of the test.
        power: wanted probability of detecting it.
        sides: 1 or 2.

    Raises:
        ConfigurationError: the effect is not positive, or a probability is out of (0, 1).

    >>> sample_size(effect=0.5, deviation=1.0, alpha=0.05, sides=2)
    32
    """
    for field, probability in (("alpha", alpha), ("power", power)):
        if not 0 < probability < 1:
            raise ConfigurationError("lies outside (0, 1)", field=field, value=probability, mend=f"Correct {field}")
    if not effect > 0:
        raise ConfigurationError(
            "must be positive", field="effect", value=effect, mend="Name the smallest effect worth finding"
        )
    return _up(((norm.isf(alpha / sides) + norm.isf(1 - power)) * deviation / effect) ** 2)


def _up(rows: float) -> int:
    """Round up, but not over rounding dust."""
    return math.ceil(rows * (1 - 1e-12))
