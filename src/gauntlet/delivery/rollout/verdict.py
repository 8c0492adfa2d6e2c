"""The verdict of the gate ``rollout``, from a journal."""

from __future__ import annotations

from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.state import Metric, Phase
from gauntlet.verdict import Check, Status, Verdict

GATE = "rollout"


def verdict_of(journal: Journal) -> Verdict:
    """Give the verdict on a rollout; inconclusive while it is not over.

    One check says how it ended; each metric that showed harm adds its own, with the rates it rests on.
    """
    rollout = journal.rollout
    status, sentence = _ended(journal)
    harmful = [
        _check(metric) for metric in last_metrics(journal) if metric.status is Status.FAIL and not metric.dry_run
    ]
    if status is not Status.FAIL:
        harmful = []
    share = answered_share(journal)
    answered = answered_requests(journal)
    given = f" It was given {answered[0]:,.0f} of {sum(answered):,.0f} requests ({share:.1%})." if answered else ""
    facts: dict[str, str | int | float | bool] = {
        "candidate": rollout.candidate.version,
        "stable": rollout.stable.version,
        "phase": rollout.phase.value,
        "weight_reached": max((entry.weight for entry in journal.entries), default=0),
    }
    if answered:
        facts |= {"requests_candidate": answered[0], "requests_stable": answered[1], "share_candidate": share}
    outcome = Check("outcome", status, sentence, code="rollout.outcome")
    return Verdict(GATE, (outcome, *harmful), sentence + given, facts)


def answered_requests(journal: Journal) -> tuple[float, float] | None:
    """Requests that (candidate, stable) were given during the rollout; ``None`` if that was not counted."""
    counted = [entry.analysis.answered for entry in journal.entries if entry.analysis and entry.analysis.answered]
    return counted[-1] if counted and sum(counted[-1]) else None


def answered_share(journal: Journal) -> float:
    """Share of the requests that the candidate was given; 0 if that was not counted."""
    answered = answered_requests(journal)
    return answered[0] / sum(answered) if answered else 0.0


def last_metrics(journal: Journal) -> tuple[Metric, ...]:
    """The metrics of the last analysis that had any."""
    metrics = [entry.analysis.metrics for entry in journal.entries if entry.analysis and entry.analysis.metrics]
    return metrics[-1] if metrics else ()


def _ended(journal: Journal) -> tuple[Status, str]:
    rollout = journal.rollout
    if rollout.phase is Phase.PROMOTED:
        if rollout.candidate == rollout.stable:
            return Status.PASS, journal.entries[-1].sentence
        return Status.PASS, f"Version {rollout.candidate.version} serves all requests."
    if rollout.phase is Phase.ROLLED_BACK:
        return rollout.cause or Status.FAIL, f"Version {rollout.candidate.version} was rolled back: {rollout.reason}"
    return Status.INCONCLUSIVE, f"The rollout of {rollout.candidate} is not over ({rollout.phase.value})."


def _check(metric: Metric) -> Check:
    rate = metric.canary[0] / metric.canary[1] if metric.canary and metric.canary[1] else None
    size = int(metric.canary[1]) if metric.canary else None
    return Check(
        metric.name,
        metric.status,
        metric.sentence,
        measured=rate,
        sample_size=size,
        code="rollout.metric",
        subject=metric.name,
    )
