"""How often a canary as good as allowed is rolled back, a bad one promoted, and a rise found when promised.

Every rollout is looked at after every interval. The nulls are the hardest: the canary's rate lies on the margin.
"""

from __future__ import annotations

import zlib
from itertools import islice

import numpy as np
import pytest
from scipy.stats import norm

from builders.rollouts import Interval, clustered, crossed, evidence, looks
from builders.trials import at_least, at_most
from gauntlet.delivery.evidence.bets import log_mean
from gauntlet.delivery.evidence.clustering import estimate
from gauntlet.delivery.evidence.power import requests_needed
from gauntlet.delivery.evidence.sequential import Direction, Test

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = 2000
STEPS = [0.05] * 50 + [0.1] * 50 + [0.25] * 50 + [0.5] * 50
"""Weights of a rollout in four steps, 200 intervals of about 1000 requests."""


def generator(*names: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def outages(rng: np.random.Generator) -> np.ndarray:
    """Two intervals in a hundred go wrong for both arms, some of them badly."""
    return np.where(rng.random(TRIALS) < 0.02, rng.uniform(0.05, 0.6, TRIALS), 0.01)


STABLE = {
    "constant": lambda rng, look: 0.01,
    "rare": lambda rng, look: 0.001,
    "rising": lambda rng, look: 0.002 * 25 ** (look / 200),
    "falling": lambda rng, look: 0.05 * 25 ** (-look / 200),
    "daily": lambda rng, look: 0.02 + 0.019 * np.sin(look / 20),
    "outages": lambda rng, look: outages(rng),
}


@pytest.mark.parametrize("delta", [0.0, 0.002])
@pytest.mark.parametrize("rate", STABLE)
def test_a_canary_on_the_margin_is_rolled_back_at_most_alpha_of_the_time(rate, delta, record_property):
    rng = generator("harm", rate, delta)

    def rates(look):
        stable = STABLE[rate](rng, look)
        return stable, stable + delta

    path = looks(rng, rates, trials=TRIALS, requests=1000, weights=STEPS, steps=4)
    share = crossed(evidence(Test(delta=delta, starts=4), path), alpha=ALPHA)
    record_property("rolled back", share)
    assert share <= ALPHA


@pytest.mark.parametrize("rate", STABLE)
def test_a_canary_on_the_margin_is_promoted_at_most_alpha_of_the_time(rate, record_property):
    rng = generator("not worse", rate)

    def rates(look):
        stable = STABLE[rate](rng, look)
        return stable, stable + 0.005

    path = looks(rng, rates, trials=TRIALS, requests=1000, weights=STEPS)
    share = crossed(evidence(Test(Direction.NOT_WORSE, delta=0.005), path), alpha=ALPHA)
    record_property("promoted", share)
    assert share <= ALPHA


def z_tests(intervals):
    """(trials,) -log p of the one-sided two-proportion test on the totals so far, after every interval."""
    total = np.zeros(4)
    for interval in intervals:
        total = total + np.array(interval[:4]).T
        x, n_c, y, n_s = total.T
        pooled = (x + y) / (n_c + n_s)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n_c + 1 / n_s))
        yield -norm.logsf((x / n_c - y / n_s) / np.where(spread > 0, spread, np.inf))


@pytest.mark.parametrize("rate", ["constant", "rising"])
def test_a_test_made_for_one_look_is_wrong_far_more_often_on_the_same_rollouts(rate, record_property):
    """Or the simulation could not tell a valid method from another. On totals, a rate that rises is harm by itself."""
    rng = generator("harm", rate, 0.0)
    path = looks(rng, lambda look: (STABLE[rate](rng, look),) * 2, trials=TRIALS, requests=1000, weights=STEPS, steps=4)
    share = crossed(z_tests(path), alpha=ALPHA)
    record_property("rolled back", share)
    assert share > 4 * ALPHA


SIZES = {1: 0.6, 4: 0.3, 9: 0.1}
EFFECT = sum(part * size**2 for size, part in SIZES.items()) / sum(part * size for size, part in SIZES.items())
"""The design effect of these clusters, 5.0: variance over that of independent requests."""


