"""Deliveries from end to end, on a service in memory."""

from dataclasses import replace
from itertools import pairwise

import pytest

from builders.memory_service import V1, V2, V3, Killed, MemoryService
from gauntlet.delivery.deployment import (
    SteadyClock,
    Time,
    deploy_to_staging,
    preflight_warnings,
    roll_back,
    roll_out,
    unfinished,
)
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.lease import LeaseRecord
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.rollout.verdict import answered_requests, verdict_of
from gauntlet.errors import ConfigurationError, ServiceBusy, VersionNotReady
from gauntlet.settings import parse
from gauntlet.verdict import Status

PLAN = parse(RolloutPlan, {"steps": [10, 50, 100], "step_seconds": 120, "min_requests": 20}, field="plan")

WALL = Obstacle("patch httproutes", "this account may not do it", "Bind the Role")
DITCH = Obstacle("ServingRuntime", "gauntlet is not there", "Apply it")
STONE = Obstacle("minReplicas", "is not set", "Set it", blocks=False)


def deliver(world, release=V2, **options):
    time = Time(lambda: world.now, world.sleep)
    return roll_out(world.service(), release, world, PLAN, time, on_decision=lambda decision: None, **options)


def give_up(world, reason="complaints", **options):
    time = Time(lambda: world.now, world.sleep)
    return roll_back(world.service(), world, PLAN, reason, time, on_decision=lambda decision: None, **options)


@pytest.mark.parametrize("act", ["roll out", "first version", "roll back", "staging"])
def test_who_loses_a_race_is_told_so_in_a_sentence(act):
    world = MemoryService()
    if act == "roll back":
        deliver(world)

    def lost(place):
        if place == "before write":
            raise Conflict("the journal of prices was written by another")

    def install(release, *, replace=False):
        raise Conflict

    world.trouble, world.install = lost, install
    if act == "first version":
        world.specified = None
    with pytest.raises(ServiceBusy, match=r"prices: (another process changed it|was changed by)") as told:
        if act == "staging":
            deploy_to_staging(world.service(), V2, Time(lambda: world.now, world.sleep), patience=10.0)
        elif act == "roll back":
            give_up(world)
        else:
            deliver(world)
    assert told.value.retryable


def test_a_clock_that_is_set_back_goes_on():
    times = iter([100.0, 110.0, 10.0, 20.0, 5.0, 500.0])
    clock = SteadyClock(lambda: next(times), since=105.0)
    assert [clock() for _ in range(6)] == [105.0, 115.0, 115.0, 125.0, 125.0, 620.0]


@pytest.mark.parametrize("jump", [-1e9, -1e5, 1e9])
def test_a_clock_that_jumps_holds_no_rollout_up(jump):
    """Back: the step goes on as if nothing had been. Ahead: the rollout has taken too long, and is rolled back."""
    world = MemoryService()
    slept, jumps = world.sleep, iter([0.0, 0.0, jump])

    def sleep(seconds):
        slept(seconds)
        world.now += next(jumps, 0.0)
        assert world.now < 1e5 + max(jump, 0.0), "it waits until the clock has caught up"

    world.sleep = sleep
    assert deliver(world).rollout.phase is (Phase.PROMOTED if jump < 0 else Phase.ROLLED_BACK)


def test_a_good_version_ends_with_all_requests_and_a_passing_verdict():
    world = MemoryService()
    verdict = verdict_of(deliver(world))
    assert (verdict.gate, verdict.status, world.specified) == ("rollout", Status.PASS, V2)
    assert "Version 2 serves all requests." in verdict.summary
    assert verdict.facts["share_candidate"] == pytest.approx(0.1)


def test_a_harmful_one_ends_where_it_was_and_says_what_it_was_given():
    world = MemoryService(harmful=True)
    journal = deliver(world)
    verdict = verdict_of(journal)
    assert (verdict.status, world.specified) == (Status.FAIL, V1)
    assert "Version 2 was rolled back: Harm was shown: answers differ" in verdict.summary
    given, rest = answered_requests(journal)
    assert f"It was given {given:,.0f} of {given + rest:,.0f} requests" in verdict.summary
    assert verdict.facts["weight_reached"] == 50


def test_the_first_version_is_installed():
    world = MemoryService(specified=None, running=set())
    verdict = verdict_of(deliver(world, V1))
    assert (verdict.status, world.specified) == (Status.PASS, V1)
    assert "Version 1 serves, the first one." in verdict.summary
    stored = world.stored
    assert verdict_of(deliver(world, V1)) == verdict
    assert world.stored == stored, "delivered again, nothing changes"


def test_a_version_that_serves_already_stays():
    world = MemoryService()
    deliver(world)
    stored = world.stored
    assert verdict_of(deliver(world)).status is Status.PASS
    assert world.stored == stored


def test_a_candidate_that_was_rolled_back_stays_back_until_another_attempt():
    world = MemoryService(harmful=True)
    deliver(world)
    world.harmful = False
    assert verdict_of(deliver(world)).status is Status.FAIL
    assert verdict_of(deliver(world, attempt="mended")).status is Status.PASS


def died_half_way():
    calls = iter(range(10**6))

    def trouble(where):
        if next(calls) == 40:
            raise Killed(where)

    world = MemoryService(trouble=trouble)
    with pytest.raises(Killed):
        deliver(world)
    return world


def test_what_died_is_rolled_back_by_the_next_rollout():
    world = died_half_way()
    assert unfinished(world.service())
    journal = deliver(world, V3)
    assert journal.rollout.candidate == V3
    assert V2 not in world.running


