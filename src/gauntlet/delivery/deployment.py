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
from gauntlet.errors import ConfigurationError, NoRollout, RolloutBlocked, ServiceBusy, VersionNotReady

_ATTEMPTS = 10
"""Attempts to abort a rollout while other processes write its journal."""


@dataclass(frozen=True)
class Time:
    """The clock of a delivery.

    Attributes:
        now: seconds since the epoch.
        sleep: waits so many seconds.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]


class SteadyClock:
    """A clock that goes on where the machine's is set back: a step must not last until that has caught up.

    Args:
        now: the machine's clock, seconds since the epoch.
        since: it was at least this late already.
    """

    def __init__(self, now: Callable[[], float], since: float = 0.0) -> None:
        self._now, self._last, self._ahead = now, since, 0.0

    def __call__(self) -> float:
        """Seconds since the epoch, never less than before."""
        time = self._now() + self._ahead
        self._ahead += max(self._last - time, 0.0)
        self._last = max(self._last, time)
        return self._last


OnDecision = Callable[[Decision], None]


def deploy_to_staging(
    service: Service, release: Release, time: Time, *, patience: float, on_warning: OnWarning = ignore_warning
) -> str:
    """Serve a version in staging, in place of the one there, and wait until it answers.

    Args:
        service: the staging service.
        release: the version to serve.
        time: the clock.
        patience: seconds to wait.
        on_warning: called where this waits for the lease of a controller that may have died.

    Returns:
        The URL of its own server.

    Raises:
        VersionNotReady: it does not answer in time.
        ServiceBusy: another controller acts on the service.
    """
    with lease_held(service, time, on_warning):
        service.handle.install(release, replace=True)
        _wait_until_ready(service, release, time, patience)
        return service.handle.url_of(release)


def preflight_warnings(service: Service, digest: str) -> tuple[Obstacle, ...]:
    """Run the preflight of a service, and return its warnings; nothing where no rollout would begin.

    Args:
        service: the service.
        digest: of the model to roll out.

    Raises:
        RolloutBlocked: obstacles block a rollout; it lists all of them.
        DependencyError: the service does not answer.
    """
    with _explained(service):
        if unfinished(service):
            return ()  # it is resumed, or rolled back first: its canary is no obstacle
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
    """Roll a version out to all of production's traffic, or roll it back; resumes an unfinished rollout.

    The first version of a service is installed: there is nothing to compare it with. A version that serves already
    stays. An abandoned rollout of another version is rolled back first.

    Args:
        service: the service.
        release: the version.
        judge: assesses its metrics.
        plan: the steps.
        time: the clock.
        attempt: another name gives a candidate that was rolled back another chance.
        on_decision: called after every iteration.
        on_warning: called with the warnings of the preflight, and where this waits for a lease.

    Returns:
        The journal of the rollout, which is over.

    Raises:
        RolloutBlocked: obstacles block a new rollout; it lists all of them.
        JournalUnreadable: there is a journal that cannot be read.
        UnrecordedRollback: it was rolled back, and that could not be written.
        ServiceBusy: another controller acts on the service.
        DependencyError: a backend did not answer for too long. The rollout stays as it is; the next call resumes it.
    """
    journals = FallbackJournalStore(service.journals, on_warning)
    deployment = _Deployment(service, journals, judge, plan, time, on_decision)
    with ExitStack() as held:
        with _explained(service):
            held.enter_context(lease_held(service, time, on_warning))
            stored = service.journals.read(service.name)
        under_way = stored is not None and not stored[0].rollout.phase.final
        if stored and under_way and stored[0].rollout.candidate != release:
            reason = f"It was left behind unfinished, and {release} is on its way."
            stored, under_way = (deployment.roll_back(reason, "controller"), ""), False
            renew(service.lease, service.name)  # the controller releases it at the end
        with _explained(service):
            stable = service.handle.current()
        serves = not under_way and stable is not None and stable.digest == release.digest
        if not serves and not (stored and is_same(stored[0].rollout, release, stable or release, attempt)):
            _preflight(service, on_warning)
        if serves or (stable is None and not under_way):
            return _installed(service, release, stable, plan, time)
        start(service.journals, service.name, release, stable or release, time.now(), attempt)
        return deployment.run_to_end()


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

    Where its journal cannot be read, the rollout is inferred from the service; the journal is kept.

    Raises:
        NoRollout: there was never a rollout on the service.
        DataError: the journal cannot be read, and the service does not show a rollout.
        UnrecordedRollback: it was rolled back, and that could not be written.
        DependencyError: as ``roll_out``.
    """
    journals = FallbackJournalStore(service.journals, on_warning)
    deployment = _Deployment(service, journals, judge, plan, time, on_decision)
    with lease_held(service, time, on_warning):
        recover_journal(service, deployment.journals, time.now(), on_warning)
        return deployment.roll_back(reason, by)


