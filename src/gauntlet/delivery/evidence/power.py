"""Power of a sequential test before it starts: requests and time until harm of a given size is detected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from gauntlet.delivery.evidence.bets import Floats, log_factors, log_mean, prior_rate
from gauntlet.delivery.evidence.sequential import Direction, Test
from gauntlet.errors import ConfigurationError

MOST_REQUESTS = 1e12
"""Effects that would need more requests count as not detectable."""


@dataclass(frozen=True)
class RequestsNeeded:
    """Requests after which the harm is detected with the wanted power.

    Attributes:
        canary_requests: requests the canary has to answer.
        psi: the factor of the grid that contributes most.
        power: the probability of detecting it.
    """

    canary_requests: int
    psi: float
    power: float

    def seconds(self, *, requests_per_second: float, weight: float) -> float:
        """How long that takes at a total rate (of both arms) and the canary's weight."""
        return self.canary_requests / (requests_per_second * weight)


def requests_needed(
    test: Test, *, stable: float, canary: float, weight: float, alpha: float, share: float = 1.0, power: float = 0.9
) -> RequestsNeeded | None:
    """Compute the canary requests after which the evidence has reached its threshold with probability ``power``.

    log E(ψ) of n canary requests and n(1-w)/w stable ones has mean n·g(ψ)/φ and variance n·v(ψ)/φ (``drift``), and
    what is bad luck for one ψ is for all. So n solves

        log mean over ψ of exp((n·g(ψ) - z√(φ n v(ψ))) / φ) = ln(starts / (α · share)).

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
        Requests and time; None where the rates give this test nothing to find, or not within 10¹² requests.

    Raises:
        ConfigurationError: a value is out of range.
    """
    _check({"stable": stable, "canary": canary, "weight": weight, "alpha": alpha}, power=power, share=share)
    gain, variance = drift(test, stable=stable, canary=canary, weight=weight)
    starts = test.starts if test.direction is Direction.HARM else 1
    needed = math.log(starts / (alpha * share))
    z = NormalDist().inv_cdf(power)

    def unlucky(n: float) -> Floats:
        return np.asarray((n * gain - z * np.sqrt(test.phi * n * variance)) / test.phi)

    low, high = 0.0, 1.0
    while float(log_mean(unlucky(high))) < needed:
        low, high = high, 2 * high
        if high > MOST_REQUESTS:
            return None
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (middle, high) if float(log_mean(unlucky(middle))) < needed else (low, middle)
    return RequestsNeeded(math.ceil(high), test.psi[int(unlucky(high).argmax())], power)


def drift(test: Test, *, stable: float, canary: float, weight: float) -> tuple[Floats, Floats]:
    """Mean and variance of log E(ψ) a canary request, (K,) each, without clustering, once m has settled.

    Every canary request comes with (1-w)/w stable ones. Exact for Bernoulli requests; for rare hits the mean tends to
    p₁ ln a + r p₀ ln b - δ(a-1).
    """
    ratio = (1 - weight) / weight
    # Where (hits - δ n_c) / (ρ n_c + n_s) tends to.
    many = 1e12
    hits = many * (weight * canary + (1 - weight) * stable)
    settled = prior_rate(hits, many * weight, many * (1 - weight), rho=test.rho, delta=test.delta)
    hit, miss, stable_hit, stable_miss = log_factors(
        weight, 1 - weight, settled, rho=test.rho, delta=test.delta, psi=test.psi
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
