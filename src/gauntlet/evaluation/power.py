"""Sample size that would decide, and the power of a plan."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr
from scipy.stats import beta, binom, norm

from gauntlet.errors import ConfigurationError

ASSURANCE = 0.7
"""Probability, as far as a sample can know, with which the sample size that it names decides."""
_USUAL = 1.96
_FARTHEST = 10_000
"""Largest multiple of the rows so far that is worth naming."""
_PRECISION = 1.001
_RATES = 200
"""Equally likely rates that stand for a posterior distribution."""


def rows_needed(
    *,
    value: float,
    interval: tuple[float, float],
    bound: float,
    rows: int,
    standard_error: float | None = None,
    fixed: tuple[float, float] = (0.0, 0.0),
) -> int | None:
    """Rows of a new sample that decide in seven of ten cases, as far as this one can know: its predictive distribution.

    If the estimate is d ± s away from the bound at n rows, the truth is about N(d, s²) away, a new estimate from k · n
    rows N(d, s² (1 + 1/k)), and it decides where it lies farther from the bound than the arm of its interval, a / √k,
    on either side. The answer is the least k · n, k ≥ 1, at which that has probability 0.7: an assurance rather than a
    power (Spiegelhalter, Abrams & Myles 2004, "Bayesian Approaches to Clinical Trials", 6.5). The rows that would
    decide *if the value stayed*, n (a / d)², decide in half of all samples and grow without limit near the bound, so
    that two samples of one process named numbers forty times apart. Here a value on the bound takes some 25 times the
    rows of a 95 % interval, no more: it hardly ever is the truth. (A truth much nearer to the bound than s takes more.)

    Where a part of the arm shrinks with 1/n (``unseen``) fewer rows do: the number errs on the safe side. One that is
    simultaneous with others is taken to stay so: its critical value hardly changes.

    Args:
        value: the estimate.
        interval: its interval, which may be lopsided, simultaneous or infinite on one side.
        bound: the limit, within the interval.
        rows: rows (or clusters) that it was measured on.
        standard_error: of the estimate; unknown or 0: the arm that crosses the bound over 1.96.
        fixed: what more rows take nothing from: the part of each arm, low and high, that is not of the rows.

    Returns:
        At least ``rows``; ``None`` where nothing can be said, or no number of rows would do.

    >>> rows_needed(value=0.02, interval=(-0.01, 0.05), bound=0.0, rows=100, standard_error=0.01)
    445
    """
    ends = (value - interval[0], interval[1] - value)
    near, far = (0, 1) if bound < value else (1, 0)
    distance, arm = abs(value - bound), ends[near]
    if not (math.isfinite(distance) and math.isfinite(arm)):
        return None
    error = standard_error or arm / _USUAL
    if not (math.isfinite(error) and error > 0):
        return None

    def assured(times: float) -> bool:
        spread = error * math.sqrt(1 + 1 / times)
        arms = [
            math.sqrt(max(end * end - rest * rest, 0.0) / times + rest * rest)
            for end, rest in zip(ends, fixed, strict=True)
        ]
        return float(ndtr((distance - arms[near]) / spread) + ndtr((-distance - arms[far]) / spread)) >= ASSURANCE

    least, enough = 1.0, 1.0
    while not assured(enough):
        least, enough = enough, 2 * enough
        if enough > _FARTHEST:
            return None
    while enough > least * _PRECISION:
        middle = math.sqrt(least * enough)
        least, enough = (least, middle) if assured(middle) else (middle, enough)
    return _up(rows * enough)


def units_needed(failures: float, units: float, limit: float, *, below: float, above: float) -> int | None:
    """Units of a new trial whose exact interval of the failure rate decides in seven of ten cases: ``rows_needed`` for
    counts.

    The rate is known as Jeffreys' posterior has it, Beta(failures + ½, units - failures + ½); a new trial of N units
    then has a beta-binomial number of failures, and decides where P(X ≤ failures) at the limit is at most 1 - above
    (kept) or P(X ≥ failures) less than 1 - below (broken).

    Args:
        failures: units that failed, in [0, units].
        units: independent units tried, above 0; both may be fractional (effective numbers).
        limit: largest rate allowed, in [0, 1].
        below: confidence, in (0.5, 1), of the low end.
        above: confidence, in (0.5, 1), of the high end.

    Returns:
        The least such number with two significant digits, at least ``units`` and 10; ``None`` beyond 10,000 times the
        units.

    299 units without a failure would show that 1 % is kept. But after none among 50, too many of the rates that are
    likely let one fail among 299:

    >>> units_needed(0, 50, 0.01, below=0.95, above=0.95)
    920
    """
    tens = 10 ** np.arange(math.floor(math.log10(units * _FARTHEST)) + 1)
    sizes = np.multiply.outer(tens, np.arange(10, 100)).ravel()
    sizes = sizes[(sizes >= units) & (sizes <= units * _FARTHEST)]
    most = binom.ppf(1 - above, sizes, limit)
    most = np.where(binom.cdf(most, sizes, limit) <= 1 - above, most, most - 1)
    fewest = binom.isf(1 - below, sizes, limit) + 1
    rates = beta.ppf((np.arange(_RATES) + 0.5) / _RATES, failures + 0.5, units - failures + 0.5)
    kept = binom.cdf(most[:, None], sizes[:, None], rates)
    broken = binom.sf(fewest[:, None] - 1, sizes[:, None], rates)
    # Without a failure so far, no answer that a trial without one could not give: the prior alone speaks of failures.
    assured = ((kept + broken).mean(axis=1) >= ASSURANCE) & ((most >= 0) | (failures > 0))
    return int(sizes[assured.argmax()]) if assured.any() else None


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
