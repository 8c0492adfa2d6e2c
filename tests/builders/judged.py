"""A service in memory that is asked all the time, rolled out on with a real judge: journals as they are in earnest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from builders.judging import Behavior, World, judge_of
from builders.memory_service import V2, MemoryService
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.deployment import Time, roll_out
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.settings import parse

GOOD = Behavior()
STEPS = parse(
    RolloutPlan,
    {"steps": [10, 50, 100], "step_seconds": 120, "min_requests": 100, "budgets": {"inconclusive": 60, "errors": 2}},
    field="plan",
)


@dataclass
class AskedService(MemoryService):
    """Pods answer between two looks; ``world`` is their meter.

    Attributes:
        bad: how the candidate answers.
        requests: between two looks, of both versions.
    """

    bad: Behavior = GOOD
    requests: int = 3000

    def __post_init__(self):
        self.rng = np.random.default_rng(4)
        self.world = World(np.random.default_rng(3))
        self.world.now = self.now
        for version, pod in (("1", "a"), ("1", "b"), ("2", "c")):
            self.world.answer(version, pod, 0)

    def sleep(self, seconds):
        super().sleep(seconds)
        self.world.now = self.now
        canary = int(self.rng.binomial(self.requests, self.asked / 100))
        half = (self.requests - canary) // 2
        self.answered("1", "a", half)
        self.answered("1", "b", self.requests - canary - half)
        self.answered("2", "c", canary, self.bad)

    def answered(self, version, pod, requests, behavior=GOOD):
        self.world.answer(version, pod, requests, behavior)

    def delivered(self, analysis: AnalysisPlan, **options) -> Journal:
        """A delivery of version 2 to its end."""
        judge = judge_of(self.world, analysis, STEPS, **options)
        time = Time(lambda: self.now, self.sleep)
        return roll_out(self.service(), V2, judge, STEPS, time, on_decision=lambda decision: None)
