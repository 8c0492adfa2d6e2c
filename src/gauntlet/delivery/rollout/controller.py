"""Rollout control loop. Each iteration: read the journal, observe, decide, persist, act.

``Target`` is what is acted on, ``JournalStore`` what survives a crash, ``Judge`` what analyses the metrics, and
``Lease`` what keeps a second controller away. An iteration may be killed between any two of its calls: the next one, in
whichever process, goes on from what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.decision import decide
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.lease import Lease, LeaseTaken, renewing_sleep
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import (
    AbortedBy,
    Action,
    AnalysisRun,
    Decision,
    Observation,
    Phase,
    Rollout,
    begin,
    begin_rollback,
)
from gauntlet.errors import ConfigurationError, DependencyError, GauntletError


class Conflict(Exception):
    """Somebody else wrote the journal since it was read."""


@dataclass(frozen=True)
class TargetStatus:
    """What a target shows of a rollout: the part of ``Observation`` that is its own; fields as there."""

    candidate_ready: bool
    stable_ready: bool
    weight: int | None
    failed: str = ""
    done: bool = False


class Target(Protocol):
    """Where versions run. Every action may be repeated, and returns before its effect is there to see.

    Raises, all methods: ``DependencyError`` when the other side does not answer; the turn is then tried again.
    """

    def observe(self, rollout: Rollout) -> TargetStatus:
        """What is there now. ``done`` answers for the phase the rollout is in."""

    def deploy(self, rollout: Rollout) -> None:
        """Make the candidate run with no requests."""

    def set_weight(self, rollout: Rollout) -> None:
        """Give the candidate ``rollout.weight`` percent of the requests."""

    def promote(self, rollout: Rollout) -> None:
        """Make the candidate the stable version."""

    def restore(self, rollout: Rollout) -> None:
        """Make the stable version run again, without taking requests from the candidate yet."""

    def roll_back(self, rollout: Rollout) -> None:
        """All requests to the stable version, then the candidate out of the specification, in this order.

        The one action that is carried out also where its state could not be written (``delivery.emergency_rollback``).
        """

    def infer_rollout(self, service: str, now: float) -> Rollout | None:
        """The rollout as the service itself shows it, for when no journal can tell; ``None`` where it shows none.

        Afterwards this target can take it back, without a journal.

        Args:
            service: its name.
            now: seconds since the epoch; when the rollout began, where that is not known.
        """


@dataclass(frozen=True)
class Assessment:
    """The part of ``Observation`` that a judge knows; fields as there.

    Attributes:
        power: what the analysis would detect, said once, when its tests have been chosen; empty otherwise.
    """

    analysis: AnalysisRun | None
    requests: int = 0
    baseline: bool = True
    approved: int = 0
    abort: str = ""
    power: str = ""


class Judge(Protocol):
    """Looks at metrics, and knows what people said."""

    def assess(self, rollout: Rollout, analysis_state: str, now: float) -> tuple[Assessment, str]:
        """What can be said now, and what to remember for the next look.

        The memory is written together with the state, or not at all: a look whose turn was killed never happened, and
        the next one covers its interval. Metrics that cannot be read are a look of status ``error``, not an exception.

        Args:
            rollout: the state before this turn.
            analysis_state: what the last look that was written returned; empty before the first.
            now: seconds since the epoch.
        """


class JournalStore(Protocol):
    """Keeps the journal of one rollout a service.

    Raises, all methods: ``DependencyError`` when the other side does not answer.
    """

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and the mark of its version; ``None`` if there was never a rollout on the service.

        Raises:
            DataError: what is there is no journal.
        """

    def write(self, journal: Journal, etag: str) -> str:
        """Replace the journal that had this mark (empty: there was none), and return the new mark.

        Raises:
            Conflict: it has another mark by now.
        """

    def set_aside(self, service: str) -> str:
        """Put a journal that cannot be read away, whole, so that another can begin; where it is from then on."""


@dataclass(frozen=True)
class Backends:
    """Everything a rollout is carried out with."""

    journals: JournalStore
    lease: Lease
    target: Target
    judge: Judge


