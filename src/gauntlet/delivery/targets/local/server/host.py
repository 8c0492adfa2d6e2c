"""The host: one process per folder that keeps the desired state of a service and reconciles it.

    python -m gauntlet.delivery.targets.local.server.host FOLDER [--port 8080]

FOLDER/desired.json   the desired state, written before it is applied; a restarted host resumes from it
FOLDER/host.json      address, process and incarnation of the host
FOLDER/host.token     who can read it may change the service
FOLDER/host.lock      held while it runs: one host per folder
FOLDER/logs           the servers' output
FOLDER/reserve        disk space that is given up for a rollback on a full disk
FOLDER/rollouts       journals and leases of rollouts; the host does not touch them

Starting needs no write where a host has run before: it listens where that one did, and its files are right as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from gauntlet.delivery.targets.local.client.host_client import HOST_FILE
from gauntlet.delivery.targets.local.locks import open_lock
from gauntlet.delivery.targets.local.server.address import Address, forget_address, former_address, tell_address
from gauntlet.delivery.targets.local.server.admin import Admin
from gauntlet.delivery.targets.local.server.http_server import Connection, Handle, Limits
from gauntlet.delivery.targets.local.server.reconciler import DESIRED, Options, Reconciler
from gauntlet.delivery.targets.local.server.tokens import token_of
from gauntlet.delivery.targets.local.spec import Desired
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError, GauntletError
from gauntlet.serving.connections import Patience, allow_files
from gauntlet.serving.log_limit import limit_log
from gauntlet.serving.memory import keep_trimmed

log = logging.getLogger(__name__)

LOCK = "host.lock"
LOOPBACK = "127.0.0.1"
_BACKLOG = 256
"""Connections that wait to be accepted."""
_ADMINS = 64
"""Connections to the admin port."""


async def run(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then answer the requests under way and stop.

    Args:
        options: of the host.
        announce: called with one sentence when it listens.

    Raises:
        ConfigurationError: a port is taken.
        DataError: the folder's document cannot be read.
        DependencyError: the folder takes no writes, and the file there does not say where this host listens.
    """
    shutil.rmtree(options.folder / "scratch", ignore_errors=True)  # of a host that was killed
    reconciler = Reconciler(options, read_desired(options.folder / DESIRED))
    callers: set[Connection] = set()
    admins: set[Connection] = set()
    connections = allow_files(options.patience.connections + _ADMINS) - _ADMINS
    limits = Limits(replace(options.patience, connections=max(2, connections)))
    admin_limits = Limits(Patience(connections=_ADMINS))
    reconciler.router.most_waiting = limits.most_waiting
    admin = Admin(reconciler, token_of(options.folder))
    former = former_address(options.folder)
    public = await _listen(reconciler.router.handle, callers, limits, options.port, "port", former.port)
    private = await _listen(admin.handle, admins, admin_limits, options.admin_port, "admin-port", former.admin_port)
    working = (reconciler.mirroring.run(), reconciler.keep_writing())
    keeping = (limits.doorkeeper.keep(), admin_limits.doorkeeper.keep(), keep_trimmed(limits.budget))
    background = [asyncio.create_task(work) for work in (*working, *keeping)]
    port, admin_port = (server.sockets[0].getsockname()[1] for server in (public, private))
    address = Address(f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{admin_port}", reconciler.incarnation)
    about = {"pid": os.getpid(), "model_name": options.model_name, "started": time.time()}
    reconciler.former = tell_address(options.folder, address, former, about)
    announce(f"Serving {options.folder} on {address.url} (state and metrics on {address.admin})")
    try:
        await _until_signalled()
    finally:
        log.info("stopping: no new requests, those under way are answered")
        public.close()
        for connection in tuple(callers):
            connection.end()
        await _left(callers)
        await reconciler.stop()
        for task in background:
            task.cancel()
        private.close()
        for connection in tuple(admins):
            connection.end()
        forget_address(options.folder)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of the one host of a folder.

    Raises:
        ConfigurationError: another host holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = open_lock(folder / LOCK)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be made or opened ({error.strerror or error})",
            field="folder",
            value=str(folder),
            mend="Give a folder on a disk with space, that you may write",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                "is served by another process already",
                field="folder",
                value=str(folder),
                mend=f"Stop that one ({HOST_FILE} there names it), or give another folder",
            ) from error
        yield
    finally:
        os.close(descriptor)


def read_desired(path: Path) -> Desired:
    """The desired state in a file; the first one where there is none.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return Desired.from_document(json.loads(path.read_text()))
    except FileNotFoundError:
        return Desired()
    except (OSError, ValueError, RecursionError, DataError, ConfigurationError) as error:
        raise BrokenArtifact(
            "cannot be read", field=str(path), value=str(error), mend="Restore it, or start with another folder"
        ) from error


async def _left(callers: set[Connection], seconds: float = 2.0) -> None:
    """Wait until callers without an answer under way have left, who may have sent a request that is on its way."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and any(connection.may_ask for connection in callers):
        await asyncio.sleep(0.02)


async def _listen(
    handle: Handle, opened: set[Connection], limits: Limits, port: int, option: str, former: int
) -> asyncio.Server:
    """Listen on this port; where any will do, on that of the last host if it is free."""
    loop = asyncio.get_running_loop()
    if not port and former:
        with suppress(ConfigurationError):
            return await _listen(handle, opened, limits, former, option, 0)
    try:
        return await loop.create_server(lambda: Connection(handle, opened, limits), LOOPBACK, port, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be listened on ({error.strerror or error})",
            field=option,
            value=port,
            mend="Give a free one; 0 takes any",
        ) from error


async def _until_signalled() -> None:
    """Wait for SIGTERM or SIGINT."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    await signalled.wait()
    for number in (signal.SIGTERM, signal.SIGINT):  # a second signal ends it at once; the kernel ends its servers
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


def serve(options: Options) -> int:
    """Run a host until it is signalled; returns the exit code of the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    limit_log()
    try:
        with only_one(options.folder), asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(run(options, lambda sentence: print(sentence, flush=True)))  # noqa: T201 - the console's
    except GauntletError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the reason the process ends
        return error.exit_code
    return 0


def _loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed, as in the serving image: it is quicker."""
    with suppress(ImportError):
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``gauntlet serve``."""
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
