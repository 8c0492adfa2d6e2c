"""Headline, phases, weights, decisions and steps of a rollout, for its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Metric, Phase
from gauntlet.delivery.rollout.timeline import (
    analyses,
    answered,
    culprit,
    ended,
    harm_shown,
    highest_weight,
    iso,
    last_seen,
    manual_decisions,
    rollback_entry,
    weight_periods,
)
from gauntlet.reports.format import duration, percent
from gauntlet.reports.ramp import Mark, Stretch
from gauntlet.verdict import Status

_SHOWN = {Status.FAIL: "fail", Status.ERROR: "error", Status.INCONCLUSIVE: "inconclusive", Status.PASS: "pass"}


@dataclass(frozen=True)
class StepRow:
    """Row of one step of the plan.

    Attributes:
        weight: percent of requests.
        entered: ISO 8601, UTC; empty if it was never reached.
        seconds: how long the candidate was meant to have this weight.
        analyses: how many, and ended which way.
        requests: requests the candidate answered from the first to the last analysis at it; ``None``: not known.
    """

    weight: int
    entered: str
    seconds: float | None
    analyses: str
    requests: float | None


def headline(journal: Journal) -> str:
    """Summarize a rollout in one sentence."""
    rollout = journal.rollout
    took = duration(last_seen(journal) - rollout.began)
    match rollout.phase:
        case Phase.PROMOTED:
            return f"Promoted after {took}: {rollout.candidate} answers all requests."
        case Phase.ROLLED_BACK:
            return f"Rolled back after {took}{_where(journal)}: {_why(journal)}."
        case Phase.ROLLING_BACK:
            return f"Being rolled back after {took}{_where(journal)}: {_why(journal)}."
        case Phase.PROMOTING:
            return f"Being promoted after {took}: every step was shown to be safe."
        case Phase.DEPLOYING:
            return f"Under way for {took}: {rollout.candidate} is made ready and has no requests."
        case Phase.RAMPING:
            return f"Under way for {took}: {rollout.candidate} has {rollout.weight}% of the requests."


def _where(journal: Journal) -> str:
    if any(stay.phase is Phase.PROMOTED for stay in weight_periods(journal)):
        return " and a promotion"
    highest = highest_weight(journal)
    return f" at {highest}%" if highest else " and before its first request"


def harmful_metric(journal: Journal) -> Metric | None:
    """The metric whose harm caused the rollback; ``None`` where something else did, or nothing was rolled back."""
    back = rollback_entry(journal)
    return culprit(back.analysis) if back is not None and back.analysis is not None and harm_shown(journal) else None


def _why(journal: Journal) -> str:
    """The metric that showed harm, with its rates where it counts; otherwise the reason as it was written."""
    metric = harmful_metric(journal)
    if metric is None:
        reason = journal.rollout.reason.strip().rstrip(".") or "no reason was written"
        return reason[0].lower() + reason[1:] if reason[1:2].islower() or reason[1:2] == " " else reason
    if metric.canary is None or metric.stable is None or not metric.canary[1] or not metric.stable[1]:
        return metric.sentence.rstrip(".")
    candidate, stable = (percent(hits / requests) for hits, requests in (metric.canary, metric.stable))
    return f"{metric.name} {candidate} against {stable}"


def stretches(journal: Journal) -> tuple[Stretch, ...]:
    """Phases and weights in seconds since the beginning."""
    began = journal.rollout.began
    return tuple(
        Stretch(
            stay.start - began,
            stay.end - began,
            stay.weight,
            stay.phase.value.replace("_", " "),
            back=stay.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK),
        )
        for stay in weight_periods(journal)
    )


def moments(journal: Journal, plan: RolloutPlan) -> tuple[Mark, ...]:
    """Marks of decisions, oldest first: approvals, harm, rollback, the end."""
    began, end, back, harm = journal.rollout.began, ended(journal), rollback_entry(journal), harm_shown(journal)
    marks = [
        Mark(decision.at - began, "pass", f"{decision.approved}% approved")
        for decision in manual_decisions(journal, plan)
        if decision.approved
    ]
    if harm is not None:
        marks.append(Mark(harm - began, "fail", "harm shown"))
    if back is not None and back.at != harm:
        marks.append(Mark(back.at - began, "fail", "rolled back"))
    if end is not None and journal.rollout.phase is Phase.ROLLED_BACK:
        later = f"{duration(end - back.at)} later: " if back is not None else ""
        marks.append(Mark(end - began, "none", f"{later}no requests any more"))
    elif end is not None:
        marks.append(Mark(end - began, "pass", "promoted"))
    return tuple(sorted(marks, key=lambda mark: mark.at))


def step_rows(journal: Journal, plan: RolloutPlan) -> tuple[StepRow, ...]:
    """Make the row of every step of the plan, also of those never reached."""
    stays = {stay.weight: stay for stay in reversed(weight_periods(journal)) if stay.phase is Phase.RAMPING}
    rows = []
    for weight in plan.steps:
        stay = stays.get(weight)
        if stay is None:
            rows.append(StepRow(weight, "", None, "", None))
            continue
        inside = [(at, analysis) for at, analysis in analyses(journal) if stay.start < at <= stay.end]
        before, after = answered(journal, stay.start) or (0.0, 0.0), answered(journal, stay.end)
        requests = after[0] - before[0] if inside and after is not None else None
        spent = stay.end - stay.start
        rows.append(
            StepRow(
                weight, iso(stay.start, "seconds"), spent, counted(analysis.status for _, analysis in inside), requests
            )
        )
    return tuple(rows)


def counted(statuses: Iterable[Status]) -> str:
    """Count statuses, worst first: ``2 fail, 31 pass``."""
    number = Counter(statuses)
    return ", ".join(f"{number[status]} {name}" for status, name in _SHOWN.items() if number[status]) or "none"


def decision_rows(journal: Journal, plan: RolloutPlan) -> tuple[tuple[str, str], ...]:
    """(ISO time, what a person decided), oldest first."""
    return tuple(
        (
            iso(decision.at, "seconds"),
            f"Approved {decision.approved}%." if decision.approved is not None else f"Aborted: {decision.reason}",
        )
        for decision in manual_decisions(journal, plan)
    )


def waits_for(journal: Journal, plan: RolloutPlan) -> int | None:
    """The step that waits for a person's approval; ``None`` if none does."""
    rollout = journal.rollout
    if rollout.phase is not Phase.RAMPING or rollout.approval_since is None or rollout.step + 1 >= len(plan.steps):
        return None
    return plan.steps[rollout.step + 1]
