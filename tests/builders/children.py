"""Processes that live no longer than the test process that started them, however that ends."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class Children:
    """Servers of one test, each with its log in a folder.

    Args:
        folder: where they run and write ``PROGRAM.log``. Nothing in it is worth a farewell: they are killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, program: Path, *options: str) -> None:
        """Start a program. It goes with the thread that calls this, so call it from one that stays."""
        with (self._folder / f"{program.name}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(program), *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._processes.append(process)

    @property
    def pids(self) -> list[int]:
        """Of those that run."""
        return [process.pid for process in self._processes if process.poll() is None]

    @property
    def are_well(self) -> bool:
        """Whether all that were started still run."""
        return len(self.pids) == len(self._processes)

    def logs(self, length: int = 2000) -> str:
        """The end of each log, by so many characters."""
        return "\n".join(path.read_text()[-length:] for path in sorted(self._folder.glob("*.log")))

    def stop(self) -> None:
        """Kill them, the last one first, so that none sees what it stands on vanish."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._processes.clear()


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
