"""Carrying a shadow out on a service in memory: whose turn it is, and how long it stays so."""

from dataclasses import replace
from itertools import pairwise

import pytest

from builders.memory_service import V2, MemoryService
from builders.shadows import shadow
from gauntlet.delivery.deployment import Time
from gauntlet.delivery.rollout.lease import LeaseRecord, LeaseTaken
from gauntlet.delivery.shadow.gate import ShadowPolicy
from gauntlet.delivery.shadow.runner import run_shadow
from gauntlet.errors import DependencyError
from gauntlet.verdict import Status


class Mirrored:
    """A mirror on which nothing is out of the ordinary."""

    def start(self, rollout, share):
        pass

    def counts(self, rollout):
        return shadow()

    def stop(self, rollout):
        pass


class Slow(MemoryService):
    """The candidate answers after so many seconds."""

    ready_at = 0.0

    def observe(self, rollout):
        return replace(super().observe(rollout), candidate_ready=self.now >= self.ready_at)


@pytest.fixture
def world():
    return Slow()


def shadowed(world, **options):
    service = replace(world.service(), mirror=Mirrored())
    time = Time(lambda: world.now, world.sleep)
    return run_shadow(service, V2, ShadowPolicy(), time, seconds=600.0, share=1.0, patience=5_000.0, **options).verdict


def test_whoever_died_holding_the_lease_is_waited_for_and_followed(world):
    world.holder, heard = LeaseRecord("one who died", "2026-11-30T20:00:51Z", 120.0), []
    assert shadowed(world, on_warning=heard.append).status is Status.PASS
    assert ["held by one who died" in str(one) for one in heard] == [True]


def test_who_waits_for_a_slow_candidate_keeps_the_lease(world):
    held = []
    world.trouble = lambda where: where == "hold" and held.append(world.now)
    world.ready_at = 1_000.0
    assert shadowed(world).status is Status.PASS
    assert max(late - early for early, late in pairwise(held)) <= 60.0


def test_a_lease_that_is_lost_ends_the_shadow_with_the_reason(world):
    def trouble(where):
        if where == "hold" and world.now > 0:
            raise LeaseTaken("another one acts")

    world.trouble = trouble
    with pytest.raises(DependencyError, match="another one acts"):
        shadowed(world)


def test_a_first_version_and_the_one_that_serves_are_compared_with_nothing(world):
    world.specified = None
    first = shadowed(world)
    world.specified = V2
    again = shadowed(world)
    assert [first.status, again.status] == [Status.NOT_ASKED, Status.NOT_ASKED]
    assert "Nothing serves yet" in first.summary
    assert "compared with themselves" in again.summary


def test_a_service_that_cannot_copy_requests_leaves_what_was_asked_open(world):
    verdict = run_shadow(
        world.service(), V2, ShadowPolicy(), Time(lambda: world.now, world.sleep), seconds=600, share=1, patience=60
    ).verdict
    assert verdict.status is Status.INCONCLUSIVE
    assert "cannot copy requests" in verdict.summary