def start(
    journals: JournalStore, service: str, candidate: Release, stable: Release, now: float, attempt: str = ""
) -> Rollout:
    """Begin a rollout, or find the one that is under way or was finished for the same two versions.

    Starting again what was finished changes nothing: it is not another rollout, let alone a rollback. A candidate that
    was taken back gets another chance under another name of the attempt.

    Raises:
        ConfigurationError: another candidate is on its way on this service.
        Conflict: somebody else begins one at this moment.
    """
    found = journals.read(service)
    if found is not None:
        rollout = found[0].rollout
        if is_same(rollout, candidate, stable, attempt):
            return rollout
        if not rollout.phase.final:
            raise ConfigurationError(
                f"a rollout of {rollout.candidate} is under way ({rollout.phase.value}, {rollout.weight} %)",
                field="service",
                value=service,
                mend="Wait for its end, or take it back",
            )
    fresh = begin(service, candidate, stable, now, attempt)
    began = f"The rollout of {candidate} in place of {stable} begins."
    journals.write(
        Journal(fresh).with_entry(Entry(now, fresh.phase, 0, Action.NOTHING, began)), found[1] if found else ""
    )
    return fresh


def is_same(rollout: Rollout, candidate: Release, stable: Release, attempt: str) -> bool:
    """Whether to start this would be to go on with that rollout, or to find it finished."""
    if (rollout.candidate, rollout.stable, rollout.attempt) == (candidate, stable, attempt):
        return True
    return rollout.candidate == candidate and not rollout.phase.final


def abort(journals: JournalStore, service: str, reason: str, now: float, by: AbortedBy = "person") -> Rollout:
    """Abort the newest rollout of a service, also one that was promoted; the control loop then rolls it back.

    Raises:
        ConfigurationError: there was never a rollout on the service.
        Conflict: somebody else wrote at this moment; try again.
    """
    journal, etag = _read(journals, service)
    aborted = begin_rollback(journal.rollout, reason, by)
    if aborted != journal.rollout:
        entry = Entry(now, aborted.phase, aborted.weight, Action.NOTHING, reason)
        journals.write(replace(journal, rollout=aborted).with_entry(entry), etag)
    return aborted


def reconcile(backends: Backends, plan: RolloutPlan, service: str, now: float) -> Decision:
    """One turn: what is decided is written before it is done.

    Raises:
        ConfigurationError: no rollout was started on the service.
        Conflict: somebody else took this turn; read again.
        LeaseTaken: somebody else acts on this service.
        DependencyError: something did not answer; nothing was done that was not written before.
    """
    backends.lease.acquire(service)
    journal, etag = _read(backends.journals, service)
    rollout = journal.rollout
    if rollout.phase.final:
        return decide(rollout, Observation(False, False), plan, now)
    target_status = backends.target.observe(rollout)
    said, analysis_state = _assessed(backends.judge, journal, now)
    decision = decide(rollout, _observation(target_status, said), plan, now)
    after = decision.rollout
    if after != rollout or analysis_state != journal.analysis_state:
        entry = Entry(now, after.phase, after.weight, decision.action, decision.sentence, said.analysis, said.power)
        decision = replace(decision, sentence=f"{decision.sentence} {said.power}".rstrip())
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
    """Take turns until the rollout is over.

    Args:
        backends, plan, service: as in ``reconcile``.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
        on_decision: called after every iteration.
        patience: turns in a row that may fail before this gives up; the state stays, and the next one goes on.

    Raises:
        DependencyError: patience is spent.
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
                        f"failed {failed} turns in a row",
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
    """A look; one that fails does not hold up a way back, which does not depend on it."""
    try:
        return judge.assess(journal.rollout, journal.analysis_state, now)
    except GauntletError:
        if journal.rollout.phase is not Phase.ROLLING_BACK:
            raise
        return Assessment(None), journal.analysis_state


def _read(journals: JournalStore, service: str) -> tuple[Journal, str]:
    found = journals.read(service)
    if found is None:
        raise ConfigurationError("has no rollout", field="service", value=service, mend="Start one")
    return found


def _observation(target_status: TargetStatus, said: Assessment) -> Observation:
    return Observation(
        candidate_ready=target_status.candidate_ready,
        stable_ready=target_status.stable_ready,
        weight=target_status.weight,
        requests=said.requests,
        baseline=said.baseline,
        analysis=said.analysis,
        failed=target_status.failed,
        approved=said.approved,
        abort=said.abort,
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
