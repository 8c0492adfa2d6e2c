"""How often a shadow on a limit ever passes or fails, judged after every batch of copies, and how soon it can tell."""

from __future__ import annotations

import math
import zlib
from functools import cache

import numpy as np
import pytest

from gauntlet.delivery.evidence.pairs import Pairs, log_not_worse, log_worse
from gauntlet.delivery.shadow.gate import ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

ALPHA = 0.05
LOOKS = 12
BATCH = 400
"""Copies from one look to the next."""


def generator(*names: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def verdicts(judge, counts):
    """Share of the trials whose check ever passed, and ever failed.

    Args:
        judge: counts so far, as one trial has them at one look → status.
        counts: (trials, looks, kinds) whole numbers of every batch.
    """
    passed = failed = 0
    for trial in np.cumsum(counts, axis=1).tolist():
        seen = {judge(look, *found) for look, found in enumerate(trial, start=1)}
        passed += Status.PASS in seen
        failed += Status.FAIL in seen
    return passed / len(counts), failed / len(counts)


def status(seen, name, policy):
    return next(check.status for check in judge_shadow(seen, policy).checks if check.name == name)


@cache
def flips(look, found):
    policy = ShadowPolicy(max_flip_rate=0.05, latency_ratio=None, min_pairs=1)
    return status(ShadowCounts(look * BATCH, found, 0, 0), "flips", policy)


def excess(pairs, rho, margin):
    """As the gate decides (a unit test holds it to that), without its bounds: they take a thousand times as long."""
    if log_not_worse(pairs, rho=rho, delta=margin) >= -math.log(ALPHA):
        return Status.PASS
    return Status.FAIL if log_worse(pairs, rho=rho, delta=margin) >= -math.log(ALPHA) else Status.INCONCLUSIVE


def errors(look, own, other, both):
    return excess(Pairs(own + both, other + both, look * BATCH, both), 1.0, 0.01)


def latency(look, own, other):
    return excess(Pairs(own, other, look * BATCH), 1.1, 0.02)


def test_flips_on_the_limit(record_property):
    counts = generator("flips").binomial(BATCH, 0.05, (2_000, LOOKS, 1))
    passed, failed = verdicts(flips, counts)
    record_property("passed", passed)
    record_property("failed", failed)
    assert 0 < passed <= ALPHA
    assert failed <= ALPHA


@pytest.mark.parametrize("both", [0.0, 0.05])
def test_failures_on_the_margin_with_and_without_shared_outages(both, record_property):
    shares = [0.02, 0.01, both]
    counts = generator("errors", both).multinomial(BATCH, [*shares, 1 - sum(shares)], (2_000, LOOKS))[:, :, :3]
    passed, failed = verdicts(errors, counts)
    record_property("passed", passed)
    record_property("failed", failed)
    assert passed <= ALPHA
    assert failed <= ALPHA


def test_slow_answers_on_the_margin_that_come_together(record_property):
    """Half of stable's slow answers are slow for the candidate as well, of which the judge knows nothing."""
    both, own, other = 0.02, 1.1 * 0.04 + 0.02 - 0.02, 0.02
    counts = generator("latency").multinomial(BATCH, [both, own, other, 1 - both - own - other], (2_000, LOOKS))
    totals = np.stack([counts[..., 0] + counts[..., 1], counts[..., 0] + counts[..., 2]], axis=-1)
    passed, failed = verdicts(latency, totals)
    record_property("passed", passed)
    record_property("failed", failed)
    assert passed <= ALPHA
    assert failed <= ALPHA


def test_a_candidate_well_within_passes_and_one_well_beyond_fails(record_property):
    rng = generator("power")
    good, _ = verdicts(flips, rng.binomial(BATCH, 0.03, (200, LOOKS, 1)))
    _, bad = verdicts(flips, rng.binomial(BATCH, 0.08, (200, LOOKS, 1)))
    record_property("good passed", good)
    record_property("bad failed", bad)
    calm = np.zeros((1, LOOKS, 3), dtype=int)
    assert verdicts(errors, calm) == (1.0, 0.0)
    worse = rng.multinomial(BATCH, [0.04, 0.005, 0.0, 0.955], (500, LOOKS))[:, :, :3]
    assert verdicts(errors, worse)[1] >= 0.9
    assert good >= 0.9
    assert bad >= 0.9
