"""Against a server that answers whatever a test wants."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from gauntlet.delivery.counters.prometheus.client import Prometheus
from gauntlet.delivery.counters.prometheus.exposition import Sample
from gauntlet.errors import ConfigurationError, DataError, DependencyError


class Stub(ThreadingHTTPServer):
    """Answers with ``status`` and ``body``; keeps what it was asked."""

    status, body = 200, b""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                stub.asked.append((self.path, form, self.headers.get("Authorization")))
                if stub.status == 0:  # hangs up
                    self.connection.close()
                    return
                self.send_response(stub.status)
                self.send_header("Content-Length", str(len(stub.body)))
                self.end_headers()
                self.wfile.write(stub.body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answers(self, kind: str, result: object, **more: object) -> None:
        self.status = 200
        self.body = json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_vector_becomes_samples(stub: Stub) -> None:
    stub.answers(
        "vector",
        [
            {"metric": {"__name__": "up", "pod": "a"}, "value": [1.5, "1"]},
            {"metric": {"pod": "b"}, "value": [1.5, "+Inf"]},
        ],
    )
    found = Prometheus(stub.address + "/prefix/").instant('up{pod=~"a|b"}', at=12.3456)
    assert found == (Sample("up", {"pod": "a"}, 1.0), Sample("", {"pod": "b"}, math.inf))
    ((path, form, authorization),) = stub.asked
    assert (path, authorization) == ("/prefix/api/v1/query", None)
    assert form == {"query": ['up{pod=~"a|b"}'], "time": ["12.346"], "timeout": ["10"]}


def test_a_scalar_is_a_sample_without_labels_and_the_servers_time_one(stub: Stub) -> None:
    stub.answers("scalar", [1700000000.1, "1700000000.1"])
    assert Prometheus(stub.address).instant("time()") == (Sample("", {}, 1700000000.1),)
    assert Prometheus(stub.address).now() == 1700000000.1


def test_no_series_are_no_samples(stub: Stub) -> None:
    stub.answers("vector", [])
    assert Prometheus(stub.address).instant("up") == ()


def test_a_token_is_read_for_every_request(stub: Stub, tmp_path) -> None:
    stub.answers("vector", [])
    token = tmp_path / "token"
    asking = Prometheus(stub.address, token_file=str(token))
    for text in ("first\n", "second"):
        token.write_text(text)
        asking.instant("up")
    assert [authorization for *_, authorization in stub.asked] == ["Bearer first", "Bearer second"]
    token.unlink()
    with pytest.raises(DependencyError, match="FileNotFoundError"):
        asking.instant("up")


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, ConfigurationError, "parse error"),
        (422, {"status": "error", "errorType": "execution", "error": "too many"}, DataError, "too many"),
        (503, {"status": "error", "errorType": "timeout", "error": "timed out"}, DependencyError, "status 503"),
        (500, "<html>", DependencyError, "status 500"),
        (200, "<html>a login page</html>", DependencyError, "gives no answer of a Prometheus"),
        (200, [1], DependencyError, "gives no answer of a Prometheus"),
        (200, {"status": "success"}, DependencyError, "gives no answer of a Prometheus"),
        (401, "", DependencyError, "refuses to answer"),
        (403, "", DependencyError, "refuses to answer"),
        (0, "", DependencyError, "gives no answer of a Prometheus"),
    ],
)
def test_every_way_not_to_answer(stub: Stub, status: int, body: object, kind: type, message: str) -> None:
    stub.status, stub.body = status, (body if isinstance(body, str) else json.dumps(body)).encode()
    with pytest.raises(kind, match=message):
        Prometheus(stub.address).instant("up")


def test_part_of_an_answer_is_none(stub: Stub) -> None:
    stub.answers("vector", [], warnings=["remote read failed"])
    with pytest.raises(DataError, match=r"is answered in part.*remote read failed"):
        Prometheus(stub.address).instant("up")


@pytest.mark.parametrize(
    ("kind", "result", "message"),
    [
        ("matrix", [], "gives a matrix"),
        ("vector", [{"metric": {}}], "is something other than an instant vector"),
        ("vector", [{"metric": {}, "value": [1, "many"]}], "is no number"),
    ],
)
def test_what_is_no_instants_values(stub: Stub, kind: str, result: object, message: str) -> None:
    stub.answers(kind, result)
    with pytest.raises(DataError, match=message):
        Prometheus(stub.address).instant("up[1m]")


def test_nothing_listens_there_and_something_says_nothing() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DependencyError, match="ConnectionRefusedError") as refused:
            Prometheus(address).instant("up")
        assert refused.value.retryable
        silent.listen()
        with pytest.raises(DependencyError, match="TimeoutError"):
            Prometheus(address, timeout_seconds=0.05).now()


@pytest.mark.parametrize("address", ["prometheus:9090", "ftp://x", "http://", "http://user:pass@x", "http://x?q=1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the address of a Prometheus"):
        Prometheus(address)
