"""A harmful version at 50 %, and a journal that cannot be written, read or found: all requests go to stable again."""

from dataclasses import dataclass

import pytest

from builders.memory_service import V1, V2, V3, Killed, MemoryService
from gauntlet.delivery.deployment import Time, roll_back, roll_out
from gauntlet.delivery.emergency_rollback import FallbackJournalStore, UnrecordedRollback, aliases_follow, is_unfinished
from gauntlet.delivery.rollout.controller import abort, start
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Action, Phase
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.settings import parse

PLAN = parse(RolloutPlan, {"steps": [10, 50, 100], "step_seconds": 120, "min_requests": 20}, field="plan")
FULL = DependencyError("cannot be written (No space left on device)", field="prices.json", mend="Make room")
FORBIDDEN = ConfigurationError("this account may not do it", field="patch configmaps", mend="Bind a Role")
BROKEN = DataError("is longer than 900,000 bytes", field="journal", mend="Watch less")


@dataclass
class Troubled(MemoryService):
    """Calls of one place fail, from a moment on; ``mortal``: while the candidate has half of it all."""

    failing: Exception | None = None
    where: str = "before write"
    mortal: bool = False

    def __post_init__(self):
        self.trouble = self.fail

    def fail(self, where):
        if self.mortal and self.asked == 50 and where == "observe":
            raise Killed
        if self.failing and self.where == where:
            raise self.failing


def clock(world):
    return Time(lambda: world.now, world.sleep)


def deliver(world, release=V2, **options):
    return roll_out(world.service(), release, world, PLAN, clock(world), on_decision=lambda decision: None, **options)


def give_up(world, **options):
    return roll_back(
        world.service(), world, PLAN, "complaints", clock(world), on_decision=lambda decision: None, **options
    )


def at_half(*, harmful=False):
    """A rollout whose controller died when the candidate had half of the requests."""
    world = Troubled(harmful=harmful, mortal=True)
    with pytest.raises(Killed):
        deliver(world)
    world.mortal = False
    assert (world.asked, phase(world)) == (50, Phase.RAMPING)
    return world


def phase(world):
    return Journal.from_json(world.stored[0]).rollout.phase


def is_back(world):
    return (world.specified, world.asked, world.running) == (V1, 0, {V1})


@pytest.mark.parametrize("failing", [FULL, FORBIDDEN, BROKEN], ids=["full disk", "no permission", "too long"])
def test_harm_is_ended_where_nothing_can_be_written(failing):
    world, heard = at_half(harmful=True), []
    world.failing = failing
    with pytest.raises(
        UnrecordedRollback, match=r"all requests go to version 1 again \(Harm was shown.*rollback"
    ) as caught:
        deliver(world, on_warning=heard.append)
    assert failing.message in str(caught.value)
    assert caught.value.journal.rollout.phase is Phase.ROLLED_BACK
    assert is_back(world)
    assert ["journal of prices: cannot be written" in str(one) for one in heard] == [True], "said once, at once"
    assert phase(world) is Phase.RAMPING, "what was written before is whole"
    world.failing = None
    assert give_up(world).rollout.phase is phase(world) is Phase.ROLLED_BACK, "mended, it is written"


def test_a_version_without_harm_goes_no_further_where_nothing_can_be_written():
    world = at_half()
    world.failing = FULL
    with pytest.raises(DependencyError, match="iterations in a row") as caught:
        deliver(world)
    assert not isinstance(caught.value, UnrecordedRollback)
    assert world.asked == 50
    assert world.most == 50


def test_a_disk_that_is_full_for_a_while_leaves_no_trace():
    world = at_half(harmful=True)
    world.failing = FULL
    routed = world.roll_back

    def mended(rollout):
        routed(rollout)
        world.failing = None

    world.roll_back = mended
    assert deliver(world).rollout.phase is phase(world) is Phase.ROLLED_BACK
    assert world.timeline[-1].startswith("Rolled back: Harm was shown")


@pytest.mark.parametrize("failing", [FULL, FORBIDDEN], ids=["full disk", "no permission"])
def test_a_person_rolls_it_back_where_nothing_can_be_written(failing):
    world = at_half()
    world.failing = failing
    with pytest.raises(UnrecordedRollback, match=r"all requests go to version 1 again \(Complaints\)"):
        give_up(world)
    assert is_back(world)


def test_what_was_promoted_is_rolled_back_where_nothing_can_be_written():
    world = Troubled()
    deliver(world)
    world.failing = FULL
    with pytest.raises(UnrecordedRollback):
        give_up(world)
    assert (world.specified, world.asked) == (V1, 0)


def test_an_answer_that_was_lost_is_no_trouble():
    world = at_half()
    world.failing, world.where = DependencyError("does not answer", field="configmaps", mend="Wait"), "after write"
    with pytest.raises(UnrecordedRollback):
        give_up(world)
    assert is_back(world)
    assert phase(world) is Phase.ROLLED_BACK
    world.failing = None
    assert give_up(world).rollout.phase is Phase.ROLLED_BACK


