"""A small model in staging: its folder, its data, its predictions, and a server for it that errs on request.

The server answers as the real one does (``gauntlet.serving.service``) unless it is told to go wrong in one way, so that
a test of a check shows the check failing for that reason and for no other.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from builders.predictions import write_predictions
from gauntlet.model_digest import digest_model
from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.loading import ServedModel
from gauntlet.serving.service import Limits, Reply, Service
from snapshots import write_snapshot

COLUMNS = [
    {"name": "amount", "type": "double", "required": False},
    {"name": "ratio", "type": "float", "required": True},
    {"name": "age", "type": "long", "required": True},
    {"name": "grade", "type": "integer", "required": False},
    {"name": "region", "type": "string", "required": False},
    {"name": "member", "type": "boolean", "required": True},
    {"name": "since", "type": "datetime", "required": False},
]
SIGNATURE = {"inputs": json.dumps(COLUMNS), "outputs": json.dumps([{"name": "score", "type": "double"}])}
CONTRACT = contract_of({"signature": SIGNATURE})
LIMITS = Limits(rows=300, bytes=200_000)
POLICY: dict[str, Any] = {
    "contract": {"max_rows": LIMITS.rows, "max_bytes": LIMITS.bytes, "many_rows": 40},
    "parity": {"rows": 120, "single_rows": 20, "rows_per_request": 50},
    "latency": None,
    "saturation": None,
    "footprint": None,
}
"""Everything that takes no time."""


class Scoring:
    """A model of a few lines; its answers depend on every column, and on nothing else."""

    def predict(self, rows: Rows) -> np.ndarray:
        return np.array([_score(row) for row in zip(*rows.columns.values(), strict=True)])


def _score(row: tuple[Any, ...]) -> float:
    amount, ratio, age, grade, region, member, since = row
    months = 0 if since is None else since.month
    text = 0 if region is None else sum(map(ord, region)) % 7
    signal = 0.3 * (amount or 0.0) + ratio + age / 50 + 0.2 * (grade or 0) + text / 3 + member + months / 12 - 3
    return float(1 / (1 + np.exp(-signal)))


@dataclass(frozen=True)
class Staged:
    """Everything ``examine`` takes but the address."""

    model: Path
    snapshot: Path
    predictions: Path
    digest: str


def table(rows: int = 400) -> pa.Table:
    """Rows of the model's columns and a label, with gaps where the signature allows some."""
    rng = np.random.default_rng(7)
    moments = np.datetime64("2020-01-01T00:00:00", "us") + rng.integers(0, 10**9, rows).astype("timedelta64[s]")
    return pa.table(
        {
            "amount": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "ratio": pa.array(rng.random(rows).astype(np.float32).astype(float)),
            "age": pa.array(rng.integers(18, 90, rows)),
            "grade": pa.array(rng.integers(0, 5, rows), mask=rng.random(rows) < 0.1),
            "region": pa.array(np.array(["north", "süd", ""])[rng.integers(0, 3, rows)], mask=rng.random(rows) < 0.1),
            "member": pa.array(rng.random(rows) < 0.5),
            "since": pa.array(moments, pa.timestamp("us", tz="UTC"), mask=rng.random(rows) < 0.1),
            "label": pa.array(rng.integers(0, 2, rows)),
        }
    )


def stage(folder: Path, rows: pa.Table | None = None) -> Staged:
    """Write the model's folder, the snapshot and the predictions."""
    rows = table() if rows is None else rows
    model = folder / "model"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text(json.dumps({"signature": SIGNATURE}))  # JSON is YAML
    snapshot = write_snapshot(folder / "snapshot", {"test": rows}, {"label": "label"})
    values = {one["name"]: rows.column(one["name"]).to_pylist() for one in COLUMNS}
    scores = Scoring().predict(Rows(values, rows.num_rows))
    digest = digest_model(model)
    predictions = write_predictions(
        folder / "predictions",
        np.asarray(rows.column("label")),
        scores,
        example_ids=[f"test-{row:08d}" for row in range(rows.num_rows)],
        snapshot=snapshot.digest,
        model=digest,
    )
    return Staged(model, folder / "snapshot", predictions, digest)


