"""The demo's callers, against a server that answers late."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gauntlet.demo import traffic
from gauntlet.serving.load import Load

RATE, A_SEGMENT = 50.0, 10


@contextmanager
def patient(until: int) -> Iterator[int]:
    """A server that answers nobody before it has been asked ``until`` times; its port."""
    asked, enough = [], threading.Event()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(self.path)
            if len(asked) >= until:
                enough.set()
            enough.wait(traffic.TIMEOUT_SECONDS)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Answer) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


def test_callers_come_while_earlier_ones_still_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is answered until callers of the third segment have asked: they must not wait for those of the first."""
    monkeypatch.setattr(traffic, "SEGMENT_SECONDS", A_SEGMENT / RATE)
    with patient(2 * A_SEGMENT + 1) as port:
        traffic.call(traffic.loads([b"{}"], "/ask", RATE, 4), port, tmp_path / "seen.json", lambda: False)
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert (seen["requests"], seen["errors"]) == (4 * A_SEGMENT, {})


def test_who_is_told_to_stop_begins_nothing_and_awaits_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "SEGMENT_SECONDS", A_SEGMENT / RATE)
    drawn = []  # the second segment is drawn while the first is under way, and is not to be begun

    def segments() -> Iterator[Load]:
        for load in traffic.loads([b"{}"], "/ask", RATE, 400):
            drawn.append(load)
            yield load

    with patient(1) as port:
        traffic.call(segments(), port, tmp_path / "seen.json", lambda: len(drawn) > 1)
    assert json.loads((tmp_path / "seen.json").read_text())["requests"] == A_SEGMENT
