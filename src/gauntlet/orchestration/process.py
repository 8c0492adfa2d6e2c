"""Child processes, stopped together with the run (SIGTERM, then SIGKILL); none of them outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from gauntlet.die_with_parent import tied

GRACE_SECONDS = 5.0
"""Grace period between SIGTERM and SIGKILL."""


class Processes:
    """Child processes of one run, each the leader of a process group so that its descendants are stopped with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._live: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def run(self, command: Sequence[str], *, folder: Path, env: Mapping[str, str], log: Path) -> int:
        """Run a command to completion and append its output to ``log``.

        Returns:
            Exit status; the negative signal number if a signal ended it.
        """
        with log.open("ab") as stream, self._lock:
            if self._stopping:
                return -signal.SIGTERM
            child = subprocess.Popen(  # noqa: S603 - the command comes from our own compiled spec
                tied(command),
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._live.add(child)
        if self._stopping:  # stop() was called while this child was starting
            _signal(child, signal.SIGTERM)
        try:
            return child.wait()
        finally:
            _terminate(child, GRACE_SECONDS)
            with self._lock:
                self._live.discard(child)

    def stop(self) -> None:
        """Send SIGTERM to every child, and start no more."""
        self._stopping = True  # no lock: a signal handler may interrupt the thread that holds it
        for child in tuple(self._live):
            _signal(child, signal.SIGTERM)


def _terminate(child: subprocess.Popen[bytes], grace: float) -> None:
    """Stop a child and its process group."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=grace)
    _signal(child, signal.SIGKILL)
    child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