def estimated(rng: np.random.Generator) -> np.ndarray:
    """(trials,) φ from two stable pods over sixty intervals before each rollout."""
    halves = [0.5] * 60
    pods = list(clustered(rng, lambda look: (0.02, 0.02), trials=TRIALS, clusters=400, sizes=SIZES, weights=halves))
    hits = np.array([[one.canary_hits, one.stable_hits] for one in pods])
    requests = np.array([[one.canary_requests, one.stable_requests] for one in pods])
    found = [estimate(list(hits[..., trial]), list(requests[..., trial])) for trial in range(TRIALS)]
    assert not any(one.assumed for one in found)
    return np.array([one.phi for one in found])


@pytest.mark.parametrize("phi", ["largest cluster", "design effect", "estimated", "ignored"])
def test_clustered_requests_need_phi(phi, record_property):
    rng = generator("clusters", phi)
    given = {"largest cluster": max(SIZES), "design effect": EFFECT, "ignored": 1.0}.get(phi)
    each = estimated(rng) if given is None else np.full(TRIALS, given)
    path = clustered(rng, lambda look: (0.02, 0.02), trials=TRIALS, clusters=400, sizes=SIZES, weights=STEPS)
    share = crossed(evidence(Test(delta=0.0), path, phi=each), alpha=ALPHA)
    record_property("rolled back", share)
    if phi == "ignored":
        assert share > 4 * ALPHA
    else:
        assert share <= ALPHA


def binned(rng, canary, stable, weights, requests=1000):
    """Per interval, hits above every inner edge of the bins: (trials, bins - 1), and requests, of both arms."""
    for weight in weights:
        n_c = rng.binomial(requests, weight, TRIALS)
        drawn = [rng.multinomial(n, shares) for n, shares in ((n_c, canary), (requests - n_c, stable))]
        above = [np.cumsum(bins[:, ::-1], axis=1)[:, -2::-1] for bins in drawn]
        yield above[0], n_c, above[1], requests - n_c


def at(intervals, edge, *, upper):
    """What one test of a panel counts: scores above an edge, or those up to it."""
    for index, (x, n_c, y, n_s) in enumerate(intervals):
        hits = (x[:, edge], y[:, edge]) if upper else (n_c - x[:, edge], n_s - y[:, edge])
        yield Interval(hits[0], n_c, hits[1], n_s, index == 0)


def panel(test, intervals, edges, sides):
    """(trials,) logarithm of the mean of E over edges and sides, after every interval."""
    made = list(intervals)
    paths = [evidence(test, at(made, edge, upper=upper)) for edge in range(edges) for upper in sides]
    for together in zip(*paths, strict=True):
        yield log_mean(np.array(together), axis=0)


def test_latencies_on_the_margin_of_every_boundary_raise_few_alarms(record_property):
    """Six boundaries of one histogram, all dependent; the canary's tail is 1.1 times stable's and a thousandth."""
    tails = np.array([0.25, 0.1, 0.05, 0.01, 0.005, 0.001])
    stable, canary = (-np.diff([1, *tail, 0]) for tail in (tails, 1.1 * tails + 0.001))
    test = Test(rho=1.1, delta=0.001)
    path = panel(test, binned(generator("latency"), canary, stable, STEPS[::4]), 6, (True,))
    share = crossed(path, alpha=ALPHA)
    record_property("rolled back", share)
    assert share <= ALPHA


@pytest.mark.parametrize(("moved", "found"), [(0.05, False), (0.15, True)], ids=["within tolerance", "beyond it"])
def test_scores_are_told_apart_beyond_the_tolerance(moved, found, record_property):
    """Mass moves from the lowest tenths to the highest: every decile's share above it rises alike."""
    stable = np.full(10, 0.1)
    canary = stable.copy()
    canary[:2] -= moved / 2
    canary[-2:] += moved / 2
    path = panel(Test(delta=0.05), binned(generator("scores"), canary, stable, [0.1] * 40), 9, (True, False))
    share = crossed(path, alpha=ALPHA)
    record_property("rolled back", share)
    assert share >= 0.9 if found else share <= ALPHA


