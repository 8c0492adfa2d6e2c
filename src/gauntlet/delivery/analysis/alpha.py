"""How α is allocated: among metrics, tests and steps, and for the limits at full traffic."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import AnalysisState, Evidence
from gauntlet.delivery.evidence.combination import panel_log_e
from gauntlet.delivery.evidence.sequential import Direction, Process, Test, begin

FOR_LIMITS = 0.1
"""The part of α that pays for the limits at full weight being estimates (docs/canary.md, 9)."""


def alarm_level(plan: AnalysisPlan) -> float:
    """The level the evidence of harm is held against: α without what pays for the limits."""
    return plan.alpha * (1 - FOR_LIMITS)


def shares(state: AnalysisState, plan: AnalysisPlan) -> dict[str, float]:
    """Metric → its part of α, of sum 1, for those that are tested and have a say."""
    assert state.tests is not None
    heard = [name for name in state.tests.metrics if name in plan.with_a_say]
    whole = sum(plan.metric(name).weight for name in heard)
    return {name: plan.metric(name).weight / whole for name in heard}


def concurrent_starts(steps: int) -> int:
    """Starts of the tests beside the stable version; the last step has none beside it and is a start of its own."""
    return max(steps - 1, 1)


def concurrent_test(plan: AnalysisPlan, name: str, direction: Direction, *, phi: float, steps: int) -> Test:
    """What a metric is tested for while both versions answer."""
    block = plan.metric(name)
    delta = block.harm if direction is Direction.HARM else block.promotion
    return Test(direction, block.ratio, delta, phi, concurrent_starts(steps))


def begin_panel(test: Test, before: Mapping[str, tuple[float, float]]) -> dict[str, Process]:
    """One process a test, each centred on what stable did in the baseline."""
    return {name: begin(test, baseline=baseline) for name, baseline in before.items()}


def log_harm(evidence: Evidence, steps: int) -> float:
    """Logarithm of a metric's evidence of harm: the mean over all planned starts.

    Of K starts, K - 1 are beside stable and the last is at full weight, 1 until then. A mean of supermartingales that
    start at 1 is one.
    """
    beside = concurrent_starts(steps)
    alone = panel_log_e(evidence.absolute_harm) if evidence.absolute_harm else 0.0
    return float(
        np.logaddexp(math.log(beside / (beside + 1)) + panel_log_e(evidence.harm), alone - math.log(beside + 1))
    )


def log_safe(evidence: Evidence) -> float:
    """Logarithm of a metric's evidence of being not worse: the least of its tests and of the starts that have begun."""
    beside = panel_log_e(evidence.safe)
    return min(beside, panel_log_e(evidence.absolute_safe)) if evidence.absolute_safe else beside
