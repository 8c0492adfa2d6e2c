"""What the delivery components leave behind: timelines and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gauntlet.delivery.journal import Journal
from gauntlet.delivery.plan import RolloutPlan
from gauntlet.delivery.shadow import ShadowPolicy
from gauntlet.delivery.shadowing import Shadowed
from gauntlet.delivery.timeline import timeline_json
from gauntlet.reports.views.absent import absent_page
from gauntlet.reports.views.rollout import ALPHA, PromiseRow, rollout_page
from gauntlet.reports.views.shadow import shadow_page
from gauntlet.storage import write_json, write_text


def write_rollout(
    journal: Journal,
    plan: RolloutPlan,
    *,
    timeline: Path,
    report: Path,
    promises: Sequence[PromiseRow] = (),
    alpha: float = ALPHA,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Write the audit timeline (JSON) and the page of a rollout; arguments as ``rollout_view``."""
    write_json(timeline, timeline_json(journal))
    write_text(report, rollout_page(journal, plan, promises, alpha=alpha, shares=shares))


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
