"""Rollback where the journal cannot be written or read.

Everything else is persisted before it is done. To send all requests to the stable version may precede its record: it is
safe, may be repeated, and whoever finds it done recognises it. So where the journal cannot be written, a rollback is
kept in memory, carried out, and written as soon as that works; where it cannot be read, the service itself shows which
version is stable. A person is warned of both.
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
from gauntlet.errors import ConfigurationError, DataError, DependencyError, GauntletError
from gauntlet.registry.store import ModelStore
from gauntlet.registry.succession import record_rollback

_BACK = (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
_NOT_WRITTEN = (ConfigurationError, DataError, DependencyError)
"""What a journal that cannot be read or written raises: no permission, no sense in it, no space or no answer."""


class UnrecordedRollback(DependencyError):
    """All requests go to the stable version again, and what says so could not be written.

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
    """``ports.JournalStore`` over another one, which a rollback does not wait for.

    Attributes:
        why: the newest state could not be written; empty where it was.

    Args:
        journals: the other one.
        on_warning: hears once that something could not be written.
    """

    def __init__(self, journals: JournalStore, on_warning: OnWarning) -> None:
        self.why = ""
        self._journals, self._on_warning = journals, on_warning
        self._kept: Journal | None = None

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal: the one that could not be written yet, which is tried again first."""
        if self._kept is not None:
            self._try(self._kept)
        return self._journals.read(service) if self._kept is None else (self._kept, "")

    def write(self, journal: Journal, etag: str) -> str:
        """Write the journal; that of a rollback is kept here where writing fails, any other raises."""
        if self._kept is not None:
            self._try(journal)
            return ""
        try:
            return self._journals.write(journal, etag)
        except _NOT_WRITTEN as error:
            if journal.rollout.phase not in _BACK:
                raise
            self._kept, self.why = journal, _plainly(error)
            said = f"cannot be written ({self.why})"
            mend = f"Nothing is to be done before all requests are with {journal.rollout.stable}: that goes on without"
            self._on_warning(Obstacle(f"journal of {journal.rollout.service}", said, mend, blocks=False))
            return ""

    def set_aside(self, service: str) -> str:
        """Put a journal away that cannot be read."""
        return self._journals.set_aside(service)

    def keep(self, journal: Journal, why: str) -> None:
        """Go on from a journal that nobody has written."""
        self._kept, self.why = journal, why

    def _try(self, journal: Journal) -> None:
        """Write what is kept, in place of what is there by now.

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
            found = self._journals.read(rollout.service)
        except DataError as error:
            place = self._journals.set_aside(rollout.service)
            said = f"The journal that was found could not be read, and is kept as {place} ({_plainly(error)})."
            at = journal.entries[-1].at
            entry = Entry(at, rollout.phase, rollout.weight, Action.NOTHING, said, code=Event.JOURNAL_REPLACED)
            return journal.with_entry(entry), ""
        if found is None:
            return journal, ""
        there = found[0].rollout
        if (there.candidate.digest, there.stable.digest) != (rollout.candidate.digest, rollout.stable.digest):
            raise Conflict(f"another rollout has begun on {rollout.service}")
        return journal, found[1]


def recover_journal(service: Service, journals: FallbackJournalStore, now: float, on_warning: OnWarning) -> None:
    """Where no journal tells what to roll back, infer the rollout from what the service shows.

    Args:
        service: where.
        journals: of it.
        now: seconds since the epoch.
        on_warning: hears what was found.

    Raises:
        DataError: the journal cannot be read, and the service does not show what was before.
        ConfigurationError: the same, and this account may not look.
        DependencyError: something does not answer.
    """
    journal, why = _found(service)
    if journal is not None:
        return
    shown = _shown(service, now, why)
    if shown is None:
        return
    cause = "there is none" if why is None else _plainly(why)
    said = (
        f"No journal tells of the rollout ({cause}). By what the service shows, {shown.stable} is "
        f"stable, and {shown.candidate} has {shown.weight} % of the requests."
    )
    entry = Entry(now, shown.phase, shown.weight, Action.NOTHING, said, code=Event.JOURNAL_INFERRED)
    journals.keep(Journal(shown).with_entry(entry), cause)
    mend = f"Nothing is to be done: all requests go back to {shown.stable}"
    on_warning(Obstacle(f"journal of {service.name}", said, mend, blocks=False))


def is_unfinished(service: Service, now: float) -> bool:
    """Whether a rollout was begun and not ended; where no journal tells, whether a candidate has requests."""
    journal, why = _found(service)
    if journal is not None:
        return not journal.rollout.phase.final
    shown = _shown(service, now, why)
    return shown is not None and not shown.phase.final and shown.weight > 0


def _found(service: Service) -> tuple[Journal | None, GauntletError | None]:
    """The journal, or why it cannot be read."""
    try:
        found = service.journals.read(service.name)
    except _NOT_WRITTEN as error:
        return None, error
    return (None if found is None else found[0]), None


def _shown(service: Service, now: float, why: GauntletError | None) -> Rollout | None:
    """What the service shows; where there never was a journal, only a rollout whose candidate has requests.

    Raises:
        DataError: no journal tells, and the service does not either.
        DependencyError: it does not answer.
    """
    try:
        shown = service.target.infer_rollout(service.name, now)
    except ConfigurationError as error:
        if why is None:
            return None  # whoever may not even look has changed nothing here
        raise why from error
    if why is None:
        return shown if shown and shown.weight else None
    if shown is None:
        raise DataError(
            f"{why.message}, and the service shows no version beside another that could be gone back to",
            field=why.field,
            value=why.value,
            mend="Keep this for whoever looks at what wrote it, and remove it from there: the next delivery begins "
            "anew. A version of before comes back by a rollout",
        ) from why
    return shown


def _plainly(error: GauntletError) -> str:
    """What is wrong, without what to do about it: that is said once, at the end."""
    return str(GauntletError(error.message, field=error.field, value=error.value)).rstrip(".")


@contextmanager
def aliases_follow(store: ModelStore, model_name: str) -> Iterator[None]:
    """Give the former champion its title also where the rollback could not be written down."""
    try:
        yield
    except UnrecordedRollback as error:
        rollout = error.journal.rollout
        record_rollback(store, model_name, rollout.candidate.version, rollout.stable.version)
        raise
