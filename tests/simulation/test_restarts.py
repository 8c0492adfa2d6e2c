"""Rollouts whose servers are restarted between two readings of their counters, again and again.

The counters of a new process begin at zero. What they show is no increase of the old ones, and may look like one: a
difference is then left that hits enter with fewer requests than they came from. An identical candidate must not be
rolled back for it, and a worse one must be found all the same.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from builders.judging import Behavior, World, judge_of, plan, run_rollout
from builders.trials import at_most
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Phase
from gauntlet.settings import parse
from tiers import count

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = count(30, full=400)
REQUESTS = 2000
PLAN = parse(
    RolloutPlan,
    {"steps": [1, 10, 50, 100], "step_seconds": 4 * 60, "min_requests": 1, "budgets": {"inconclusive": 1000}},
    field="plan",
)
NO_MARGIN = {"errors": {"harm": 0.0}, "latency": {"ratio": 1.0, "harm": 0.0}, "scores": {"harm": 0.0}}
MARGINS = {"default margins": {}, "no margins": NO_MARGIN}
USUAL = Behavior(0.01, (0.5, 0.45, 0.045, 0.005), (0.2,) * 5)
WORSE = {
    "errors": Behavior(0.03, USUAL.latency, USUAL.scores),
    "latency": Behavior(0.01, (0.5, 0.38, 0.108, 0.012), USUAL.scores),
    "scores": Behavior(0.01, USUAL.latency, (0.125, 0.125, 0.2, 0.275, 0.275)),
}


@pytest.fixture(autouse=True)
def _memories_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing them down is half of the time, and has tests of its own."""
    monkeypatch.setattr(state_codec, "to_json", lambda state: state)
    monkeypatch.setattr(state_codec, "from_json", lambda state: state)


@dataclass
class Restarting(World):
    """Some of its pods are restarted while they answer an interval's requests.

    Attributes:
        share: of the intervals with a restart.
        who: their pods.
        lost: share of the interval's requests that the process before the restart answers and takes along: from zero
            up to this, at random.
    """

    share: float = 0.0
    who: str = ""
    lost: float = 0.0

    def answer(self, version, pod, requests, behavior=USUAL, in_flight=0):
        if requests and pod in self.who and self.rng.random() < self.share:
            requests -= int(self.rng.binomial(requests, self.lost * self.rng.random()))
            self.restart(version, pod)
        super().answer(version, pod, requests, behavior, in_flight)


def rollouts(
    *names, candidate=USUAL, expected=lambda turn: REQUESTS, margins=MARGINS["default margins"], turns=500, **pods
):
    """(phase, analyses) of every rollout; seeded by the names.

    Args:
        names: of the setting.
        candidate: how it answers; stable answers as usual.
        expected: turn → requests in the interval.
        margins: of the metrics.
        turns: at most; a rollout that is still under way then is held.
        pods: of ``Restarting``.
    """
    asked = plan(baseline_requests=10_000, **margins)
    for trial in range(TRIALS):
        rng = np.random.default_rng(zlib.crc32(repr((*names, trial)).encode()))
        world, runs = Restarting(rng, edges=(0.2, 0.4, 0.6, 0.8, math.inf), **pods), []
        rollout = run_rollout(
            judge_of(world, asked, PLAN),
            world,
            PLAN,
            lambda turn, weight: (expected(turn), USUAL, candidate),
            turns=turns,
            looks=runs,
        )
        yield rollout.phase, len(runs)


def ended(path, record_property):
    """Share of rollouts by their last phase."""
    shares = Counter(phase for phase, _ in path)
    for phase in (Phase.ROLLED_BACK, Phase.PROMOTED):
        record_property(phase.value, shares[phase] / TRIALS)
    return {phase: number / TRIALS for phase, number in shares.items()}


ONE, ALL, STABLE = "c", "abc", "ab"


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("who", [ONE, ALL], ids=["the candidate's pod", "all pods"])
def test_an_identical_candidate_is_rolled_back_at_most_alpha_of_the_time(who, share, margins, record_property):
    path = rollouts("told", who, share, margins, margins=MARGINS[margins], who=who, share=share)
    ends = ended(path, record_property)
    assert ends.get(Phase.ROLLED_BACK, 0.0) <= at_most(ALPHA, TRIALS)
    assert ends[Phase.PROMOTED] >= 0.9, "restarts alone hold no rollout up"


LAWS = {
    "within the interval": {"who": ONE, "share": 0.5, "lost": 1.0},
    "stable alone": {"who": STABLE, "share": 0.5},
    "before every interval": {"who": ALL, "share": 1.0},
    "traffic swings tenfold": {
        "who": ALL,
        "share": 0.5,
        "expected": lambda turn: 1100 * (1 + 0.82 * math.sin(turn / 3)),
    },
}


@pytest.mark.parametrize("law", LAWS)
def test_whenever_and_whoever_is_restarted(law, record_property):
    ends = ended(rollouts("law", law, margins=NO_MARGIN, turns=120, **LAWS[law]), record_property)
    assert ends.get(Phase.ROLLED_BACK, 0.0) <= at_most(ALPHA, TRIALS)


@pytest.mark.parametrize("who", [ONE, ALL], ids=["the candidate's pod", "all pods"])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_where_nobody_tells_of_restarts_an_identical_candidate_is_held_rather_than_rolled_back(
    who, share, record_property
):
    """What may be all of a new process is left out; with many restarts too little is left to promote it soon."""
    path = rollouts("not told", who, share, turns=120, who=who, share=share, tells_start=False)
    assert ended(path, record_property).get(Phase.ROLLED_BACK, 0.0) <= at_most(ALPHA, TRIALS)


def test_without_restarts_nobody_needs_to_tell(record_property):
    """It costs a pod its first interval or two, and no rollout its end."""
    ends = ended(rollouts("not told, none", tells_start=False), record_property)
    assert ends[Phase.PROMOTED] >= 0.9


@pytest.mark.parametrize("metric", WORSE)
def test_a_worse_candidate_is_found_as_soon_as_without_restarts(metric, record_property):
    """Restarts come before intervals here: one within an interval loses, on average, half of what is answered in it."""
    analyses = {}
    for share in (0.0, 0.5):
        path = list(rollouts("worse", metric, candidate=WORSE[metric], who=ONE, share=share))
        assert sum(phase is Phase.ROLLED_BACK for phase, _ in path) >= 0.95 * TRIALS
        analyses[share] = np.array([number for _, number in path])
        record_property(f"analyses, restarts before {share:.0%}", float(analyses[share].mean()))
    error = math.sqrt(sum(numbers.var() for numbers in analyses.values()) / TRIALS)
    assert analyses[0.5].mean() <= analyses[0.0].mean() + 1 + 2 * error
