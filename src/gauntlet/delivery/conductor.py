"""Carrying a rollout out: read the state, look around, decide, write, act; one turn after another.

``Target`` is what is acted on, ``Ledger`` what survives the one who acts, ``Judge`` what looks at the metrics. A turn
may be killed between any two of its calls; the next one, by whoever, goes on from what was written. One at a time acts
on a service (a lease has to see to that): the ledger's mark finds a second one when it writes, not before an action it
had decided already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gauntlet.delivery.plan import RolloutPlan
from gauntlet.delivery.rollout import Decision, Do, Look, Phase, Rollout, Seen, begin, decide
from gauntlet.errors import ConfigurationError, DependencyError


class Conflict(Exception):
    """Somebody else wrote the state since it was read."""


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

    def roll_back(self, rollout: Rollout) -> None:
        """All requests to the stable version, then the candidate out of the specification, in this order."""


class Judge(Protocol):
    """Looks at metrics, and knows what people said."""

    def look(self, rollout: Rollout, now: float) -> Judgement:
        """What can be said now. Metrics that cannot be read are a look of status ``error``, not an exception."""


@dataclass(frozen=True)
class Judgement:
    """The part of ``Seen`` that a judge knows; fields as there."""

    look: Look | None
    requests: int
    approved: int = 0
    refused: str = ""


class Ledger(Protocol):
    """Keeps the state of one rollout a service, and its timeline.

    Raises, all methods: ``DependencyError`` when the other side does not answer.
    """

    def read(self, service: str) -> tuple[Rollout, str] | None:
        """The state and the mark of its version; ``None`` if there was never a rollout on the service."""

    def write(self, rollout: Rollout, mark: str) -> str:
        """Replace the state that had this mark (empty: there was none), and return the new mark.

        Raises:
            Conflict: it has another mark by now.
        """

    def note(self, rollout: Rollout, now: float, sentence: str) -> None:
        """Add a sentence to the timeline."""


def start(ledger: Ledger, service: str, candidate: str, stable: str, now: float) -> Rollout:
    """Begin a rollout, or find the one that is under way or was finished for the same two versions.

    Starting again what was finished changes nothing: it is not another rollout, let alone a rollback.

    Raises:
        ConfigurationError: another candidate is on its way on this service.
        Conflict: somebody else begins one at this moment.
    """
    found = ledger.read(service)
    if found is not None:
        rollout, _ = found
        if (rollout.candidate, rollout.stable) == (candidate, stable):
            return rollout
        if not rollout.phase.final:
            raise ConfigurationError(
                f"a rollout of {rollout.candidate} is under way ({rollout.phase.value}, {rollout.weight} %)",
                field="service",
                value=service,
                mend="Wait for its end, or refuse it",
            )
    fresh = begin(service, candidate, stable, now)
    ledger.write(fresh, found[1] if found else "")
    ledger.note(fresh, now, f"The rollout of {candidate} in place of {stable} begins.")
    return fresh


def turn(ledger: Ledger, target: Target, judge: Judge, plan: RolloutPlan, service: str, now: float) -> Decision:
    """One turn: what is decided is written before it is done.

    Raises:
        ConfigurationError: no rollout was started on the service.
        Conflict: somebody else took this turn; read again.
        DependencyError: something did not answer; nothing was done that was not written before.
    """
    found = ledger.read(service)
    if found is None:
        raise ConfigurationError("has no rollout", field="service", value=service, mend="Start one")
    rollout, mark = found
    if rollout.phase.final:
        return decide(rollout, Seen(False, False), plan, now)
    decision = decide(rollout, _seen(rollout, target, judge, now), plan, now)
    if decision.rollout != rollout:
        ledger.write(decision.rollout, mark)
        ledger.note(decision.rollout, now, decision.sentence)
    _carry_out(decision, target)
    return decision


def conduct(
    ledger: Ledger,
    target: Target,
    judge: Judge,
    plan: RolloutPlan,
    service: str,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience: int = 20,
) -> Rollout:
    """Take turns until the rollout is over.

    Args:
        ledger, target, judge, plan, service: as in ``turn``.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
        patience: turns in a row that may fail before this gives up; the state stays, and the next one goes on.

    Raises:
        DependencyError: patience is spent.
    """
    failed = 0
    while True:
        try:
            decision = turn(ledger, target, judge, plan, service, clock())
        except (Conflict, DependencyError) as error:
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
            if decision.rollout.phase.final:
                return decision.rollout
        sleep(plan.interval_seconds)


def _seen(rollout: Rollout, target: Target, judge: Judge, now: float) -> Seen:
    sighting = target.observe(rollout)
    said = judge.look(rollout, now) if rollout.phase is not Phase.ROLLING_BACK else Judgement(None, 0)
    return Seen(
        candidate_ready=sighting.candidate_ready,
        stable_ready=sighting.stable_ready,
        weight=sighting.weight,
        requests=said.requests,
        look=said.look,
        failed=sighting.failed,
        approved=said.approved,
        refused=said.refused,
        done=sighting.done,
    )


def _carry_out(decision: Decision, target: Target) -> None:
    actions = {
        Do.DEPLOY: target.deploy,
        Do.SET_WEIGHT: target.set_weight,
        Do.PROMOTE: target.promote,
        Do.ROLL_BACK: target.roll_back,
    }
    action = actions.get(decision.do)
    if action:
        action(decision.rollout)
