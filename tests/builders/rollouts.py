"""Simulated canaries: thousands of rollouts side by side, looked at after every interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from gauntlet.delivery.evidence.bets import log_bets, prior_rate
from gauntlet.delivery.evidence.sequential import Test, mixed


class Interval(NamedTuple):
    """What every rollout saw in one interval: (trials,) arrays."""

    canary_hits: np.ndarray
    canary_requests: np.ndarray
    stable_hits: np.ndarray
    stable_requests: np.ndarray
    step: bool
    """Whether a step of the rollout begins with it."""


Rates = Callable[[int], tuple[np.ndarray | float, np.ndarray | float]]
"""Look → the rates of stable and canary in it, scalars or (trials,)."""


def looks(
    rng: np.random.Generator, rates: Rates, *, trials: int, requests: int, weights: Iterable[float], steps: int = 1
) -> Iterator[Interval]:
    """Independent requests, ``requests`` an interval, split by the weights; a step every ``len(weights)/steps``."""
    shares = list(weights)
    for look, weight in enumerate(shares):
        stable, canary = rates(look)
        n_c = rng.binomial(requests, weight, trials)
        n_s = requests - n_c
        step = look % (len(shares) // steps) == 0
        yield Interval(rng.binomial(n_c, canary), n_c, rng.binomial(n_s, stable), n_s, step)


def clustered(
    rng: np.random.Generator,
    rates: Rates,
    *,
    trials: int,
    clusters: float,
    sizes: dict[int, float],
    weights: list[float],
) -> Iterator[Interval]:
    """Requests in clusters that hit or miss as one: a Poisson number of each size, ``clusters`` in all, an interval."""
    for look, weight in enumerate(weights):
        stable, canary = rates(look)
        found = []
        for share, rate in ((weight, canary), (1 - weight, stable)):
            groups = {size: rng.poisson(clusters * share * part, trials) for size, part in sizes.items()}
            found.append(sum(size * rng.binomial(number, rate) for size, number in groups.items()))
            found.append(sum(size * number for size, number in groups.items()))
        yield Interval(*found, look == 0)


def evidence(
    test: Test, intervals: Iterable[Interval], *, phi: np.ndarray | None = None, baseline: tuple[float, float] = (0, 0)
) -> Iterator[np.ndarray]:
    """(trials,) log E after every interval, by the same steps as ``sequential.update`` and ``restart``.

    ``phi``: (trials,) estimated design effects instead of the test's.
    """
    log_e = np.zeros((1, 0, len(test.psi)))
    hits, canary, stable = np.array([baseline[0]]), np.zeros(1), np.array([baseline[1]])
    for x, n_c, y, n_s, step in intervals:
        if step:
            log_e = np.concatenate([log_e, np.zeros((len(log_e), 1, len(test.psi)))], axis=1)
        prior = prior_rate(hits, canary, stable, rho=test.rho, delta=test.delta)
        gained = log_bets(x, n_c, y, n_s, prior, rho=test.rho, delta=test.delta, psi=test.psi)
        log_e = log_e + (gained / (test.phi if phi is None else phi[:, None]))[:, None, :]
        hits, canary, stable = hits + x + y, canary + n_c, stable + n_s
        yield mixed(log_e, test)


def crossed(path: Iterable[np.ndarray], *, alpha: float) -> float:
    """Share of the rollouts whose evidence ever reached 1/α."""
    highest = None
    for log_e in path:
        highest = log_e if highest is None else np.maximum(highest, log_e)
    assert highest is not None
    return float((highest >= -np.log(alpha)).mean())
