"""One request, one reply, on connections that servers close as they like."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gauntlet.errors import DependencyError
from gauntlet.serving.acceptance.address import Address
from gauntlet.serving.acceptance.client import Client, require_reachable

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"


@contextmanager
def answering(*connections: list[bytes]) -> Iterator[tuple[Address, list[bytes]]]:
    """A server that gives each connection its answers and then closes it without a word."""
    heads: list[bytes] = []

    def serve() -> None:
        for answers in connections:
            accepted, _ = listening.accept()
            with accepted:
                for answer in answers:
                    heads.append(accepted.recv(65536))
                    accepted.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Address("127.0.0.1", listening.getsockname()[1], "/base"), heads


def test_a_reply_has_status_media_type_and_body() -> None:
    with answering([OK]) as (address, heads), Client(address, timeout=30, headers={"x-team": "loans"}) as client:
        reply = client.ask("POST", "/v1", b"{}")
    assert (reply.status, reply.kind, reply.json(), reply.failure) == (200, "application/json", {}, "")
    assert heads[0].startswith(b"POST /base/v1 HTTP/1.1\r\n")
    assert b"x-team: loans" in heads[0]


def test_a_connection_closed_at_rest_is_replaced_without_a_failure() -> None:
    with answering([OK], [OK, OK]) as (address, heads), Client(address, timeout=30) as client:
        replies = [client.ask("GET", f"/{number}") for number in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [head.split()[1] for head in heads if head] == [b"/base/0", b"/base/1", b"/base/2"]


def test_no_answer_on_a_new_connection_is_a_failure_and_is_not_repeated() -> None:
    with answering([b""], [OK]) as (address, heads), Client(address, timeout=30) as client:
        first = client.ask("GET", "/0")
        second = client.ask("GET", "/1")
    assert (first.status, first.failure) == (0, "RemoteDisconnected")
    assert second.status == 200
    assert len(heads) == 2


def test_silence_ends_with_the_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = Address("127.0.0.1", listening.getsockname()[1])
        assert Client(address, timeout=0.1).ask("GET", "/").failure == "no answer in time"


def test_what_is_not_http_is_a_failure() -> None:
    with answering([b"not http\r\n\r\n"]) as (address, _), Client(address, timeout=30) as client:
        answer = client.ask("GET", "/")
        assert answer.failure == "BadStatusLine"
        with pytest.raises(ValueError, match="Expecting"):
            answer.json()


def test_a_server_that_answers_anything_is_there() -> None:
    missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    with answering([missing]) as (address, _), Client(address, timeout=30) as client:
        require_reachable(client, address)
    with Client(address, timeout=30) as client, pytest.raises(DependencyError, match="ConnectionRefused"):
        require_reachable(client, address)
