"""Whole rollouts, judged and decided turn by turn on a simulated service."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders.judging import DEPLOYING, Behavior, World, judge_of, plan, ramping, run_rollout
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.judge import CounterJudge
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Phase
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.settings import parse
from gauntlet.verdict import Status

STEPS = parse(
    RolloutPlan,
    {"steps": [10, 50, 100], "step_seconds": 60, "min_requests": 100, "budgets": {"inconclusive": 60, "errors": 2}},
    field="plan",
)
GOOD = Behavior()
BAD = {
    "errors": Behavior(errors=0.05),
    "slow": Behavior(latency=(0.3, 0.5, 0.15, 0.05)),
    "wrong": Behavior(scores=(0.02,) * 5 + (0.18,) * 5),
}


def run(bad, *, from_weight=0, seed=3, chosen=None, **options):
    world, looks = World(np.random.default_rng(seed)), []
    judge = judge_of(world, chosen or plan(), STEPS, **options)
    rollout = run_rollout(
        judge, world, STEPS, lambda turn, weight: (3000, GOOD, bad if weight >= from_weight else GOOD), looks=looks
    )
    return rollout, looks, world


def test_an_equal_candidate_is_promoted():
    rollout, looks, world = run(GOOD)
    assert rollout.phase is Phase.PROMOTED
    assert looks[-1].status is Status.PASS
    assert looks[-1].answered == (world.pods["2"]["c"].requests, sum(pod.requests for pod in world.pods["1"].values()))


@pytest.mark.parametrize("fault", BAD)
def test_a_faulty_candidate_is_rolled_back_at_the_first_step(fault):
    rollout, looks, _ = run(BAD[fault])
    assert rollout.phase is Phase.ROLLED_BACK
    assert rollout.step == 0
    assert "Harm was shown" in rollout.reason
    answered, rest = looks[-1].answered
    assert answered / (answered + rest) < 0.1  # the report tells the share that the bad model answered


@pytest.mark.parametrize("fault", BAD)
def test_a_candidate_that_turns_bad_at_full_weight_is_rolled_back(fault):
    """Nothing answers beside it then; what stable did before is what it is held against."""
    rollout, looks, _ = run(BAD[fault], from_weight=100)
    assert (rollout.phase, rollout.step) == (Phase.ROLLED_BACK, 2)
    assert looks[-1].status is Status.FAIL


def test_a_candidate_that_hangs_is_never_promoted():
    world, looks = World(np.random.default_rng(4)), []
    judge = judge_of(world, plan(), STEPS)
    rollout = run_rollout(
        judge, world, STEPS, lambda turn, weight: (3000, GOOD, GOOD), split=lambda requests, weight: 0, looks=looks
    )
    assert rollout.phase is Phase.ROLLED_BACK
    assert "analyses in a row were inconclusive" in rollout.reason
    assert not any(look.status is Status.PASS for look in looks)


def deploying(chosen=None, **options):
    world = World(np.random.default_rng(5))
    world.answer("1", "a", 0)
    return judge_of(world, chosen or plan(), STEPS, **options), world


def test_the_first_look_says_nothing_and_waits_for_a_baseline():
    judge, world = deploying()
    said, state = judge.assess(DEPLOYING, "", 0.0)
    assert (said.analysis, said.baseline) == (None, False)
    world.answer("1", "a", 2000)
    said, state = judge.assess(DEPLOYING, state, 60.0)
    assert (said.analysis, said.baseline, said.requests) == (None, True, 0)


@pytest.mark.parametrize("down", [DependencyError("does not answer"), DataError("two series where one was meant")])
@pytest.mark.parametrize("rollout", [DEPLOYING, ramping()])
def test_counters_that_cannot_be_read_are_an_error_and_forgets_nothing(down, rollout):
    judge, world = deploying()
    state = judge.assess(DEPLOYING, "", 0.0)[1]
    world.down = down
    said, after = judge.assess(replace(rollout, analyses=4), state, 60.0)
    assert (said.analysis.status, said.analysis.number, after) == (Status.ERROR, 5, state)
    assert said.analysis.sentence.startswith(down.message)
    assert said.baseline is (rollout is not DEPLOYING)


def test_a_baseline_that_can_be_read_again_ends_the_row_of_errors():
    judge, _ = deploying()
    state = judge.assess(DEPLOYING, "", 0.0)[1]
    said, _ = judge.assess(replace(DEPLOYING, errors=2, analyses=2), state, 60.0)
    assert (said.analysis.status, said.analysis.number) == (Status.INCONCLUSIVE, 3)


def test_metrics_that_stay_unreadable_roll_the_candidate_back():
    world = World(np.random.default_rng(6))
    judge = judge_of(world, plan(), STEPS)

    def traffic(turn, weight):
        world.down = DependencyError("does not answer") if turn > 6 else None
        return 3000, GOOD, GOOD

    rollout = run_rollout(judge, world, STEPS, traffic)
    assert rollout.phase is Phase.ROLLED_BACK
    assert "could not be read 3 times in a row" in rollout.reason


def test_a_state_that_cannot_be_read_is_an_error():
    judge, _ = deploying()
    said, after = judge.assess(ramping(), "{}", 60.0)
    assert (said.analysis.status, after) == (Status.ERROR, "{}")
    assert "is not the state of an analysis" in said.analysis.sentence


def test_while_it_is_rolled_back_unreadable_metrics_do_not_matter():
    judge, world = deploying()
    world.down = DependencyError("does not answer")
    said, _ = judge.assess(replace(ramping(), phase=Phase.ROLLING_BACK), "", 60.0)
    assert said.analysis is None


def test_a_warm_up_is_no_inconclusive_analysis():
    judge, world = deploying(plan(warm_up_seconds=100))
    state = judge.assess(DEPLOYING, "", 0.0)[1]
    world.answer("1", "a", 2000)
    world.answer("2", "c", 0)
    state = judge.assess(DEPLOYING, state, 60.0)[1]
    looks = []
    for now in (120.0, 180.0, 240.0):
        world.answer("1", "a", 900)
        world.answer("2", "c", 100)
        said, state = judge.assess(ramping(held=60.0), state, now)
        looks.append(said.analysis and said.analysis.status)
    assert looks == [None, None, Status.INCONCLUSIVE]
    assert said.requests == 100


@pytest.mark.parametrize("phase", Phase)
def test_requests_are_counted_while_the_candidate_is_meant_to_have_them_also_after_its_promotion(phase):
    judge, world = deploying(plan(metrics=["errors"], custom=[OWN]), custom_query=lambda metric, rollout: 3.0)
    state = judge.assess(DEPLOYING, "", 0.0)[1]
    world.answer("1", "a", 2000)
    world.answer("2", "c", 0)
    state = judge.assess(DEPLOYING, state, 60.0)[1]
    world.answer("1", "a", 900)
    world.answer("2", "c", 100)
    assessment, after = judge.assess(ramping(held=60.0, phase=phase), state, 120.0)
    live = phase in (Phase.RAMPING, Phase.PROMOTING, Phase.PROMOTED)
    assert assessment.requests == (100 if live else 0)
    assert bool(state_codec.from_json(after).custom) is live


OWN = {"name": "revenue", "query": "sum(x)", "limit": 2.0, "direction": "min", "consecutive": 2}


def own_looks(answers):
    """Looks at 10 % while a team's own query gives these answers, one a look."""
    waiting = list(answers)

    def custom_query(metric, rollout):
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    judge, world = deploying(plan(metrics=["errors"], custom=[OWN]), custom_query=custom_query)
    state = judge.assess(DEPLOYING, "", 0.0)[1]
    world.answer("1", "a", 2000)
    world.answer("2", "c", 0)
    state = judge.assess(DEPLOYING, state, 1.0)[1]
    for turn in range(len(answers)):
        world.answer("1", "a", 9000)
        world.answer("2", "c", 1000)
        said, state = judge.assess(replace(ramping(held=1.0), analyses=turn), state, 2.0 + turn)
        yield next(one for one in said.analysis.metrics if one.name == "revenue").status