def test_metrics_together_keep_alpha_and_a_calm_one_is_no_culprit(record_property):
    """Errors rise; latency, with weight ½, and scores, with ¼, stay. Then none of them rises."""
    rng = generator("metrics")
    weights = np.log([0.25, 0.5, 0.25])
    for harmful in (False, True):
        rates = (0.01, 0.03 if harmful else 0.01), (0.05, 0.05), (0.5, 0.5)
        paths = [
            evidence(
                Test(delta=0.0),
                looks(rng, lambda look, pair=pair: pair, trials=TRIALS, requests=1000, weights=STEPS[::2]),
            )
            for pair in rates
        ]
        total, named = np.full(TRIALS, -np.inf), np.full((TRIALS, 3), -np.inf)
        for together in zip(*paths, strict=True):
            shares = np.array(together).T + weights
            total, named = np.maximum(total, np.logaddexp.reduce(shares, axis=1)), np.maximum(named, shares)
        alarms, culprits = (total >= -np.log(ALPHA)).mean(), named >= -np.log(ALPHA)
        record_property(f"alarms, harmful={harmful}", float(alarms))
        assert alarms >= 0.99 if harmful else alarms <= ALPHA
        assert culprits[:, int(harmful) :].any(axis=1).mean() <= ALPHA
        assert culprits[:, 0].mean() >= 0.99 or not harmful


@pytest.mark.parametrize("starts", [1, 4])
def test_a_canary_good_at_first_and_bad_at_last_needs_restarts(starts, record_property):
    """Half stable's errors in three steps, twice as many in the first twenty intervals of the last."""
    path = looks(
        generator("late", starts),
        lambda look: (0.02, 0.01 if look < 150 else 0.04),
        trials=TRIALS,
        requests=1000,
        weights=[0.25] * 200,
        steps=4,
    )
    rows = (one._replace(step=one.step and (starts > 1 or index == 0)) for index, one in enumerate(islice(path, 170)))
    share = crossed(evidence(Test(delta=0.002, starts=starts), rows), alpha=ALPHA)
    record_property("rolled back", share)
    assert share < 0.5 if starts == 1 else share > 0.99


RISES = [
    # δ, ρ, stable, canary, weight, φ
    (0.0, 1.0, 0.01, 0.03, 0.1, 1.0),
    (0.0, 1.0, 0.01, 0.015, 0.1, 1.0),
    (0.002, 1.0, 0.01, 0.03, 0.1, 1.0),
    (0.002, 1.0, 0.001, 0.01, 0.05, 1.0),
    (0.002, 1.0, 0.01, 0.03, 0.5, 1.0),
    (0.001, 1.1, 0.1, 0.15, 0.1, 1.0),
    (0.05, 1.0, 0.5, 0.6, 0.25, 1.0),
    (0.002, 1.0, 0.01, 0.03, 0.1, 5.0),
]


@pytest.mark.parametrize(("delta", "rho", "stable", "canary", "weight", "phi"), RISES)
def test_a_rise_is_found_within_the_promised_requests(delta, rho, stable, canary, weight, phi, record_property):
    """Fifty looks, the last at the promise; clusters of φ requests where φ is not 1. No baseline is given."""
    test = Test(rho=rho, delta=delta, phi=phi)
    power_by_step = requests_needed(test, stable=stable, canary=canary, weight=weight, alpha=ALPHA)
    total = power_by_step.canary_requests / weight
    rng = generator("rise", delta, rho, stable, canary, weight, phi)
    path = clustered(
        rng,
        lambda look: (stable, canary),
        trials=TRIALS,
        clusters=total / phi / 50,
        sizes={int(phi): 1.0},
        weights=[weight] * 50,
    )
    share = crossed(evidence(test, path), alpha=ALPHA)
    record_property(f"found within {power_by_step.canary_requests}", share)
    assert at_least(0.9, TRIALS) <= share <= at_most(0.96, TRIALS)


@pytest.mark.parametrize(("delta", "rate", "weight"), [(0.005, 0.01, 0.1), (0.005, 0.001, 0.5), (0.05, 0.2, 0.25)])
def test_an_equal_canary_is_proven_not_worse_within_the_promised_requests(delta, rate, weight, record_property):
    test = Test(Direction.NOT_WORSE, delta=delta)
    power_by_step = requests_needed(test, stable=rate, canary=rate, weight=weight, alpha=ALPHA)
    path = looks(
        generator("equal", delta, rate, weight),
        lambda look: (rate, rate),
        trials=TRIALS,
        requests=round(power_by_step.canary_requests / weight / 50),
        weights=[weight] * 50,
    )
    share = crossed(evidence(test, path), alpha=ALPHA)
    record_property(f"proven within {power_by_step.canary_requests}", share)
    assert at_least(0.9, TRIALS) <= share <= at_most(0.96, TRIALS)
