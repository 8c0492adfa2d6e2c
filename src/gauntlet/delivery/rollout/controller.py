"""Carrying a rollout out: read the journal, look around, decide, write, act; one turn after another.

``Target`` is what is acted on, ``Ledger`` what survives the one who acts, ``Judge`` what looks at the metrics, and
``Lease`` what keeps a second one away. A turn may be killed between any two of its calls; the next one, by whoever,
goes on from what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.lease import Lease, Taken, resting
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Decision, Do, Look, Phase, Rollout, Seen, begin, decide, take_back
from gauntlet.errors import ConfigurationError, DependencyError, GauntletError


class Conflict(Exception):
    """Somebody else wrote the journal since it was read."""


@dataclass(frozen=True)
class Sighting:
    """What a target shows of a rollout: the part of ``Seen`` that is its own; fields as there."""

    candidate_ready: bool
    stable_ready: bool
    weight: int | None
    failed: str = ""
    done: bool = False


class Target(Protocol):
    """Where versions run. Every action may be repeated, and returns before its effect is there to see.

    Raises, all methods: ``DependencyError`` when the other side does not answer; the turn is then tried again.
    """

    def observe(self, rollout: Rollout) -> Sighting:
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

        The one action that is carried out also where its state could not be written (``delivery.way_back``).
        """

    def shown(self, service: str, now: float) -> Rollout | None:
        """The rollout as the service itself shows it, for when no journal can tell; ``None`` where it shows none.

        Afterwards this target can take it back, without a journal.

        Args:
            service: its name.
            now: seconds since the epoch; when the rollout began, where that is not known.
        """


@dataclass(frozen=True)
class Judgement:
    """The part of ``Seen`` that a judge knows; fields as there.

    Attributes:
        remark: something the timeline should hold beside the decision; empty for nothing.
    """

    look: Look | None
    requests: int = 0
    baseline: bool = True
    approved: int = 0
    refused: str = ""
    remark: str = ""


class Judge(Protocol):
    """Looks at metrics, and knows what people said."""

    def look(self, rollout: Rollout, memory: str, now: float) -> tuple[Judgement, str]:
        """What can be said now, and what to remember for the next look.

        The memory is written together with the state, or not at all: a look whose turn was killed never happened, and
        the next one covers its interval. Metrics that cannot be read are a look of status ``error``, not an exception.

        Args:
            rollout: the state before this turn.
            memory: what the last look that was written returned; empty before the first.
            now: seconds since the epoch.
        """


