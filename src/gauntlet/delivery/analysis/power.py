"""Power of a rollout: after how many requests, and how long, each minimum detectable effect would be found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from gauntlet.delivery.analysis.alpha import alarm_level, begin_full_traffic, concurrent_starts, shares, stable_in_all
from gauntlet.delivery.analysis.format import hits, percent
from gauntlet.delivery.analysis.plan import AnalysisPlan, MetricPlan
from gauntlet.delivery.analysis.state import OUTCOMES, AnalysisState, Evidence, Tally
from gauntlet.delivery.evidence.power import requests_needed
from gauntlet.delivery.evidence.sequential import Test
from gauntlet.delivery.rollout.plan import RolloutPlan

FULL_TRAFFIC = 100
"""The weight, in percent, at which the candidate answers alone."""
_DIGITS = 3


@dataclass(frozen=True)
class StepPower:
    """Power of one metric at one step.

    Attributes:
        metric: ``errors``, ``latency``, …
        rise: the minimum detectable effect, as text with its numbers.
        weight: percent of requests the candidate has.
        requests: the candidate has to answer so many at the step; ``None`` where the effect cannot be detected.
        seconds: how long that takes at the rate given.
    """

    metric: str
    rise: str
    weight: int
    requests: int | None
    seconds: float | None


def power_by_step(
    state: AnalysisState, plan: AnalysisPlan, rollout_plan: RolloutPlan, rate: float
) -> tuple[StepPower, ...]:
    """Compute which rise every step would detect in 90 of 100 cases, given stable's rates so far.

    Args:
        state: with a baseline; see ``update``.
        plan: the metrics.
        rollout_plan: the steps.
        rate: requests a second, of both versions together.
    """
    rows = []
    for name, share in shares(state, plan).items():
        if name == OUTCOMES:
            continue  # labels come when they come
        for weight in rollout_plan.steps:
            block = plan.metric(name)
            evidence = _standing(state.evidence[name], block, plan, share, weight)
            needed = requests_needed_at(
                evidence, block, weight=weight, level=alarm_level(plan), share=share, steps=state.steps
            )
            longest = max(needed, key=lambda test: needed[test] or math.inf)
            base, requests = _base(evidence, block, longest, weight), needed[longest]
            rise = f"{hits(name, longest)} from {percent(base)} to {percent(min(_risen(base, block), 1.0))}"
            seconds = None if requests is None else requests / (rate * weight / 100)
            rows.append(StepPower(name, rise, weight, None if requests is None else int(requests), seconds))
    return tuple(rows)


def power_sentence(power: Sequence[StepPower]) -> str:
    """Power in one sentence: which rises the first step would detect, and how long that takes."""
    first = min((step.weight for step in power), default=0)
    rises = [
        f"{step.rise} cannot be detected"
        if step.requests is None or step.seconds is None
        else f"{step.rise} within {step.requests:,} requests ({step.seconds:,.0f} s)"
        for step in power
        if step.weight == first
    ]
    return f"At {first} % it would find: {'; '.join(rises)}." if rises else ""


def requests_needed_at(
    evidence: Evidence, block: MetricPlan, *, weight: int, level: float, share: float, steps: int
) -> dict[str, float | None]:
    """Test → requests the candidate has to answer at a step until the detectable effect of that test alone is found.

    Args:
        evidence: of one metric, with its tests at full weight where ``weight`` is 100.
        block: its margins.
        weight: of the step, in percent.
        level: what the evidence is held against.
        share: the metric's part of it.
        steps: of the rollout.

    Returns:
        Requests; ``None`` where the rise does not lie beyond the test's margin, or beyond 10¹² requests.
    """
    alone = weight == FULL_TRAFFIC
    panel = evidence.absolute_harm if alone else evidence.harm
    bases = {name: _base(evidence, block, name, weight) for name in evidence.tallies}
    # Nine in ten scores cannot become 15 points more: a shift of that size shows at other edges.
    possible = [name for name, base in bases.items() if _risen(base, block) < 1] or list(bases)
    needed: dict[str, float | None] = {}
    for name in possible:
        test, base = panel[name].test, _rounded(bases[name])
        limit = _rounded(test.delta) if alone else test.rho * base + test.delta
        # log(starts / (α share)) of ``requests_needed`` with all K starts, of which the test has its own.
        part = share / len(bases) * test.starts / (concurrent_starts(steps) + 1)
        needed[name] = _needed(
            replace(test, delta=limit if alone else test.delta, phi=_rounded(test.phi)),
            base,
            min(_risen(base, block), (1 + max(limit, base)) / 2),
            0.5 if alone else weight / 100,
            level,
            part,
        )
    return needed


def _base(evidence: Evidence, block: MetricPlan, test: str, weight: int) -> float:
    """The rate that a rise starts from: stable's; at full weight the highest that it can have had."""
    rate = rate_before(evidence.tallies[test])
    if weight != FULL_TRAFFIC or not block.ratio:
        return rate
    return max(rate, (evidence.absolute_harm[test].test.delta - block.harm) / block.ratio)


def _standing(evidence: Evidence, block: MetricPlan, plan: AnalysisPlan, share: float, weight: int) -> Evidence:
    """The evidence, at full weight with the tests as they would begin now."""
    if weight != FULL_TRAFFIC or evidence.absolute_harm:
        return evidence
    return begin_full_traffic(evidence, block, alpha=plan.alpha, share=share)


def rate_before(tally: Tally) -> float:
    """Stable's rate so far, never quite 0 or 1."""
    hits, requests = stable_in_all(tally)
    return (hits + 0.5) / (requests + 1)


@lru_cache(maxsize=4096)
def _needed(test: Test, stable: float, canary: float, weight: float, level: float, share: float) -> float | None:
    if canary <= test.rho * stable + test.delta:
        return None
    needed = requests_needed(test, stable=stable, canary=canary, weight=weight, alpha=level, share=share)
    return None if needed is None else float(needed.canary_requests)


def _risen(rate: float, block: MetricPlan) -> float:
    return block.detectable_ratio * rate + block.detectable_effect


def _rounded(value: float) -> float:
    """Round to three digits, so that results are cached: power is not known more exactly."""
    return float(f"{value:.{_DIGITS - 1}e}")
