"""HTTP/1.1 server: parses requests, and writes the responses in the order of the requests.

What callers may hold of it is limited as the model server's (``gauntlet.serving.connections``).
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gauntlet.serving.connections import (
    FULL,
    SPARE_CONNECTIONS,
    Budget,
    Doorkeeper,
    Patience,
    Phase,
    Share,
    part,
    refusal_of,
)
from gauntlet.serving.service import MOST_BYTES, MOST_HELD

Headers = Sequence[tuple[bytes, bytes]]

MOST_BODY = MOST_BYTES
"""Bytes of one request's body: as many as a model server takes."""
_MOST_HEAD = 64 * 1024
"""Bytes of one request's target and headers, and of what chunked transfer adds to its body."""
_FRAMING = 8
"""Bytes around each byte of a body that chunked transfer may cost."""
_LINGER_SECONDS = 1.0
"""When the server ends: time for a connection without a request to send its first one."""
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade content-length expect".split()
)
"""Headers of a connection rather than of a message (RFC 9110, 7.6.1), and those that this server writes itself."""
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One whole request; header names in lower case; its body's share of the budget, until it is answered."""

    method: bytes = b""
    target: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    keep: bool = True
    share: Share | None = None

    def header(self, name: bytes) -> bytes:
        """The first value of a header; empty where it is absent."""
        return next((value for key, value in self.headers if key == name), b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, body, headers beside the length."""

    status: int
    body: bytes = b""
    headers: Headers = ()


def json_answer(status: int, document: Any, *headers: tuple[bytes, bytes]) -> Answer:
    """A response with a JSON body."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, body, ((b"content-type", b"application/json"), *headers))


RETRY_SOON = (b"retry-after", b"1")
Respond = Callable[[Answer], None]
Handle = Callable[[Request, Respond], None]
"""Handles a request, and calls back once with its response, at once or later."""


class Limits:
    """What the callers of one port may hold together.

    Attributes:
        patience: limits of connections.
        doorkeeper: keeps them.
        budget: bytes of bodies.
        most_body: bytes of one body.
    """

    def __init__(self, patience: Patience, *, most_held: int = MOST_HELD, most_body: int = MOST_BODY) -> None:
        self.patience = patience
        self.doorkeeper = Doorkeeper(patience)
        self.budget = Budget(most_held)
        self.most_body = most_body

    @property
    def most_waiting(self) -> int:
        """Requests under way that leave connections for others."""
        return max(1, self.patience.connections - SPARE_CONNECTIONS)


class Connection(asyncio.Protocol):
    """A caller's connection.

    Args:
        handle: handles requests.
        opened: the set of open connections, which this one joins and leaves.
        limits: of all of them.
    """

    _transport: asyncio.Transport

    def __init__(self, handle: Handle, opened: set[Connection], limits: Limits) -> None:
        import httptools

        self._handle = handle
        self._opened = opened
        self._limits = limits
        self._most_body = limits.most_body
        self._parser = httptools.HttpRequestParser(self)
        self._parser_errors: tuple[type[Exception], ...] = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._waiting: deque[tuple[Request, Answer | None]] = deque()
        self._current: Request | None = None
        self._refused: Answer | None = None
        self._early: Answer | None = None  # of the request that is being received: the refusal it will get
        self._told = False  # it has got it
        self._choked = False
        self._request = Request()
        self._parts: list[bytes] = []
        self._ending = False
        self._answered_before = False
        self._in_message = self._in_head = False
        self._overhead = 0  # bytes since the request began, beside its body's and what may surround them

    def end(self) -> None:
        """Close once the requests under way, or on their way, are answered."""
        self._ending = True
        if self._current is not None:
            return
        if self._answered_before and not self._in_message:
            self._transport.close()
        else:
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._leave)

    @property
    def may_ask(self) -> bool:
        """Whether a request may be on its way."""
        return self._current is None

    def turn_away(self, reason: str) -> None:
        """Close, because the caller takes too long or the server is full."""
        refusal = None if self._told else refusal_of(reason, self._limits.patience)
        if reason == Phase.READ:
            self._transport.abort()
        elif refusal is None:
            part(self._transport)
        else:
            status, problem = refusal
            self._refuse(json_answer(status, {"error": problem}, *((RETRY_SOON,) if reason == FULL else ())))

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass of asyncio's
        self._opened.add(self)
        if not self._limits.doorkeeper.opened(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed; responses still to come are dropped."""
        self._ending = True
        self._opened.discard(self)
        self._limits.doorkeeper.closed(self)
        for request in (self._request, *(waiting for waiting, _ in self._waiting)):
            _release(request)
        # The parser refers to this object, which only garbage collection would notice.
        self._parts.clear()
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Part of a request, or several."""
        if self._refused:
            return
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except self._parser_errors:
            self._refuse(json_answer(400, {"error": "this is not an HTTP/1.1 request"}))
        if self._overhead > _MOST_HEAD:
            self._refuse_head()

    def pause_writing(self) -> None:
        """The caller has not read its answers: it gets no further ones until it has."""
        self._choked = True
        self._transport.pause_reading()
        self._moved()

    def resume_writing(self) -> None:
        """The caller has read them."""
        self._choked = False
        if len(self._waiting) <= 1:
            self._transport.resume_reading()
        self._moved()
        self._next()

    def eof_received(self) -> bool:
        """No more requests; those under way are still answered."""
        self._ending = True
        return self._current is not None

    # -- httptools -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._request = Request(share=Share(self._limits.budget))
        self._parts = []
        self._early = None
        self._head_bytes = self._body_bytes = self._overhead = 0
        self._in_message = self._in_head = True
        self._moved()

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._request.target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._request.headers.append((name.lower(), value))
        self._count_head(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._moved()
        self._request.method = self._parser.get_method()
        declared = int(self._request.header(b"content-length") or b"0")
        if declared > self._most_body:
            self._refuse_early(self._too_long(declared))
        elif self._request.header(b"expect").lower() == b"100-continue" and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._overhead = max(0, self._overhead - (1 + _FRAMING) * len(body))
        self._body_bytes += len(body)
        share = self._request.share
        assert share is not None, "a body has a head"
        if self._early is not None:
            return
        if self._body_bytes > self._most_body:
            self._refuse_early(self._too_long(self._body_bytes))
        elif share.take(len(body)):
            self._parts.append(body)
        else:
            no_room = {"error": "the bodies of other requests fill this server's memory; try again"}
            self._refuse_early(json_answer(503, no_room, RETRY_SOON))

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._in_message = False
        self._overhead = 0
        if self._refused:
            return
        if self._told:
            self._transport.close()
            return
        self._request.body = b"".join(self._parts)
        self._parts = []
        self._request.keep = self._parser.should_keep_alive() and self._early is None
        self._waiting.append((self._request, self._early))
        if len(self._waiting) > 1:
            self._transport.pause_reading()
        self._next()

    # -- answering -----------------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._current is not None or self._choked:
            return
        self._moved()
        if self._waiting:
            self._current, refused = self._waiting.popleft()
            if refused:
                self._answered(refused)
            else:
                self._handle(self._current, self._answered)
        elif self._refused:
            self._write(self._refused, Request(keep=False))

    def _answered(self, answer: Answer) -> None:
        request, self._current = self._current, None
        self._answered_before = True
        assert request is not None, "one answer a request"
        _release(request)
        if not self._transport.is_closing():
            self._write(answer, request)
        if self._transport.is_closing():
            for waiting, _ in self._waiting:
                _release(waiting)
            self._waiting.clear()
            return
        if not self._waiting and not self._choked:
            self._transport.resume_reading()
        self._next()

    def _write(self, answer: Answer, request: Request, *, read_on: bool = False) -> None:
        close = (self._ending and not self._waiting) or not request.keep
        length = (b"content-length", b"%d" % len(answer.body))
        headers = (*answer.headers, length, *(((b"connection", b"close"),) if close else ()))
        body = b"" if request.method == b"HEAD" else answer.body
        reason = _REASONS.get(answer.status, b"Unknown")
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self._transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (answer.status, reason, lines, body))
        if close and not read_on:
            part(self._transport)

    def _refuse_early(self, answer: Answer) -> None:
        """Refuse a request before its end, and drop the rest: a caller that is still sending may see no response."""
        self._early = answer
        self._parts.clear()
        _release(self._request)
        if self._current is None and not self._waiting and not self._refused:
            self._told = True
            self._write(answer, Request(method=self._request.method, keep=False), read_on=True)

    def _refuse(self, answer: Answer) -> None:
        """Give this answer once all earlier requests are answered, then close: the rest cannot be parsed."""
        if self._told:
            self._transport.close()
        elif not self._refused:
            self._refused = answer
            self._next()

    def _too_long(self, count: int) -> Answer:
        return json_answer(413, {"error": f"a request's body may have {self._most_body} bytes; this one has {count}"})

    def _leave(self) -> None:
        if self._current is None and not self._in_message:  # a request that has begun has its own timeout
            self._transport.close()

    def _moved(self) -> None:
        """Tell the doorkeeper what this connection waits for."""
        if self._choked:
            phase = Phase.READ
        elif self._current is not None or self._waiting:
            phase = Phase.BUSY
        elif self._in_message:
            phase = Phase.HEAD if self._in_head else Phase.BODY
        else:
            phase = Phase.IDLE
        self._limits.doorkeeper.moved(self, phase)

    def _count_head(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > _MOST_HEAD:
            self._refuse_head()

    def _refuse_head(self) -> None:
        self._refuse(json_answer(431, {"error": f"a request's head may have {_MOST_HEAD} bytes"}))


def _release(request: Request) -> None:
    if request.share is not None:
        request.share.release()
