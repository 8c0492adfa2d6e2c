"""A simulated service: pods that count as real ones do, and rollouts on it that are judged and decided turn by turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gauntlet.delivery.analysis.judge import CounterJudge
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import AnalysisState
from gauntlet.delivery.analysis.update import update
from gauntlet.delivery.counters.source import Counters, Reading
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.decision import decide
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Observation, Phase, Rollout, begin
from gauntlet.settings import parse

V1, V2 = (Release(number, f"sha256:{number}", f"models/{number}") for number in "12")
SECONDS = (0.01, 0.1, 0.5, math.inf)
EDGES = (*(number / 10 for number in range(1, 10)), math.inf)


@dataclass(frozen=True)
class Behavior:
    """How a version answers.

    Attributes:
        errors: share of requests it fails.
        latency: shares of the buckets of ``SECONDS``.
        scores: shares of the world's buckets of scores; () for none.
        sliced: slice → (share of requests, shares of the buckets).
    """

    errors: float = 0.01
    latency: Sequence[float] = (0.6, 0.38, 0.018, 0.002)
    scores: Sequence[float] = (0.1,) * 10
    sliced: Mapping[str, tuple[float, Sequence[float]]] = field(default_factory=dict)


@dataclass
class World:
    """Pods of two versions; a ``CounterSource``.

    Attributes:
        rng: draws requests.
        pods: version → pod → its counters now.
        down: what a reading raises instead.
        edges: of the scores' buckets.
        tells_start: pods tell when they were started.
    """

    rng: np.random.Generator
    pods: dict[str, dict[str, Counters]] = field(default_factory=lambda: {"1": {}, "2": {}})
    now: float = 0.0
    down: Exception | None = None
    edges: Sequence[float] = EDGES
    tells_start: bool = True

    def answer(self, version: str, pod: str, requests: int, behavior: Behavior = Behavior(), in_flight: float = 0):
        """Answer some requests on a pod, which starts if it was not there."""
        old = self.pods[version].get(pod, Counters(0.0, 0.0, started=self.now if self.tells_start else None))
        sliced = {
            name: self._grown(old.sliced.get(name, {}), self.edges, int(self.rng.binomial(requests, share)), shares)
            for name, (share, shares) in behavior.sliced.items()
        }
        self.pods[version][pod] = Counters(
            old.requests + requests,
            old.errors + float(self.rng.binomial(requests, behavior.errors)),
            self._grown(old.latency, SECONDS, requests, behavior.latency),
            self._grown(old.scores, self.edges, requests, behavior.scores),
            sliced,
            in_flight,
            old.started,
        )

    def restart(self, version: str, pod: str) -> None:
        """Kill a pod's process: the next one counts from zero, and begins after the last reading."""
        self.pods[version][pod] = Counters(0.0, 0.0, started=self.now + 2 if self.tells_start else None)

    def read(self, rollout: Rollout) -> Reading:
        """As ``CounterSource.read``."""
        if self.down:
            raise self.down
        return Reading(self.now, dict(self.pods[rollout.candidate.version]), dict(self.pods[rollout.stable.version]))

    def _grown(self, old, bounds, requests, shares):
        if not len(shares):
            return {}
        gained = np.cumsum(self.rng.multinomial(requests, shares))
        return {bound: old.get(bound, 0.0) + float(more) for bound, more in zip(bounds, gained, strict=True)}


Traffic = Callable[[int, float], tuple[float, Behavior, Behavior]]
"""Turn and weight in percent → expected requests in the interval, stable's behavior, the candidate's."""


def run_rollout(
    judge: CounterJudge,
    world: World,
    plan: RolloutPlan,
    traffic: Traffic,
    *,
    turns: int = 500,
    split: Callable[[int, int], int] | None = None,
    looks: list[AnalysisRun] | None = None,
) -> Rollout:
    """The rollout after all its turns; weights hold by the next turn.

    Args:
        judge: of the rollout.
        world: its meter.
        plan: the rollout's.
        traffic: what happens between turns.
        turns: at most.
        split: requests and weight → the candidate's; a binomial draw otherwise.
        looks: filled with every look.
    """
    rollout, state, weight = begin("loans", V2, V1, 0.0), "", 0
    _, usual, new = traffic(0, 0)
    world.answer("1", "a", 0, usual)
    world.answer("1", "b", 0, usual)
    world.answer("2", "c", 0, new)
    for turn in range(turns):
        said, state = judge.assess(rollout, state, world.now)
        if looks is not None and said.analysis:
            looks.append(said.analysis)
        seen = Observation(
            True, True, weight=weight, requests=said.requests, baseline=said.baseline, analysis=said.analysis
        )
        decision = decide(rollout, replace(seen, done=rollout.phase is not Phase.RAMPING), plan, world.now)
        rollout = decision.rollout
        if rollout.phase.final:
            return rollout
        if decision.action in (Action.SET_WEIGHT, Action.ROLL_BACK):
            weight = rollout.weight
        expected, stable, candidate = traffic(turn, weight)
        requests = int(world.rng.poisson(expected))
        canary = split(requests, weight) if split else int(world.rng.binomial(requests, weight / 100))
        half = int(world.rng.binomial(requests - canary, 0.5))
        world.answer("1", "a", half, stable)
        world.answer("1", "b", requests - canary - half, stable)
        world.answer("2", "c", canary, candidate)
        world.now += plan.interval_seconds
    return rollout


def judge_of(world: World, plan: AnalysisPlan, rollout_plan: RolloutPlan, **options) -> CounterJudge:
    """A judge that reads the world."""
    return CounterJudge(world, plan, rollout_plan, **options)


DEPLOYING = begin("loans", V2, V1, 0.0)


def plan(**values):
    """An analysis plan that takes requests as independent and counts from the first second on."""
    return parse(AnalysisPlan, {"phi": 1.0, "warm_up_seconds": 0, **values}, field="analysis")


def ramping(step=0, weight=10, held=0.0, phase=Phase.RAMPING):
    """A rollout at a step whose weight has held since then."""
    return replace(DEPLOYING, phase=phase, step=step, weight=weight, held_since=held)


class Story:
    """A memory and the world it is of, look by look."""

    def __init__(self, chosen, *, steps=4, seed=5, pods=("a", "b")):
        self.plan, self.world, self.pods = chosen, World(np.random.default_rng(seed)), pods
        self.state = AnalysisState(steps)
        for pod in pods:
            self.world.answer("1", pod, 0)
        self.world.answer("2", "c", 0)

    def serve(self, stable=0, canary=0, bad=Behavior()):
        for pod in self.pods:
            self.world.answer("1", pod, stable // len(self.pods))
        self.world.answer("2", "c", canary, bad)
        return self

    def assess(self, rollout, after=60.0):
        self.world.now += after
        self.state = update(self.state, self.world.read(rollout), rollout, self.plan, self.world.now)
        return self.state

    def with_baseline(self, requests=2000):
        self.assess(DEPLOYING, after=0)
        self.serve(requests).assess(DEPLOYING)
        assert self.state.tests is not None
        return self
