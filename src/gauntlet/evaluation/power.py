"""How many rows would settle it, and what power a plan has."""

from __future__ import annotations


def rows_needed(*, value: float, standard_error: float, bound: float, rows: int, critical: float) -> int | None:
    """Rows at which an interval of half-width ``critical * se`` would no longer reach the bound, if the value stays.

    The half-width shrinks with sqrt(rows): rows * (critical * se / |value - bound|)^2, rounded up.

    Args:
        value: the estimate.
        standard_error: its standard error at ``rows`` rows, same scale.
        bound: the limit.
        rows: rows (or clusters) it was measured on.
        critical: critical value of the interval (1.96, or a simultaneous one).

    Returns:
        At least ``rows``; None when the value sits on the bound or nothing is known (no number of rows would do).
    """
    raise NotImplementedError


def power(*, effect: float, standard_error: float, alpha: float, sides: int = 1) -> float:
    """Probability that a Wald test of level alpha rejects when the true effect is this far from the bound.

    Args:
        effect: distance of the truth from the bound, on the side of the alternative.
        standard_error: of the estimate.
        alpha: level of the test.
        sides: 1 or 2.
    """
    raise NotImplementedError


def sample_size(*, effect: float, deviation: float, alpha: float, power: float = 0.8, sides: int = 1) -> int:
    """Rows for a planned power: ((z_{1-alpha/sides} + z_power) * deviation / effect)^2, rounded up.

    Args:
        effect: distance from the bound worth detecting, positive.
        deviation: standard deviation of one row's influence: standard error * sqrt(rows) of a pilot.
        alpha: level of the test.
        power: wanted probability of detecting it.
        sides: 1 or 2.

    Raises:
        ConfigurationError: the effect is not positive, or a probability is out of (0, 1).
    """
    raise NotImplementedError
