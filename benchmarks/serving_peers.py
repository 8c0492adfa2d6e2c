"""The servers of ``serving_throughput.py``: each a process of its own on loopback, all with the same model folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httptools
from closed_loop import HOST, post
from serving_models import ROOT, Row

PATIENCE_SECONDS = 180.0
V1, V2 = "/v1/models/loans:predict", "/v2/models/loans/infer"
_DATATYPES = {"double": "FP64", "long": "INT64", "boolean": "BOOL", "string": "BYTES"}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        name: for people.
        port: on loopback.
        pid: its process.
        protocols: those it speaks.
    """

    name: str
    port: int
    pid: int
    protocols: tuple[str, ...] = ("v1", "v2")

    def processor_seconds(self) -> float:
        """Processor time it has used so far, its children's included."""
        return _processor_seconds(self.pid)


# -- requests and answers --------------------------------------------------------------------------------------------
def body(protocol: str, rows: Sequence[Row], types: Mapping[str, str]) -> bytes:
    """Rows as a request of ``v1`` or ``v2``."""
    if protocol == "v1":
        return json.dumps({"instances": rows}).encode()
    tensors = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": _DATATYPES[kind.rstrip("?")],
            "data": [row[name] for row in rows],
        }
        for name, kind in types.items()
    ]
    return json.dumps({"inputs": tensors}).encode()


def request(protocol: str, rows: Sequence[Row], types: Mapping[str, str]) -> bytes:
    """The whole HTTP request."""
    return post(V1 if protocol == "v1" else V2, body(protocol, rows, types))


def ask(server: Server, protocol: str, rows: Sequence[Row], types: Mapping[str, str]) -> list[list[float]] | None:
    """A server's answer, a list a row; ``None`` when it refuses."""
    status, content = _exchange(server.port, request(protocol, rows, types))
    if status != 200:
        return None
    answer = json.loads(content)
    if protocol == "v1":
        return [row if isinstance(row, list) else [row] for row in answer["predictions"]]
    columns = []
    for tensor in answer["outputs"]:
        width = len(tensor["data"]) // len(rows)
        columns += [tensor["data"][index::width] for index in range(width)]
    return [list(row) for row in zip(*columns, strict=True)]


def _exchange(port: int, sent: bytes) -> tuple[int, bytes]:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    with socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(sent)
        while not answer.whole:
            parser.feed_data(connection.recv(65_536))
    return parser.get_status_code(), b"".join(answer.parts)


class _Answer:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.whole = False

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.whole = True


# -- processes -------------------------------------------------------------------------------------------------------
@contextmanager
def ours(model: Path, scratch: Path) -> Iterator[Server]:
    """Gauntlet's server."""
    from gauntlet.model_digest import digest_model

    port = _free_port()
    words = ["-m", "gauntlet.serving.server", "--model_dir", str(model), "--model_digest", digest_model(model)]
    words += ["--model_name", "loans", "--model_version", "1", "--host", HOST, "--http_port", str(port)]
    with _running([sys.executable, *words], scratch / "gauntlet", port) as pid:
        yield Server("Gauntlet", port, pid)


@contextmanager
def kserve(model: Path, scratch: Path) -> Iterator[Server]:
    """KServe's SDK around ``mlflow.pyfunc``."""
    port = _free_port()
    program = ROOT / "benchmarks" / "kserve_pyfunc.py"
    with _running([sys.executable, str(program), str(model), str(port)], scratch / "kserve", port) as pid:
        yield Server("KServe", port, pid)


@contextmanager
def mlserver(model: Path, scratch: Path, *, workers: int = 0) -> Iterator[Server]:
    """MLServer, in its own environment; with ``workers`` processes beside it that score, as by default it has one."""
    name = f"MLServer, {workers} worker" if workers else "MLServer"
    folder = scratch / f"mlserver-{workers}"
    port, grpc, metrics = _free_port(), _free_port(), _free_port()
    settings = {"debug": False, "host": HOST, "http_port": port, "grpc_port": grpc, "metrics_port": metrics}
    settings |= {"parallel_workers": workers}
    described = {"name": "loans", "implementation": "mlserver_mlflow.MLflowRuntime", "parameters": {"uri": str(model)}}
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(described))
    command = ROOT / ".environments" / "bench-mlserver" / "bin" / "mlserver"
    with _running([str(command), "start", str(folder)], folder / "process", port) as pid:
        yield Server(name, port, pid, ("v2",))


def make_mlserver() -> None:
    """Make MLServer's environment, unless it is there."""
    folder = ROOT / ".environments" / "bench-mlserver"
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
        lock = ROOT / "benchmarks" / "requirements-mlserver.lock"
        subprocess.run([uv, "venv", "-q", "--python", "3.11", str(folder)], check=True)
        subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", "-p", str(python), str(lock)], check=True)


def mlserver_versions() -> str:
    """What its environment's lock says of the libraries that matter."""
    shown = ("mlserver", "mlserver-mlflow", "uvicorn", "uvloop", "httptools", "fastapi", "mlflow")
    lines = (ROOT / "benchmarks" / "requirements-mlserver.lock").read_text().splitlines()
    pins = dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith(" "))
    return ", ".join(f"{name} {pins[name]}" for name in shown)


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[int]:
    """A process, from the moment it is ready until the block ends. One computing thread each."""
    folder.mkdir(parents=True)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TMPDIR": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        _wait_until_ready(process, port, folder / "log")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    question = f"GET /v2/models/loans/ready HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"a server did not become ready:\n{log.read_text()[-3000:]}")
        try:
            if _exchange(port, question)[0] == 200:
                return
        except (OSError, httptools.HttpParserError):
            pass
        time.sleep(0.2)


def _processor_seconds(pid: int) -> float:
    process = Path(f"/proc/{pid}")
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    children = (process / "task" / str(pid) / "children").read_text().split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") + sum(map(_processor_seconds, map(int, children)))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def differences(answers: Sequence[Sequence[float]], expected: Any) -> float:
    """The largest difference of two answers to the same rows; infinite when their shapes differ."""
    import numpy as np

    ours_, theirs = np.asarray(answers, dtype=float), np.asarray(expected, dtype=float)
    return float(np.abs(ours_ - theirs).max()) if ours_.shape == theirs.shape else float("inf")
