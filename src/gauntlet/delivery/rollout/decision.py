"""Decides the next action of a rollout: a pure function from state and observation to state and action.

The controller reads the state, observes, asks ``decide``, *persists the new state, and then* carries out one action,
which must be idempotent. So it can be killed at any instant: its successor reads what was intended, observes whether it
holds, and decides again. Nothing here knows a clock, a cluster or a network; times are arguments.

    deploying ──ready──▶ ramping ──last step shown──▶ promoting ──▶ promoted
        │                   │                             │
        └──────── harm, budgets, time, a person ──────────┴─▶ rolling back ──▶ rolled back
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import (
    AbortedBy,
    Action,
    AnalysisRun,
    Decision,
    Observation,
    Phase,
    Rollout,
    begin_rollback,
)
from gauntlet.verdict import Status


def decide(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> Decision:
    """Decide what to do next.

    Args:
        rollout: the state as it was last persisted.
        observed: what was observed just now.
        plan: what the team asked for.
        now: seconds since the epoch.
    """
    if rollout.phase.final:
        return Decision(rollout, Action.NOTHING, Event.OVER, f"The rollout is over: {rollout.phase.value}.")
    if rollout.phase is Phase.ROLLING_BACK:
        return _roll_back(rollout, observed)
    rollout = _count(rollout, observed.analysis)
    rollback = _rollback_needed(rollout, observed, plan, now)
    if rollback:
        rolling_back = begin_rollback(rollout, rollback.reason, rollback.by, rollback.cause)
        return replace(_roll_back(rolling_back, replace(observed, done=False)), code=rollback.code)
    if rollout.phase is Phase.PROMOTING:
        if observed.done:
            promoted = replace(rollout, phase=Phase.PROMOTED)
            return Decision(promoted, Action.NOTHING, Event.PROMOTED, f"{rollout.candidate} is stable now.")
        sentence = f"{rollout.candidate} becomes the stable version."
        return Decision(rollout, Action.PROMOTE, Event.PROMOTION_PENDING, sentence)
    if rollout.phase is Phase.DEPLOYING:
        return _deploy(rollout, observed, plan)
    return _ramp(rollout, observed, plan, now)


def _roll_back(rollout: Rollout, observed: Observation) -> Decision:
    if observed.done:
        rolled_back = replace(rollout, phase=Phase.ROLLED_BACK)
        return Decision(rolled_back, Action.NOTHING, Event.ROLLED_BACK, f"Rolled back: {rollout.reason}")
    if not observed.stable_ready and observed.candidate_ready:
        # Sending everything to a version that does not answer would leave nobody to answer.
        waits = f"{rollout.stable} does not answer; {rollout.candidate} keeps its requests until it does"
        sentence = f"Rollback is needed ({rollout.reason}), but {waits}."
        return Decision(rollout, Action.RESTORE, Event.ROLLBACK_STABLE_DOWN, sentence)
    return Decision(rollout, Action.ROLL_BACK, Event.ROLLBACK_PENDING, rollout.reason)


def _count(rollout: Rollout, analysis: AnalysisRun | None) -> Rollout:
    if analysis is None or analysis.number <= rollout.analyses:
        return rollout
    status = analysis.status
    return replace(
        rollout,
        analyses=analysis.number,
        shown=status is Status.PASS,
        failures=rollout.failures + (status is Status.FAIL),
        inconclusive=rollout.inconclusive + 1 if status is Status.INCONCLUSIVE else 0,
        errors=rollout.errors + 1 if status is Status.ERROR else 0,
    )


class _Rollback(NamedTuple):
    """Why the candidate has to be rolled back: the code, who decided so, as which status, in one sentence."""

    code: Event
    by: AbortedBy
    cause: Status
    reason: str


def _rollback_needed(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> _Rollback | None:
    """Why the candidate has to be rolled back; ``None`` if it may stay."""
    measured = f": {observed.analysis.sentence}" if observed.analysis else "."
    budgets = plan.budgets
    if observed.abort:
        return _Rollback(Event.ABORTED, "person", Status.FAIL, f"A person aborted it: {observed.abort}")
    if observed.failed:
        reason = f"{rollout.candidate} cannot become ready: {observed.failed}"
        return _Rollback(Event.ROLLBACK_CANDIDATE_FAILED, "controller", Status.FAIL, reason)
    if rollout.failures > budgets.failures:
        return _Rollback(Event.ROLLBACK_HARM, "analysis", Status.FAIL, f"Harm was shown{measured}")
    if rollout.errors > budgets.errors:
        reason = f"Its metrics could not be read {rollout.errors} times in a row{measured}"
        return _Rollback(Event.ROLLBACK_METRICS_UNREADABLE, "analysis", Status.ERROR, reason)
    if rollout.phase is Phase.PROMOTING:
        return None  # from here on only harm causes a rollback, no time limit
    if rollout.inconclusive > budgets.inconclusive and plan.undecided == "roll_back":
        reason = f"{rollout.inconclusive} analyses in a row were inconclusive{measured}"
        return _Rollback(Event.ROLLBACK_INCONCLUSIVE, "analysis", Status.INCONCLUSIVE, reason)
    return _too_late(rollout, observed, plan, now, measured)


def _too_late(
    rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float, measured: str
) -> _Rollback | None:
    """The rollback for a time limit of the plan that is exceeded; ``None`` if none is."""
    if now - rollout.began > plan.total_seconds:
        reason = f"The rollout took longer than the {plan.total_seconds:,.0f} s of total_seconds."
        return _Rollback(Event.ROLLBACK_TIME_LIMIT, "controller", Status.INCONCLUSIVE, reason)
    if rollout.phase is Phase.DEPLOYING and now - rollout.began > plan.ready_seconds:
        if observed.candidate_ready:
            reason = f"{rollout.stable} had too little traffic to compare with{measured}"
            return _Rollback(Event.ROLLBACK_NO_BASELINE, "controller", Status.INCONCLUSIVE, reason)
        reason = f"{rollout.candidate} was not ready after {plan.ready_seconds:,.0f} s."
        return _Rollback(Event.ROLLBACK_NOT_READY, "controller", Status.FAIL, reason)
    if rollout.approval_since is not None and now - rollout.approval_since > plan.approval_seconds:
        reason = f"Nobody approved {_next(rollout, plan)} % within {plan.approval_seconds:,.0f} s."
        return _Rollback(Event.ROLLBACK_NOT_APPROVED, "controller", Status.INCONCLUSIVE, reason)
    return None


def _deploy(rollout: Rollout, observed: Observation, plan: RolloutPlan) -> Decision:
    if not observed.candidate_ready:
        sentence = f"Deploying {rollout.candidate} beside {rollout.stable}."
        return Decision(rollout, Action.DEPLOY, Event.CANDIDATE_DEPLOYING, sentence)
    if not observed.baseline:
        return Decision(rollout, Action.WAIT, Event.BASELINE_MEASURING, f"Measuring the baseline of {rollout.stable}.")
    return _enter(replace(rollout, phase=Phase.RAMPING), plan)


def _enter(rollout: Rollout, plan: RolloutPlan) -> Decision:
    """Enter the next step: from here on everything is counted anew but harm."""
    step = rollout.step + 1
    entered = replace(
        rollout, step=step, weight=plan.steps[step], held_since=None, approval_since=None, shown=False, inconclusive=0
    )
    sentence = f"{rollout.candidate} gets {entered.weight} % of the requests."
    return Decision(entered, Action.SET_WEIGHT, Event.STEP_STARTED, sentence)


def _next(rollout: Rollout, plan: RolloutPlan) -> int:
    return plan.steps[rollout.step + 1]


def _ramp(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> Decision:
    if observed.weight != rollout.weight:
        sentence = f"{rollout.candidate} should have {rollout.weight} % of the requests."
        return Decision(rollout, Action.SET_WEIGHT, Event.STEP_WEIGHT_PENDING, sentence)
    if rollout.held_since is None:
        rollout = replace(rollout, held_since=now, shown=False)
        sentence = f"{rollout.candidate} has {rollout.weight} % of the requests."
        return Decision(rollout, Action.WAIT, Event.STEP_WEIGHT_REACHED, sentence)
    missing = _missing(rollout, observed, plan, now)
    if missing:
        return Decision(rollout, Action.WAIT, missing.code, f"At {rollout.weight} %: {missing.sentence}.")
    if rollout.step + 1 == len(plan.steps):
        promoting = replace(rollout, phase=Phase.PROMOTING)
        sentence = f"Every step was shown to be safe: {rollout.candidate} is promoted."
        return Decision(promoting, Action.PROMOTE, Event.PROMOTION_STARTED, sentence)
    ahead = _next(rollout, plan)
    if ahead in plan.approve_before and observed.approved < ahead:
        since = now if rollout.approval_since is None else rollout.approval_since
        waiting = replace(rollout, approval_since=since)
        return Decision(waiting, Action.WAIT, Event.STEP_APPROVAL_MISSING, f"Waiting for approval of {ahead} %.")
    return _enter(rollout, plan)


class _Missing(NamedTuple):
    """What a step still has to show."""

    code: Event
    sentence: str


def _missing(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> _Missing | None:
    """What the step still has to show; ``None`` when it has passed."""
    held = now - (now if rollout.held_since is None else rollout.held_since)
    if observed.requests < plan.min_requests:
        sentence = f"{observed.requests:,} of {plan.min_requests:,} requests"
        return _Missing(Event.STEP_REQUESTS_MISSING, sentence)
    if held < plan.step_seconds:
        return _Missing(Event.STEP_TIME_MISSING, f"{held:,.0f} of {plan.step_seconds:,.0f} s")
    if not rollout.shown:
        return _Missing(Event.STEP_EVIDENCE_MISSING, "the last analysis did not show that it is safe")
    return None
