"""The decisions of a rollout, one by one, and then in a world that lags, dies and lies."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.decision import decide
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Observation, Phase, Rollout, begin
from gauntlet.errors import DataError
from gauntlet.settings import parse
from gauntlet.verdict import Status
from hypothesis_profiles import examples

V1, V2 = (Release(number, f"sha256:{number}", f"models/{number}") for number in "12")
PLAN = parse(
    RolloutPlan,
    {
        "steps": [10, 50, 100],
        "step_seconds": 100,
        "min_requests": 20,
        "budgets": {"inconclusive": 2, "errors": 1},
        "ready_seconds": 300,
        "total_seconds": 5_000,
    },
    field="plan",
)
READY = Observation(candidate_ready=True, stable_ready=True)
BEGUN = begin("prices", V2, V1, 0)


def ramping(**changes):
    """A rollout that holds its first step since time 100."""
    state = Rollout("prices", V2, V1, began=0, phase=Phase.RAMPING, step=0, weight=10, held_since=100)
    return replace(state, **changes)


def at_ten(status=Status.PASS, number=1, **changes):
    return replace(READY, weight=10, requests=20, analysis=AnalysisRun(number, status, "as seen"), **changes)


def test_a_candidate_gets_no_request_before_it_is_ready():
    decision = decide(begin("prices", V2, V1, 0), replace(READY, candidate_ready=False), PLAN, 1)
    assert (decision.action, decision.rollout.weight) == (Action.DEPLOY, 0)


def test_a_ready_candidate_gets_its_first_share():
    decision = decide(begin("prices", V2, V1, 0), READY, PLAN, 1)
    assert (decision.action, decision.rollout.weight, decision.rollout.step) == (Action.SET_WEIGHT, 10, 0)


def test_a_step_counts_from_when_its_weight_is_seen_to_hold():
    entered = decide(begin("prices", V2, V1, 0), READY, PLAN, 1).rollout
    lagging = decide(entered, replace(READY, weight=0), PLAN, 50)
    assert (lagging.action, lagging.rollout.held_since) == (Action.SET_WEIGHT, None)
    assert decide(entered, replace(READY, weight=10), PLAN, 60).rollout.held_since == 60


def test_an_analysis_from_before_the_weight_held_shows_nothing():
    early = decide(ramping(held_since=None), at_ten(), PLAN, 60).rollout
    assert not early.shown
    assert decide(early, at_ten(), PLAN, 1_000).action is Action.WAIT
    assert decide(early, at_ten(number=2), PLAN, 1_000).action is Action.SET_WEIGHT


@pytest.mark.parametrize(
    ("seen", "now", "code", "words"),
    [
        (at_ten(), 150, Event.STEP_TIME_MISSING, "50 of 100 s"),
        (replace(at_ten(), requests=19), 200, Event.STEP_REQUESTS_MISSING, "19 of 20 requests"),
        (at_ten(Status.INCONCLUSIVE), 200, Event.STEP_EVIDENCE_MISSING, "did not show"),
        (at_ten(Status.ERROR), 200, Event.STEP_EVIDENCE_MISSING, "did not show"),
    ],
)
def test_a_step_has_to_show_everything(seen, now, code, words):
    decision = decide(ramping(), seen, PLAN, now)
    assert (decision.action, decision.code) == (Action.WAIT, code)
    assert words in decision.sentence


def test_a_step_that_showed_everything_is_followed_by_the_next():
    decision = decide(ramping(), at_ten(), PLAN, 200)
    assert (decision.action, decision.rollout.weight, decision.rollout.shown) == (Action.SET_WEIGHT, 50, False)


def test_after_the_last_step_comes_promotion_and_then_nothing():
    last = ramping(step=2, weight=100)
    decision = decide(last, replace(at_ten(), weight=100), PLAN, 200)
    assert (decision.action, decision.rollout.phase) == (Action.PROMOTE, Phase.PROMOTING)
    over = decide(decision.rollout, replace(READY, done=True), PLAN, 201).rollout
    assert over.phase is Phase.PROMOTED
    assert decide(over, at_ten(Status.FAIL, 9), PLAN, 10**9).action is Action.NOTHING


@pytest.mark.parametrize(
    ("state", "seen", "now", "code", "words"),
    [
        (ramping(), at_ten(Status.FAIL), 101, "rollback.harm", "Harm was shown: as seen"),
        (ramping(phase=Phase.PROMOTING), at_ten(Status.FAIL), 101, "rollback.harm", "Harm was shown"),
        (ramping(inconclusive=2), at_ten(Status.INCONCLUSIVE), 101, "rollback.inconclusive", "3 analyses in a row"),
        (ramping(errors=1), at_ten(Status.ERROR), 101, "rollback.metrics_unreadable", "could not be read 2 times"),
        (ramping(), replace(READY, weight=10), 5_001, "rollback.time_limit", "longer than the 5,000 s"),
        (ramping(), replace(READY, abort="complaints"), 101, "aborted", "A person aborted it: complaints"),
        (BEGUN, replace(READY, failed="no memory"), 1, "rollback.candidate_failed", "cannot become ready: no memory"),
        (BEGUN, replace(READY, candidate_ready=False), 301, "rollback.not_ready", "not ready after 300 s"),
        (BEGUN, replace(READY, baseline=False), 301, "rollback.no_baseline", "too little traffic"),
    ],
)
def test_what_rolls_a_candidate_back_and_why(state, seen, now, code, words):
    decision = decide(state, seen, PLAN, now)
    assert (decision.action, decision.code, decision.rollout.weight) == (Action.ROLL_BACK, code, 0)
    assert words in decision.rollout.reason
    again = decide(decision.rollout, seen, PLAN, now + 1)
    assert again.code is Event.ROLLBACK_PENDING
    over = decide(decision.rollout, replace(READY, done=True), PLAN, now)
    assert (over.rollout.phase, over.code) == (Phase.ROLLED_BACK, Event.ROLLED_BACK)


def test_a_clock_does_not_interrupt_a_promotion():
    assert decide(ramping(phase=Phase.PROMOTING), READY, PLAN, 10**9).action is Action.PROMOTE


def test_budgets_are_of_analyses_in_a_row():
    state = ramping()
    for number, status in enumerate([Status.ERROR, Status.INCONCLUSIVE, Status.INCONCLUSIVE, Status.PASS] * 3, start=1):
        decision = decide(state, at_ten(status, number), PLAN, 110)
        assert decision.action is Action.WAIT
        state = decision.rollout


def test_an_analysis_is_counted_once_however_often_it_is_seen():
    seen = at_ten(Status.ERROR)
    once = decide(ramping(), seen, PLAN, 110).rollout
    assert decide(once, seen, PLAN, 111).rollout == once


def test_one_may_stay_for_a_person_when_nothing_can_be_told():
    plan = PLAN.model_copy(update={"undecided": "hold"})
    assert decide(ramping(inconclusive=50), at_ten(Status.INCONCLUSIVE), plan, 300).action is Action.WAIT


def test_approval_is_waited_for_and_not_for_ever():
    plan = PLAN.model_copy(update={"approve_before": (50,), "approval_seconds": 1_000.0})
    waiting = decide(ramping(), at_ten(), plan, 200)
    assert (waiting.action, waiting.rollout.approval_since) == (Action.WAIT, 200)
    assert waiting.code is Event.STEP_APPROVAL_MISSING
    assert decide(waiting.rollout, at_ten(number=2, approved=50), plan, 300).rollout.weight == 50
    late = decide(waiting.rollout, at_ten(number=2), plan, 1_201)
    assert (late.action, late.code) == (Action.ROLL_BACK, Event.ROLLBACK_NOT_APPROVED)
    assert "Nobody approved 50 %" in late.sentence


def test_nobody_is_left_without_an_answer():
    dead = replace(at_ten(Status.FAIL), stable_ready=False)
    held = decide(ramping(), dead, PLAN, 101)
    assert (held.action, held.code) == (Action.RESTORE, Event.ROLLBACK_HARM), "the code says why it began"
    assert decide(held.rollout, dead, PLAN, 102).code is Event.ROLLBACK_STABLE_DOWN
    assert decide(held.rollout, replace(dead, stable_ready=True), PLAN, 102).action is Action.ROLL_BACK
    assert decide(held.rollout, replace(dead, candidate_ready=False), PLAN, 102).action is Action.ROLL_BACK


def test_a_state_survives_being_written():
    for state in (ramping(), begin("prices", V2, V1, 0.1), ramping(reason="ü", approval_since=1.25)):
        assert Rollout.from_json(state.to_json()) == state


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": "gauntlet.rollout/2"}', '{"format": "gauntlet.rollout/1"}']
)
def test_what_is_no_state_is_refused(text):
    with pytest.raises(DataError, match="not the state of a rollout"):
        Rollout.from_json(text)


# -- a world that lags, dies and lies --------------------------------------------------------------------------------


@dataclass
class World:
    """A service on which actions take effect late, whose keeper is killed between writing and acting."""

    stored: str
    now: float = 0.0
    weight: int = 0
    asked: int = 0
    candidate_ready: bool = False
    stable_ready: bool = True
    stable: str = "v1"
    looks: int = 0
    harmed: bool = False
    actions: list = field(default_factory=list)

    def look_around(self, event):
        self.now += event["seconds"]
        self.weight = self.asked if event["applied"] else self.weight
        self.candidate_ready = self.candidate_ready or event["ready"]
        self.stable_ready = event["stable"]
        look = None
        if event["status"] is not None:
            self.looks += 1
            look = AnalysisRun(self.looks, event["status"], "as seen")
        state = Rollout.from_json(self.stored)
        done = (state.phase is Phase.PROMOTING and self.stable == "v2" and event["applied"]) or (
            state.phase is Phase.ROLLING_BACK and self.stable == "v1" and self.asked == 0 and self.weight == 0
        )
        return Observation(
            self.candidate_ready, self.stable_ready, self.weight, event["requests"], analysis=look, done=done
        )

    def act(self, decision):
        self.actions.append(decision.action)
        if decision.action is Action.SET_WEIGHT:
            self.asked = decision.rollout.weight
        elif decision.action is Action.PROMOTE:
            self.stable = "v2"
        elif decision.action is Action.ROLL_BACK:
            self.asked, self.weight, self.stable = 0, 0, "v1"


events = st.fixed_dictionaries(
    {
        "seconds": st.sampled_from([1.0, 60.0, 150.0]),
        "applied": st.booleans(),
        "ready": st.booleans(),
        "stable": st.sampled_from([True, True, True, False]),
        "status": st.sampled_from([None, *([Status.PASS] * 4), *Status]),
        "requests": st.sampled_from([0, 20, 1_000]),
        "killed": st.sampled_from(["no", "no", "before writing", "before acting"]),
    }
)


def turn(world, event):
    """One turn of whoever acts, who may be killed in it; checks what must hold at every instant."""
    before = Rollout.from_json(world.stored)
    seen = world.look_around(event)
    decision = decide(before, seen, PLAN, world.now)
    after = decision.rollout
    assert Rollout.from_json(after.to_json()) == after
    if before.phase.final:
        assert (after, decision.action) == (before, Action.NOTHING)
    if before.phase is Phase.ROLLING_BACK:
        assert after.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}
        assert decision.action in {Action.ROLL_BACK, Action.RESTORE, Action.NOTHING}
    assert after.step - before.step in {0, 1}, "no step is left out"
    if decision.action is Action.SET_WEIGHT:
        assert after.phase is Phase.RAMPING
        assert after.weight == PLAN.steps[after.step]
        assert world.candidate_ready
    if decision.action is Action.ROLL_BACK:
        assert world.stable_ready or not world.candidate_ready, "somebody has to answer"
    if seen.analysis and seen.analysis.status is Status.FAIL and not before.phase.final:
        assert after.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}, "harm that was seen is acted upon at once"
    if event["killed"] == "before writing":
        return
    world.stored = after.to_json()
    assert world.weight <= max(before.weight, after.weight) or after.phase is Phase.ROLLING_BACK
    if event["killed"] != "before acting":
        world.act(decision)


@examples(300)
@given(st.lists(events, max_size=60))
def test_whatever_happens_it_is_safe_and_ends(happened):
    world = World(begin("prices", V2, V1, 0).to_json())
    for event in happened:
        turn(world, event)
    calm = {"seconds": 60.0, "applied": True, "ready": True, "stable": True, "requests": 1_000, "killed": "no"}
    for _ in range(60):
        turn(world, {**calm, "status": Status.PASS})
    end = Rollout.from_json(world.stored)
    assert end.phase.final
    if end.phase is Phase.ROLLED_BACK:
        assert (world.asked, world.weight, world.stable) == (0, 0, "v1")
        assert end.reason
    else:
        assert world.stable == "v2"


def test_a_candidate_waits_until_stable_was_watched():
    decision = decide(begin("prices", V2, V1, 0), replace(READY, baseline=False), PLAN, 1)
    assert (decision.action, decision.rollout.weight) == (Action.WAIT, 0)
