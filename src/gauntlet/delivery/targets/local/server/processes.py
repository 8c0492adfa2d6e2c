"""Model server processes: started, watched, restarted, and stopped once drained."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import gauntlet
from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.server.http_client import NoAnswer, Pool, get
from gauntlet.die_with_parent import tied
from gauntlet.errors import EXIT_BROKEN, EXIT_USAGE

log = logging.getLogger(__name__)

Command = Callable[[Release, int], Sequence[str]]
"""(release, port) → the program that serves it there on 127.0.0.1."""

_REFUSALS = (EXIT_USAGE, EXIT_BROKEN)
"""Exit codes of a server that cannot serve this model: a restart would not help."""
_MOST_STARTS = 5
"""Starts without ever having been ready, after which a version has failed."""
_LONGEST_REASON = 500
MOST_LOG = 16 * 1024 * 1024
"""Bytes of a log beyond which the next start of its server begins a new one; the old one is kept as ``.log.1``."""
_SPARE_BYTES = 2**16
"""Room that a server's scratch folder needs beside a copy of its model."""


@dataclass(frozen=True)
class Pace:
    """Intervals and timeouts of the host's server processes, in seconds.

    Attributes:
        probe: between two probes before the first answer.
        watch: between two probes afterwards.
        answer: timeout of a probe; generous, since a busy machine is no dead server.
        first_pause: before a server that ended is started again; doubles each time.
        longest_pause: the longest such pause.
        steady: a server that was ready for so long is started again at once.
        grace: for a server to exit after SIGTERM.
    """

    probe: float = 0.1
    watch: float = 1.0
    answer: float = 5.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    steady: float = 60.0
    grace: float = 40.0


def model_server(python: str, model_name: str) -> Command:
    """The command of Gauntlet's own model server.

    Args:
        python: an interpreter of the serving environment.
        model_name: the model's name in paths.
    """

    def command(release: Release, port: int) -> Sequence[str]:
        words = ["--model_dir", release.uri, "--model_digest", release.digest, "--model_version", release.version]
        words += ["--model_name", model_name, "--host", "127.0.0.1", "--http_port", str(port)]
        words += ["--drain_seconds", "0"]  # the router is the only one who asks, and has stopped by then
        return (python, "-m", "gauntlet.serving.server", *words)

    return command