def test_a_torn_journal_is_kept_and_what_the_service_shows_is_gone_by():
    world, heard = at_half(), []
    world.torn, torn = True, world.stored
    journal = give_up(world, on_warning=heard.append)
    assert is_back(world)
    assert (world.aside, phase(world)) == (torn, Phase.ROLLED_BACK)
    assert (journal.rollout.candidate, journal.rollout.stable, journal.rollout.reason) == (V2, V1, "Complaints")
    assert "version 1 is stable, and version 2 has 50 % of the requests" in world.timeline[0]
    assert any("is kept as the attic" in sentence for sentence in world.timeline)
    assert ["journal of prices: No journal tells" in str(one) for one in heard] == [True]
    assert give_up(world) == journal, "repeatable"


def test_a_journal_that_is_gone_stops_nobody():
    world = at_half()
    world.stored = None
    assert give_up(world).rollout.phase is phase(world) is Phase.ROLLED_BACK
    assert is_back(world)


def test_a_torn_journal_on_a_full_disk_stays_where_it_is():
    world = at_half()
    world.torn, torn, world.failing, world.where = True, world.stored, FULL, "set aside"
    with pytest.raises(UnrecordedRollback, match="No space left"):
        give_up(world)
    assert is_back(world)
    assert (world.stored, world.torn) == (torn, True)


def test_a_journal_that_cannot_be_read_for_a_while_is_gone_on_with():
    world = at_half()
    world.failing, world.where = FORBIDDEN, "read"
    routed = world.roll_back

    def mended(rollout):
        routed(rollout)
        world.failing = None

    world.roll_back = mended
    assert give_up(world).rollout.phase is phase(world) is Phase.ROLLED_BACK
    assert is_back(world)


def test_a_rollout_does_not_go_on_from_what_it_cannot_read():
    world = at_half()
    world.torn = True
    with pytest.raises(DataError, match="is not the journal"):
        deliver(world)
    assert world.asked == 50
    assert is_unfinished(world.service(), 0.0)


def test_where_nothing_shows_what_was_before_the_journal_is_put_aside():
    world = Troubled()
    deliver(world)
    world.torn, torn, world.running, world.failing, world.where = True, world.stored, {V2}, FULL, "set aside"
    assert not is_unfinished(world.service(), 0.0)
    with pytest.raises(DataError, match=r"is not the journal.*no version beside the one.*Move it away: the next deliv"):
        give_up(world)
    assert (world.specified, world.torn) == (V2, True)
    world.failing = None
    with pytest.raises(DataError, match=r"none to go back to.*kept as the attic, and the next delivery begins anew"):
        give_up(world)
    assert (world.specified, world.torn, world.aside) == (V2, False, torn)


def test_what_was_left_behind_is_told_by_the_journal_or_else_by_who_has_requests():
    world = at_half()
    assert is_unfinished(world.service(), 0.0)
    world.torn = True
    assert is_unfinished(world.service(), 0.0)
    world.torn, world.stored = False, None
    assert is_unfinished(world.service(), 0.0)
    world.asked = 0
    assert not is_unfinished(world.service(), 0.0), "a candidate that a shadow has left"
    with pytest.raises(ConfigurationError, match="has no rollout"):
        give_up(world)
    done = MemoryService()
    assert not is_unfinished(done.service(), 0.0)
    deliver(done)
    assert not is_unfinished(done.service(), 0.0)


def test_who_may_not_look_has_left_nothing_behind():
    world = MemoryService()

    def shown(service, now):
        raise FORBIDDEN

    world.infer_rollout = shown
    assert not is_unfinished(world.service(), 0.0)
    world.torn = True
    with pytest.raises(DataError):
        is_unfinished(world.service(), 0.0)


def test_an_analysis_that_fails_holds_up_no_rollback():
    world = at_half()

    def look(rollout, memory, now):
        raise BROKEN

    world.assess = look
    with pytest.raises(DataError, match="longer than"):
        deliver(world)
    assert give_up(world).rollout.phase is Phase.ROLLED_BACK
    assert is_back(world)


def test_what_is_kept_does_not_overwrite_another_rollout():
    world = at_half()
    journals = FallbackJournalStore(world, lambda obstacle: None)
    world.failing = FULL
    abort(journals, "prices", "complaints", 0.0)
    assert "No space left" in journals.why
    world.failing, world.stored = None, None
    start(world, "prices", V3, V1, 1.0)
    with pytest.raises(Conflict, match="another rollout"):
        journals.read("prices")


def test_other_states_than_those_that_go_back_are_refused_as_ever():
    world = at_half()
    journals = FallbackJournalStore(world, lambda obstacle: None)
    journal, mark = journals.read("prices")
    world.failing = FULL
    with pytest.raises(DependencyError):
        journals.write(journal.with_entry(Entry(0.0, Phase.RAMPING, 50, Action.WAIT, "on", code=None)), mark)
    assert journals.why == ""


def test_the_title_goes_back_although_nothing_could_be_written(monkeypatch):
    moved = []
    monkeypatch.setattr(
        "gauntlet.delivery.emergency_rollback.record_rollback", lambda *arguments: moved.append(arguments[1:])
    )
    world = at_half()
    world.failing = FULL
    with pytest.raises(UnrecordedRollback), aliases_follow(None, "loans"):
        give_up(world)
    assert moved == [("loans", "2", "1")]