class Ledger(Protocol):
    """Keeps the journal of one rollout a service.

    Raises, all methods: ``DependencyError`` when the other side does not answer.
    """

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and the mark of its version; ``None`` if there was never a rollout on the service.

        Raises:
            DataError: what is there is no journal.
        """

    def write(self, journal: Journal, mark: str) -> str:
        """Replace the journal that had this mark (empty: there was none), and return the new mark.

        Raises:
            Conflict: it has another mark by now.
        """

    def set_aside(self, service: str) -> str:
        """Put a journal that cannot be read away, whole, so that another can begin; where it is from then on."""


@dataclass(frozen=True)
class Stage:
    """Everything a rollout is carried out with."""

    ledger: Ledger
    lease: Lease
    target: Target
    judge: Judge


def start(ledger: Ledger, service: str, candidate: Release, stable: Release, now: float, attempt: str = "") -> Rollout:
    """Begin a rollout, or find the one that is under way or was finished for the same two versions.

    Starting again what was finished changes nothing: it is not another rollout, let alone a rollback. A candidate that
    was taken back gets another chance under another name of the attempt.

    Raises:
        ConfigurationError: another candidate is on its way on this service.
        Conflict: somebody else begins one at this moment.
    """
    found = ledger.read(service)
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
    ledger.write(Journal(fresh).with_entry(Entry(now, fresh.phase, 0, Do.NOTHING, began)), found[1] if found else "")
    return fresh


def is_same(rollout: Rollout, candidate: Release, stable: Release, attempt: str) -> bool:
    """Whether to start this would be to go on with that rollout, or to find it finished."""
    if (rollout.candidate, rollout.stable, rollout.attempt) == (candidate, stable, attempt):
        return True
    return rollout.candidate == candidate and not rollout.phase.final


def refuse(ledger: Ledger, service: str, reason: str, now: float) -> Rollout:
    """Have the newest rollout of a service taken back, also one that was promoted; turns then carry it out.

    Raises:
        ConfigurationError: there was never a rollout on the service.
        Conflict: somebody else wrote at this moment; try again.
    """
    journal, mark = _read(ledger, service)
    refused = take_back(journal.rollout, reason)
    if refused != journal.rollout:
        entry = Entry(now, refused.phase, refused.weight, Do.NOTHING, reason)
        ledger.write(replace(journal, rollout=refused).with_entry(entry), mark)
    return refused


def turn(stage: Stage, plan: RolloutPlan, service: str, now: float) -> Decision:
    """One turn: what is decided is written before it is done.

    Raises:
        ConfigurationError: no rollout was started on the service.
        Conflict: somebody else took this turn; read again.
        Taken: somebody else acts on this service.
        DependencyError: something did not answer; nothing was done that was not written before.
    """
    stage.lease.hold(service)
    journal, mark = _read(stage.ledger, service)
    rollout = journal.rollout
    if rollout.phase.final:
        return decide(rollout, Seen(False, False), plan, now)
    sighting = stage.target.observe(rollout)
    said, memory = _looked(stage.judge, journal, now)
    decision = decide(rollout, _seen(sighting, said), plan, now)
    after = decision.rollout
    if after != rollout or memory != journal.memory:
        sentence = f"{decision.sentence} {said.remark}".rstrip()
        decision = replace(decision, sentence=sentence)
        entry = Entry(now, after.phase, after.weight, decision.do, sentence, said.look)
        stage.ledger.write(replace(journal, rollout=after, memory=memory).with_entry(entry), mark)
    action = _action(decision.do, stage.target)
    if action:
        stage.lease.check(service)
        action(after)
    return decision


def conduct(
    stage: Stage,
    plan: RolloutPlan,
    service: str,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    seen: Callable[[Decision], None] = lambda decision: None,
    patience: int = 20,
) -> Rollout:
    """Take turns until the rollout is over.

    Args:
        stage, plan, service: as in ``turn``.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
        seen: told of every turn.
        patience: turns in a row that may fail before this gives up; the state stays, and the next one goes on.

    Raises:
        DependencyError: patience is spent.
    """
    failed = 0
    try:
        while True:
            try:
                decision = turn(stage, plan, service, clock())
            except (Conflict, Taken, DependencyError) as error:
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
                seen(decision)
                if decision.rollout.phase.final:
                    return decision.rollout
            resting(stage.lease, service, sleep)(plan.interval_seconds)
    finally:
        stage.lease.release(service)


def _looked(judge: Judge, journal: Journal, now: float) -> tuple[Judgement, str]:
    """A look; one that fails does not hold up a way back, which does not depend on it."""
    try:
        return judge.look(journal.rollout, journal.memory, now)
    except GauntletError:
        if journal.rollout.phase is not Phase.ROLLING_BACK:
            raise
        return Judgement(None), journal.memory


def _read(ledger: Ledger, service: str) -> tuple[Journal, str]:
    found = ledger.read(service)
    if found is None:
        raise ConfigurationError("has no rollout", field="service", value=service, mend="Start one")
    return found


def _seen(sighting: Sighting, said: Judgement) -> Seen:
    return Seen(
        candidate_ready=sighting.candidate_ready,
        stable_ready=sighting.stable_ready,
        weight=sighting.weight,
        requests=said.requests,
        baseline=said.baseline,
        look=said.look,
        failed=sighting.failed,
        approved=said.approved,
        refused=said.refused,
        done=sighting.done,
    )


def _action(do: Do, target: Target) -> Callable[[Rollout], None] | None:
    return {
        Do.DEPLOY: target.deploy,
        Do.SET_WEIGHT: target.set_weight,
        Do.PROMOTE: target.promote,
        Do.RESTORE: target.restore,
        Do.ROLL_BACK: target.roll_back,
    }.get(do)