class ModelServer:
    """The process of one version.

    Args:
        release: what it serves.
        command: the program that serves it.
        probe_path: answers 200 once the server is ready with this version.
        folder: for its log and its scratch files.
        changed: called when its readiness changes, and when it has failed.
        pace: intervals and timeouts.
    """

    def __init__(
        self,
        release: Release,
        command: Command,
        probe_path: str,
        folder: Path,
        changed: Callable[[], None],
        pace: Pace,
    ) -> None:
        self.release = release
        self.pool: Pool | None = None
        self.ready = False
        self.answered = False
        """It was ready at least once."""
        self.failed = ""
        """Why it will not be started again; empty otherwise."""
        self.restarts = 0
        self._command = command
        self._probe = get(probe_path)
        self._log = folder / "logs" / f"{release.version}.log"
        self._scratch = folder / "scratch" / f"{release.version}-{time.monotonic_ns()}"
        self._changed = changed
        self._pace = pace
        self._process: asyncio.subprocess.Process | None = None
        self._ready_since: float | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    @property
    def status(self) -> dict[str, Any]:
        """Its part of the host's state."""
        return {
            "digest": self.release.digest,
            "ready": self.ready,
            "failed": self.failed,
            "port": self.pool.port if self.pool else None,
            "pid": self._process.pid if self._process else None,
            "restarts": self.restarts,
        }

    def start_again(self) -> None:
        """Start it now, if it has failed or waits for its next start."""
        if self._process is None:
            self._wake.set()

    async def stop(self) -> None:
        """Stop the process; it first answers the requests under way."""
        self._stopping = True
        self._wake.set()
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._task}, timeout=self._pace.grace)
        if not done:
            log.warning("%s did not end within %g s and is killed", self.release, self._pace.grace)
            self._signal(signal.SIGKILL)
        await self._task
        shutil.rmtree(self._scratch, ignore_errors=True)

    async def _keep(self) -> None:
        """Supervise: start, watch, restart."""
        pause, unready = self._pace.first_pause, 0
        while not self._stopping:
            code = await self._live()
            if self._stopping:
                return
            if self._ready_since is None:
                unready += 1
            else:
                steady = time.monotonic() - self._ready_since > self._pace.steady
                unready, pause = 0, self._pace.first_pause if steady else pause
            self._note(code, unready)
            await self._rest(pause)
            pause = self._pace.first_pause if self.failed else min(2 * pause, self._pace.longest_pause)
            unready = 0 if self.failed else unready
            self.failed = ""
            self.restarts += 1

    async def _rest(self, pause: float) -> None:
        """Wait before the next start; without a limit where the version has failed."""
        self._wake.clear()
        if self._stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(None if self.failed else pause):
                await self._wake.wait()

    async def _live(self) -> int | None:
        """Run the process once: its exit code, or ``None`` if it could not be started."""
        self._ready_since = None
        port = _free_port()
        environment = _environment(_scratch(self._scratch, self.release.uri))
        words = tied(self._command(self.release, port))
        rotate(self._log)
        with _opened(self._log) as stream:
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    env=environment,
                    start_new_session=True,  # Ctrl-C is for the host, which drains its servers first
                )
            except OSError as error:
                stream.write(f"cannot be started: {error}\n".encode())
                return None
        self._process, self.pool = process, Pool(port)
        if self._stopping:  # requested while it was being started
            self._signal(signal.SIGTERM)
        probing = Pool(port, most=1)  # its own: a probe must not queue behind requests to a busy server
        watching = asyncio.get_running_loop().create_task(self._watch(probing, process))
        code = await process.wait()
        watching.cancel()
        probing.close()
        self.ready, self._process, self.pool = False, None, None
        return code

    async def _watch(self, pool: Pool, process: asyncio.subprocess.Process) -> None:
        """Probe until cancelled."""
        while True:
            answers = await self._answers(pool) and process.returncode is None
            if answers and self._ready_since is None:
                self._ready_since = time.monotonic()
                log.info("%s is ready on port %d", self.release, pool.port)
            if answers != self.ready:
                self.ready, self.answered = answers, self.answered or answers
                self._changed()
            await asyncio.sleep(self._pace.watch if answers else self._pace.probe)

    async def _answers(self, pool: Pool) -> bool:
        try:
            return (await pool.ask(self._probe, self._pace.answer)).status == 200
        except (NoAnswer, TimeoutError):
            return False

    def _note(self, code: int | None, unready: int) -> None:
        """Log that the process ended, and decide whether the version has failed."""
        last_line = _last_line(self._log)
        status = "not started" if code is None else f"status {code}"
        log.warning("%s ended (%s): %s", self.release, status, last_line)
        if code is None or code in _REFUSALS:
            self.failed = last_line or f"its server ended with status {code}"
        elif unready >= _MOST_STARTS and not self.answered:
            self.failed = f"its server ended {unready} times without having been ready; the last time: {last_line}"
        self._changed()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _opened(path: Path) -> BinaryIO:
    """A log to append to; where the disk does not take one, what is logged is dropped."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror or error)
        return Path(os.devnull).open("ab")


def _scratch(folder: Path, uri: str) -> Path | None:
    """The folder, made, if its disk has room for a copy of the model; ``None`` for the system's own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        size = sum(file.stat().st_size for file in Path(uri).rglob("*") if file.is_file())
        if shutil.disk_usage(folder).free > size + _SPARE_BYTES:
            return folder
        log.warning("%s has no room for a copy of %s", folder, uri)
    except OSError as error:
        log.warning("%s cannot be made: %s", folder, error.strerror or error)
    return None


def _environment(scratch: Path | None) -> dict[str, str]:
    """The host's environment, with its own source first and a scratch folder that is removed with the server."""
    source = str(Path(gauntlet.__file__).resolve().parents[1])
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != source]
    changes = {"PYTHONPATH": os.pathsep.join([source, *others]), "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**os.environ, **changes, **({} if scratch is None else {"TMPDIR": str(scratch)})}


def rotate(log_file: Path, most: int = MOST_LOG) -> None:
    """Put a long log aside, in the place of the last one."""
    with suppress(OSError):
        if log_file.stat().st_size > most:
            log_file.replace(log_file.with_name(f"{log_file.name}.1"))


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:_LONGEST_REASON] for line in reversed(lines) if line.strip()), "")