def test_a_promoted_version_is_rolled_back_on_demand():
    world = MemoryService()
    deliver(world)
    journal = give_up(world)
    assert (journal.rollout.phase, world.specified) == (Phase.ROLLED_BACK, V1)
    assert give_up(world) == journal


def test_nobody_acts_beside_another():
    world = MemoryService(holder="another")
    with pytest.raises(ServiceBusy):
        deliver(world)


def test_staging_waits_for_an_answer():
    world = MemoryService(specified=None, running=set())
    time = Time(lambda: world.now, world.sleep)
    assert deploy_to_staging(world.service(), V2, time, patience=10).startswith("http://")
    assert world.running == {V2}
    world.ready = lambda release: False
    with pytest.raises(VersionNotReady, match="after 10 s"):
        deploy_to_staging(world.service(), V3, time, patience=10)


def test_an_unfinished_rollout_is_inconclusive():
    world = MemoryService()
    journal = deliver(world)
    going = replace(journal, rollout=replace(journal.rollout, phase=Phase.RAMPING))
    assert verdict_of(going).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("first", [False, True], ids=["another version", "the first version"])
def test_what_stands_in_the_way_is_said_before_anything_is_done(first):
    world = MemoryService(found=(WALL, STONE, DITCH), **({"specified": None, "running": set()} if first else {}))
    with pytest.raises(ConfigurationError, match=r"2 reasons(.|\n)*1. patch httproutes(.|\n)*2. ServingRuntime"):
        deliver(world)
    assert (world.stored, world.running) == (None, set() if first else {V1})


def test_what_does_not_block_is_heard_and_the_rollout_goes_on():
    world, heard = MemoryService(found=(STONE,)), []
    assert verdict_of(deliver(world, on_warning=heard.append)).status is Status.PASS
    assert heard == [STONE]


def test_a_rollout_that_has_begun_or_ended_is_not_in_its_own_way():
    world = died_half_way()
    world.found = (Obstacle("spec.canary", "another canary is under way", "End it"),)
    assert preflight_warnings(world.service(), V2.digest) == ()
    assert verdict_of(deliver(world)).status is Status.PASS
    assert verdict_of(deliver(world)).status is Status.PASS, "delivered again, nothing begins"
    assert preflight_warnings(world.service(), V2.digest) == ()
    assert world.preflights == 1, "asked when it began, and never again"
    with pytest.raises(ConfigurationError, match="another canary"):
        deliver(world, V3)


def test_a_candidate_that_stays_back_is_not_held_up_and_another_attempt_is():
    world = MemoryService(harmful=True)
    deliver(world)
    world.found = (WALL,)
    assert verdict_of(deliver(world)).status is Status.FAIL
    with pytest.raises(ConfigurationError, match="may not do it"):
        deliver(world, attempt="mended")


def test_what_was_left_behind_is_rolled_back_before_the_preflight():
    world = died_half_way()
    world.obstacles = lambda: (WALL,) if V2 in world.running else ()
    assert verdict_of(deliver(world, V3)).status is Status.PASS


def test_going_back_to_what_serves_ends_what_was_left_behind_and_begins_nothing():
    world = died_half_way()
    journal = deliver(world, V1)
    assert (world.specified, world.running, journal.rollout.candidate) == (V1, {V1}, V1)
    assert verdict_of(journal).status is Status.PASS


@pytest.mark.parametrize("met", ["acquire", "read", "current"])
def test_a_refusal_names_everything_that_stands_in_the_way(met):
    def refused(*arguments):
        raise ConfigurationError("this account may not do it", field=met)

    world = MemoryService(found=(WALL, DITCH))
    setattr(world, met, refused)
    with pytest.raises(ConfigurationError, match="for 2 reasons"):
        deliver(world)
    world.found = ()
    with pytest.raises(ConfigurationError, match=f"{met}: this account may not do it"):
        deliver(world)


def test_staging_hears_what_stands_in_productions_way():
    world = MemoryService(found=(STONE,))
    assert preflight_warnings(world.service(), V2.digest) == (STONE,)
    world.found = (WALL,)
    assert preflight_warnings(world.service(), V1.digest) == (), "what serves already begins nothing"
    with pytest.raises(ConfigurationError, match="Bind the Role"):
        preflight_warnings(world.service(), V2.digest)


def stage(world, **options):
    time = Time(lambda: world.now, world.sleep)
    return deploy_to_staging(world.service(), V2, time, patience=1_000, **options)


@pytest.mark.parametrize("act", [deliver, give_up, stage])
def test_whoever_died_holding_the_lease_is_waited_for_and_followed(act):
    world, heard = MemoryService(), []
    if act is give_up:
        deliver(world)
    world.holder = LeaseRecord("one who died", "2026-11-30T20:00:51Z", 120.0)
    began = world.now
    act(world, on_warning=heard.append)
    assert (world.holder, world.now - began > 120.0) == (None, True)
    assert ["held by one who died, last renewed 2026-11-30T20:00:51Z" in str(one) for one in heard] == [True]


def test_who_waits_for_a_server_keeps_the_lease_meanwhile():
    held = []
    world = MemoryService(trouble=lambda where: where == "hold" and held.append(world.now))
    world.ready = lambda release: world.now > 900.0
    stage(world)
    assert [late - early for early, late in pairwise(held)] == [pytest.approx(60.0)] * 15


def test_between_two_far_looks_the_lease_is_kept():
    held = []
    world = MemoryService(trouble=lambda where: where == "hold" and held.append(world.now))
    plan = PLAN.model_copy(update={"interval_seconds": 1_000.0})
    roll_out(world.service(), V2, world, plan, Time(lambda: world.now, world.sleep), on_decision=lambda decision: None)
    assert max(late - early for early, late in pairwise(held)) <= 60.0
