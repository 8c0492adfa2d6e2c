"""Rollouts against a service in memory, on which anything may be slow, refuse to answer, or kill the one who acts."""

import random

import pytest

from builders.memory_service import V1, V2, V3, Killed, MemoryService
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.controller import abort, reconcile, run_to_end, start
from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.errors import ConfigurationError, DependencyError, NoRollout, RolloutUnderWay
from gauntlet.settings import parse
from tiers import count

PLAN = parse(
    RolloutPlan,
    {
        "steps": [10, 50, 100],
        "step_seconds": 120,
        "min_requests": 20,
        "budgets": {"errors": 3},
        "ready_seconds": 50_000,  # turns that fail cost time
    },
    field="plan",
)
KILLS = count(150, quick=30)


def run(service):
    start(service, "prices", V2, V1, service.now)
    return run_to_end(service.backends(), PLAN, "prices", clock=lambda: service.now, sleep=service.sleep)


def ends_well(service, end):
    if service.harmful:
        assert end.phase is Phase.ROLLED_BACK
        assert "Harm was shown: answers differ" in end.reason
        assert (service.specified, service.asked, service.running) == (V1, 0, {V1})
        assert service.most <= 50, "no step after the one that showed harm"
    else:
        assert end.phase is Phase.PROMOTED
        assert service.specified == V2
    return True


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_a_rollout_ends_as_its_candidate_deserves(harmful):
    service = MemoryService(harmful=harmful)
    assert ends_well(service, run(service))
    assert service.timeline[0] == "The rollout of version 2 in place of version 1 begins."
    assert "Version 2 gets 10 % of the requests." in service.timeline


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_started_again_a_finished_rollout_changes_nothing(harmful):
    service = MemoryService(harmful=harmful)
    end = run(service)
    before = (service.specified, service.asked, service.stored, len(service.timeline))
    assert run(service) == end
    assert (service.specified, service.asked, service.stored, len(service.timeline)) == before


def boundaries(harmful):
    """Every place in a whole rollout at which the one who acts can be killed."""
    places = []
    service = MemoryService(harmful=harmful, trouble=places.append)
    run(service)
    return len(places)


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_once_at_every_boundary_it_still_ends_well(harmful):
    for fatal in range(boundaries(harmful)):
        calls = iter(range(10**6))

        def trouble(where, calls=calls, fatal=fatal):
            if next(calls) == fatal:
                raise Killed(where)

        service = MemoryService(harmful=harmful, trouble=trouble)
        with pytest.raises(Killed):
            run(service)
        assert ends_well(service, run(service))


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_and_refused_again_and_again_it_still_ends_well(harmful):
    """At any call there may be a kill, a conflict or no answer: a tenth, and a tenth, and a tenth of the time."""
    for seed in range(KILLS):
        draw = random.Random(seed)

        def trouble(where, draw=draw):
            what = draw.random()
            if what < 0.1:
                raise Killed(where)
            if what < 0.2:
                raise DependencyError("does not answer", field=where, value=503, mend="Wait")
            if what < 0.3 and where == "before write":
                raise Conflict

        service = MemoryService(harmful=harmful, trouble=trouble)
        for _ in range(1_000):
            try:
                end = run(service)
            except (Killed, DependencyError, Conflict):
                continue
            break
        assert ends_well(service, end)


def test_a_second_one_who_acts_is_found_when_it_writes():
    service = MemoryService()
    start(service, "prices", V2, V1, 0.0)
    journal, mark = service.read("prices")
    for _ in range(2):
        reconcile(service.backends(), PLAN, "prices", 0.0)
    with pytest.raises(Conflict):
        service.write(journal, mark)
    assert ends_well(service, run(service))


def test_one_rollout_a_service():
    service = MemoryService()
    start(service, "prices", V2, V1, 0.0)
    with pytest.raises(RolloutUnderWay, match="a rollout of version 2 is under way"):
        start(service, "prices", V3, V1, 1.0)


def test_a_service_without_a_rollout_has_no_turn():
    with pytest.raises(NoRollout):
        reconcile(MemoryService().backends(), PLAN, "prices", 0.0)


def test_patience_ends_and_says_how_to_go_on():
    def trouble(where):
        if where == "observe":
            raise DependencyError("does not answer", field="the cluster", value=503, mend="Wait")

    with pytest.raises(DependencyError, match="it goes on from here"):
        run(MemoryService(trouble=trouble))


def test_only_who_holds_the_lease_acts():
    service = MemoryService()
    start(service, "prices", V2, V1, 0.0)
    service.holder = "another"
    with pytest.raises(LeaseTaken):
        reconcile(service.backends(), PLAN, "prices", 0.0)
    assert service.running == {V1}


def test_a_lease_lost_between_writing_and_acting_stops_the_action():
    def trouble(where):
        if where == "check":
            raise LeaseTaken

    service = MemoryService(trouble=trouble)
    start(service, "prices", V2, V1, 0.0)
    with pytest.raises(LeaseTaken):
        reconcile(service.backends(), PLAN, "prices", 0.0)
    assert service.running == {V1}


def test_a_promoted_candidate_is_rolled_back_on_demand_even_where_stable_is_gone():
    service = MemoryService()
    assert run(service).phase is Phase.PROMOTED
    service.running = {V2}
    abort(service, "prices", "customers complain", service.now)
    end = run_to_end(service.backends(), PLAN, "prices", clock=lambda: service.now, sleep=service.sleep)
    assert (end.phase, end.reason) == (Phase.ROLLED_BACK, "Customers complain")
    assert (service.specified, service.asked, service.running) == (V1, 0, {V1})
    assert abort(service, "prices", "once more", service.now) == end, "what was rolled back stays as it is"


def test_what_was_rolled_back_gets_another_chance_under_another_name():
    service = MemoryService(harmful=True)
    assert run(service).phase is Phase.ROLLED_BACK
    assert start(service, "prices", V2, V1, service.now).phase is Phase.ROLLED_BACK
    assert start(service, "prices", V2, V1, service.now, attempt="mended").phase is Phase.DEPLOYING


def test_a_step_waits_for_its_approval_and_an_abort_rolls_back():
    service = MemoryService()
    start(service, "prices", V2, V1, service.now)
    plan = PLAN.model_copy(update={"approve_before": (50,)})

    def reconciled(times):
        for _ in range(times):
            service.now += plan.interval_seconds
            decision = reconcile(service.backends(), plan, "prices", service.now)
        return decision

    assert reconciled(10).sentence == "Waiting for approval of 50 %."
    service.approval = Approval(step=50)
    assert reconciled(1).rollout.weight == 50
    service.approval = Approval(abort="customers complain")
    aborted = reconciled(1).rollout
    assert (aborted.phase, aborted.aborted_by) == (Phase.ROLLING_BACK, "person")


@pytest.mark.parametrize("aborted", [False, True], ids=["under way", "rolling back"])
def test_approvals_that_cannot_be_read_hold_up_everything_but_a_rollback(aborted):
    def trouble(where):
        if where == "approvals":
            raise ConfigurationError("may not be read", field="tags", mend="Allow it")

    service = MemoryService(trouble=trouble)
    start(service, "prices", V2, V1, service.now)
    if aborted:
        abort(service, "prices", "customers complain", service.now)
        assert run(service).phase is Phase.ROLLED_BACK
    else:
        with pytest.raises(ConfigurationError, match="may not be read"):
            run(service)
