"""Flip rate of mirrored pairs: how often the canary decides otherwise than stable (docs/canary.md, 6).

The null "flips occur at a rate of at least p₀" is bet against with a Beta(½, ½) mixture restricted to rates below p₀:

    M = ∫₀^p₀ θˣ(1-θ)ⁿ⁻ˣ dπ(θ) / p₀ˣ(1-p₀)ⁿ⁻ˣ,    dπ ∝ θ^-½ (1-θ)^-½ on (0, p₀).

Exact for independent pairs at every interim analysis; ``phi`` divides the counts as it takes a root of every bet.
"""

from __future__ import annotations

import math

from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.stats import beta


def log_certificate(flips: float, pairs: float, *, limit: float, phi: float = 1.0) -> float:
    """Logarithm of the evidence M that flips are rarer than ``limit``; M ≥ 1/α certifies it, at any analysis.

    Args:
        flips: pairs that were decided otherwise, in [0, ``pairs``].
        pairs: mirrored requests answered by both.
        limit: p₀ in (0, 1).
        phi: pairs that say as much as one independent one, ≥ 1.

    Raises:
        DataError: counts that are none, or more flips than pairs.
        ConfigurationError: ``limit`` or ``phi`` is out of range.

    >>> log_certificate(0, 376, limit=0.01) < math.log(20) <= log_certificate(0, 377, limit=0.01)
    True
    """
    _check(flips, pairs, phi)
    if not 0 < limit < 1:
        raise ConfigurationError("lies outside (0, 1)", field="limit", value=limit, mend="Name a rate of flips")
    return _log_evidence(flips / phi, (pairs - flips) / phi, limit)


def upper_bound(flips: float, pairs: float, *, alpha: float, phi: float = 1.0) -> float:
    """Upper confidence bound of the flip rate, valid at all interim analyses together with probability 1 - α.

    The largest p₀ that ``log_certificate`` does not refute, by bisection: above flips/pairs the evidence grows with p₀
    once it is large. 1 without pairs. The bound of any earlier analysis holds as well: keep the least.

    Args:
        flips: as in ``log_certificate``.
        pairs: as in ``log_certificate``.
        alpha: chance that the bound is ever below the truth, in (0, 0.3].
        phi: as in ``log_certificate``.

    Raises:
        DataError: as in ``log_certificate``.
        ConfigurationError: ``alpha`` or ``phi`` is out of range.

    >>> round(upper_bound(0, 377, alpha=0.05), 4)
    0.01
    """
    _check(flips, pairs, phi)
    if not 0 < alpha <= 0.3:
        raise ConfigurationError("lies outside (0, 0.3]", field="alpha", value=alpha, mend="Correct alpha")
    if flips == pairs:
        return 1.0
    needed = -math.log(alpha)
    low, high = flips / pairs, 1.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        refuted = _log_evidence(flips / phi, (pairs - flips) / phi, middle) >= needed
        low, high = (low, middle) if refuted else (middle, high)
    return high


def lower_bound(flips: float, pairs: float, *, alpha: float, phi: float = 1.0) -> float:
    """Lower confidence bound of the flip rate, valid at all interim analyses together with probability 1 - α.

    Pairs that agree are as rare as the flips are not: 1 - ``upper_bound`` of their rate. 0 without flips.

    Args:
        flips: as in ``log_certificate``.
        pairs: as in ``log_certificate``.
        alpha: chance that the bound is ever above the truth, in (0, 0.3].
        phi: as in ``log_certificate``.

    Raises:
        DataError: as in ``log_certificate``.
        ConfigurationError: as in ``upper_bound``.

    >>> 0.05 < lower_bound(40, 400, alpha=0.05) < 0.1
    True
    """
    _check(flips, pairs, phi)
    return 1 - upper_bound(pairs - flips, pairs, alpha=alpha, phi=phi)


def _check(flips: float, pairs: float, phi: float) -> None:
    whole_number(flips, field="flips")
    whole_number(pairs, field="pairs")
    if flips > pairs:
        raise DataError(f"are more than the {pairs:g} pairs", field="flips", value=flips, mend="Count pairs once")
    if not 1 <= phi < math.inf:
        raise ConfigurationError("must be at least 1", field="phi", value=phi, mend="Correct phi")


def _log_evidence(hits: float, misses: float, limit: float) -> float:
    """ln M. B(½,½)·I_p₀(½,½) is 2 arcsin √p₀; below the mean of the beta the powers of p₀ cancel exactly."""
    a, b = hits + 0.5, misses + 0.5
    normaliser = math.log(2 * math.asin(math.sqrt(limit)))
    powers = hits * math.log(limit) + misses * math.log1p(-limit)
    edge = 0.5 * (math.log(limit) + math.log1p(-limit))
    if limit < (a + 1) / (a + b + 2):
        return edge + math.log(beta.fraction(a, b, limit) / a) - normaliser
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    beyond = math.exp(powers + edge - log_beta) * beta.fraction(b, a, 1 - limit) / b
    return log_beta + math.log1p(-min(beyond, 1 - 1e-16)) - normaliser - powers
