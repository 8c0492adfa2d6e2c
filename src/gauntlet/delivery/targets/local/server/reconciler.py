"""Reconciles a local service with its desired state: servers started and stopped, requests routed."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.reserve import from_reserve, keep_reserve
from gauntlet.delivery.targets.local.server.http_client import Pool
from gauntlet.delivery.targets.local.server.metrics import Family
from gauntlet.delivery.targets.local.server.mirror import Mirroring
from gauntlet.delivery.targets.local.server.processes import Command, ModelServer, Pace, model_server
from gauntlet.delivery.targets.local.server.router import Router
from gauntlet.delivery.targets.local.spec import Desired, in_force, is_rollback
from gauntlet.serving.connections import Patience
from gauntlet.storage import write_json

log = logging.getLogger(__name__)

DESIRED = "desired.json"
"""In the folder: the desired state."""


@dataclass(frozen=True)
class Options:
    """Options of a host.

    Attributes:
        folder: its state, logs and scratch files.
        port: for callers; 0 for a free one.
        admin_port: of the admin API; 0 for a free one.
        model_name: the model's name in paths.
        timeout: seconds an answer may take before the caller gets a 504.
        threshold: scores at or above it decide for the class, when mirrored answers are compared.
        seed: orders requests within blocks, and draws those that are mirrored.
        command: the program that serves a release; by default Gauntlet's model server, by this interpreter.
        pace: intervals and timeouts of the servers.
        patience: limits of callers' connections.
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
    patience: Patience = field(default_factory=Patience)


class Reconciler:
    """Holds the desired state, and brings servers, routes and mirror into line with it.

    Attributes:
        unwritten: why the desired state is not in its file; empty where it is.
        former: another name it answers to, of the host before it; empty for none.

    Args:
        options: of the host.
        desired: the state at the start.
    """

    def __init__(self, options: Options, desired: Desired) -> None:
        random = Random(options.seed)  # noqa: S311 - splits requests; keeps no secret
        self.options = options
        self.desired = desired
        self.unwritten = ""
        self.incarnation, self.former = secrets.token_hex(8), ""
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
        """Accept a new desired state: write it, then apply it.

        A rollback is applied first, and written as soon as that works: no disk must keep traffic on a harmful version.

        Raises:
            OSError: it cannot be written; nothing changes.
        """
        if not is_rollback(self.desired, desired):
            self._write(desired)
            self._accept(desired)
            return
        self._accept(desired)
        try:
            from_reserve(self.options.folder, lambda: self._write(desired))
        except OSError as error:
            self.unwritten = f"{self.options.folder / DESIRED}: {error.strerror or error}"
            log.warning("applied without being written: %s", self.unwritten)

    def _accept(self, desired: Desired) -> None:
        self.desired = desired
        self._apply()

    async def keep_writing(self, seconds: float = 1.0) -> None:
        """Write a state that could not be written as soon as that works, and keep a reserve; runs until cancelled.

        Args:
            seconds: between two attempts.
        """
        while True:
            if self.unwritten:
                with suppress(OSError):
                    self._write(self.desired)
            if not self.unwritten:
                keep_reserve(self.options.folder)
            await asyncio.sleep(seconds)

    def _write(self, desired: Desired) -> None:
        write_json(self.options.folder / DESIRED, desired.to_document(), durable=True)
        self.unwritten = ""

    def state(self) -> dict[str, Any]:
        """The desired state and the status of everything, as the admin API shows it."""
        return {
            "incarnation": self.incarnation,
            "observed": self.desired.generation,
            "desired": self.desired.to_document(),
            "unwritten": self.unwritten,
            "weights": dict(self.router.weights),
            "revisions": {version: server.status for version, server in sorted(self._servers.items())},
        }

    def start_again(self, version: str) -> bool:
        """Restart a version's server if it does not run; returns whether there is such a version."""
        server = self._servers.get(version)
        if server is not None:
            server.start_again()
        return server is not None

    async def stop(self) -> None:
        """Answer the requests under way, then stop every server."""
        end = asyncio.get_running_loop().time() + self.options.timeout
        while self.router.under_way and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        await asyncio.gather(*(server.stop() for server in self._servers.values()), *self._leaving)

    def _apply(self) -> None:
        """Start missing servers, route, and drain those that are not desired any more."""
        for version, release in self.desired.revisions.items():
            running = self._servers.get(version)
            if running is not None and running.release == release:
                continue
            if running is not None:
                self._drain(running)
            self._servers[version] = self._start(version, release)
            self.family.of(version)
        gone = [version for version in self._servers if version not in self.desired.revisions]
        leaving = [self._servers.pop(version) for version in gone]
        self._route()
        for server in leaving:
            self._drain(server)

    def _start(self, version: str, release: Release) -> ModelServer:
        # The path names the version, so another process on that port is not taken for it.
        path = f"/v2/models/{self.options.model_name}/versions/{version}"
        return ModelServer(release, self._command, path, self.options.folder, self._route, self.options.pace)

    def _route(self) -> None:
        usable = frozenset(
            version for version, server in self._servers.items() if server.answered and not server.failed
        )
        pools = {version: server.pool for version, server in self._servers.items() if server.pool is not None}
        self.router.set(in_force(self.desired, usable), self.desired.stable, pools)
        self.mirroring.set(self.desired.mirror)

    def _drain(self, server: ModelServer) -> None:
        task = asyncio.get_running_loop().create_task(self._drained(server))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _drained(self, server: ModelServer) -> None:
        """Drain a server, then stop it."""
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
