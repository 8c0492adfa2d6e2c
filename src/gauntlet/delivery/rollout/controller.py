"""Rollout control loop. Each iteration: read the journal, observe, decide, persist, act.

``Target`` is what is acted on, ``JournalStore`` what survives a crash, ``Judge`` what analyses the metrics,
``ApprovalSource`` what people decide, and ``Lease`` what keeps a second controller away. An iteration may be killed
between any two of its calls: the next one, in whichever process, goes on from what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.decision import decide
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.lease import LeaseTaken, renewing_sleep
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment, Backends, Conflict, JournalStore, Judge, Target, TargetStatus
from gauntlet.delivery.rollout.state import (
    AbortedBy,
    Action,
    Decision,
    Observation,
    Phase,
    Rollout,
    begin,
    begin_rollback,
)
from gauntlet.errors import DependencyError, GauntletError, NoRollout, RolloutUnderWay

_ABORTED: Mapping[AbortedBy, Event] = {
    "person": Event.ABORTED,
    "analysis": Event.ROLLBACK_HARM,
    "controller": Event.ROLLBACK_SUPERSEDED,
}


def start(
    journals: JournalStore, service: str, candidate: Release, stable: Release, now: float, attempt: str = ""
) -> Rollout:
    """Begin a rollout, or return the one of the same two versions that is under way or finished.

    Starting a finished rollout again changes nothing. A candidate that was rolled back gets another chance under
    another name of the attempt.

    Raises:
        RolloutUnderWay: another candidate is on its way on this service.
        Conflict: another process begins one at this moment.
    """
    written = journals.read(service)
    if written is not None:
        rollout = written[0].rollout
        if is_same(rollout, candidate, stable, attempt):
            return rollout
        if not rollout.phase.final:
            raise RolloutUnderWay(
                f"a rollout of {rollout.candidate} is under way ({rollout.phase.value}, {rollout.weight} %)",
                field="service",
                value=service,
                mend="Wait for its end, or abort it",
            )
    fresh = begin(service, candidate, stable, now, attempt)
    sentence = f"The rollout of {candidate} in place of {stable} begins."
    entry = Entry(now, fresh.phase, 0, Action.NOTHING, sentence, code=Event.STARTED)
    journals.write(Journal(fresh).with_entry(entry), written[1] if written else "")
    return fresh


def is_same(rollout: Rollout, candidate: Release, stable: Release, attempt: str) -> bool:
    """Whether ``start`` with these arguments would return this rollout rather than begin another."""
    if (rollout.candidate, rollout.stable, rollout.attempt) == (candidate, stable, attempt):
        return True
    return rollout.candidate == candidate and not rollout.phase.final


def abort(journals: JournalStore, service: str, reason: str, now: float, by: AbortedBy = "person") -> Rollout:
    """Abort the newest rollout of a service, also one that was promoted; the control loop then rolls it back.

    Raises:
        NoRollout: there was never a rollout on the service.
        Conflict: another process wrote at this moment; try again.
    """
    journal, etag = _read(journals, service)
    aborted = begin_rollback(journal.rollout, reason, by)
    if aborted != journal.rollout:
        entry = Entry(now, aborted.phase, aborted.weight, Action.NOTHING, reason, code=_ABORTED[by])
        journals.write(replace(journal, rollout=aborted).with_entry(entry), etag)
    return aborted


def reconcile(backends: Backends, plan: RolloutPlan, service: str, now: float) -> Decision:
    """Run one iteration: the decision is persisted before it is carried out.

    Raises:
        NoRollout: no rollout was started on the service.
        Conflict: another controller wrote meanwhile; read again.
        LeaseTaken: another controller acts on this service.
        DependencyError: a backend did not answer; nothing was done that was not persisted before.
    """
    backends.lease.acquire(service)
    journal, etag = _read(backends.journals, service)
    rollout = journal.rollout
    if rollout.phase.final:
        return decide(rollout, Observation(False, False), plan, now)
    target_status = backends.target.observe(rollout)
    # A rollback depends on nobody's approval any more, nor on whether approvals can be read.
    approval = Approval() if rollout.phase is Phase.ROLLING_BACK else backends.approvals(rollout)
    assessment, analysis_state = _assessed(backends.judge, journal, now)
    decision = decide(rollout, _observation(target_status, assessment, approval), plan, now)
    after = decision.rollout
    if after != rollout or analysis_state != journal.analysis_state:
        analysis, power = assessment.analysis, assessment.power
        entry = Entry(
            now, after.phase, after.weight, decision.action, decision.sentence, analysis, power, code=decision.code
        )
        decision = replace(decision, sentence=f"{decision.sentence} {power}".rstrip())
        backends.journals.write(replace(journal, rollout=after, analysis_state=analysis_state).with_entry(entry), etag)
    action = _action(decision.action, backends.target)
    if action:
        backends.lease.check(service)
        action(after)
    return decision


def run_to_end(
    backends: Backends,
    plan: RolloutPlan,
    service: str,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    on_decision: Callable[[Decision], None] = lambda decision: None,
    patience: int = 20,
) -> Rollout:
    """Reconcile until the rollout is over.

    Args:
        backends, plan, service: as in ``reconcile``.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
        on_decision: called after every iteration.
        patience: iterations in a row that may fail before this gives up; the state stays, and the next run resumes.

    Raises:
        DependencyError: more than ``patience`` iterations in a row failed.
    """
    failed = 0
    try:
        while True:
            try:
                decision = reconcile(backends, plan, service, clock())
            except (Conflict, LeaseTaken, DependencyError) as error:
                failed += 1
                if failed > patience:
                    raise DependencyError(
                        f"failed {failed} iterations in a row",
                        field=f"rollout on {service}",
                        value=str(error),
                        mend="Mend what does not answer and run this again: it goes on from here",
                    ) from error
            else:
                failed = 0
                on_decision(decision)
                if decision.rollout.phase.final:
                    return decision.rollout
            renewing_sleep(backends.lease, service, sleep)(plan.interval_seconds)
    finally:
        backends.lease.release(service)


def _assessed(judge: Judge, journal: Journal, now: float) -> tuple[Assessment, str]:
    """Assess the metrics; a failure does not hold up a rollback, which does not depend on them."""
    try:
        return judge.assess(journal.rollout, journal.analysis_state, now)
    except GauntletError:
        if journal.rollout.phase is not Phase.ROLLING_BACK:
            raise
        return Assessment(None), journal.analysis_state


def _read(journals: JournalStore, service: str) -> tuple[Journal, str]:
    written = journals.read(service)
    if written is None:
        raise NoRollout("has no rollout", field="service", value=service, mend="Start one")
    return written


def _observation(target_status: TargetStatus, assessment: Assessment, approval: Approval) -> Observation:
    return Observation(
        candidate_ready=target_status.candidate_ready,
        stable_ready=target_status.stable_ready,
        weight=target_status.weight,
        requests=assessment.requests,
        baseline=assessment.baseline,
        analysis=assessment.analysis,
        failed=target_status.failed,
        approved=approval.step,
        abort=approval.abort,
        done=target_status.done,
    )


def _action(action: Action, target: Target) -> Callable[[Rollout], None] | None:
    return {
        Action.DEPLOY: target.deploy,
        Action.SET_WEIGHT: target.set_weight,
        Action.PROMOTE: target.promote,
        Action.RESTORE: target.restore,
        Action.ROLL_BACK: target.roll_back,
    }.get(action)
