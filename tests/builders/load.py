"""A run of load in simulated time, and a real server on loopback that misbehaves on request."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from gauntlet.serving.dispatch import Dispatch
from gauntlet.serving.load_result import LoadResult, Outcome, Summary

HOW_TO_ENABLE = "httptools is not installed: make test brings it, or pip install httptools"

Serve = Callable[[int, float], tuple[float, Outcome]]
"""(request, when it was sent) → (when the connection is done with it, how)."""


def simulate(
    intended: np.ndarray,
    serve: Serve,
    *,
    rate: float,
    seconds: float,
    connections: int,
    timeout: float,
    lag: float = 0.0,
) -> LoadResult:
    """Drive a ``Dispatch`` against a simulated server: no network, no clock.

    Args:
        intended: (n,) starts.
        serve: the server.
        rate: for the record.
        seconds: for the record.
        connections: open from the start; a lost one is open again at once.
        timeout: of a request.
        lag: how late the generator wakes up, every time.
    """
    dispatch = Dispatch(intended, connections=connections, timeout=timeout)
    ends: list[tuple[float, int, int, Outcome]] = []
    carrying: dict[int, int] = {}
    now = 0.0

    def send(what: tuple[int, int] | None) -> None:
        if what:
            connection, request = what
            carrying[connection] = request
            end, outcome = serve(request, now)
            heapq.heappush(ends, (end, connection, request, outcome))

    for connection in range(connections):
        send(dispatch.opened(connection, 0.0))
    while not dispatch.done:
        wake = dispatch.next_event() + lag
        if ends and ends[0][0] <= wake:
            now, connection, request, outcome = heapq.heappop(ends)
            if carrying.get(connection) != request:
                continue  # cut long ago
            del carrying[connection]
            if outcome is Outcome.ANSWERED:
                dispatch.answered(connection, 200, now)
            else:
                dispatch.lost(connection, outcome, now)
            send(dispatch.opened(connection, now))
        else:
            now = max(now, wake)
            while dispatch.is_due(now):
                send(dispatch.fire(now))
            for connection in dispatch.expire(now):
                del carrying[connection]
                send(dispatch.opened(connection, now))
    return dispatch.result(rate=rate, seconds=seconds)


def one_worker(service: float, *, stall: float = 0.0, every: float = 2.0) -> Serve:
    """A server that answers one request after the other, and rests in the last ``stall`` of ``every`` seconds."""
    free = 0.0

    def serve(request: int, sent: float) -> tuple[float, Outcome]:
        nonlocal free
        free = max(free, sent) + service
        if free % every > every - stall:
            free += every - free % every
        return free, Outcome.ANSWERED

    return serve


def summary(
    rate: float, *, p99: float = 0.001, errors: dict[str, int] | None = None, faults: tuple[str, ...] = ()
) -> Summary:
    """The summary of a run of 1,000 requests."""
    return Summary(
        requests=1000,
        rate=rate,
        achieved_rate=rate,
        latency={50: p99 / 2, 99: p99},
        service={50: p99 / 2, 99: p99},
        lag_p99=0.0,
        errors=errors or {},
        faults=faults,
    )


class Server:
    """What the server in the background has seen: requests by path, bodies in order, connections."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.heads: list[str] = []
        self.connections = 0


ANSWERS = {
    "/ok": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "/announced": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "/missing": b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    "/broken": b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    "/last": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    "/garbage": b"this is not HTTP\r\n\r\n",
    "/half": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    "/twice": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" * 2,
}
CLOSING = ("/last", "/half", "/reset")


async def _answer(seen: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    seen.connections += 1
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            seen.heads.append(head)
            length = [line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")]
            seen.bodies.append(await reader.readexactly(int(length[0]) if length else 0))
            path = head.split()[1]
            seen.requests[path] += 1
            if path == "/mixed":  # half of them fail, in three ways
                path = ("/broken", "/reset", "/half", "/ok", "/chunked", "/empty")[seen.requests[path] % 6]
            if path == "/silent":
                continue
            answer = ANSWERS.get(path, b"")
            for part in (answer[:20], answer[20:]):  # never whole in one piece
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if path in CLOSING:
                writer.transport.abort() if path == "/reset" else writer.close()
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        if not writer.is_closing():
            writer.transport.abort()


@contextmanager
def server() -> Iterator[Server]:
    """A server on 127.0.0.1, in a thread; what it answers follows from the path."""
    seen, ready, stop = Server(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        listening = await asyncio.start_server(lambda r, w: _answer(seen, r, w), "127.0.0.1", 0)
        seen.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listening.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close in the next turn

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
