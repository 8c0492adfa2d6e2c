"""The router under callers that mean harm: it answers others meanwhile, and holds a bounded amount of memory."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from builders.fuzz import no_http
from builders.hostile_callers import MEBI, answers, callers, closed, connections, head, memory, send, wait_until
from builders.local import ROW, Running, hosting, stub

PATH = "/v1/models/model:predict"
LIMITS = {"connections": 60, "head_seconds": 1, "body_seconds": 2, "idle_seconds": 30}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with hosting(tmp_path_factory.mktemp("attacked") / "loans", seconds=10, patience=LIMITS) as one:
        one.installed(stub(one.folder, "1"))
        yield one


def well(host: Running) -> None:
    began = time.monotonic()
    assert host.ask().status == 200
    assert host.client.state().revisions["1"].ready
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HTTP/1.1\r\nx:", head(PATH, 100) + b"{"], ids=["nothing", "half a head", "half a body"]
)
def test_callers_that_stop_lock_nobody_out_and_are_closed(host: Running, sent: bytes) -> None:
    with callers(host.port, 150) as held:
        for caller in held:
            send(caller, sent)
        well(host)
        assert closed(held) >= 80
        wait_until(lambda: closed(held) == 150, 10)
    well(host)


def test_bodies_that_never_end_take_a_bounded_amount_of_memory_and_give_it_back(host: Running) -> None:
    well(host)
    before = memory(host.process.pid)
    with callers(host.port, 30) as held:
        for caller in held:
            send(caller, head(PATH, 4 * MEBI - 10), b" " * (4 * MEBI - 100))
        well(host)
        assert memory(host.process.pid) - before < 90 * MEBI  # 120 MiB were sent, and 64 may be held
        refused = [caller for caller in held if closed([caller])]
        assert len(refused) >= 10
        assert refused[0].recv(65536).startswith(b"HTTP/1.1 503")
        wait_until(lambda: closed(held) == 30, 10)
        assert answers(next(caller for caller in held if caller not in refused)).startswith(b"HTTP/1.1 408")
    wait_until(lambda: memory(host.process.pid) - before < 10 * MEBI, 10)
    well(host)


@pytest.mark.parametrize("began", [b"", b"POST "], ids=["open", "begun"])
def test_no_request_is_lost_when_the_host_ends(host: Running, began: bytes) -> None:
    stub(host.folder, "1", seconds=0.2)
    with callers(host.port, 1) as (caller,):
        send(caller, began)
        time.sleep(0.1)
        host.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        send(caller, (head(PATH, len(ROW)) + ROW).removeprefix(began))
        said = answers(caller)
    assert said.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in said
    assert host.process.wait(60) == 0
    host.start()
    wait_until(lambda: host.ask().status == 200, 60)


def test_a_request_under_way_is_answered_whatever_others_hold(host: Running) -> None:
    stub(host.folder, "1", seconds=3)
    found = []
    asking = threading.Thread(target=lambda: found.append(host.ask().status))
    asking.start()
    time.sleep(0.2)
    with callers(host.port, 100):
        asking.join()
    assert found == [200]


def test_a_caller_that_reads_no_answers_gets_no_further_ones_and_is_closed(host: Running) -> None:
    stub(host.folder, "1", seconds=0, score="x" * 10_000)
    before = memory(host.process.pid)
    request = head(PATH, len(ROW)) + ROW
    with callers(host.port, 2, room=4096) as held:
        for caller in held:
            caller.settimeout(1)
            send(caller, *[request * 100] * 1000)  # until the host reads no more
        well(host)
        assert memory(host.process.pid) - before < 20 * MEBI
        wait_until(lambda: connections(host.port) == 0, 10)
    stub(host.folder, "1")


def test_what_is_no_http_costs_no_5xx_and_no_time(host: Running) -> None:
    stub(host.folder, "1")
    for sent in no_http(19, 200):
        began = time.monotonic()
        with callers(host.port, 1) as (caller,):
            send(caller, sent)
            with suppress(OSError):
                caller.shutdown(socket.SHUT_WR)
            said = answers(caller)
        assert time.monotonic() - began < 3, sent
        assert not said.startswith(b"HTTP/1.1 5"), (sent, said)
        assert b"gauntlet_router" not in said
    well(host)
