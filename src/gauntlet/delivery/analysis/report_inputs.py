"""Inputs of a rollout's report beside the journal: levels of the evidence, shares of α, and power."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.alpha import alarm_level, shares
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.power import StepPower, power_by_step
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan

ALPHA, ALPHA_PROMOTION = alarm_level(AnalysisPlan()), AnalysisPlan().alpha_promotion
"""Levels of the default plan, for a rollout whose own plan is not known."""


@dataclass(frozen=True)
class ReportInputs:
    """Levels and power of one rollout's analysis.

    Attributes:
        alpha: level that the evidence of harm is held against, in (0, 1).
        alpha_promotion: level that the evidence of being not worse is held against, in (0, 1).
        shares: metric → its share of α; ``None`` while no tests are chosen: all metrics alike.
        power: which rise every step would detect, by the request rate so far; empty where that is not known.
    """

    alpha: float = ALPHA
    alpha_promotion: float = ALPHA_PROMOTION
    shares: Mapping[str, float] | None = None
    power: tuple[StepPower, ...] = ()


def report_inputs(journal: Journal, analysis: AnalysisPlan, plan: RolloutPlan) -> ReportInputs:
    """Compute what the report shows beside a journal.

    Args:
        journal: of the rollout, with the state of its analysis.
        analysis: how it is analysed.
        plan: its steps.

    Raises:
        DataError: the state of the analysis cannot be read.
    """
    levels = ReportInputs(alarm_level(analysis), analysis.alpha_promotion)
    state = state_codec.from_json(journal.analysis_state) if journal.analysis_state else None
    if state is None or state.tests is None:
        return levels
    lasted = journal.entries[-1].at - journal.rollout.began
    rate = sum(state.answered) / lasted if lasted > 0 else 0.0
    known = rate > 0 and state.steps == len(plan.steps)
    power = power_by_step(state, analysis, plan, rate) if known else ()
    return ReportInputs(levels.alpha, levels.alpha_promotion, shares(state, analysis), power)
