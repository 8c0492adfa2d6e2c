"""Deployments from end to end, on any service: staging, rollout, rollback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from gauntlet.delivery.emergency_rollback import FallbackJournalStore, UnrecordedRollback, recover_journal
from gauntlet.delivery.preflight import Obstacle, require_clear
from gauntlet.delivery.release import Release
from gauntlet.delivery.retry import Retry, retry_on_conflict
from gauntlet.delivery.rollout.controller import abort, is_same, run_to_end, start
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.lease import OnWarning, ignore_warning, renew, renewing_sleep, wait_for_lease
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Backends, Conflict, Judge
from gauntlet.delivery.rollout.state import AbortedBy, Action, Decision, Phase, begin
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import ConfigurationError, NoRollout, VersionNotReady

_ATTEMPTS = 10
"""To abort a rollout whose journal others write."""


@dataclass(frozen=True)
class Time:
    """The clock of whoever delivers.

    Attributes:
        now: seconds since the epoch.
        sleep: waits so many seconds.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]


OnDecision = Callable[[Decision], None]


def deploy_to_staging(
    service: Service, release: Release, time: Time, *, patience: float, on_warning: OnWarning = ignore_warning
) -> str:
    """Serve a version in staging, in place of whatever is there, and wait until it answers.

    Args:
        service: the staging service.
        release: what to serve.
        time: the clock.
        patience: seconds to wait.
        on_warning: hears that it waits for somebody who may have died.

    Returns:
        Where its own server answers.

    Raises:
        DependencyError: it does not answer in time, or somebody else acts on the service.
    """
    with lease_held(service, time, on_warning):
        service.handle.install(release, replace=True)
        _wait_until_ready(service, release, time, patience)
        return service.handle.url_of(release)


def preflight_warnings(service: Service, digest: str) -> tuple[Obstacle, ...]:
    """What a person should know before a rollout on a service begins; nothing where none would begin.

    Args:
        service: where.
        digest: of the model that is on its way.

    Raises:
        ConfigurationError: something stands in the way; it lists everything that does.
        DependencyError: the other side does not answer.
    """
    with _explained(service):
        if unfinished(service):
            return ()  # it is gone on with, or rolled back first, and its canary is no other's
        stable = service.handle.current()
    if stable is not None and stable.digest == digest:
        return ()
    return require_clear(service.obstacles(), service.name)


def roll_out(
    service: Service,
    release: Release,
    judge: Judge,
    plan: RolloutPlan,
    time: Time,
    *,
    attempt: str = "",
    on_decision: OnDecision,
    on_warning: OnWarning = ignore_warning,
) -> Journal:
    """Bring a version to all of production's traffic, or roll it back; resumes what was begun.

    The first version of a service is installed: there is nothing to compare it with. A version that serves already
    stays. An abandoned rollout of another version is rolled back first.

    Args:
        service: where.
        release: what.
        judge: assesses its metrics.
        plan: the steps.
        time: the clock.
        attempt: another name gives a candidate that was rolled back another chance.
        on_decision: called after every iteration.
        on_warning: hears what a person should know before it begins, and that it waits for somebody who may have died.

    Returns:
        The journal of the rollout, which is over.

    Raises:
        ConfigurationError: something stands in the way of a rollout that has not begun; it lists everything that does.
        DataError: there is a journal that cannot be read.
        UnrecordedRollback: it was rolled back, and that could not be written.
        DependencyError: something did not answer for too long, or somebody else acts on the service. What was begun
            stays, and this goes on with it when it is called again.
    """
    act = _Deployment(service, FallbackJournalStore(service.journals, on_warning), judge, plan, time, on_decision)
    with ExitStack() as held:
        with _explained(service):
            held.enter_context(lease_held(service, time, on_warning))
            found = service.journals.read(service.name)
        going = found is not None and not found[0].rollout.phase.final
        if found and going and found[0].rollout.candidate != release:
            reason = f"It was left behind unfinished, and {release} is on its way."
            found, going = (act.roll_back(reason, "controller"), ""), False
            renew(service.lease, service.name)  # the controller releases it at the end
        with _explained(service):
            stable = service.handle.current()
        serves = not going and stable is not None and stable.digest == release.digest
        if not serves and not (found and is_same(found[0].rollout, release, stable or release, attempt)):
            _look_ahead(service, on_warning)
        if serves or (stable is None and not going):
            return _installed(service, release, stable, plan, time)
        start(service.journals, service.name, release, stable or release, time.now(), attempt)
        return act.run_to_end()


