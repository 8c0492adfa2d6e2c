"""HTTP connections of the model server: uvicorn's, with timeouts, limits, and a drain that loses no request.

uvicorn bounds neither the time of a head or a body nor the length of a head, and at SIGTERM it closes a connection that
was opened a moment ago, whose request is on its way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gauntlet.serving.connections import FULL, Doorkeeper, Patience, Phase, part, refusal_of

MOST_HEAD = 64 * 1024
"""Bytes of a head."""
_FRAMING = 8
"""Bytes around each byte of a body that chunked transfer may cost."""
LINGER_SECONDS = 1.0
"""Time at SIGTERM for a connection without a request to send one."""


class GuardedProtocol(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn is not where types are checked
    """One connection.

    Args:
        doorkeeper: keeps the connections.
        patience: limits.
        draining: whether the server is to end, so that no connection is kept.
        uvicorn: the arguments of uvicorn's protocol.
    """

    def __init__(
        self, *, doorkeeper: Doorkeeper, patience: Patience, draining: Callable[[], bool], **uvicorn: Any
    ) -> None:
        super().__init__(**uvicorn)
        self._doorkeeper = doorkeeper
        self._patience = patience
        self._draining = draining
        self._in_message = self._in_head = False
        self._overhead = 0  # bytes since the request began, beside its body's and what may surround them

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Open."""
        super().connection_made(transport)
        if not self._doorkeeper.opened(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed."""
        self._doorkeeper.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Part of a request, or several."""
        if self.transport.is_closing():
            return
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > MOST_HEAD:
            self._refuse(431, f"a request's head may have {MOST_HEAD} bytes")

    def eof_received(self) -> bool:
        """No more requests; the one under way is still answered."""
        waits = self._answering() and not self._in_message
        if waits:
            self.cycle.keep_alive = False
        return waits

    # -- httptools -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_message = self._in_head = True
        self._overhead = 0
        super().on_message_begin()
        self._moved()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        super().on_headers_complete()
        if self._draining():
            self.cycle.keep_alive = False
        self._moved()

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._overhead = max(0, self._overhead - (1 + _FRAMING) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._in_message = False
        self._overhead = 0
        super().on_message_complete()
        self._moved()

    # -- uvicorn -------------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """The last byte of a response."""
        super().on_response_complete()
        self._moved()

    def pause_writing(self) -> None:
        """The caller has not read what was sent."""
        super().pause_writing()
        self._moved()

    def resume_writing(self) -> None:
        """The caller has read it."""
        super().resume_writing()
        self._moved()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "this is not an HTTP/1.1 request")

    def shutdown(self) -> None:
        """Close once no request is under way or on its way."""
        if self._answering():
            super().shutdown()
        else:
            self.loop.call_later(LINGER_SECONDS, self._leave)

    # -- limits --------------------------------------------------------------------------------------------------

    def turn_away(self, reason: str) -> None:
        """Close, because the caller takes too long or the server is full."""
        refusal = refusal_of(reason, self._patience)
        if reason == Phase.READ:
            self.transport.abort()
        elif refusal is None or (self._answering() and self.cycle.response_started):
            part(self.transport)
        else:
            self._refuse(*refusal, retry_after=reason == FULL)

    def _refuse(self, status: int, message: str, *, retry_after: bool = False) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"error": message}).encode()
        headers = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        headers += b"retry-after: 1\r\n" if retry_after else b""
        if not (self._answering() and self.cycle.response_started):
            self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], headers, body))
        part(self.transport)

    def _leave(self) -> None:
        if not self._answering() and not self._in_message:  # a head that has begun has its own timeout
            self.transport.close()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _moved(self) -> None:
        if self.flow.write_paused:
            phase = Phase.READ
        elif self.pipeline:
            phase = Phase.BUSY
        elif self._answering():
            phase = Phase.BODY if self._in_message and not self._in_head else Phase.BUSY
        else:
            phase = Phase.HEAD if self._in_message else Phase.IDLE
        self._doorkeeper.moved(self, phase)


class DrainingServer(Server):  # type: ignore[misc]
    """uvicorn's server, which at SIGTERM goes on accepting connections for a while.

    Whoever routes to this server learns some time after the signal that it ends.

    Args:
        config: uvicorn's configuration.
        listen_seconds: this time.
    """

    def __init__(self, config: Any, *, listen_seconds: float) -> None:
        super().__init__(config)
        self._listen_seconds = listen_seconds

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop."""
        await asyncio.sleep(self._listen_seconds)
        await super().shutdown(sockets)
