"""HTTP/1.1 server: parses requests, and writes the responses in the order of the requests."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Headers = Sequence[tuple[bytes, bytes]]

MOST_BODY = 16 * 1024 * 1024
"""Bytes of one request's body."""
_MOST_HEAD = 64 * 1024
"""Bytes of one request's target and headers."""
_MOST_UNREAD = 1024 * 1024
"""Bytes of a head that does not end, counted as they arrive: the parser reports a header once it is complete."""
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade content-length expect".split()
)
"""Headers of a connection rather than of a message (RFC 9110, 7.6.1), and those that this server writes itself."""
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One whole request; header names in lower case."""

    method: bytes = b""
    target: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    keep: bool = True

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


Respond = Callable[[Answer], None]
Handle = Callable[[Request, Respond], None]
"""Handles a request, and calls back once with its response, at once or later."""


class Connection(asyncio.Protocol):
    """A caller's connection.

    Args:
        handle: handles requests.
        opened: the set of open connections, which this one joins and leaves.
        most_body: bytes a request's body may have.
    """

    _transport: asyncio.Transport

    def __init__(self, handle: Handle, opened: set[Connection], most_body: int = MOST_BODY) -> None:
        import httptools

        self._handle = handle
        self._opened = opened
        self._most_body = most_body
        self._parser = httptools.HttpRequestParser(self)
        self._parser_errors: tuple[type[Exception], ...] = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._waiting: deque[tuple[Request, Answer | None]] = deque()
        self._current: Request | None = None
        self._refused: Answer | None = None
        self._ending = False
        self._in_head = True
        self._unread_bytes = 0

    def end(self) -> None:
        """Close once the requests under way are answered."""
        self._ending = True
        if self._current is None:
            self._transport.close()

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass of asyncio's
        self._opened.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed; responses still to come are dropped."""
        self._ending = True
        self._opened.discard(self)

    def data_received(self, data: bytes) -> None:
        """Part of a request, or several."""
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except self._parser_errors:
            self._refuse(json_answer(400, {"error": "this is not an HTTP/1.1 request"}))
        self._unread_bytes = self._unread_bytes + len(data) if self._in_head else 0
        if self._unread_bytes > _MOST_UNREAD:
            self._refuse_head()

    def eof_received(self) -> bool:
        """No more requests; those under way are still answered."""
        self._ending = True
        return self._current is not None

    # -- httptools -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._request = Request()
        self._parts: list[bytes] = []
        self._head_bytes = self._body_bytes = 0

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
        self._request.method = self._parser.get_method()
        if self._request.header(b"expect").lower() == b"100-continue" and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._body_bytes += len(body)
        if self._body_bytes <= self._most_body:
            self._parts.append(body)
        else:
            self._parts.clear()  # read to its end and dropped: a caller that is still sending would not see a response

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._in_head = True
        if self._refused:
            return
        self._request.body = b"".join(self._parts)
        self._request.keep = self._parser.should_keep_alive()
        too_long = {"error": f"a request's body may have {self._most_body} bytes; this one has {self._body_bytes}"}
        refused = json_answer(413, too_long) if self._body_bytes > self._most_body else None
        self._waiting.append((self._request, refused))
        if len(self._waiting) > 1:
            self._transport.pause_reading()
        self._next()

    # -- answering -----------------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._current is not None:
            return
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
        assert request is not None, "one answer a request"
        if not self._transport.is_closing():
            self._write(answer, request)
        if self._transport.is_closing():
            self._waiting.clear()
            return
        if not self._waiting:
            self._transport.resume_reading()
        self._next()

    def _write(self, answer: Answer, request: Request) -> None:
        close = (self._ending and not self._waiting) or not request.keep
        length = (b"content-length", b"%d" % len(answer.body))
        headers = (*answer.headers, length, *(((b"connection", b"close"),) if close else ()))
        body = b"" if request.method == b"HEAD" else answer.body
        reason = _REASONS.get(answer.status, b"Unknown")
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self._transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (answer.status, reason, lines, body))
        if close:
            self._transport.close()

    def _refuse(self, answer: Answer) -> None:
        """Give this answer once all earlier requests are answered, then close: the rest cannot be parsed."""
        if not self._refused:
            self._refused = answer
            self._next()

    def _count_head(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > _MOST_HEAD:
            self._refuse_head()

    def _refuse_head(self) -> None:
        self._refuse(json_answer(431, {"error": f"a request's head may have {_MOST_HEAD} bytes"}))