def test_a_teams_own_metric_fails_after_enough_analyses_in_a_row():
    answers = [3.0, 1.0, 3.0, 1.0, None, 1.0]
    expected = [Status.PASS, Status.INCONCLUSIVE, Status.PASS, Status.INCONCLUSIVE, Status.INCONCLUSIVE, Status.FAIL]
    assert list(own_looks(answers)) == expected
    assert list(own_looks([DataError("gives two numbers"), 3.0])) == [Status.ERROR, Status.PASS]


def test_an_endless_answer_of_a_teams_own_metric_is_beyond_its_limit():
    """Prometheus answers x/0 with +Inf or -Inf."""
    assert list(own_looks([-math.inf, -math.inf])) == [Status.INCONCLUSIVE, Status.FAIL]
    assert list(own_looks([math.inf, 3.0])) == [Status.PASS, Status.PASS]


def test_wrong_decisions_roll_the_candidate_back_when_their_labels_arrive():
    def outcomes(rollout, arrived):
        return Outcomes(0.5 * arrived // 1, arrived // 1, 0.1 * 10 * arrived // 1, 10 * arrived // 1)

    world = World(np.random.default_rng(8))
    chosen = plan(metrics=["errors", "outcomes"])
    judge = CounterJudge(world, chosen, STEPS, outcomes=outcomes)
    rollout = run_rollout(judge, world, STEPS, lambda turn, weight: (3000, GOOD, GOOD))
    assert rollout.phase is Phase.ROLLED_BACK
    assert "wrong decisions: 50 % of" in rollout.reason


def test_labels_that_cannot_be_read_are_an_error_and_blind_nobody():
    def outcomes(rollout, now):
        raise DataError("there is no such file or folder", field="labels/")

    chosen = plan(metrics=["errors", "outcomes"])
    rollout, looks, _ = run(GOOD, chosen=chosen, outcomes=outcomes)
    assert (rollout.phase, rollout.cause) == (Phase.ROLLED_BACK, Status.ERROR)
    assert "labels/: there is no such file or folder" in rollout.reason
    assert {look.status for look in looks} == {Status.ERROR}, "a look without its labels never passes"
    rollout, looks, _ = run(BAD["errors"], from_weight=10, chosen=chosen, outcomes=outcomes)
    assert (rollout.cause, looks[-1].status) == (Status.FAIL, Status.FAIL), "errors are seen all the same"


def test_labels_that_can_be_read_again_are_forgiven():
    analyses = iter(range(10**6))

    def outcomes(rollout, now):
        if next(analyses) % 4 < 2:
            raise DependencyError("gave no answer", field="gs://labels")
        return Outcomes()

    rollout, looks, _ = run(GOOD, chosen=plan(metrics=["errors", "outcomes"]), outcomes=outcomes)
    assert rollout.phase is Phase.PROMOTED
    assert Status.ERROR in {look.status for look in looks}


def test_labels_of_a_dry_run_have_no_say_even_where_they_cannot_be_read():
    def outcomes(rollout, now):
        raise DataError("there is no such file or folder", field="labels/")

    chosen = plan(metrics=["errors", "outcomes"], dry_run=["outcomes"])
    rollout, looks, _ = run(GOOD, chosen=chosen, outcomes=outcomes)
    assert rollout.phase is Phase.PROMOTED
    (told,) = [one for one in looks[-1].metrics if one.name == "outcomes"]
    assert (told.status, told.dry_run) == (Status.ERROR, True)


def test_what_nobody_can_answer_is_refused_at_the_start():
    world = World(np.random.default_rng(9))
    with pytest.raises(ConfigurationError, match="custom: need a Prometheus"):
        judge_of(world, plan(custom=[OWN]), STEPS)
    with pytest.raises(ConfigurationError, match="metrics: names outcomes, and nothing counts them"):
        judge_of(world, plan(metrics=["errors", "outcomes"]), STEPS)


def test_a_judge_holds_nothing_but_what_it_wrote():
    """Another judge at every look comes to the same end: whoever dies is replaced by anybody."""
    usual, looks, _ = run(BAD["errors"])
    world, again = World(np.random.default_rng(3)), []

    class Replaced:
        def assess(self, rollout, state, now):
            if state:
                assert state_codec.to_json(state_codec.from_json(state)) == state
            return judge_of(world, plan(), STEPS).assess(rollout, state, now)

    rollout = run_rollout(Replaced(), world, STEPS, lambda turn, weight: (3000, GOOD, BAD["errors"]), looks=again)
    assert (rollout, again) == (usual, looks)
