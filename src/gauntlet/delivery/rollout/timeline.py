"""Read-only queries of a journal: weights over time, analyses, manual decisions, the end; and the audit document.

``timeline_json`` is the audit document. Its fields (times are ISO 8601 in UTC, ``null`` is unknown):

    format      gauntlet.timeline/1
    service     the service
    attempt     distinguishes a second attempt with the same two versions from the first; may be empty
    candidate   version, digest, uri of the new version
    stable      the same of the version it replaces
    began       when it was started
    ended       when it was promoted or seen to be rolled back; null while under way
    phase       deploying, ramping, promoting, rolling_back, promoted, rolled_back
    weight      percent of requests the candidate is meant to have
    reason      why it was rolled back; empty otherwise
    aborted_by  who decided that: person, analysis (of its metrics) or controller (a limit of the plan); empty otherwise
    answered    requests given to candidate and to stable, answered or under way, and the candidate's share, as of the
                last analysis that knew
    analyses    made: counted in the whole rollout; kept: those among the entries (long timelines are thinned)
    entries     oldest first, each with
      at        when it was written, before it was done
      phase     where the rollout stood afterwards
      weight    percent of requests the candidate was meant to have afterwards
      action    what was carried out: deploy, set_weight, promote, restore, roll_back, wait, nothing
      code      what happened, for programs (docs/timeline.md); null in journals of versions before 0.2
      sentence  the same in words, and why
      power     what the analysis would detect, before the candidate's first request; empty in all other entries
      analysis  what was measured, null where nothing new was: number, status, sentence, answered, and metrics, each
                with name, status, sentence, dry_run, log_harm, log_safe (natural logarithms of the evidence of harm,
                and of being not worse), test, and its counts canary, stable (hits, requests, since the rollout began)
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import AnalysisRun, Metric, Phase
from gauntlet.verdict import Status

FORMAT = "gauntlet.timeline/1"


@dataclass(frozen=True)
class WeightPeriod:
    """A period of constant phase and weight.

    Attributes:
        phase: of its first entry.
        weight: percent of requests the candidate was meant to have.
        start: seconds since the epoch.
        end: when the next phase or weight began; the last entry's time for the newest.
    """

    phase: Phase
    weight: int
    start: float
    end: float


@dataclass(frozen=True)
class ManualDecision:
    """A manual decision.

    Attributes:
        at: seconds since the epoch: when it took effect.
        approved: the step approved, in percent; ``None`` for an abort.
        reason: why it was aborted; empty for an approval.
    """

    at: float
    approved: int | None
    reason: str = ""


def weight_periods(journal: Journal) -> tuple[WeightPeriod, ...]:
    """The periods of the rollout, oldest first: one for every change of phase or weight."""
    entries = journal.entries
    changes = [
        entry
        for before, entry in zip((None, *entries), entries, strict=False)
        if before is None or (before.phase, before.weight) != (entry.phase, entry.weight)
    ]
    ends = [*(entry.at for entry in changes[1:]), *(entry.at for entry in entries[-1:])]
    return tuple(
        WeightPeriod(entry.phase, entry.weight, entry.at, end) for entry, end in zip(changes, ends, strict=True)
    )


def analyses(journal: Journal) -> tuple[tuple[float, AnalysisRun], ...]:
    """(when, analysis) of every analysis that was kept, each once, oldest first."""
    by_number: dict[int, tuple[float, AnalysisRun]] = {}
    for entry in journal.entries:
        if entry.analysis is not None:
            by_number.setdefault(entry.analysis.number, (entry.at, entry.analysis))
    return tuple(by_number.values())


def ended(journal: Journal) -> float | None:
    """When the rollout ended; ``None`` while it is under way."""
    if not journal.rollout.phase.final:
        return None
    return next((period.start for period in reversed(weight_periods(journal)) if period.phase.final), None)


def last_seen(journal: Journal) -> float:
    """When the journal was last written; when the rollout began, if it never was."""
    return journal.entries[-1].at if journal.entries else journal.rollout.began


def harm_shown(journal: Journal) -> float | None:
    """When an analysis first showed harm; ``None`` if none did."""
    return next((at for at, analysis in analyses(journal) if analysis.status is Status.FAIL), None)


def rollback_entry(journal: Journal) -> Entry | None:
    """The entry of the decision to roll back, from which on the candidate was meant to have no requests."""
    return next((entry for entry in journal.entries if entry.phase is Phase.ROLLING_BACK), None)


def highest_weight(journal: Journal) -> int:
    """The largest percent of requests that the candidate was ever meant to have; 0 if it never had any."""
    return max((entry.weight for entry in journal.entries), default=0)


def answered(journal: Journal, until: float = math.inf) -> tuple[float, float] | None:
    """Requests that (candidate, stable) had been given at the last analysis up to a time; ``None`` if not known."""
    known = [analysis.answered for at, analysis in analyses(journal) if at <= until and analysis.answered is not None]
    return known[-1] if known else None


def culprit(analysis: AnalysisRun) -> Metric | None:
    """The metric that shows harm most clearly, of those that have a say; ``None`` if none shows any."""
    failing = [metric for metric in analysis.metrics if metric.status is Status.FAIL and not metric.dry_run]
    return max(failing, key=lambda metric: -math.inf if metric.log_harm is None else metric.log_harm, default=None)


def manual_decisions(journal: Journal, plan: RolloutPlan) -> tuple[ManualDecision, ...]:
    """Manual decisions, oldest first. Approvals are the entered steps that needed one; nobody's name is kept."""
    approvals = [
        ManualDecision(after.start, after.weight)
        for before, after in pairwise(weight_periods(journal))
        if after.phase is Phase.RAMPING and after.weight in plan.approve_before and before.weight != after.weight
    ]
    back = rollback_entry(journal)
    if back is None:
        return tuple(approvals)
    aborted = journal.rollout.aborted_by == "person"
    return (*approvals, *([ManualDecision(back.at, None, journal.rollout.reason)] if aborted else []))


