"""HTTP/1.1 client: a pool of keep-alive connections to one model server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Any

from gauntlet.delivery.targets.local.server.http_server import HOP_BY_HOP, Headers, Request

MOST_CONNECTIONS = 64
"""Connections to one server; further requests wait for one."""
_MOST_IDLE_SECONDS = 20.0
"""Longest idle time after which a connection is reused: servers close theirs after a minute or so."""


class NoAnswer(Exception):
    """No response: nothing listens, or the connection broke."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's response; header names in lower case, hop-by-hop headers left out."""

    status: int
    headers: Headers
    body: bytes


def message(request: Request) -> bytes:
    """Serialise a request for a model server. ``HEAD`` is sent as ``GET``; the caller's answer omits the body."""
    method = b"GET" if request.method == b"HEAD" else request.method
    headers = b"".join(b"%b: %b\r\n" % header for header in request.headers if header[0] not in HOP_BY_HOP)
    length = b"content-length: %d\r\n" % len(request.body) if request.body or method not in (b"GET", b"DELETE") else b""
    return b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (method, request.target, headers, length, request.body)


class Pool:
    """Connections to one server.

    Args:
        port: where it listens on 127.0.0.1.
        most: connections to it.
    """

    def __init__(self, port: int, most: int = MOST_CONNECTIONS) -> None:
        self.port = port
        self._free = asyncio.Semaphore(most)
        self._idle: list[_Line] = []

    async def ask(self, sent: bytes, seconds: float) -> Reply:
        """Send one request and wait for its response.

        Where an idle connection breaks before the first byte of a response, the server most likely closed it: the
        request is sent once more, on a new connection.

        Args:
            sent: the whole request.
            seconds: how long all of it may take, waiting for a connection included.

        Raises:
            TimeoutError: no whole answer in that time.
            NoAnswer: nothing listens, or the connection broke.
        """
        async with asyncio.timeout(seconds), self._free:
            line = self._from_idle()
            if line is not None:
                try:
                    return await self._over(line, sent)
                except NoAnswer:
                    if line.began:
                        raise
            return await self._over(await self._opened(), sent)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().cut()

    async def _over(self, line: _Line, sent: bytes) -> Reply:
        try:
            reply = await line.ask(sent)
        except BaseException:
            line.cut()
            raise
        if line.reusable:
            self._idle.append(line)
        else:
            line.cut()
        return reply

    def _from_idle(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.reusable and monotonic() - line.since < _MOST_IDLE_SECONDS:
                return line
            line.cut()
        return None

    async def _opened(self) -> _Line:
        try:
            _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", self.port)
        except OSError as error:
            raise NoAnswer(f"nothing listens on port {self.port}") from error
        return line


class _Line(asyncio.Protocol):
    """One connection, one request at a time."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        import httptools

        self._httptools = httptools
        self._parser = httptools.HttpResponseParser(self)
        self._parser_errors: tuple[type[Exception], ...] = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._waiter: asyncio.Future[Reply] | None = None
        self.since = monotonic()
        self.reusable = True
        self.began = False

    def ask(self, sent: bytes) -> asyncio.Future[Reply]:
        """Send a request; the future is its response."""
        self._waiter = asyncio.get_running_loop().create_future()
        self.began = False
        if self.reusable:
            self._transport.write(sent)
        else:
            self._fail("the server closed the connection")
        return self._waiter

    def cut(self) -> None:
        """Close without waiting for anything."""
        self.reusable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: open."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: closed by the server, or by us."""
        self.reusable = False
        self._fail("the server closed the connection")

    def data_received(self, data: bytes) -> None:
        """Asyncio: part of an answer."""
        if self._waiter is None:
            self.cut()  # a response without a request
            return
        self.began = True
        try:
            self._parser.feed_data(data)
        except self._parser_errors:
            self.reusable = False
            self._fail("the answer is not HTTP/1.1")

    def on_message_begin(self) -> None:
        """Httptools: the first byte of an answer."""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Httptools: one header."""
        lower = name.lower()
        if lower not in HOP_BY_HOP:
            self._headers.append((lower, value))

    def on_body(self, body: bytes) -> None:
        """Httptools: part of the body."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Httptools: the last byte of an answer."""
        status = self._parser.get_status_code()
        if status < 200:
            return  # 1xx are interim responses
        if not self._parser.should_keep_alive():
            self.reusable = False
        self.since = monotonic()
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            self.reusable = False  # a second answer
        elif not waiter.done():
            waiter.set_result(Reply(status, self._headers, b"".join(self._parts)))

    def _fail(self, why: str) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(NoAnswer(why))


def get(path: str, headers: Any = ()) -> bytes:
    """Serialise a ``GET``, for probes."""
    return message(Request(b"GET", path.encode(), [(b"host", b"127.0.0.1"), *headers]))
