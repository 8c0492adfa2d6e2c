"""Callers that mean harm, against a server of small limits: real sockets on loopback, a few seconds in all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from builders.fuzz import fuzzed, no_http
from builders.hostile_callers import MEBI, answers, callers, closed, connections, head, memory, send, wait_until
from builders.model_server import Server, serving
from builders.served_models import COLUMNS, brought

pytestmark = pytest.mark.servers

PATH = "/v1/models/loans:predict"
GOOD = {"instances": [{"amount": 1.5, "code": 2, "member": True}]}
LIMITS = {
    "max_bytes": MEBI,
    "max_held_bytes": 4 * MEBI,
    "max_connections": 60,
    "head_seconds": 1,
    "body_seconds": 2,
    "idle_seconds": 30,
}


def scored(frame: Any) -> Any:
    if (frame["amount"] == 7).any():
        raise KeyError("planted")
    return frame["amount"].to_numpy() * 0 + 0.5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("attacked")
    options = [f"--{name}={value}" for name, value in LIMITS.items()]
    with serving(brought(folder / "model", scored, COLUMNS), folder / "tmp", *options) as one:
        yield one


def well(server: Server) -> None:
    """A healthy request and a health check are answered, and soon."""
    began = time.monotonic()
    assert server.ask("POST", PATH, GOOD) == (200, {"predictions": [0.5]})
    assert server.ask("GET", "/v2/health/ready")[0] == 200
    assert time.monotonic() - began < 3


def test_bodies_that_never_end_take_a_bounded_amount_of_memory_and_give_it_back(server: Server) -> None:
    well(server)
    before = memory(server.process.pid)
    with callers(server.port, 40) as held:
        for caller in held:
            send(caller, head(PATH, MEBI - 10), b" " * (MEBI - 100))
        well(server)
        assert memory(server.process.pid) - before < 20 * MEBI  # 40 MiB were sent
        refused = [caller for caller in held if closed([caller])]
        assert len(refused) >= 30
        said = refused[0].recv(65536)
        assert said.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in said
        wait_until(lambda: closed(held) == 40, 10)
        said = answers(next(caller for caller in held if caller not in refused))
        assert said.startswith(b"HTTP/1.1 408")
        assert b"body took longer than 2 s" in said
    wait_until(lambda: memory(server.process.pid) - before < 5 * MEBI, 10)
    assert server.metric("gauntlet_turned_away_total", reason="body") >= 3
    assert server.metric("gauntlet_turned_away_total", reason="bytes") >= 30
    assert server.metric("gauntlet_request_errors_total", protocol="v1", fault="server") == 0  # no canary's fault
    well(server)


@pytest.mark.parametrize(
    "sent",
    [b"", b"P", b"POST /v1/models/loans:predict HTTP/1.1\r\nx: y\r\n", head(PATH, 100), head(PATH, 100) + b"{"],
    ids=["nothing", "a byte", "half a head", "no body", "a byte of a body"],
)
def test_callers_that_stop_lock_nobody_out_and_are_closed(server: Server, sent: bytes) -> None:
    with callers(server.port, 150) as held:
        for caller in held:
            send(caller, sent)
        well(server)
        assert closed(held) >= 80
        wait_until(lambda: closed(held) == 150, 10)
    well(server)


def test_a_connection_in_use_is_kept_while_others_are_closed_for_their_slowness(server: Server) -> None:
    request = head(PATH, len(ROWS)) + ROWS
    with callers(server.port, 1) as (kept,), ExitStack() as stack:
        for _ in range(120):
            send(kept, request)
            said = b""
            while not said.endswith(b"}"):
                said += kept.recv(65536)
            assert said.startswith(b"HTTP/1.1 200")
            send(*stack.enter_context(callers(server.port, 1)), b"GET / HTTP/1.1\r\n")
    assert server.metric("gauntlet_turned_away_total", reason="full") > 0


ROWS = b'{"instances": [{"amount": 1, "code": 2, "member": true}]}'


def test_callers_that_read_no_answer_are_closed(server: Server) -> None:
    request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n"
    before = memory(server.process.pid)
    with callers(server.port, 2, room=4096) as held:
        for caller in held:
            send(caller, request * 2000)
        well(server)
        wait_until(lambda: connections(server.port) == 0, 30)
    assert server.metric("gauntlet_turned_away_total", reason="read") == 2
    assert memory(server.process.pid) - before < 20 * MEBI


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET / HTTP/1.1\r\nx: ", b"y" * 65536),
        (b"GET /", b"y" * 65536),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 10_000),
        (
            head(PATH, 0).replace(b"content-length: 0", b"transfer-encoding: chunked") + b"1\r\n \r\n0\r\nx: ",
            b"y" * 65536,
        ),
        (head(PATH, 0).replace(b"content-length: 0", b"transfer-encoding: chunked") + b"1;x=", b"y" * 65536),
    ],
    ids=["header", "target", "headers", "trailer", "chunk extension"],
)
def test_heads_and_trailers_without_end_are_cut_off(server: Server, begin: bytes, more: bytes) -> None:
    before = memory(server.process.pid)
    with callers(server.port, 1) as (caller,):
        send(caller, begin, *[more] * 200)
        answers(caller)
    assert memory(server.process.pid) - before < 8 * MEBI
    well(server)


def test_a_large_body_that_will_be_refused_is_answered_before_it_is_sent(server: Server) -> None:
    with callers(server.port, 1) as (caller,):
        send(caller, head(PATH, 10**12, "expect: 100-continue"))
        assert caller.recv(65536).startswith(b"HTTP/1.1 413")


def test_callers_cannot_fill_the_log(server: Server) -> None:
    log = server.scratch.parent / f"{server.scratch.name}.log"
    before = log.stat().st_size
    planted = {"instances": [{"amount": 7, "code": 2, "member": True}]}
    for index in range(60):
        for path in (f"/v1/models/no{index}", f"/nothing/{index}", "/v2/models/x/ready", "/v2/repository/index"):
            assert server.ask("GET", path)[0] == 404
        assert server.ask("POST", PATH, planted)[0] == 500
        for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"):
            with callers(server.port, 1) as (caller,):
                send(caller, sent)
                caller.recv(65536)
    assert log.stat().st_size - before < 10_000
    assert "planted" not in log.read_text()


def test_web_pages_get_no_answer_of_a_server_on_loopback(server: Server) -> None:
    for line in (b"host: evil.example", b"host: localhost\r\norigin: http://evil.example"):
        with callers(server.port, 1) as (caller,):
            send(caller, b"GET /v2/models/loans HTTP/1.1\r\n%b\r\n\r\n" % line)
            assert caller.recv(65536).startswith(b"HTTP/1.1 403")


def test_fuzzed_requests_by_socket(server: Server) -> None:
    """A request or what is none at each connection: an answer or an end within 3 s, 5xx for the planted fault alone."""
    before, wrong = memory(server.process.pid), []

    def one(sent: bytes, planted: bool) -> None:
        began = time.monotonic()
        with callers(server.port, 1) as (caller,):
            send(caller, sent)
            caller.shutdown(socket.SHUT_WR)
            said = answers(caller)
        status = int(said.split()[1]) if said.startswith(b"HTTP/1.1 ") else 0
        if (status >= 500) != planted or time.monotonic() - began > 3 or b"Traceback" in said or b"hidden" in said:
            wrong.append((sent[:200], said[:200]))

    work = [(head(one.path, len(one.body), "connection: close") + one.body, one.planted) for one in fuzzed(17, 300)]
    work += [(sent, False) for sent in no_http(18, 300)]
    threads = [
        threading.Thread(target=lambda part: [one(*each) for each in part], args=(work[at::4],)) for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert memory(server.process.pid) - before < 20 * MEBI
    well(server)
