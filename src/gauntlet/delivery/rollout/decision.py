"""What to do next in a rollout: a pure function from state and observation to state and action.

The controller reads the state, observes, asks ``decide``, *persists the new state, and then* carries out one action,
which must be idempotent. So it can be killed at any instant: its successor finds what was intended, sees whether it
holds, and asks again. Nothing here knows a clock, a cluster or a network; times are arguments.

    deploying ──ready──▶ ramping ──last step shown──▶ promoting ──▶ promoted
        │                   │                             │
        └──────── harm, budgets, time, a person ──────────┴─▶ rolling back ──▶ rolled back
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

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
    """What to do next.

    Args:
        rollout: the state as it was last persisted.
        observed: what was observed just now.
        plan: what the team asked for.
        now: seconds since the epoch.
    """
    if rollout.phase.final:
        return Decision(rollout, Action.NOTHING, f"The rollout is over: {rollout.phase.value}.")
    if rollout.phase is Phase.ROLLING_BACK:
        return _roll_back(rollout, observed)
    rollout = _count(rollout, observed.analysis)
    why = _why_back(rollout, observed, plan, now)
    if why:
        return _roll_back(begin_rollback(rollout, why.reason, why.by, why.cause), replace(observed, done=False))
    if rollout.phase is Phase.PROMOTING:
        if observed.done:
            return Decision(
                replace(rollout, phase=Phase.PROMOTED), Action.NOTHING, f"{rollout.candidate} is stable now."
            )
        return Decision(rollout, Action.PROMOTE, f"{rollout.candidate} becomes the stable version.")
    if rollout.phase is Phase.DEPLOYING:
        return _deploy(rollout, observed, plan)
    return _ramp(rollout, observed, plan, now)


def _roll_back(rollout: Rollout, observed: Observation) -> Decision:
    if observed.done:
        return Decision(replace(rollout, phase=Phase.ROLLED_BACK), Action.NOTHING, f"Rolled back: {rollout.reason}")
    if not observed.stable_ready and observed.candidate_ready:
        # Sending everything to a version that does not answer would leave nobody to answer.
        waits = f"{rollout.stable} does not answer; {rollout.candidate} keeps its requests until it does"
        return Decision(rollout, Action.RESTORE, f"Rollback is needed ({rollout.reason}), but {waits}.")
    return Decision(rollout, Action.ROLL_BACK, rollout.reason)


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
    """Why the candidate has to be rolled back: who decided so, as which status, in one sentence."""

    by: AbortedBy
    cause: Status
    reason: str


def _why_back(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> _Rollback | None:
    """Why the candidate has to be rolled back; ``None`` if it may stay."""
    measured = f": {observed.analysis.sentence}" if observed.analysis else "."
    budgets = plan.budgets
    if observed.abort:
        return _Rollback("person", Status.FAIL, f"A person aborted it: {observed.abort}")
    if observed.failed:
        return _Rollback("controller", Status.FAIL, f"{rollout.candidate} cannot become ready: {observed.failed}")
    if rollout.failures > budgets.failures:
        return _Rollback("analysis", Status.FAIL, f"Harm was shown{measured}")
    if rollout.errors > budgets.errors:
        said = f"Its metrics could not be read {rollout.errors} times in a row{measured}"
        return _Rollback("analysis", Status.ERROR, said)
    if rollout.phase is Phase.PROMOTING:
        return None  # from here on only harm causes a rollback, not a clock
    if rollout.inconclusive > budgets.inconclusive and plan.undecided == "roll_back":
        said = f"{rollout.inconclusive} analyses in a row were inconclusive{measured}"
        return _Rollback("analysis", Status.INCONCLUSIVE, said)
    return _too_late(rollout, observed, plan, now, measured)


def _too_late(
    rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float, measured: str
) -> _Rollback | None:
    """Which time limit of the plan is exceeded."""
    if now - rollout.began > plan.total_seconds:
        said = f"The rollout took longer than the {plan.total_seconds:,.0f} s of total_seconds."
        return _Rollback("controller", Status.INCONCLUSIVE, said)
    if rollout.phase is Phase.DEPLOYING and now - rollout.began > plan.ready_seconds:
        if observed.candidate_ready:
            said = f"{rollout.stable} had too little traffic to compare with{measured}"
            return _Rollback("controller", Status.INCONCLUSIVE, said)
        said = f"{rollout.candidate} was not ready after {plan.ready_seconds:,.0f} s."
        return _Rollback("controller", Status.FAIL, said)
    if rollout.approval_since is not None and now - rollout.approval_since > plan.approval_seconds:
        said = f"Nobody approved {_next(rollout, plan)} % within {plan.approval_seconds:,.0f} s."
        return _Rollback("controller", Status.INCONCLUSIVE, said)
    return None


def _deploy(rollout: Rollout, observed: Observation, plan: RolloutPlan) -> Decision:
    if not observed.candidate_ready:
        return Decision(rollout, Action.DEPLOY, f"Deploying {rollout.candidate} beside {rollout.stable}.")
    if not observed.baseline:
        return Decision(rollout, Action.WAIT, f"Measuring the baseline of {rollout.stable}.")
    return _enter(replace(rollout, phase=Phase.RAMPING), plan)


def _enter(rollout: Rollout, plan: RolloutPlan) -> Decision:
    """The next step: from here on everything is counted anew but harm."""
    step = rollout.step + 1
    entered = replace(
        rollout, step=step, weight=plan.steps[step], held_since=None, approval_since=None, shown=False, inconclusive=0
    )
    return Decision(entered, Action.SET_WEIGHT, f"{rollout.candidate} gets {entered.weight} % of the requests.")


def _next(rollout: Rollout, plan: RolloutPlan) -> int:
    return plan.steps[rollout.step + 1]


def _ramp(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> Decision:
    if observed.weight != rollout.weight:
        return Decision(
            rollout, Action.SET_WEIGHT, f"{rollout.candidate} should have {rollout.weight} % of the requests."
        )
    if rollout.held_since is None:
        rollout = replace(rollout, held_since=now, shown=False)
        return Decision(rollout, Action.WAIT, f"{rollout.candidate} has {rollout.weight} % of the requests.")
    missing = _missing(rollout, observed, plan, now)
    if missing:
        return Decision(rollout, Action.WAIT, f"At {rollout.weight} %: {missing}.")
    if rollout.step + 1 == len(plan.steps):
        promoting = replace(rollout, phase=Phase.PROMOTING)
        return Decision(promoting, Action.PROMOTE, f"Every step was shown to be safe: {rollout.candidate} is promoted.")
    ahead = _next(rollout, plan)
    if ahead in plan.approve_before and observed.approved < ahead:
        asked = now if rollout.approval_since is None else rollout.approval_since
        return Decision(replace(rollout, approval_since=asked), Action.WAIT, f"Waiting for approval of {ahead} %.")
    return _enter(rollout, plan)


def _missing(rollout: Rollout, observed: Observation, plan: RolloutPlan, now: float) -> str:
    """What the step still has to show; empty when it has shown everything."""
    held = now - (now if rollout.held_since is None else rollout.held_since)
    if observed.requests < plan.min_requests:
        return f"{observed.requests:,} of {plan.min_requests:,} requests"
    if held < plan.step_seconds:
        return f"{held:,.0f} of {plan.step_seconds:,.0f} s"
    if not rollout.shown:
        return "the last analysis did not show that it is safe"
    return ""
