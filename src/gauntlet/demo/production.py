"""Local production environment of the demo: a service, a staging service, and generated traffic."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import DependencyError

PLACE = "GAUNTLET_DEMO_PRODUCTION"
"""Environment variable that marks production."""
HOST = "gauntlet.delivery.targets.local.server.host"
TRAFFIC = "gauntlet.demo.traffic"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Production:
    """Running services.

    Attributes:
        service: the address of the service in production.
        staging: the address of the one in staging.
        python: the interpreter of the serving image.
        model_name: the model's name in paths.
        folder: folder of both services.
    """

    service: str
    staging: str
    python: Path
    model_name: str
    folder: Path

    @contextmanager
    def traffic(self, rows: Path, *, rate: float) -> Iterator[Traffic]:
        """Send applications to the service in production, until the block ends.

        Args:
            rows: CSV of applications.
            rate: requests a second.
        """
        port = _about(self.folder / "production")["url"].rpartition(":")[2]
        out = self.folder / "traffic.json"
        out.unlink(missing_ok=True)
        words = ["--rows", str(rows), "--port", port, "--rate", str(rate), "--out", str(out)]
        words += ["--path", f"/v1/models/{self.model_name}:predict"]
        with _running([str(self.python), "-m", TRAFFIC, *words], self.folder / "traffic.log"):
            yield Traffic(out)


@dataclass(frozen=True)
class Traffic:
    """Traffic as its callers see it.

    Attributes:
        out: file of the counts, written every few seconds.
    """

    out: Path

    def counts(self) -> dict[str, Any]:
        """Requests and errors so far, and the p99 of the first and of the worst seconds."""
        return dict(json.loads(self.out.read_text())) if self.out.exists() else {}


@contextmanager
def production(folder: Path, python: Path, model_name: str) -> Iterator[Production]:
    """Run a service in production and one in staging, without rollouts of an earlier demo.

    Args:
        folder: their folder.
        python: the interpreter of the serving image.
        model_name: the model's name in paths.
    """
    with ExitStack() as stack:
        addresses = {}
        for name in ("production", "staging"):
            place = folder / name
            environment = {**os.environ, PLACE: "1" if name == "production" else ""}
            words = [str(python), "-m", HOST, str(place), "--port=0", f"--model-name={model_name}"]
            stack.enter_context(_running(words, folder / f"{name}.log", environment))
            _wait_for(place, folder / f"{name}.log")
            addresses[name] = f"local:{place.resolve()}"
        yield Production(addresses["production"], addresses["staging"], python, model_name, folder)


@contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    log.parent.mkdir(parents=True, exist_ok=True)
    source = str(Path(__file__).resolve().parents[2])
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            command, env={**(environment or os.environ), "PYTHONPATH": source}, stdout=file, stderr=file
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(place: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (place / "host.json").exists():
            return
        time.sleep(0.1)
    raise DependencyError("did not start", field=str(place), mend=f"Read {log}")


def _about(place: Path) -> dict[str, Any]:
    return dict(json.loads((place / "host.json").read_text()))
