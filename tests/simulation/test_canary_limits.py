"""Where the canary's promise ends: errors that come in bursts, callers that try again, candidates that stay cold.

Candidate and stable are alike. What is measured stands in docs/canary.md, also where nothing is promised.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter

import numpy as np
import pytest

from builders.judging import Behavior, World, judge_of, plan, run_rollout
from builders.rollouts import Interval, crossed, evidence
from builders.trials import at_most
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.evidence.clustering import ASSUMED, estimate
from gauntlet.delivery.evidence.sequential import Test
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Phase
from gauntlet.settings import parse
from tiers import count

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = 2000
REQUESTS = 1000
STEPS = [0.05] * 50 + [0.1] * 50 + [0.25] * 50 + [0.5] * 50
BASELINE = 60


def phi_of(hits, requests, how):
    """(trials,) φ: assumed, or estimated from (looks, pods, trials) hits and requests of the baseline."""
    if how != "estimated":
        return np.full(hits.shape[-1], {"assumed": ASSUMED, "ignored": 1.0}[how])
    trials = range(hits.shape[-1])
    return np.array([estimate(list(hits[..., trial]), list(requests[..., trial])).phi for trial in trials])


def rolled_back(looks, how):
    """Share of rollouts that are rolled back, by φ from the first ``BASELINE`` looks, at even halves of stable."""
    before = np.array(looks[:BASELINE])
    hits, requests = before[:, (0, 2)], before[:, (1, 3)]
    path = (Interval(*look, step=index % 50 == 0) for index, look in enumerate(looks[BASELINE:]))
    return crossed(evidence(Test(delta=0.0, starts=4), path, phi=phi_of(hits, requests, how)), alpha=ALPHA)


WEIGHTS = [0.5] * BASELINE + STEPS
"""Of one of two stable pods in the baseline, then of the candidate."""


def bursts(rng, size):
    """In one look of two hundred, so many requests fail at once at one pod; one in a hundred fails anyway."""
    looks, struck = [], np.zeros(TRIALS, dtype=bool)
    for index, weight in enumerate(WEIGHTS):
        n = rng.binomial(REQUESTS, weight, TRIALS)
        one = (rng.random(TRIALS) < 0.005) * np.where(rng.random(TRIALS) < weight, 1, 2)
        counts = []
        for arm, requests in ((1, n), (2, REQUESTS - n)):
            extra = size * (one == arm)
            counts += [rng.binomial(requests, 0.01) + extra, requests + extra]
        looks.append(counts)
        if index >= BASELINE:
            struck |= one == 1
    return looks, struck.mean()


@pytest.mark.parametrize("how", ["estimated", "assumed"])
@pytest.mark.parametrize("size", [5, 20, 50, 200])
def test_rare_bursts_of_errors(size, how, record_property):
    """φ is a mean over requests, and what is rare is hardly in it: beyond small bursts it is luck whom they strike."""
    rng = np.random.default_rng(zlib.crc32(repr(("bursts", size)).encode()))
    looks, struck = bursts(rng, size)
    share = rolled_back(looks, how)
    record_property("rolled back", share)
    record_property("candidates that a burst strikes", float(struck))
    assert share <= at_most(ALPHA + (struck if size > 5 else 0.0), TRIALS)


def retried(rng, attempts, *, sticky):
    """One request in two hundred is one that no version can answer, and is sent so many times; as many fail by chance.

    ``sticky``: all attempts reach the pod of the first; otherwise each is routed anew.
    """
    looks = []
    for weight in WEIGHTS:
        n = rng.binomial(REQUESTS, weight, TRIALS)
        arms = (n, REQUESTS - n)
        lost = [rng.binomial(requests, 0.005) for requests in arms]
        chance = [rng.binomial(requests, 0.005) for requests in arms]
        if sticky:
            sent = [attempts * one for one in lost]
        else:
            again = rng.binomial((attempts - 1) * (lost[0] + lost[1]), weight)
            sent = [lost[0] + again, attempts * (lost[0] + lost[1]) - lost[0] - again]
        looks.append(
            [
                value
                for requests, first, failed, total in zip(arms, lost, chance, sent, strict=True)
                for value in (failed + total, requests - first + total)
            ]
        )
    return looks


@pytest.mark.parametrize("how", ["estimated", "assumed", "ignored"])
@pytest.mark.parametrize(("attempts", "sticky"), [(3, False), (3, True), (10, True)])
def test_callers_that_try_again(attempts, sticky, how, record_property):
    """Where each attempt is routed anew they are independent requests; where all reach one pod they are a cluster."""
    rng = np.random.default_rng(zlib.crc32(repr(("retries", attempts, sticky)).encode()))
    share = rolled_back(retried(rng, attempts, sticky=sticky), how)
    record_property("rolled back", share)
    if how == "estimated" or (attempts, how) == (3, "assumed") or not sticky:
        assert share <= at_most(ALPHA, TRIALS)


COLD_TRIALS = count(60, full=1000)
PLAN = parse(
    RolloutPlan,
    {"steps": [10, 50, 100], "step_seconds": 6 * 60, "min_requests": 1, "budgets": {"inconclusive": 1000}},
    field="plan",
)
WARM = Behavior(0.01, (0.5, 0.45, 0.045, 0.005), (0.2,) * 5)
COLD = Behavior(0.01, (0.4, 0.45, 0.135, 0.015), (0.2,) * 5)


@pytest.mark.parametrize("looks", [1, 2, 3, 6])
def test_a_candidate_that_is_cold_at_the_beginning_of_every_step(looks, record_property, monkeypatch):
    """Three times as many answers are slow. Its first looks are not counted; later ones are worse, and taken to be.

    That in which the weight changes is not, nor that which begins before the warm-up of half a minute is over.
    """
    monkeypatch.setattr(state_codec, "to_json", lambda state: state)
    monkeypatch.setattr(state_codec, "from_json", lambda state: state)
    ends: Counter[Phase] = Counter()
    for trial in range(COLD_TRIALS):
        rng = np.random.default_rng(zlib.crc32(repr(("cold", looks, trial)).encode()))
        world = World(rng, edges=(0.2, 0.4, 0.6, 0.8, math.inf))
        began: dict[float, int] = {}

        def traffic(turn, weight, began=began):
            since = turn - began.setdefault(weight, turn)
            return 2000, WARM, COLD if since < looks else WARM

        judge = judge_of(world, plan(baseline_requests=10_000, warm_up_seconds=30), PLAN)
        ends[run_rollout(judge, world, PLAN, traffic).phase] += 1
    share = ends[Phase.ROLLED_BACK] / COLD_TRIALS
    record_property("rolled back", share)
    assert ends[Phase.PROMOTED] == COLD_TRIALS - ends[Phase.ROLLED_BACK]
    if looks <= 2:
        assert share <= at_most(ALPHA, COLD_TRIALS)
