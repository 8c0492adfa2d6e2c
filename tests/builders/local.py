"""A local service: documents and releases, and a host with stub servers in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.delivery.targets.local.client.service import open_place
from gauntlet.delivery.targets.service import Service
from gauntlet.digest import digest_bytes
from gauntlet.errors import DependencyError

PATIENCE_SECONDS = 120
"""For a busy machine; nothing is judged by it."""
ROW = json.dumps({"instances": [1]}).encode()


def release(version: str, uri: object = "models/x") -> Release:
    return Release(version, digest_bytes(version.encode()), str(uri))


def stub(folder: Path, version: str, **told: Any) -> Release:
    """A release that a stub serves; what it is told is in its file, and may be changed by calling this again."""
    uri = folder / f"stub-{version}.json"
    beside = uri.with_suffix(".partial")
    beside.write_text(json.dumps({"score": 0.25, **told}))
    beside.replace(uri)
    return release(version, uri)


def wait_for(condition: Callable[[], Any], what: str = "") -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain {what}"
        time.sleep(0.01)


@dataclass
class Running:
    """A host in a process of its own."""

    folder: Path
    command: list[str]
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, *, silent: bool = False) -> None:
        """Start it; ``silent``: on a disk that takes no writes, where its file may name the host before it."""
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with Path(os.devnull).open("ab") if silent else self._log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=env, stderr=log, stdout=log)
        wait_for(lambda: self._answers(self.process.pid if not silent else None), "for the host")

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)

    @property
    def client(self) -> Client:
        return Client(self.folder, seconds=PATIENCE_SECONDS)

    @property
    def service(self) -> Service:
        return open_place(str(self.folder))

    @property
    def port(self) -> int:
        return int(urlsplit(self.client.url()).port or 0)

    def installed(self, first: Release) -> Release:
        """The release, serving."""
        self.service.handle.install(first, replace=True)
        wait_for(lambda: self.service.handle.ready(first), f"for {first}")
        return first

    def ask(self, body: bytes = ROW, path: str = "/v1/models/model:predict", method: str = "POST") -> Answered:
        return ask(self.port, body, path, method)

    @property
    def _log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def _answers(self, pid: int | None) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            about = json.loads((self.folder / "host.json").read_text())
            return pid in (None, about["pid"]) and bool(self.client.state())
        except (FileNotFoundError, DependencyError):
            return False


@dataclass(frozen=True)
class Answered:
    status: int
    version: str
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, body: bytes | None, path: str, method: str = "POST", **headers: str) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, found.get("x-gauntlet-version", ""), content, found)
    finally:
        connection.close()


@contextmanager
def hosting(
    folder: Path, command: list[str] | None = None, *, seconds: float = 2.0, patience: dict[str, float] | None = None
) -> Iterator[Running]:
    """A host of stub servers whose answers may take so long, or of whatever the command starts."""
    folder.mkdir(parents=True, exist_ok=True)
    stubs = [sys.executable, str(Path(__file__).with_name("stub_host.py")), str(folder), str(seconds)]
    stubs += [json.dumps(patience)] if patience else []
    host = Running(folder, command or stubs)
    try:
        yield host
    finally:
        host.kill()
