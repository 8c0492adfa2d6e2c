"""Whole rollouts as they are judged and decided: all metrics, a look after every interval, and the step at full weight.

``test_canary.py`` holds the evidence to its word, one setting a test. Here everything works together: the baseline, the
tests it leads to, α shared among metrics and steps, and limits that are estimates.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter

import numpy as np
import pytest

from builders.judging import Behavior, World, judge_of, plan, run_rollout
from builders.trials import at_least
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Phase
from gauntlet.settings import parse
from tiers import count

pytestmark = pytest.mark.simulation

TRIALS = 2000
ALPHA = 0.05
REQUESTS = 2000
FIFTHS = (0.2,) * 5
STEPS = {"steps": [10, 50, 100], "min_requests": 1, "budgets": {"inconclusive": 1000}}


@pytest.fixture(autouse=True)
def _memories_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing them down is half of the time, and has tests of its own."""
    monkeypatch.setattr(state_codec, "to_json", lambda state: state)
    monkeypatch.setattr(state_codec, "from_json", lambda state: state)


def behavior(errors: float = 0.01, slow: float = 0.05, high: float = 0.0) -> Behavior:
    """Rates of errors and of answers above 0.1 s; ``high`` moves that share of scores from the lowest fifths up."""
    scores = (0.2 - high / 2, 0.2 - high / 2, 0.2, 0.2 + high / 2, 0.2 + high / 2)
    return Behavior(errors, (0.5, 0.5 - slow, 0.9 * slow, 0.1 * slow), scores)


def rolled_out(rates, analysis, *names, trials=TRIALS):
    """Rollouts of a candidate identical to stable, five looks a step, by how they ended; seeded by the names.

    Returns:
        Ends and their numbers; share of rollouts that were rolled back at full weight.
    """
    steps = parse(RolloutPlan, {**STEPS, "step_seconds": 4 * 60}, field="plan")
    ends: Counter[Phase] = Counter()
    late = 0
    for trial in range(trials):
        rng = np.random.default_rng(zlib.crc32(repr((*names, trial)).encode()))
        both = rates(rng.uniform(0, 2 * math.pi))
        world = World(rng, edges=(0.2, 0.4, 0.6, 0.8, math.inf))
        judge = judge_of(world, analysis, steps)
        rollout = run_rollout(judge, world, steps, lambda turn, weight, both=both: (REQUESTS, both(turn), both(turn)))
        ends[rollout.phase] += 1
        late += rollout.phase is Phase.ROLLED_BACK and rollout.step == 2
    return ends, late / trials


def constant(phase):
    return lambda turn: behavior()


def swinging(by):
    """Errors and slow answers of both versions go up and down together by this part, from a random point on."""

    def rates(phase):
        return lambda turn: behavior(
            0.01 * (1 + by * math.sin(phase + turn / 4)), 0.05 * (1 + by * math.sin(phase + turn / 5))
        )

    return rates


NO_MARGIN = {"errors": {"harm": 0.0}, "latency": {"ratio": 1.0, "harm": 0.0}, "scores": {"harm": 0.0}}
"""Identical models then lie on the margin of every test: the hardest that a rollout can be given."""


@pytest.mark.parametrize(
    ("rates", "margins", "trials"),
    # The swinging one is far from its margins, and takes longer: fewer show as much.
    [(constant, NO_MARGIN, TRIALS), (swinging(0.1), {}, count(400, full=TRIALS))],
    ids=["constant without margins", "swinging"],
)
def test_an_identical_candidate_is_rolled_back_at_most_alpha_of_the_time(
    rates, margins, trials, request, record_property
):
    asked = plan(baseline_requests=10_000, **margins)
    ends, late = rolled_out(rates, asked, "identical", request.node.callspec.id, trials=trials)
    rollback_entry = ends[Phase.ROLLED_BACK] / trials
    record_property("rolled back", rollback_entry)
    record_property("of these at full weight", late)
    assert rollback_entry <= ALPHA
    assert ends[Phase.PROMOTED] == trials - ends[Phase.ROLLED_BACK]


def test_swings_beyond_the_margins_are_rarely_taken_for_harm(record_property):
    """Nothing is promised here: at full weight a higher rate than any before cannot be told from harm."""
    trials = count(150, full=TRIALS)
    ends, late = rolled_out(swinging(0.4), plan(baseline_requests=10_000), "swings", trials=trials)
    rollback_entry = ends[Phase.ROLLED_BACK] / trials
    record_property("rolled back", rollback_entry)
    record_property("of these at full weight", late)
    assert rollback_entry - late <= ALPHA  # beside stable the same swings do no harm
    assert late <= 3 * ALPHA


RISES = {
    "errors": behavior(errors=0.03),  # each just what the plan promises to find
    "latency": behavior(slow=2 * 0.05 + 0.02),
    "scores": behavior(high=0.15),
}


@pytest.mark.parametrize("metric", RISES)
def test_a_detectable_effect_is_found_before_the_first_step_is_passed(metric, record_property):
    """A step is passed when the promised requests are there, so what was promised is kept if it never is."""
    quick = parse(RolloutPlan, {**STEPS, "step_seconds": 1}, field="plan")
    found = 0
    for trial in range(TRIALS):
        rng = np.random.default_rng(zlib.crc32(repr(("rise", metric, trial)).encode()))
        world = World(rng, edges=(0.2, 0.4, 0.6, 0.8, math.inf))
        rollout = run_rollout(
            judge_of(world, plan(metrics=[metric], baseline_requests=4000), quick),
            world,
            quick,
            lambda turn, weight: (REQUESTS, behavior(), RISES[metric]),
        )
        found += rollout.phase is Phase.ROLLED_BACK and rollout.step == 0
    record_property("found at the first step", found / TRIALS)
    assert found / TRIALS >= at_least(0.9, TRIALS)
