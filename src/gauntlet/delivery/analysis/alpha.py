"""Allocation of α: among metrics, tests and steps, and for the limits at full traffic (docs/canary.md, 9).

At full traffic, the last step, no stable version answers beside the candidate. The candidate is then held against what
stable did before: the rate it can have had at most, plus the margin. A limit that is an estimate may lie too low;
``FOR_LIMITS`` of α is kept for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gauntlet.delivery.analysis.plan import AnalysisPlan, MetricPlan
from gauntlet.delivery.analysis.state import AnalysisState, Evidence, Tally
from gauntlet.delivery.evidence.combination import panel_log_e
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.evidence.sequential import Direction, Process, Test, begin

FOR_LIMITS = 0.1
"""The part of α that pays for the limits at full weight being estimates (docs/canary.md, 9)."""


def alarm_level(plan: AnalysisPlan) -> float:
    """The level the evidence of harm is held against: α without what pays for the limits."""
    return plan.alpha * (1 - FOR_LIMITS)


def shares(state: AnalysisState, plan: AnalysisPlan) -> dict[str, float]:
    """Metric → its part of α, of sum 1, for those that are tested and have a say."""
    assert state.tests is not None
    deciding = [name for name in state.tests.metrics if name in plan.with_a_say]
    whole = sum(plan.metric(name).weight for name in deciding)
    return {name: plan.metric(name).weight / whole for name in deciding}


def concurrent_starts(steps: int) -> int:
    """Starts of the tests beside the stable version; the last step has none beside it and is a start of its own."""
    return max(steps - 1, 1)


def concurrent_test(plan: AnalysisPlan, name: str, direction: Direction, *, phi: float, steps: int) -> Test:
    """The test of a metric while both versions answer."""
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


LEAST_PART = 0.1
"""Part of all of stable's requests so far that a step needs for its rate to be more than luck."""
HIGHEST_LIMIT = 1 - 1e-9
"""Largest limit of a test, which has to lie below 1."""


def begin_full_traffic(evidence: Evidence, block: MetricPlan, *, alpha: float, share: float) -> Evidence:
    """Begin the tests of the candidate alone, each against its limit.

    Harm: ratio · U + harm, U being stable's upper confidence bound at level ``FOR_LIMITS`` · α · share / tests, or the
    highest rate it was seen to have over a step, if that is higher: rates swing. Not worse: ratio · stable's observed
    rate + promotion; that claim is about what stable was seen to do.

    Args:
        evidence: of one metric.
        block: its margins.
        alpha: level of the whole rollout.
        share: the metric's part of it, in (0, 1].
    """
    level = FOR_LIMITS * alpha * share / len(evidence.tallies)
    harm, safe = {}, {}
    for name, tally in evidence.tallies.items():
        hits, requests = stable_in_all(tally)
        highest = max(upper_bound(hits, requests, alpha=level, phi=evidence.phi), tally.highest)
        observed = hits / requests if requests else 1.0
        harm[name] = begin(_against(Direction.HARM, block.ratio * highest + block.harm, evidence.phi))
        safe[name] = begin(_against(Direction.NOT_WORSE, block.ratio * observed + block.promotion, evidence.phi))
    return replace(evidence, absolute_harm=harm, absolute_safe=safe)


def close_step(tally: Tally) -> Tally:
    """Close a step, or the baseline: its rate counts among those that stable had, if it rests on enough requests."""
    hits, requests = tally.stable_step
    enough = requests > 0 and requests >= LEAST_PART * stable_in_all(tally)[1]
    highest = max(tally.highest, hits / requests) if enough else tally.highest
    return replace(tally, step=0.0, stable_step=(0.0, 0.0), highest=highest)


def stable_in_all(tally: Tally) -> tuple[float, float]:
    """(hits, requests) of the stable version, baseline included."""
    return tally.before[0] + tally.stable[0], tally.before[1] + tally.stable[1]


def _against(direction: Direction, limit: float, phi: float) -> Test:
    return Test(direction, rho=0.0, delta=min(limit, HIGHEST_LIMIT), phi=phi)
