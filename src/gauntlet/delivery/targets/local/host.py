"""The host: one process a folder that keeps what is asked of a service, and makes it so.

    python -m gauntlet.delivery.targets.local.host FOLDER [--port 8080]

FOLDER/desired.json   what is asked, written before it is done; a host that starts goes on from it
FOLDER/host.json      where the host listens, and who it is
FOLDER/host.lock      held while it runs: there is one host a folder
FOLDER/logs           what the servers say
FOLDER/rollouts       journals and leases of rollouts; the host does not touch them
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gauntlet.delivery.targets.local.admin import Admin
from gauntlet.delivery.targets.local.mirroring import Mirroring
from gauntlet.delivery.targets.local.router import Router
from gauntlet.delivery.targets.local.servers import Command, ModelServer, Pace, model_server
from gauntlet.delivery.targets.local.spec import Desired, in_force
from gauntlet.delivery.targets.local.tally import Family
from gauntlet.delivery.targets.local.upstream import Pool
from gauntlet.delivery.targets.local.wire import MOST_BODY, Connection, Handle
from gauntlet.errors import ConfigurationError, DataError, GauntletError
from gauntlet.storage import write_json

log = logging.getLogger(__name__)

DESIRED, HOST, LOCK = "desired.json", "host.json", "host.lock"
HOST_FORMAT = "gauntlet.host/1"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How a host runs.

    Attributes:
        folder: what it keeps.
        port: for callers; 0 for a free one.
        admin_port: for whoever runs the service; 0 for a free one.
        model_name: the model's name in paths.
        timeout: seconds an answer may take before the caller gets a 504.
        threshold: scores at or above it decide for the class, when mirrored answers are compared.
        seed: orders requests within blocks, and draws those that are mirrored.
        command: how a release is served; Gauntlet's model server in this very interpreter by default.
        pace: how patient it is with servers.
    """

    folder: Path
    port: int = 8080
    admin_port: int = 0
    model_name: str = "model"
    timeout: float = 30.0
    threshold: float = 0.5
    seed: int | None = None
    command: Command | None = None
    pace: Pace = field(default_factory=Pace)


class Host:
    """What runs, and what is asked to run.

    Args:
        options: how.
        desired: what is asked at the start.
    """

    def __init__(self, options: Options, desired: Desired) -> None:
        random = Random(options.seed)  # noqa: S311 - splits requests; keeps no secret
        self.options = options
        self.desired = desired
        self.incarnation = secrets.token_hex(8)
        self.family = Family()
        self.mirroring = Mirroring(
            self._pool_of, self.family, random, threshold=options.threshold, seconds=options.timeout
        )
        self.router = Router(self.family, self.mirroring, random, seconds=options.timeout)
        self._command = options.command or model_server(sys.executable, options.model_name)
        self._servers: dict[str, ModelServer] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._apply()

    def ask(self, desired: Desired) -> None:
        """Take over what is asked: written first, then done.

        Raises:
            OSError: it cannot be written; nothing changes.
        """
        write_json(self.options.folder / DESIRED, desired.to_document())
        self.desired = desired
        self._apply()

    def state(self) -> dict[str, Any]:
        """What is asked, and how far it is."""
        return {
            "incarnation": self.incarnation,
            "observed": self.desired.generation,
            "desired": self.desired.to_document(),
            "weights": dict(self.router.weights),
            "revisions": {version: server.status for version, server in sorted(self._servers.items())},
        }

    def start_again(self, version: str) -> bool:
        """Start a version's server again if it does not run; whether there is such a version."""
        server = self._servers.get(version)
        if server is not None:
            server.start_again()
        return server is not None

    async def stop(self) -> None:
        """Answer what was asked, then end every server."""
        end = asyncio.get_running_loop().time() + self.options.timeout
        while self.router.under_way and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        await asyncio.gather(*(server.stop() for server in self._servers.values()), *self._leaving)

    def _apply(self) -> None:
        """Start what is missing, route, and let go what is no longer asked."""
        for version, release in self.desired.revisions.items():
            running = self._servers.get(version)
            if running is not None and running.release == release:
                continue
            if running is not None:
                self._let_go(running)
            self._servers[version] = self._start(version, release)
            self.family.of(version)
        gone = [version for version in self._servers if version not in self.desired.revisions]
        leaving = [self._servers.pop(version) for version in gone]
        self._route()
        for server in leaving:
            self._let_go(server)

    def _start(self, version: str, release: Any) -> ModelServer:
        # It answers for this version alone: whatever else listens on that port is not taken for it.
        path = f"/v2/models/{self.options.model_name}/versions/{version}"
        return ModelServer(release, self._command, path, self.options.folder, self._route, self.options.pace)

    def _route(self) -> None:
        usable = frozenset(version for version, one in self._servers.items() if one.answered and not one.failed)
        pools = {version: server.pool for version, server in self._servers.items() if server.pool is not None}
        self.router.set(in_force(self.desired, usable), self.desired.stable, pools)
        self.mirroring.set(self.desired.mirror)

    def _let_go(self, server: ModelServer) -> None:
        task = asyncio.get_running_loop().create_task(self._drained(server))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _drained(self, server: ModelServer) -> None:
        """Wait until nobody waits for it, then stop it."""
        end = asyncio.get_running_loop().time() + self.options.timeout
        pool = server.pool
        while pool is not None and self.router.asked(pool) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        if pool is not None:
            pool.close()
        await server.stop()
        log.info("%s has left", server.release)

    def _pool_of(self, version: str) -> Pool | None:
        server = self._servers.get(version)
        return server.pool if server is not None and server.ready else None