def timeline_json(journal: Journal) -> dict[str, Any]:
    """The audit document (JSON scalars, lists and objects; the module's docstring lists its fields)."""
    rollout, end = journal.rollout, ended(journal)
    return {
        "format": FORMAT,
        "service": rollout.service,
        "attempt": rollout.attempt,
        "candidate": asdict(rollout.candidate),
        "stable": asdict(rollout.stable),
        "began": iso(rollout.began),
        "ended": None if end is None else iso(end),
        "phase": rollout.phase.value,
        "weight": rollout.weight,
        "reason": rollout.reason,
        "aborted_by": rollout.aborted_by,
        "answered": _answered(answered(journal)),
        "analyses": {"made": rollout.analyses, "kept": len(analyses(journal))},
        "entries": [_entry(entry) for entry in journal.entries],
    }


def moment(at: float) -> datetime:
    """Seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(at, UTC)


def iso(at: float, timespec: str = "milliseconds") -> str:
    """Seconds since the epoch as ISO 8601 in UTC: ``2026-03-01T14:05:09.250Z``; ``timespec`` as ``datetime``'s."""
    return moment(at).isoformat(timespec=timespec).replace("+00:00", "Z")


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": iso(entry.at),
        "phase": entry.phase.value,
        "weight": entry.weight,
        "action": entry.action.value,
        "code": None if entry.code is None else entry.code.value,
        "sentence": entry.sentence,
        "power": entry.power,
        "analysis": None if entry.analysis is None else _analysis_run(entry.analysis),
    }


def _analysis_run(analysis: AnalysisRun) -> dict[str, Any]:
    return {
        "number": analysis.number,
        "status": analysis.status.value,
        "sentence": analysis.sentence,
        "answered": _answered(analysis.answered),
        "metrics": [_metric(metric) for metric in analysis.metrics],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "status": metric.status.value,
        "sentence": metric.sentence,
        "dry_run": metric.dry_run,
        "test": metric.test,
        "log_harm": _finite(metric.log_harm),
        "log_safe": _finite(metric.log_safe),
        "canary": _counts(metric.canary),
        "stable": _counts(metric.stable),
    }


def _answered(pair: tuple[float, float] | None) -> dict[str, float | None] | None:
    if pair is None:
        return None
    candidate, stable = pair
    share = candidate / (candidate + stable) if candidate + stable else None
    return {"candidate": candidate, "stable": stable, "share": share}


def _counts(pair: tuple[float, float] | None) -> dict[str, float] | None:
    return None if pair is None else {"hits": pair[0], "requests": pair[1]}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
