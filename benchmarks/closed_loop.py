"""Clients that ask, wait for the whole answer, and ask again: what a server can do, not what its callers would feel.

For latencies as callers feel them see ``gauntlet.serving.load``. Here every server gets the same eight callers.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httptools
import numpy as np
import uvloop

HOST = "127.0.0.1"
GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Seen:
    """What the clients saw.

    Attributes:
        latency: (answers,) seconds of each.
        seconds: how long they asked.
    """

    latency: np.ndarray
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latency) / self.seconds


def post(path: str, body: bytes) -> bytes:
    """A request, whole."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def closed_loop(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Seen:
    """Ask for some time, each client on a connection of its own.

    Args:
        port: of a server on loopback.
        requests: whole requests, asked in turn.
        clients: how many ask at once.
        seconds: how long.

    Raises:
        RuntimeError: an answer was no 200, or a connection was lost.
    """
    latency: list[float] = []

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        turns, ends = itertools.cycle(requests), []
        began = time.perf_counter()
        for _ in range(clients):
            done = loop.create_future()
            ends.append(done)
            await loop.create_connection(lambda done=done: _Client(turns, latency, began + seconds, done), HOST, port)
        await asyncio.wait_for(asyncio.gather(*ends), seconds + GRACE_SECONDS)
        return time.perf_counter() - began

    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            spent = runner.run(ask())
    finally:
        gc.enable()
    return Seen(np.array(latency), spent)


class _Client(asyncio.Protocol):
    def __init__(self, turns: Iterator[bytes], latency: list[float], until: float, done: asyncio.Future[None]) -> None:
        self.turns, self.latency, self.until, self.done = turns, latency, until, done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        self.ask()

    def ask(self) -> None:
        self.sent = time.perf_counter()
        if self.sent < self.until:
            self.transport.write(next(self.turns))
        else:
            self.done.set_result(None)
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.latency.append(time.perf_counter() - self.sent)
        if self.parser.get_status_code() != 200:
            self.done.set_exception(RuntimeError(f"status {self.parser.get_status_code()}"))
            self.transport.close()
        else:
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed a connection"))