async def run(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then answer what was asked and end.

    Args:
        options: how.
        announce: takes one sentence when it listens.

    Raises:
        ConfigurationError: a port is taken.
        DataError: the folder's document cannot be read.
    """
    shutil.rmtree(options.folder / "scratch", ignore_errors=True)  # of a host that was killed
    host = Host(options, _read_desired(options.folder / DESIRED))
    callers: set[Connection] = set()
    admins: set[Connection] = set()
    public = await _listen(host.router.handle, callers, options.port, "port")
    private = await _listen(Admin(host).handle, admins, options.admin_port, "admin-port")
    mirroring = asyncio.create_task(host.mirroring.run())
    port, admin_port = (one.sockets[0].getsockname()[1] for one in (public, private))
    where = {"url": f"http://{LOOPBACK}:{port}", "admin": f"http://{LOOPBACK}:{admin_port}"}
    about = {"pid": os.getpid(), "incarnation": host.incarnation, "model_name": options.model_name}
    write_json(options.folder / HOST, {"format": HOST_FORMAT, **where, **about, "started": time.time()})
    announce(f"Serving {options.folder} on {where['url']} (state and metrics on {where['admin']})")
    try:
        await _told_to_end()
    finally:
        log.info("ending: no new requests, those asked are answered")
        public.close()
        for connection in tuple(callers):
            connection.end()
        await host.stop()
        mirroring.cancel()
        private.close()
        for connection in tuple(admins):
            connection.end()
        (options.folder / HOST).unlink(missing_ok=True)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Be the one host of a folder.

    Raises:
        ConfigurationError: there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                "is served by another process already",
                field="folder",
                value=str(folder),
                mend=f"End that one ({HOST} there names it), or give another folder",
            ) from error
        yield


def _read_desired(path: Path) -> Desired:
    try:
        return Desired.from_document(json.loads(path.read_text()))
    except FileNotFoundError:
        return Desired()
    except (OSError, ValueError) as error:
        raise DataError(
            "cannot be read", field=str(path), value=str(error), mend="Restore it, or start with another folder"
        ) from error


async def _listen(handle: Handle, opened: set[Connection], port: int, option: str) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(lambda: Connection(handle, opened, MOST_BODY), LOOPBACK, port, backlog=1024)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be listened on ({error.strerror or error})",
            field=option,
            value=port,
            mend="Give a free one; 0 takes any",
        ) from error


async def _told_to_end() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told.set)
    await told.wait()
    for one in (signal.SIGTERM, signal.SIGINT):  # told twice, it ends at once; the kernel ends its servers
        loop.remove_signal_handler(one)
        signal.signal(one, signal.SIG_DFL)


def serve(options: Options) -> int:
    """Be a host until told to end; the process's exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        with only_one(options.folder), asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(run(options, lambda sentence: print(sentence, flush=True)))  # noqa: T201 - for whoever started it
    except GauntletError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the reason the process ends
        return error.exit_code
    return 0


def _loop() -> asyncio.AbstractEventLoop:
    """The quicker loop where it is installed; the serving image has it."""
    with suppress(ImportError):
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser("gauntlet serve", description="Serve a folder's models on loopback.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8080, help="for callers; 0 takes a free one")
    parser.add_argument("--admin-port", type=int, default=0, help="for state and metrics; 0 takes a free one")
    parser.add_argument("--model-name", default="model", help="the model's name in paths")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds an answer may take")
    parser.add_argument("--threshold", type=float, default=0.5, help="scores at or above it decide for the class")
    return serve(Options(**vars(parser.parse_args(arguments))))


if __name__ == "__main__":
    sys.exit(main())
