"""Rollback where the journal cannot be written or read.

Every other action is persisted before it is carried out. Sending all requests to the stable version may precede its
record: it is safe, idempotent, and a later controller recognises it. So where the journal cannot be written, a rollback
is kept in memory, carried out, and written as soon as that works; where it cannot be read, the rollout is inferred from
the service. A person is warned of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.lease import OnWarning
from gauntlet.delivery.rollout.ports import Conflict, JournalStore
from gauntlet.delivery.rollout.state import Action, Phase, Rollout
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError, DependencyError, GauntletError
from gauntlet.registry.aliases import record_rollback
from gauntlet.registry.store import ModelStore

_BACK = (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
_NOT_WRITTEN = (ConfigurationError, DataError, DependencyError)
"""Errors of a journal that cannot be read or written: no permission, unreadable, no space or no answer."""


class UnrecordedRollback(DependencyError):
    """The rollback is carried out, and its record could not be written.

    Args:
        journal: of the rollout that was rolled back.
        why: what was not written, and why; one or more.
    """

    code = "dependency.rollback_not_recorded"

    def __init__(self, journal: Journal, *why: str) -> None:
        rollout = journal.rollout
        super().__init__(
            f"all requests go to {rollout.stable} again ({rollout.reason.rstrip('.')}), but not all of this could be "
            f"written: {'; '.join(why)}",
            field=rollout.service,
            mend="See to the space, the permission or the quota it lacks, then run the pipeline rollback: it writes "
            "down what is done already",
        )
        self.journal = journal


class FallbackJournalStore:
    """``ports.JournalStore`` around another one; keeps the journal of a rollback in memory where writing fails.

    Attributes:
        why: the newest state could not be written; empty where it was.

    Args:
        journals: the store behind it.
        on_warning: called once where a journal could not be written.
    """

    def __init__(self, journals: JournalStore, on_warning: OnWarning) -> None:
        self.why = ""
        self._journals, self._on_warning = journals, on_warning
        self._kept: Journal | None = None

    def read(self, service: str) -> tuple[Journal, str] | None:
        """Read the journal; one that could not be written yet is retried first."""
        if self._kept is not None:
            self._try(self._kept)
        return self._journals.read(service) if self._kept is None else (self._kept, "")

    def write(self, journal: Journal, etag: str) -> str:
        """Write the journal; where that fails, the journal of a rollback is kept in memory, any other raises."""
        if self._kept is not None:
            self._try(journal)
            return ""
        try:
            return self._journals.write(journal, etag)
        except _NOT_WRITTEN as error:
            if journal.rollout.phase not in _BACK:
                raise
            self._kept, self.why = journal, _plainly(error)
            sentence = f"cannot be written ({self.why})"
            mend = f"No action is needed: all requests go to {journal.rollout.stable} all the same"
            self._on_warning(Obstacle(f"journal of {journal.rollout.service}", sentence, mend, blocks=False))
            return ""

    def set_aside(self, service: str) -> str:
        """Move a journal that cannot be read aside."""
        return self._journals.set_aside(service)

    def keep(self, journal: Journal, why: str) -> None:
        """Continue from an inferred journal, which is not in the store."""
        self._kept, self.why = journal, why

    def _try(self, journal: Journal) -> None:
        """Write the kept journal, in place of the one in the store by now.

        Raises:
            Conflict: another rollout has begun there.
        """
        self._kept = journal
        try:
            journal, etag = self._in_place(journal)
            self._kept = journal
            self._journals.write(journal, etag)
        except _NOT_WRITTEN as error:
            self.why = _plainly(error)
            return
        self._kept, self.why = None, ""

    def _in_place(self, journal: Journal) -> tuple[Journal, str]:
        rollout = journal.rollout
        try:
            stored = self._journals.read(rollout.service)
        except DataError as error:
            place = self._journals.set_aside(rollout.service)
            sentence = f"The journal that was found could not be read, and is kept as {place} ({_plainly(error)})."
            at = journal.entries[-1].at
            entry = Entry(at, rollout.phase, rollout.weight, Action.NOTHING, sentence, code=Event.JOURNAL_REPLACED)
            return journal.with_entry(entry), ""
        if stored is None:
            return journal, ""
        there = stored[0].rollout
        if (there.candidate.digest, there.stable.digest) != (rollout.candidate.digest, rollout.stable.digest):
            raise Conflict(f"another rollout has begun on {rollout.service}")
        return journal, stored[1]


def recover_journal(service: Service, journals: FallbackJournalStore, now: float, on_warning: OnWarning) -> None:
    """Infer the rollout to roll back from the service, where no journal can be read.

    Args:
        service: the service.
        journals: its journals.
        now: seconds since the epoch.
        on_warning: called where the rollout was inferred.

    Raises:
        DataError: the journal cannot be read, and the service shows no version to roll back to.
        ConfigurationError: the same, and this account may not read the service.
        DependencyError: the service does not answer.
    """
    journal, why = _read(service)
    if journal is not None:
        return
    inferred = _inferred(service, now, why)
    if inferred is None:
        if why is not None:
            raise _nothing_to_go_back_to(journals, service.name, why) from why
        return
    cause = "there is none" if why is None else _plainly(why)
    sentence = (
        f"No journal tells of the rollout ({cause}). By what the service shows, {inferred.stable} is "
        f"stable, and {inferred.candidate} has {inferred.weight} % of the requests."
    )
    entry = Entry(now, inferred.phase, inferred.weight, Action.NOTHING, sentence, code=Event.JOURNAL_INFERRED)
    journals.keep(Journal(inferred).with_entry(entry), cause)
    mend = f"No action is needed: all requests go back to {inferred.stable}"
    on_warning(Obstacle(f"journal of {service.name}", sentence, mend, blocks=False))


def is_unfinished(service: Service, now: float) -> bool:
    """Whether a rollout was begun and not ended; without a readable journal, whether a candidate has requests."""
    journal, why = _read(service)
    if journal is not None:
        return not journal.rollout.phase.final
    inferred = _inferred(service, now, why)
    return inferred is not None and not inferred.phase.final and inferred.weight > 0


def _read(service: Service) -> tuple[Journal | None, GauntletError | None]:
    """The journal, or why it cannot be read."""
    try:
        stored = service.journals.read(service.name)
    except _NOT_WRITTEN as error:
        return None, error
    return (None if stored is None else stored[0]), None


def _inferred(service: Service, now: float, why: GauntletError | None) -> Rollout | None:
    """The rollout that the service shows; where there never was a journal, only one whose candidate has requests.

    Raises:
        GauntletError: the journal cannot be read, and this account may not read the service either.
        DependencyError: the service does not answer.
    """
    try:
        inferred = service.target.infer_rollout(service.name, now)
    except ConfigurationError as error:
        if why is None:
            return None  # an account that may not read the service has not changed it either
        raise why from error
    return inferred if why is not None or (inferred and inferred.weight) else None


def _nothing_to_go_back_to(journals: FallbackJournalStore, service: str, why: GauntletError) -> BrokenArtifact:
    """The error where one version alone has all requests; the journal that cannot be read is put aside."""
    try:
        place = journals.set_aside(service) if isinstance(why, DataError) else ""
    except (*_NOT_WRITTEN, Conflict):
        place = ""
    done = f"It is kept as {place}, and the next" if place else "Move it away: the next"
    return BrokenArtifact(
        f"{why.message}, and the service shows no version beside the one that has all requests, so there is none to go "
        "back to",
        field=why.field,
        value=why.value,
        mend=f"{done} delivery begins anew. To return to an earlier version, roll that out",
    )


def _plainly(error: GauntletError) -> str:
    """The error without its mend, which is said once, at the end."""
    return str(GauntletError(error.message, field=error.field, value=error.value)).rstrip(".")


@contextmanager
def aliases_follow(store: ModelStore, model_name: str) -> Iterator[None]:
    """Give the former champion its alias also where the rollback could not be recorded."""
    try:
        yield
    except UnrecordedRollback as error:
        rollout = error.journal.rollout
        record_rollback(store, model_name, rollout.candidate.version, rollout.stable.version)
        raise
