import json
import math
from dataclasses import replace

import numpy as np
import pytest

from builders.judging import Behavior, World, judge_of, run_rollout
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.increments import Exposure, LastSeen
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import AnalysisState, CountSample, CustomResult, Outcomes
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.evidence.clustering import Scatter
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.errors import DataError

SLICED = {f"region={name}": (0.2, (0.1,) * 10) for name in "abcde"}
PLAN = AnalysisPlan(metrics=("errors", "latency", "scores", "slices"), phi=1.0, warm_up_seconds=0)
ROLLOUT = RolloutPlan(step_seconds=60, min_requests=1, budgets={"inconclusive": 1000})


@pytest.fixture(scope="module")
def texts():
    """The memory after every look of a whole rollout."""
    world, found = World(np.random.default_rng(11)), []
    judge = judge_of(world, PLAN, ROLLOUT)
    look = judge.assess
    judge.assess = lambda *given: (said := look(*given), found.append(said[1]))[0]
    behavior = Behavior(sliced=SLICED)
    rollout = run_rollout(judge, world, ROLLOUT, lambda turn, weight: (4000, behavior, behavior))
    assert rollout.phase.value == "promoted"
    return found


def test_every_state_of_a_rollout_is_read_back_bit_for_bit(texts):
    assert len(texts) > 10
    for text in texts:
        state = state_codec.from_json(text)
        assert state_codec.to_json(state) == text
        assert state_codec.from_json(state_codec.to_json(state)) == state


def test_it_stays_small(texts):
    assert max(map(len, texts)) < 300_000


def test_it_stays_small_with_many_pods_and_fine_histograms():
    """Forty pods, each with 13 latency buckets and 99 score buckets for all rows and for twelve groups."""
    fine = {number / 100: float(7919 * number) for number in range(1, 100)} | {math.inf: 800_000.0}
    latency = {2.0**power: 61_000.0 * (power + 9) for power in range(-8, 5)} | {math.inf: 810_000.0}
    pod = Counters(810_000.0, 812.0, latency, fine, {f"region={number}": fine for number in range(12)})
    state = AnalysisState(5, at=1.7e9, stable={f"loans-{number}": pod for number in range(40)}, baseline=pod)
    text = state_codec.to_json(state)
    assert state_codec.from_json(text) == state
    assert len(text) < 300_000


def test_what_is_rare_is_kept_too():
    state = AnalysisState(
        3,
        scatters={"errors": Scatter(1.5, 2.25, 3.0, 4.0, 5)},
        alarm="slow",
        unlabelled="the table is not there",
        culprits=("latency",),
        fresh=True,
        outcomes=Outcomes(1, 2, 3, 4),
        history=(CountSample(60.0, {"scores": ((1.0, 10.0, 2.0, 90.0), (0.0, 10.0, 5.0, 90.0))}),),
        custom={
            "revenue": CustomResult(1.25, "", 2),
            "clicks": CustomResult(None, "down"),
            "cost": CustomResult(math.inf, "", 1),
            "gain": CustomResult(-math.inf, "", 1),
        },
        candidate={"a": Counters(3.0, 0.0, started=1.7e9 + 0.125), "b": Counters(3.0, 0.0)},
        left_out=(12.0, 0.0),
        exposure=(Exposure(3.0, {"a": LastSeen(3, 1), "b": LastSeen(3, 0, 0.05)}), Exposure()),
    )
    assert state_codec.from_json(state_codec.to_json(state)) == state


def test_a_state_from_before_labels_could_be_missing_is_read():
    document = json.loads(state_codec.to_json(AnalysisState(3)))
    del document["unlabelled"], document["history"], document["left_out"]
    assert state_codec.from_json(json.dumps(document)) == AnalysisState(3)


def test_a_state_from_before_pods_told_when_they_were_started_is_read(texts):
    """A rollout that is under way when Gauntlet is upgraded goes on; its next interval is the first that knows."""
    state = state_codec.from_json(texts[-1])
    document = json.loads(texts[-1])
    for version in ("candidate", "stable"):
        assert all(len(written) == 7 for written in document[version].values())
        document[version] = {pod: written[:6] for pod, written in document[version].items()}
    before = state_codec.from_json(json.dumps(document))
    assert {counters.started for counters in (*before.candidate.values(), *before.stable.values())} == {None}
    assert replace(before, candidate=state.candidate, stable=state.stable) == state


def damaged(text, change):
    document = json.loads(text)
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(format="gauntlet.analysis/9"),
        lambda one: one.pop("steps"),
        lambda one: one.update(bounds=[]),
        lambda one: one["evidence"]["errors"]["harm"][0][1]["errors"][0][0].pop(),
        lambda one: one["evidence"]["errors"].update(phi=None),
        lambda one: one["stable"].update(a=[1, 2]),
        lambda one: one.update(counted=[1]),
    ],
)
def test_what_is_no_state_of_an_analysis_is_refused(texts, change):
    with pytest.raises(DataError, match="is not the state of an analysis"):
        state_codec.from_json(damaged(texts[-1], change))


def test_text_that_is_no_json_is_refused():
    for text in ("{", "[]", "null"):
        with pytest.raises(DataError, match="is not the state of an analysis"):
            state_codec.from_json(text)


def test_infinity_is_not_written_as_json_does_not_know_it(texts):
    assert "Infinity" not in texts[-1]
    with pytest.raises(ValueError, match="not JSON compliant"):
        state_codec.to_json(replace(state_codec.from_json(texts[-1]), counted_seconds=math.inf))
