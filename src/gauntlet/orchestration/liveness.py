"""Whether the process of a run still lives: it holds a lock that the kernel releases however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gauntlet.errors import GauntletError
from gauntlet.orchestration.record import RunRecord, RunState
from gauntlet.orchestration.run_page import write_page

LOCK = "run.lock"
"""In the folder of a run, while it runs and where it was killed."""


@dataclass(frozen=True)
class Living:
    """The lock of this process's own run."""

    folder: Path
    descriptor: int

    @classmethod
    def begin(cls, folder: Path) -> Living:
        """Take the lock of a run that begins.

        Raises:
            OSError: it cannot be written.
        """
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(folder, descriptor)

    def end(self) -> None:
        """Give it back, when the run's record says how it ended."""
        with suppress(OSError):
            (self.folder / LOCK).unlink(missing_ok=True)
        os.close(self.descriptor)


def read_run(folder: Path) -> RunRecord:
    """Read the record of a run; that of one whose process is gone is mended first, so that it says how it ended.

    Raises:
        ConfigurationError: the folder holds no run record.
    """
    record = RunRecord.read(folder)
    if record.state is not RunState.RUNNING or _lives(folder):
        return record
    record = RunRecord.read(folder)  # it may have ended between the two
    if record.state is not RunState.RUNNING:
        return record
    message = "Interrupted: its process is gone, killed or stopped with the machine."
    record = replace(record, state=RunState.INTERRUPTED, message=message)
    with suppress(OSError):  # on a disk that takes no writes it is told, and not written
        record.write(folder)
        write_page(record, folder)
        (folder / LOCK).unlink(missing_ok=True)
    return record


def mend_records(runs: Path) -> list[RunRecord]:
    """Mend the records of all runs whose process is gone; returns them."""
    found = []
    for lock in runs.glob(f"*/{LOCK}"):
        if not _lives(lock.parent):
            with suppress(GauntletError):  # what is no run is not this run's to report
                found.append(read_run(lock.parent))
    return found


def _lives(folder: Path) -> bool:
    """Whether a process holds the lock; a run without one is of a version that had none, or is over."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
