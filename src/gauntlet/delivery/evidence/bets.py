"""Bets on one interval: the e-value of its counts against a canary rate within the margin (docs/canary.md, 1, 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

HIGHEST_PRIOR = 0.999
"""Largest m: where nearly every request hits, a bet on more wins nothing; below 1 all factors stay far from 0."""


def prior_rate(hits: ArrayLike, canary: ArrayLike, stable: ArrayLike, *, rho: float, delta: float) -> Floats:
    """Compute the stable rate m that centres the next bets: that of the past, were the canary just at its limit.

    (...) (hits - δ n_c) / (ρ n_c + n_s + 1), in [0, 0.999]; 0 without a past and without stable (ρ = 0). Any value
    that the past alone decides keeps the bets valid; a good guess makes them grow.

    Args:
        hits: (...) hits of both arms so far.
        canary: (...) requests of the canary so far.
        stable: (...) requests of stable so far.
        rho: ρ ≥ 0.
        delta: δ in [0, 1).
    """
    total, n_c, n_s = (np.asarray(part, dtype=np.float64) for part in (hits, canary, stable))
    if rho == 0:
        return np.zeros_like(total)
    return np.clip((total - delta * n_c) / (rho * n_c + n_s + 1), 0.0, HIGHEST_PRIOR)


def stakes(
    canary: ArrayLike, stable: ArrayLike, prior: ArrayLike, *, rho: float, delta: float, psi: ArrayLike
) -> tuple[Floats, Floats]:
    """Compute the stakes on each request of an interval.

    λ = λ₀/s and β = β₀/s, with λ₀ = (a - 1)/(1 - m), β₀ = (1 - b)/(1 - m), b = (ρ n_c + n_s)/(ρψ n_c + n_s), a = ψ b,
    so that n_s β = ρ n_c λ. The divisor s ≥ 1 keeps all four factors of ``log_factors`` positive: 1 + λ₀q where ψ > 1,
    1 + |β₀|m + |λ₀|max(m - q, 0) where ψ < 1.

    Args:
        canary: (...) requests of the canary in the interval.
        stable: (...) requests of stable.
        prior: (...) m in [0, 1), decided by the past.
        rho: ρ ≥ 0, allowed ratio of the rates.
        delta: δ in [0, 1), allowed difference.
        psi: (K,) factors bet on, positive, not 1.

    Returns:
        λ and β, each (..., K). Both are 0 where one arm has no requests.
    """
    n_c, n_s, m = (np.asarray(part, dtype=np.float64)[..., None] for part in (canary, stable, prior))
    factor = np.asarray(psi, dtype=np.float64)
    q = rho * m + delta
    weighted = rho * n_c
    total = weighted + n_s
    whole = np.where(total > 0, total, 1.0)
    share, rest = weighted / whole, np.where(total > 0, n_s / whole, 1.0)
    b = 1 / (1 + share * (factor - 1))
    # a - 1 and 1 - b without cancellation, however unequal the arms.
    first = rest * (factor - 1) * b / (1 - m)
    second = share * (factor - 1) * b / (1 - m)
    divisor = np.where(factor > 1, 1 + first * q, 1 + np.abs(second) * m + np.abs(first) * np.maximum(m - q, 0.0))
    both = (n_c > 0) & ((n_s > 0) | (rho == 0))
    return np.where(both, first / divisor, 0.0), np.where(both, second / divisor, 0.0)


def log_factors(
    canary: ArrayLike, stable: ArrayLike, prior: ArrayLike, *, rho: float, delta: float, psi: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """Logarithms of the factors of a canary hit, a canary miss, a stable hit and a stable miss, each (..., K).

    1 + λ(1 - q), 1 - λq, 1 - β(1 - m), 1 + βm, with q = ρm + δ; arguments as in ``stakes``.
    """
    m = np.asarray(prior, dtype=np.float64)[..., None]
    q = rho * m + delta
    bet, hedge = stakes(canary, stable, prior, rho=rho, delta=delta, psi=psi)
    return np.log1p(bet * (1 - q)), np.log1p(-bet * q), np.log1p(-hedge * (1 - m)), np.log1p(hedge * m)


def log_bets(
    canary_hits: ArrayLike,
    canary_requests: ArrayLike,
    stable_hits: ArrayLike,
    stable_requests: ArrayLike,
    prior: ArrayLike,
    *,
    rho: float,
    delta: float,
    psi: ArrayLike,
) -> Floats:
    """(..., K) logarithms of the interval's e-value e(ψ) for "the canary's rate is at most ρ·stable's + δ" (ψ > 1).

    For ψ < 1 it is the e-value of "at least ρ·stable's + δ". Always finite.
    """
    x, n_c, y, n_s = (
        np.asarray(part, dtype=np.float64) for part in (canary_hits, canary_requests, stable_hits, stable_requests)
    )
    factors = log_factors(n_c, n_s, prior, rho=rho, delta=delta, psi=psi)
    total = np.zeros(())
    for count, factor in zip((x, n_c - x, y, n_s - y), factors, strict=True):
        total = total + count[..., None] * factor
    return total


def log_mean(logs: ArrayLike, *, axis: int = -1) -> Floats:
    """Logarithm of the mean of exp(logs), without overflow."""
    values = np.asarray(logs, dtype=np.float64)
    top = values.max(axis=axis, keepdims=True)
    total = np.exp(values - top).sum(axis=axis) / values.shape[axis]  # in half the time of NumPy's mean
    return np.asarray(np.log(total) + np.squeeze(top, axis=axis))
