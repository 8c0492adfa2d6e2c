"""A real Prometheus on loopback, and things for it to scrape."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROGRAM = os.environ.get("GAUNTLET_PROMETHEUS") or shutil.which("prometheus")
PROMTOOL = os.environ.get("GAUNTLET_PROMTOOL") or shutil.which("promtool")
SKIP = (
    "needs Prometheus: apt-get install prometheus, or point GAUNTLET_PROMETHEUS and GAUNTLET_PROMTOOL at the programs"
)
PATIENCE_SECONDS = 60
"""For a busy machine; nothing is judged by it."""

CONFIGURATION = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: servers
    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
  - job_name: twice
    file_sd_configs: [{files: [again.json], refresh_interval: 1s}]
"""


def wait_for(condition: Callable[[], Any]) -> Any:
    """What the condition gives, once it is true; nothing is waited for in vain."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Running:
    """A Prometheus that scrapes every second what it is told to."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}"

    def scrape(
        self, pods: Mapping[str, int], *, beside: Mapping[str, int] | None = None, again: bool = False, **labels: str
    ) -> None:
        """Watch these pods, by their ports, from now on.

        Args:
            pods: pod → port.
            beside: another container's port in the same pods.
            again: whether a second job watches them as well.
            labels: added to every series.
        """
        ports = [*pods.items(), *(beside or {}).items()]
        groups = [{"targets": [f"127.0.0.1:{port}"], "labels": {"pod": pod, **labels}} for pod, port in ports]
        for name, content in (("targets.json", groups), ("again.json", groups if again else [])):
            work = self.folder / f".{name}"
            work.write_text(json.dumps(content))
            work.rename(self.folder / name)


@contextmanager
def prometheus(folder: Path) -> Iterator[Running]:
    """One that is ready."""
    assert PROGRAM
    port = free_port()
    running = Running(folder, port)
    (folder / "prometheus.yml").write_text(CONFIGURATION)
    running.scrape({})
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: _is_ready(running.address, process))
        yield running
    finally:
        process.kill()
        process.wait()


def _is_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "Prometheus ended"
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def page(text: Callable[[], bytes], port: int = 0) -> Iterator[int]:
    """Serves a metrics page; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