@contextmanager
def lease_held(service: Service, time: Time, on_warning: OnWarning = ignore_warning) -> Iterator[None]:
    """Hold the lease of a service; the lease of a controller that died is waited for first.

    Raises:
        ServiceBusy: another controller acts on the service, or another process wrote what this one had read.
    """
    wait_for_lease(service.lease, service.name, time.sleep, on_warning)
    try:
        yield
    except Conflict as conflict:
        raise ServiceBusy(
            "another process changed it at this moment, and this one has changed nothing since",
            field=service.name,
            value=str(conflict) or None,
            mend="Run this again: it goes on from what the other wrote",
            retryable=True,
        ) from conflict
    finally:
        service.lease.release(service.name)


def unfinished(service: Service) -> bool:
    """Whether a rollout was begun and not ended."""
    stored = service.journals.read(service.name)
    return stored is not None and not stored[0].rollout.phase.final


@contextmanager
def _explained(service: Service) -> Iterator[None]:
    """Replace a configuration error by one that lists all obstacles, rather than the first one met."""
    try:
        yield
    except ConfigurationError as error:
        try:
            require_clear(service.obstacles(), service.name)
        except RolloutBlocked as blocked:
            raise blocked from error
        raise


def _preflight(service: Service, on_warning: OnWarning) -> None:
    """Make sure that no obstacle blocks a new rollout; warn of the others."""
    for obstacle in require_clear(service.obstacles(), service.name):
        on_warning(obstacle)


@dataclass(frozen=True)
class _Deployment:
    """One run of the controller, to the end of a rollout or rollback. Arguments as ``roll_out``'s."""

    service: Service
    journals: FallbackJournalStore
    judge: Judge
    plan: RolloutPlan
    time: Time
    on_decision: OnDecision

    def roll_back(self, reason: str, by: AbortedBy) -> Journal:
        """Abort the newest rollout, and run the rollback to its end."""

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
        stored = self.journals.read(service.name)
        written = stored[0].entries[-1].at if stored and stored[0].entries else 0.0
        clock = SteadyClock(self.time.now, written)
        run_to_end(backends, self.plan, service.name, clock=clock, sleep=self.time.sleep, on_decision=self.on_decision)
        stored = self.journals.read(service.name)
        if stored is None:
            message = "its rollout journal disappeared while the rollout ran"
            mend = "Do not delete it; roll out again under another attempt"
            raise NoRollout(message, field=service.name, mend=mend)
        unrecorded = [why for why in (self.journals.why, service.unrecorded()) if why]
        if unrecorded:
            raise UnrecordedRollback(stored[0], *unrecorded)
        return stored[0]


def _installed(service: Service, release: Release, stable: Release | None, plan: RolloutPlan, time: Time) -> Journal:
    """Serve a version that needs no rollout: the first one, or the one that serves already."""
    stored = service.journals.read(service.name)
    if stable is None:
        service.handle.install(release)
    _wait_until_ready(service, release, time, plan.ready_seconds)
    if stored and stored[0].rollout.phase is Phase.PROMOTED and stored[0].rollout.candidate.digest == release.digest:
        journal = stored[0]
    else:
        sentence = f"Version {release.version} serves" + (", the first one." if stable is None else " already.")
        done = replace(begin(service.name, release, release, time.now()), phase=Phase.PROMOTED, weight=100)
        code = Event.INSTALLED if stable is None else Event.ALREADY_SERVING
        journal = Journal(done).with_entry(Entry(time.now(), done.phase, 100, Action.NOTHING, sentence, code=code))
        service.journals.write(journal, stored[1] if stored else "")
    return journal


def _wait_until_ready(service: Service, release: Release, time: Time, patience: float) -> None:
    rest = renewing_sleep(service.lease, service.name, time.sleep)
    clock = SteadyClock(time.now)
    deadline = clock() + patience
    while not service.handle.ready(release):
        if clock() > deadline:
            raise VersionNotReady(
                f"{release} does not answer after {patience:,.0f} s",
                field=service.name,
                mend="Read the server's log; a wrong digest or a missing library ends it at once",
            )
        rest(min(1.0, patience / 10))
