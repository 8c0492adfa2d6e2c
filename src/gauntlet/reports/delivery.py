"""What the delivery components leave behind: timelines and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gauntlet.delivery.analysis.power import Promised
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.timeline import timeline_json
from gauntlet.delivery.shadow.gate import ShadowPolicy
from gauntlet.delivery.shadow.runner import Shadowed
from gauntlet.reports.views.absent import absent_page
from gauntlet.reports.views.rollout import ALPHA, ALPHA_PROMOTION, PromiseRow, rollout_page
from gauntlet.reports.views.shadow import shadow_page
from gauntlet.storage import write_json, write_text


def write_rollout(
    journal: Journal,
    plan: RolloutPlan,
    *,
    timeline: Path,
    report: Path,
    promises: Sequence[Promised] = (),
    alpha: float = ALPHA,
    alpha_promotion: float = ALPHA_PROMOTION,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Write the audit timeline (JSON) and the page of a rollout.

    Args:
        journal: the rollout.
        plan: its steps.
        timeline: the JSON file to write.
        report: the page to write.
        promises: which rise every step would find, by the rates seen so far.
        alpha: level that the evidence of harm is held against (``analysis.levels.alarm_level``).
        alpha_promotion: level that the evidence of being not worse is held against.
        shares: metric → its share of α.
    """
    write_json(timeline, timeline_json(journal))
    rows = promise_rows(promises, plan)
    write_text(report, rollout_page(journal, plan, rows, alpha=alpha, alpha_promotion=alpha_promotion, shares=shares))


def write_nothing(reason: str, *, timeline: Path, report: Path) -> None:
    """Write that there was nothing to do, and why."""
    write_json(timeline, {"nothing": reason})
    write_text(report, absent_page(reason, title="Rollout"))


def write_shadow(shadowed: Shadowed, policy: ShadowPolicy, report: Path) -> None:
    """Write the page of a shadow."""
    page = (
        absent_page(shadowed.verdict.summary, title="Shadow")
        if shadowed.seen is None
        else shadow_page(shadowed.seen, policy, shadowed.verdict)
    )
    write_text(report, page)


def promise_rows(promises: Sequence[Promised], plan: RolloutPlan) -> tuple[PromiseRow, ...]:
    """One row a metric: the requests of its hardest step, the seconds of each."""
    rows = []
    for name in dict.fromkeys(one.metric for one in promises):
        steps = {one.weight: one for one in promises if one.metric == name}
        needed = [one.requests for one in steps.values()]
        most = None if None in needed else max(one for one in needed if one is not None)
        seconds = tuple(steps[weight].seconds for weight in plan.steps)
        rows.append(PromiseRow(name, steps[plan.steps[0]].rise, most, seconds))
    return tuple(rows)
