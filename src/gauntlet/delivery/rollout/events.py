"""Codes of what happens in a rollout: one per entry of its timeline. Programs read these, people the sentence beside.

Codes keep their meaning; sentences may be edited. ``docs/timeline.md`` lists them for users.
"""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """What happened, or what the rollout waits for."""

    STARTED = "started"
    INSTALLED = "installed"
    """The first version of a service: there was nothing to compare it with, so it got all requests at once."""
    ALREADY_SERVING = "already_serving"
    """The version was the stable one before its rollout: nothing was changed."""

    CANDIDATE_DEPLOYING = "candidate.deploying"
    BASELINE_MEASURING = "baseline.measuring"

    STEP_STARTED = "step.started"
    """The candidate is given the weight of the next step; every step before it has passed."""
    STEP_WEIGHT_PENDING = "step.weight_pending"
    """The target does not split the requests as the step asks, not yet or not any more; its weight is set again."""
    STEP_WEIGHT_REACHED = "step.weight_reached"
    STEP_REQUESTS_MISSING = "step.requests_missing"
    STEP_TIME_MISSING = "step.time_missing"
    STEP_EVIDENCE_MISSING = "step.evidence_missing"
    """The last analysis did not show that the step is safe."""
    STEP_APPROVAL_MISSING = "step.approval_missing"
    """The step has passed, and a person has to approve the next one."""

    PROMOTION_STARTED = "promotion.started"
    """The last step has passed."""
    PROMOTION_PENDING = "promotion.pending"
    PROMOTED = "promoted"
    PROMOTED_ANALYSED = "promoted.analysed"
    """A promoted version was analysed once more, in the days after."""

    ABORTED = "aborted"
    """A person decided the rollback."""
    ROLLBACK_HARM = "rollback.harm"
    ROLLBACK_METRICS_UNREADABLE = "rollback.metrics_unreadable"
    ROLLBACK_INCONCLUSIVE = "rollback.inconclusive"
    ROLLBACK_CANDIDATE_FAILED = "rollback.candidate_failed"
    """The target reports that the candidate can never become ready."""
    ROLLBACK_NOT_READY = "rollback.not_ready"
    ROLLBACK_NO_BASELINE = "rollback.no_baseline"
    """The stable version had too little traffic to compare with."""
    ROLLBACK_NOT_APPROVED = "rollback.not_approved"
    ROLLBACK_TIME_LIMIT = "rollback.time_limit"
    ROLLBACK_SUPERSEDED = "rollback.superseded"
    """An unfinished rollout makes way for that of another version."""
    ROLLBACK_PENDING = "rollback.pending"
    ROLLBACK_STABLE_DOWN = "rollback.stable_down"
    """The stable version does not answer, so it is restored before it gets all requests."""
    ROLLED_BACK = "rolled_back"

    JOURNAL_REPLACED = "journal.replaced"
    """The journal that was there could not be read, and was put aside."""
    JOURNAL_INFERRED = "journal.inferred"
    """No journal could be read; the rollout was inferred from what the service shows."""

    OVER = "over"
    """Nothing happens any more. Never written."""

    @property
    def quotes_analysis(self) -> bool:
        """Whether the sentence beside this code contains the one of the analysis that led to it."""
        return self in (
            Event.ROLLBACK_HARM,
            Event.ROLLBACK_METRICS_UNREADABLE,
            Event.ROLLBACK_INCONCLUSIVE,
            Event.ROLLBACK_NO_BASELINE,
            Event.PROMOTED_ANALYSED,
        )


def event_of(code: str | None) -> Event | None:
    """The event that a code names; ``None`` for none, and for one of a version that knows more of them."""
    return Event(code) if code in set(Event) else None
