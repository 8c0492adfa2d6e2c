"""The model server as a process of its own, on loopback."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.model_digest import digest_model

PATIENCE_SECONDS = 120
"""For a busy machine to start a server; nothing is judged by it."""


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    scratch: Path

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body if isinstance(body, bytes | None) else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read().decode()
            return answer.status, json.loads(content) if content.startswith("{") else content
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        for line in self.ask("GET", "/metrics")[1].splitlines():
            if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no series {name} {labels}")


def launch(folder: Path, digest: str, scratch: Path, *options: str) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch.mkdir()
    words = ["--model_dir", folder, "--model_digest", digest, "--model_name", "loans", "--model_version", "7"]
    words += ["--host", "127.0.0.1", "--http_port", port]
    with (scratch.parent / f"{scratch.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gauntlet.serving.server", *map(str, words), *options],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(scratch)},
            stderr=log,
        )
    return Server(process, port, scratch)


@contextmanager
def serving(folder: Path, scratch: Path, *options: str) -> Iterator[Server]:
    server = launch(folder, digest_model(folder), scratch, *options)
    try:
        wait_for(lambda: listens(server))
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def listens(server: Server, host: str = "127.0.0.1") -> bool:
    assert server.process.poll() is None, "the server ended"
    with socket.socket() as client:
        return client.connect_ex((host, server.port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
