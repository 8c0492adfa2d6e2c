"""The last step, at full traffic, where no stable version answers beside the candidate (docs/canary.md, 9).

The candidate is then held against what stable did before: the rate it can have had at most, plus the margin. A limit
that is an estimate may lie too low; ``alpha.FOR_LIMITS`` of α is kept for that.
"""

from __future__ import annotations

from dataclasses import replace

from gauntlet.delivery.analysis.alpha import FOR_LIMITS
from gauntlet.delivery.analysis.plan import MetricPlan
from gauntlet.delivery.analysis.state import Evidence, Tally
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.evidence.sequential import Direction, Test, begin

LEAST_PART = 0.1
"""Part of all of stable's requests so far that a step needs for its rate to be more than luck."""
HIGHEST_LIMIT = 1 - 1e-9
"""A test's limit lies below 1; nothing exceeds this one."""


def begin_full_traffic(evidence: Evidence, block: MetricPlan, *, alpha: float, share: float) -> Evidence:
    """The evidence with tests of the candidate alone, each against its limit.

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
        seen = hits / requests if requests else 1.0
        harm[name] = begin(_against(Direction.HARM, block.ratio * highest + block.harm, evidence.phi))
        safe[name] = begin(_against(Direction.NOT_WORSE, block.ratio * seen + block.promotion, evidence.phi))
    return replace(evidence, absolute_harm=harm, absolute_safe=safe)


def close_step(tally: Tally) -> Tally:
    """The tally at the end of a step, or of the baseline: its rate is one that stable had, if it rests on enough."""
    hits, requests = tally.stable_step
    enough = requests > 0 and requests >= LEAST_PART * stable_in_all(tally)[1]
    highest = max(tally.highest, hits / requests) if enough else tally.highest
    return replace(tally, step=0.0, stable_step=(0.0, 0.0), highest=highest)


def stable_in_all(tally: Tally) -> tuple[float, float]:
    """(hits, requests) of the stable version, baseline included."""
    return tally.before[0] + tally.stable[0], tally.before[1] + tally.stable[1]


def _against(direction: Direction, limit: float, phi: float) -> Test:
    return Test(direction, rho=0.0, delta=min(limit, HIGHEST_LIMIT), phi=phi)
