"""Journals of rollouts in files, one a service; compare and swap by digest."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.digest import digest_bytes, short
from gauntlet.errors import DependencyError
from gauntlet.storage import write_bytes


class LocalJournalStore:
    """Implements ``ports.JournalStore``; a journal's etag is the digest of its file.

    Args:
        folder: where the journals lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and its etag; ``None`` if there is none."""
        try:
            content = self._file(service).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self._file(service), error) from error
        return Journal.from_json(content.decode(errors="replace"), str(self._file(service))), digest_bytes(content)

    def write(self, journal: Journal, etag: str) -> str:
        """Replace the journal that had this etag; raises ``Conflict`` if it has another."""
        service = journal.rollout.service
        content, file = journal.to_json().encode(), self._file(service)
        try:
            self._replace(service, file, content, etag)
        except OSError as error:
            raise _unusable(file, error) from error
        return digest_bytes(content)

    def set_aside(self, service: str) -> str:
        """Rename a journal that cannot be read, which needs no disk space; returns its new path."""
        file = self._file(service)
        try:
            with self._locked(service):
                place = file.with_name(f"{service}.unreadable-{short(digest_bytes(file.read_bytes()))}.json")
                os.replace(file, place)
        except OSError as error:
            raise _unusable(file, error) from error
        return str(place)

    def _replace(self, service: str, file: Path, content: bytes, etag: str) -> None:
        with self._locked(service):
            present = digest_bytes(file.read_bytes()) if file.exists() else ""
            if present != etag:
                raise Conflict(f"the journal of {service} was written by another")
            for partial in self._folder.glob(f".{file.name}.*.partial"):
                partial.unlink(missing_ok=True)  # by a writer that was killed: the lock keeps others out
            write_bytes(file, content)

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.json"

    @contextmanager
    def _locked(self, service: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{service}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unusable(file: Path, error: OSError) -> DependencyError:
    return DependencyError(
        f"cannot be read or written ({error.strerror or error})",
        field=str(file),
        mend="See to the disk's space and the folder's permissions; the rollout goes on from what is written",
        retryable=True,
    )
