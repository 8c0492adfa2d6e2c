"""The lease of a local service: a file lock that the kernel releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.errors import DependencyError

_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
"""Nothing in the lock file's place, such as a pipe, is waited for."""


class LocalLease:
    """Implements ``rollout.lease.Lease``.

    Args:
        folder: where the lock files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def acquire(self, service: str) -> None:
        """Acquire the lease, or keep it. Raises ``LeaseTaken``, or ``DependencyError`` without a lock file."""
        if service in self._held and self._is_ours(service):
            return
        self.release(service)
        lock = self._opened(service)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = b""
            with suppress(OSError):  # a folder cannot be read
                holder = os.read(lock, 32)
            os.close(lock)
            raise LeaseTaken(f"process {holder.decode(errors='replace') or 'unknown'} acts on {service}") from error
        except OSError as error:
            os.close(lock)
            raise self._unusable(service, error) from error
        with suppress(OSError):  # the holder's process is for people: a full disk must not prevent a rollback
            os.truncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
        self._held[service] = lock
        self.check(service)

    def check(self, service: str) -> None:
        """Make sure that this process holds the lock, on the very file that others would lock; else ``LeaseTaken``."""
        if service not in self._held or not self._is_ours(service):
            raise LeaseTaken(f"the lease of {service} was lost")

    def release(self, service: str) -> None:
        """Release it, if it is held."""
        lock = self._held.pop(service, None)
        if lock is not None:
            os.close(lock)

    def _opened(self, service: str) -> int:
        """Open the lock file; read-only where it cannot be written, or its folder where it cannot be made.

        Either is enough to lock it, and a rollback must not need a disk that can be written. Who locks the folder loses
        the lease as soon as there is a file.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(self._file(service), os.O_RDWR | os.O_CREAT | _FLAGS, 0o644)
        except OSError as error:
            with suppress(OSError):
                return os.open(self._lockable(service), os.O_RDONLY | _FLAGS)
            raise self._unusable(service, error) from error

    def _unusable(self, service: str, error: OSError) -> DependencyError:
        return DependencyError(
            f"cannot be made, opened or locked ({error.strerror or error})",
            field=str(self._file(service)),
            mend="See to the disk's space and the folder's permissions",
            retryable=True,
        )

    def _is_ours(self, service: str) -> bool:
        try:
            return os.path.samestat(os.fstat(self._held[service]), os.stat(self._lockable(service)))
        except OSError:
            return False

    def _lockable(self, service: str) -> Path:
        """The lock file, or else the nearest folder of it that is there."""
        file = self._file(service)
        return next((path for path in (file, self._folder) if path.exists()), self._folder.parent)

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.lease"