Answer = tuple[int, str, bytes]
"""Status, media type, body."""
Wrong = Callable[["Asked", Answer], Answer]
"""What a server does to the answer it should have given; it may take its time, or raise ``Cut``."""


class Cut(Exception):
    """Close the connection in place of an answer."""


@dataclass(frozen=True)
class Asked:
    """A request as the server sees it; ``turn`` counts them from 1."""

    method: str
    path: str
    body: bytes
    turn: int


class Fake:
    """The server: its port, and what it counted.

    Args:
        digest: of the model it says it serves.
        wrong: what it does wrong.
        metrics: the page under /metrics; gets the number of requests so far.
    """

    def __init__(self, digest: str, wrong: Wrong, metrics: Callable[[int], str] | None) -> None:
        self.service = Service(ServedModel(digest, CONTRACT, {}, Scoring()), "loans", "7", LIMITS)
        self.wrong = wrong
        self.metrics = metrics or (lambda turn: healthy(digest))
        self.turn = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        self.turn += 1
        right = self._right(method, path, body)
        return self.wrong(Asked(method, path, body, self.turn), right)

    def _right(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/metrics":
            return 200, "text/plain", self.metrics(self.turn).encode()
        routes: dict[tuple[str, str], Callable[[], Reply]] = {
            ("POST", "/v1/models/loans:predict"): lambda: self.service.predict_v1(body),
            ("POST", "/v2/models/loans/infer"): lambda: self.service.predict_v2(body),
            ("GET", "/v2/models/loans"): self.service.metadata,
            **{
                ("GET", known): lambda: Reply(200, b"{}")
                for known in ("/v1/models/loans", "/v2/health/live", "/v2/health/ready", "/v2/models/loans/ready")
            },
        }
        missing = Reply(404, b'{"error":"no such model or version here"}')
        reply = routes.get((method, path), lambda: missing)()
        return reply.status, "application/json", reply.body


def as_it_should(asked: Asked, right: Answer) -> Answer:
    """Nothing wrong."""
    return right


def healthy(digest: str, *, memory: float = 2e8, cpu: float = 1.0, started: float = 1000.0, ready: float = 2.5) -> str:
    """A page of metrics."""
    return (
        f'gauntlet_model_info{{digest="{digest}",model_name="loans"}} 1.0\n'
        f"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory}\n"
        f"process_cpu_seconds_total {cpu}\nprocess_start_time_seconds {started}\n"
        f'gauntlet_ready_seconds{{model_name="loans",model_version="7"}} {ready}\n'
    )


@contextmanager
def fake_server(
    staged: Staged, wrong: Wrong = as_it_should, metrics: Callable[[int], str] | None = None
) -> Iterator[Fake]:
    """The server in a thread, on 127.0.0.1."""
    fake = Fake(staged.digest, wrong, metrics)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # an answer leaves in one piece
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                status, kind, content = fake.answer(self.command, self.path, body)
            except Cut:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # a load opens its connections all at once

    server = Server(("127.0.0.1", 0), Handler)
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


# -- ways to go wrong ------------------------------------------------------------------------------------------------


def refused(change: Callable[[Asked, Answer], Answer]) -> Wrong:
    """Change refusals alone."""
    return lambda asked, right: change(asked, right) if right[0] == 400 else right


def scored(change: Callable[[list[float], int], list[float]]) -> Wrong:
    """Change the scores of answered requests: (scores, rows) → scores."""

    def wrong(asked: Asked, right: Answer) -> Answer:
        if asked.method != "POST" or right[0] != 200:
            return right
        answer = json.loads(right[2])
        if "predictions" in answer:
            answer["predictions"] = change(answer["predictions"], len(answer["predictions"]))
        else:
            answer["outputs"][0]["data"] = change(answer["outputs"][0]["data"], len(answer["outputs"][0]["data"]))
        return right[0], right[1], json.dumps(answer).encode()

    return wrong


def slow(seconds: float) -> Wrong:
    """Take time over predictions."""

    def wrong(asked: Asked, right: Answer) -> Answer:
        if asked.method == "POST":
            time.sleep(seconds)
        return right

    return wrong


def with_body(right: Answer, body: Any) -> Answer:
    """The same answer with another body."""
    return right[0], right[1], json.dumps(body).encode()
