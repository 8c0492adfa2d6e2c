"""The lease of a local service: a file lock that the kernel releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.delivery.targets.local.locks import lockable, open_lock
from gauntlet.errors import DependencyError


class LocalLease:
    """Implements ``rollout.lease.Lease``.

    Where no lock file can be made its folder is locked, and who locks that loses the lease as soon as there is a file.

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
        try:
            lock = open_lock(self._file(service))
        except OSError as error:
            raise self._unusable(service, error) from error
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

    def _unusable(self, service: str, error: OSError) -> DependencyError:
        return DependencyError(
            f"cannot be made, opened or locked ({error.strerror or error})",
            field=str(self._file(service)),
            mend="See to the disk's space and the folder's permissions",
            retryable=True,
        )

    def _is_ours(self, service: str) -> bool:
        try:
            return os.path.samestat(os.fstat(self._held[service]), os.stat(lockable(self._file(service))))
        except OSError:
            return False

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.lease"
