"""What a rollout can promise before it starts: requests until harm of a given size is found, and the time they take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from gauntlet.delivery.bets import Floats, log_factors
from gauntlet.delivery.sequential import Direction, Test
from gauntlet.errors import ConfigurationError

MIXTURE_COST = 1.25
"""What mixing over ψ costs, in units of log E: less than ln K, for the neighbours of the best ψ win as well."""


@dataclass(frozen=True)
class Promise:
    """Requests that find the harm with the wanted probability.

    Attributes:
        canary_requests: requests the canary has to answer.
        psi: the factor of the grid that finds it first.
        power: the probability promised.
    """

    canary_requests: int
    psi: float
    power: float

    def seconds(self, *, requests_per_second: float, weight: float) -> float:
        """How long that takes at a total rate (of both arms) and the canary's weight."""
        return self.canary_requests / (requests_per_second * weight)


def requests_needed(
    test: Test, *, stable: float, canary: float, weight: float, alpha: float, share: float = 1.0, power: float = 0.9
) -> Promise | None:
    """Canary requests after which the evidence has reached its threshold with probability ``power``.

    log E(ψ) of n canary requests and n(1-w)/w stable ones has mean n·g and variance n·v (g, v from ``drift``). It has
    passed L = φ(ln(1/α′) + 1.25), α′ = α · share / starts, with that probability once n·g - z√(n·v) = L, so

        n = min over ψ of [(z√v + √(z²v + 4gL)) / 2g]².

    The rates stay, the baseline is known (``begin``), and the evidence comes from one step.

    Args:
        test: what is tested.
        stable: rate of stable in (0, 1).
        canary: rate of the canary in (0, 1).
        weight: share of requests the canary gets, in (0, 1).
        alpha: level of the whole rollout, in (0, 1).
        share: what this test has of it (metric weight over the panel's size), in (0, 1].
        power: wanted probability, in (0.5, 1).

    Returns:
        The promise of the best ψ; None where the rates give this test nothing to find.

    Raises:
        ConfigurationError: a value is out of range.
    """
    _check({"stable": stable, "canary": canary, "weight": weight, "alpha": alpha}, power=power, share=share)
    gain, variance = drift(test, stable=stable, canary=canary, weight=weight)
    starts = test.starts if test.direction is Direction.HARM else 1
    needed = test.phi * (math.log(starts / (alpha * share)) + MIXTURE_COST)
    useful = gain > 0
    if not useful.any():
        return None
    z = float(ndtri(power))
    g, v = gain[useful], test.phi * variance[useful]
    requests = ((z * np.sqrt(v) + np.sqrt(z * z * v + 4 * g * needed)) / (2 * g)) ** 2
    best = int(requests.argmin())
    return Promise(math.ceil(requests[best]), float(np.asarray(test.psi)[useful][best]), power)


def drift(test: Test, *, stable: float, canary: float, weight: float) -> tuple[Floats, Floats]:
    """Mean and variance of log E(ψ) a canary request, (K,) each, without clustering, once m is the pooled rate.

    Every canary request comes with (1-w)/w stable ones. Exact for Bernoulli requests; for rare hits the mean tends to
    p₁ ln a + r p₀ ln b - δ(a-1).
    """
    ratio = (1 - weight) / weight
    pooled = weight * canary + (1 - weight) * stable
    hit, miss, stable_hit, stable_miss = log_factors(
        weight, 1 - weight, pooled, rho=test.rho, delta=test.delta, psi=test.psi
    )
    gain = canary * hit + (1 - canary) * miss + ratio * (stable * stable_hit + (1 - stable) * stable_miss)
    variance = canary * (1 - canary) * (hit - miss) ** 2
    variance = variance + ratio * stable * (1 - stable) * (stable_hit - stable_miss) ** 2
    return gain, variance


def _check(inside: dict[str, float], *, power: float, share: float) -> None:
    good = {field: (value, 0 < value < 1, "(0, 1)") for field, value in inside.items()}
    good |= {"power": (power, 0.5 < power < 1, "(0.5, 1)"), "share": (share, 0 < share <= 1, "(0, 1]")}
    for field, (value, fits, where) in good.items():
        if not fits:
            raise ConfigurationError(f"lies outside {where}", field=field, value=value, mend=f"Correct {field}")
