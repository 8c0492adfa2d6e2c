"""Writes the outputs of the delivery components: timelines and report pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gauntlet.delivery.analysis.power import StepPower
from gauntlet.delivery.analysis.report_inputs import ReportInputs
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.timeline import timeline_json
from gauntlet.delivery.shadow.gate import ShadowPolicy
from gauntlet.delivery.shadow.runner import ShadowResult
from gauntlet.reports.views.absent import absent_page
from gauntlet.reports.views.rollout import MetricPower, rollout_page
from gauntlet.reports.views.shadow import shadow_page
from gauntlet.storage import write_json, write_text

_DEFAULTS = ReportInputs()


def write_rollout(
    journal: Journal, plan: RolloutPlan, inputs: ReportInputs = _DEFAULTS, *, timeline: Path, report: Path
) -> None:
    """Write the audit timeline (JSON) and the page of a rollout.

    Args:
        journal: the rollout.
        plan: its steps.
        inputs: levels and power of its analysis.
        timeline: the JSON file to write.
        report: the page to write.
    """
    write_json(timeline, timeline_json(journal))
    page = rollout_page(
        journal,
        plan,
        power_rows(inputs.power, plan),
        alpha=inputs.alpha,
        alpha_promotion=inputs.alpha_promotion,
        shares=inputs.shares,
    )
    write_text(report, page)


def write_nothing(reason: str, *, timeline: Path, report: Path) -> None:
    """Write timeline and page of a rollout with nothing to do, with the reason."""
    write_json(timeline, {"nothing": reason})
    write_text(report, absent_page(reason, title="Rollout"))


def write_shadow(result: ShadowResult, policy: ShadowPolicy, report: Path) -> None:
    """Write the page of a shadow deployment."""
    page = (
        absent_page(result.verdict.summary, title="Shadow")
        if result.counts is None
        else shadow_page(result.counts, policy, result.verdict)
    )
    write_text(report, page)


def power_rows(power: Sequence[StepPower], plan: RolloutPlan) -> tuple[MetricPower, ...]:
    """Make one row per metric: requests of the step that needs most, and seconds of each step."""
    rows = []
    for name in dict.fromkeys(step.metric for step in power):
        steps = {step.weight: step for step in power if step.metric == name}
        requests = [step.requests for step in steps.values()]
        most = None if None in requests else max(count for count in requests if count is not None)
        seconds = tuple(steps[weight].seconds for weight in plan.steps)
        rows.append(MetricPower(name, steps[plan.steps[0]].rise, most, seconds))
    return tuple(rows)
