"""The days after a promotion."""

import pytest

from builders.memory_service import V1, V2, MemoryService
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.context import RolloutContext
from gauntlet.delivery.deployment import Time, roll_out
from gauntlet.delivery.emergency_rollback import UnrecordedRollback
from gauntlet.delivery.post_deployment import verify
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.errors import DependencyError, NoRollout, ServiceBusy
from gauntlet.settings import parse
from gauntlet.verdict import Status

PLAN = parse(RolloutPlan, {"steps": [10, 50, 100], "step_seconds": 120, "min_requests": 20}, field="plan")
WATCH = 10_000.0


def context(world):
    time = Time(lambda: world.now, world.sleep)
    return RolloutContext(world.service(), world, PLAN, parse(AnalysisPlan, {}, field="analysis"), time)


@pytest.fixture
def promoted():
    world = MemoryService()
    at = context(world)
    roll_out(at.service, V2, world, PLAN, at.time, on_decision=lambda decision: None)
    assert world.specified == V2
    return world


def check(world, champion="2", **options):
    return verify(context(world), champion, **{"watch_seconds": WATCH, "act": True, **options})


def test_a_sound_deployment_goes_on_being_watched(promoted):
    analyses = Journal.from_json(promoted.stored[0]).rollout.analyses
    first = check(promoted)
    assert (first.verdict.status, first.outcome) == (Status.PASS, "watching")
    assert first.journal.rollout.analyses == analyses + 1
    assert check(promoted).journal.rollout.analyses == analyses + 2, "each check goes on from the one before"
    assert promoted.specified == V2


def test_harm_rolls_it_back_at_once(promoted):
    promoted.harmful = True
    found = check(promoted)
    assert (found.verdict.status, found.outcome) == (Status.FAIL, "rolled_back")
    assert (promoted.specified, promoted.running) == (V1, {V1})
    assert "Harm was shown after the promotion: answers differ" in found.journal.rollout.reason


def test_harm_is_acted_on_although_it_cannot_be_written(promoted):
    def trouble(where):
        if where == "before write":
            raise DependencyError("no space", field="journal", mend="Make room")

    promoted.harmful, promoted.trouble = True, trouble
    with pytest.raises(UnrecordedRollback, match=r"all requests go to version 1 again.*no space"):
        check(promoted)
    assert (promoted.specified, promoted.running) == (V1, {V1})
    with pytest.raises(DependencyError, match="no space"):
        check(promoted, act=False)


def test_harm_is_acted_on_although_somebody_else_wrote_at_that_moment(promoted):
    left = [Conflict("written meanwhile")]

    def trouble(where):
        if where == "before write" and left:
            raise left.pop()

    promoted.harmful, promoted.trouble = True, trouble
    assert check(promoted).outcome == "rolled_back"


def test_harm_is_only_told_where_that_is_wanted(promoted):
    promoted.harmful = True
    found = check(promoted, act=False)
    assert (found.verdict.status, found.outcome) == (Status.FAIL, "watching")
    assert promoted.specified == V2


def test_the_watch_ends(promoted):
    promoted.now += 2 * WATCH
    found = check(promoted)
    assert (found.verdict.status, found.outcome) == (Status.PASS, "watched")
    assert "has been watched for 3 hours" in found.verdict.summary


def test_another_champion_than_what_serves_is_a_failure(promoted):
    found = check(promoted, champion="1")
    assert found.verdict.status is Status.FAIL
    assert found.verdict.summary == "The champion is version 1, and version 2 serves."


def test_another_version_than_was_promoted_is_a_failure(promoted):
    promoted.specified = V1
    assert "version 1 serves, where version 2 should" in check(promoted).verdict.summary


def test_one_that_does_not_answer_is_a_failure(promoted):
    promoted.running = set()
    assert check(promoted).verdict.summary == "Version 2 does not answer."


def test_what_was_rolled_back_is_not_watched(promoted):
    promoted.harmful = True
    check(promoted)
    found = check(promoted, champion="1")
    assert (found.verdict.status, found.outcome) == (Status.PASS, "watched")
    assert "nothing to watch" in found.verdict.summary


def test_without_a_rollout_there_is_nothing_to_verify():
    with pytest.raises(NoRollout):
        check(MemoryService())


def test_nobody_verifies_beside_somebody_who_acts(promoted):
    promoted.holder = "another"
    with pytest.raises(ServiceBusy):
        check(promoted)
