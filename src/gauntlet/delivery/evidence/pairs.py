"""Excess hits in mirrored pairs: how much more often the canary errs, or is slow, than stable.

The null "the canary's excess over ρ·stable's rate is at most δ in every pair" is bet against, pair by pair, with

    1 + λ(C - ρS - δ),    λ = κ/(ρ + δ),    0 < κ < 1,

C and S being 1 where the canary and stable hit. It is a mean of products over a fixed grid of κ; pairs enter by number
only, and nothing is assumed about how the arms of a pair depend on each other (docs/canary.md, 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.errors import ConfigurationError, DataError

STAKES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 0.995)
"""Shares κ of the largest possible bet, with equal weights: small ones for many hits, large ones for few."""
_CLOSE = 1e-7


@dataclass(frozen=True)
class Pairs:
    """Hits among mirrored requests.

    Attributes:
        canary: pairs in which the canary hit.
        stable: pairs in which stable hit.
        pairs: mirrored requests whose both answers are known.
        both: pairs in which both hit; ``None`` if only the totals of each arm are known. The evidence then is the
            least that any number of common hits would give.

    Raises:
        DataError: a count is none, or is larger than what it is counted among.
    """

    canary: float
    stable: float
    pairs: float
    both: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                whole_number(value, field=field.name)
        fewest = max(0.0, self.canary + self.stable - self.pairs)
        both = fewest if self.both is None else self.both
        if not fewest <= both <= min(self.canary, self.stable) or max(self.canary, self.stable) > self.pairs:
            raise DataError(
                "cannot be hits of these pairs", field="pairs", value=self, mend="Count all of them at the same instant"
            )

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """Pairs in which the canary alone hit, stable alone, both, and neither."""
        both = max(0.0, self.canary + self.stable - self.pairs) if self.both is None else self.both
        return self.canary - both, self.stable - both, both, self.pairs - self.canary - self.stable + both


def log_worse(pairs: Pairs, *, rho: float = 1.0, delta: float, phi: float = 1.0) -> float:
    """Logarithm of the evidence that the canary's rate is above ρ·stable's + δ; at or above ln(1/α) it is shown.

    Args:
        pairs: all of them so far.
        rho: ρ > 0, allowed ratio.
        delta: δ in (-ρ, 1), allowed difference on top.
        phi: φ ≥ 1, pairs that say as much as one independent one.

    Raises:
        ConfigurationError: a value is out of range.

    >>> log_worse(Pairs(30, 2, 1000, both=1), delta=0.002) > math.log(20)
    True
    """
    _check(rho, delta, phi)

    def factors(stake: float) -> tuple[float, float, float, float]:
        bet = stake / (rho + delta)
        return bet * (1 - delta), -stake, bet * (1 - rho - delta), -bet * delta

    return _mixture(pairs, factors, phi)


def log_not_worse(pairs: Pairs, *, rho: float = 1.0, delta: float, phi: float = 1.0) -> float:
    """Logarithm of the evidence that the canary's rate is below ρ·stable's + δ; arguments as in ``log_worse``.

    >>> log_not_worse(Pairs(0, 0, 1000, both=0), delta=0.005) > math.log(20)
    True
    """
    _check(rho, delta, phi)

    def factors(stake: float) -> tuple[float, float, float, float]:
        bet = stake / (1 - delta)
        return -stake, bet * (rho + delta), -bet * (1 - rho - delta), bet * delta

    return _mixture(pairs, factors, phi)


def excess_bounds(
    pairs: Pairs, *, rho: float = 1.0, alpha: tuple[float, float], phi: float = 1.0
) -> tuple[float, float]:
    """Confidence bounds of the canary's rate less ρ·stable's; each holds at all analyses with probability 1 - its α.

    The margins that the evidence does not refute: every factor of ``log_worse`` falls as δ grows and every factor of
    ``log_not_worse`` rises, so both ends are found by bisection. (-ρ, 1) without pairs.

    Args:
        pairs: all of them so far.
        rho: ρ > 0.
        alpha: chance that the low end is ever above the truth, and that the high end is ever below it; in (0, 1).
        phi: φ ≥ 1.

    Raises:
        ConfigurationError: a value is out of range.
    """
    for level in alpha:
        if not 0 < level < 1:
            raise ConfigurationError("lies outside (0, 1)", field="alpha", value=level, mend="Correct alpha")
    _check(rho, 0.0, phi)
    low, high = (-math.log(level) for level in alpha)
    lowest, largest = -rho + _CLOSE, 1 - _CLOSE

    def refuted_below(delta: float) -> bool:
        return log_worse(pairs, rho=rho, delta=delta, phi=phi) >= low

    def refuted_above(delta: float) -> bool:
        return log_not_worse(pairs, rho=rho, delta=delta, phi=phi) >= high

    return (
        _edge(refuted_below, lowest, largest) if refuted_below(lowest) else -rho,
        -_edge(lambda minus: refuted_above(-minus), -largest, -lowest) if refuted_above(largest) else 1.0,
    )


def _edge(refuted: Callable[[float], bool], start: float, end: float) -> float:
    """Bisect for the last refuted point between ``start``, which is refuted, and ``end``; at most 10⁻⁷ short of it."""
    while end - start > _CLOSE:
        middle = (start + end) / 2
        start, end = (middle, end) if refuted(middle) else (start, middle)
    return start


def _mixture(pairs: Pairs, factors: Callable[[float], tuple[float, float, float, float]], phi: float) -> float:
    """Log of the mean over ``STAKES`` of the products of 1 + the gain of each kind of pair, to the power 1/φ."""
    logs = [
        math.fsum(n * math.log1p(won) for n, won in zip(pairs.cells, factors(stake), strict=True) if n) / phi
        for stake in STAKES
    ]
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(log - largest) for log in logs) / len(logs))


def _check(rho: float, delta: float, phi: float) -> None:
    ranges = {
        "rho": (rho, 0 < rho < math.inf, "be a positive number"),
        "delta": (delta, -rho < delta < 1, "lie between -rho and 1"),
        "phi": (phi, 1 <= phi < math.inf, "be at least 1"),
    }
    for field, (value, good, rule) in ranges.items():
        if not good:
            raise ConfigurationError(f"must {rule}", field=field, value=value, mend=f"Correct {field}")