def roll_back(
    service: Service,
    judge: Judge,
    plan: RolloutPlan,
    reason: str,
    time: Time,
    *,
    by: AbortedBy = "person",
    on_decision: OnDecision,
    on_warning: OnWarning = ignore_warning,
) -> Journal:
    """Roll back the newest rollout of a service, also a promoted one, and run that to its end; repeatable.

    Where its journal cannot be read, what the service shows is gone by; the journal is kept.

    Raises:
        ConfigurationError: there was never a rollout on the service.
        DataError: the journal cannot be read, and the service does not show a rollout.
        UnrecordedRollback: it was rolled back, and that could not be written.
        DependencyError: as ``roll_out``.
    """
    act = _Deployment(service, FallbackJournalStore(service.journals, on_warning), judge, plan, time, on_decision)
    with lease_held(service, time, on_warning):
        recover_journal(service, act.journals, time.now(), on_warning)
        return act.roll_back(reason, by)


@contextmanager
def lease_held(service: Service, time: Time, on_warning: OnWarning = ignore_warning) -> Iterator[None]:
    """Keep everybody else from acting on a service meanwhile; whoever died acting on it is waited for first.

    Raises:
        DependencyError: somebody else acts on it.
    """
    wait_for_lease(service.lease, service.name, time.sleep, on_warning)
    try:
        yield
    finally:
        service.lease.release(service.name)


def unfinished(service: Service) -> bool:
    """Whether a rollout was begun and not ended."""
    found = service.journals.read(service.name)
    return found is not None and not found[0].rollout.phase.final


@contextmanager
def _explained(service: Service) -> Iterator[None]:
    """Have an error of the other side list everything that blocks, rather than what was met first."""
    try:
        yield
    except ConfigurationError as error:
        try:
            require_clear(service.obstacles(), service.name)
        except ConfigurationError as all_of_it:
            raise all_of_it from error
        raise


def _look_ahead(service: Service, on_warning: OnWarning) -> None:
    """Make sure that nothing stands in the way of a new rollout."""
    for obstacle in require_clear(service.obstacles(), service.name):
        on_warning(obstacle)


@dataclass(frozen=True)
class _Deployment:
    """A deployment under way: the controller's run, and what follows from how they end. Arguments as ``roll_out``'s."""

    service: Service
    journals: FallbackJournalStore
    judge: Judge
    plan: RolloutPlan
    time: Time
    on_decision: OnDecision

    def roll_back(self, reason: str, by: AbortedBy) -> Journal:
        """Have the newest rollout rolled back, and see it through."""

        def attempt() -> None:
            try:
                abort(self.journals, self.service.name, reason, self.time.now(), by)
            except Conflict as conflict:
                raise Retry from conflict

        mend = "Stop the other process that updates this rollout's journal"
        retry_on_conflict(attempt, attempts=_ATTEMPTS, field=self.service.name, mend=mend)
        return self.run_to_end()

    def run_to_end(self) -> Journal:
        """Run the controller until the rollout is over."""
        service = self.service
        backends = Backends(self.journals, service.lease, service.target, self.judge, service.approvals)
        run_to_end(
            backends, self.plan, service.name, clock=self.time.now, sleep=self.time.sleep, on_decision=self.on_decision
        )
        found = self.journals.read(service.name)
        if found is None:
            message = "its rollout journal disappeared while the rollout ran"
            mend = "Do not delete it; roll out again under another attempt"
            raise NoRollout(message, field=service.name, mend=mend)
        unrecorded = [why for why in (self.journals.why, service.unrecorded()) if why]
        if unrecorded:
            raise UnrecordedRollback(found[0], *unrecorded)
        return found[0]


def _installed(service: Service, release: Release, stable: Release | None, plan: RolloutPlan, time: Time) -> Journal:
    """Make sure that a version serves that needs no rollout: the first one, or the one that serves already."""
    found = service.journals.read(service.name)
    if stable is None:
        service.handle.install(release)
    _wait_until_ready(service, release, time, plan.ready_seconds)
    if found and found[0].rollout.phase is Phase.PROMOTED and found[0].rollout.candidate.digest == release.digest:
        journal = found[0]
    else:
        sentence = f"Version {release.version} serves" + (", the first one." if stable is None else " already.")
        done = replace(begin(service.name, release, release, time.now()), phase=Phase.PROMOTED, weight=100)
        code = Event.INSTALLED if stable is None else Event.ALREADY_SERVING
        journal = Journal(done).with_entry(Entry(time.now(), done.phase, 100, Action.NOTHING, sentence, code=code))
        service.journals.write(journal, found[1] if found else "")
    return journal


def _wait_until_ready(service: Service, release: Release, time: Time, patience: float) -> None:
    rest = renewing_sleep(service.lease, service.name, time.sleep)
    deadline = time.now() + patience
    while not service.handle.ready(release):
        if time.now() > deadline:
            raise VersionNotReady(
                f"{release} does not answer after {patience:,.0f} s",
                field=service.name,
                mend="Read the server's log; a wrong digest or a missing library ends it at once",
            )
        rest(min(1.0, patience / 10))
