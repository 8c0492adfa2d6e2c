"""Journals of rollouts in files, one a service; compare and swap by digest."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gauntlet.delivery.rollout.journal import Journal, journal_unreadable
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.local.reserve import from_reserve
from gauntlet.digest import digest_bytes, short
from gauntlet.errors import DependencyError, JournalUnreadable
from gauntlet.storage import write_bytes


class LocalJournalStore:
    """Implements ``ports.JournalStore``; a journal's etag is the digest of its file.

    Args:
        folder: where the journals lie.
        reserve: the folder whose reserve a rollback may take; ``None`` for none.
    """

    def __init__(self, folder: Path, reserve: Path | None = None) -> None:
        self._folder, self._reserve = folder, reserve

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and its etag; ``None`` if there is none."""
        file = self._file(service)
        try:
            content = _content(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(file, error) from error
        return Journal.from_json(content, str(file), service), digest_bytes(content)

    def write(self, journal: Journal, etag: str) -> str:
        """Replace the journal that had this etag; raises ``Conflict`` if it has another."""
        service = journal.rollout.service
        content, file = journal.to_json().encode(), self._file(service)
        try:
            if self._reserve is not None and journal.rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
                from_reserve(self._reserve, lambda: self._replace(service, file, content, etag))
            else:
                self._replace(service, file, content, etag)
        except OSError as error:
            raise _unusable(file, error) from error
        return digest_bytes(content)

    def set_aside(self, service: str) -> str:
        """Rename a journal that cannot be read, which needs no disk space; returns its new path.

        A folder or a special file in its place is renamed as well. Nothing that was put aside before is replaced.
        """
        file = self._file(service)
        try:
            with self._locked(service):
                place = _free(file.with_name(f"{service}.unreadable-{_name(file)}.json"))
                os.rename(file, place)
        except OSError as error:
            raise _unusable(file, error) from error
        return str(place)

    def _replace(self, service: str, file: Path, content: bytes, etag: str) -> None:
        with self._locked(service):
            try:
                present = digest_bytes(_content(file))
            except FileNotFoundError:
                present = ""
            if present != etag:
                raise Conflict(f"the journal of {service} was written by another")
            for partial in self._folder.glob(f".{file.name}.*.partial"):
                partial.unlink(missing_ok=True)  # by a writer that was killed: the lock keeps others out
            write_bytes(file, content, durable=True)

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.json"

    @contextmanager
    def _locked(self, service: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{service}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _content(file: Path) -> bytes:
    """The file's bytes; only a regular file is read, since a pipe would never end.

    Raises:
        JournalUnreadable: something else is in its place.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):  # a loop of links, a socket
            raise
        raise journal_unreadable(str(file), "it is no regular file") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise journal_unreadable(str(file), "it is no regular file")
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _name(file: Path) -> str:
    """What is put aside is named by its content, as far as that can be read."""
    try:
        return short(digest_bytes(_content(file)))
    except (OSError, JournalUnreadable):
        return "unreadable"


def _free(place: Path) -> Path:
    """This path, or the first with a number behind it that nothing is at."""
    numbered = (place.with_stem(f"{place.stem}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([place], numbered) if not os.path.lexists(path))


def _unusable(file: Path, error: OSError) -> DependencyError:
    return DependencyError(
        f"cannot be read or written ({error.strerror or error})",
        field=str(file),
        mend="See to the disk's space and the folder's permissions; the rollout goes on from what is written",
        retryable=True,
    )
