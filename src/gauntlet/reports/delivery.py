"""What the delivery components leave behind: timelines and pages."""

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
    """Write that there was nothing to do, and why."""
    write_json(timeline, {"nothing": reason})
    write_text(report, absent_page(reason, title="Rollout"))


def write_shadow(result: ShadowResult, policy: ShadowPolicy, report: Path) -> None:
    """Write the page of a shadow."""
    page = (
        absent_page(result.verdict.summary, title="Shadow")
        if result.counts is None
        else shadow_page(result.counts, policy, result.verdict)
    )
    write_text(report, page)


def power_rows(power: Sequence[StepPower], plan: RolloutPlan) -> tuple[MetricPower, ...]:
    """One row a metric: the requests of its hardest step, the seconds of each."""
    rows = []
    for name in dict.fromkeys(one.metric for one in power):
        steps = {one.weight: one for one in power if one.metric == name}
        needed = [one.requests for one in steps.values()]
        most = None if None in needed else max(one for one in needed if one is not None)
        seconds = tuple(steps[weight].seconds for weight in plan.steps)
        rows.append(MetricPower(name, steps[plan.steps[0]].rise, most, seconds))
    return tuple(rows)
