"""Network engine of a load: connections with asyncio and httptools, driven by a ``Dispatch``."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
from collections.abc import Sequence
from typing import Any

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.serving.dispatch import Dispatch
from gauntlet.serving.load_result import Outcome
from gauntlet.serving.timing import paused_gc, precise_loop

_CONNECT_SECONDS = 5.0
"""Timeout for opening the connections."""
_RETRY_SECONDS = (0.01, 0.5)
"""Shortest and longest backoff before a failed connection is reopened; it doubles in between."""
_SETTLE_SECONDS = 0.01
"""Pause between opening the pool and the first request."""


def drive(dispatch: Dispatch, messages: Sequence[bytes], host: str, port: int) -> None:
    """Run until every request is finished.

    Args:
        dispatch: dispatch of the load, not yet started.
        messages: complete requests, sent in turn.
        host: name or address.
        port: TCP port.

    Raises:
        DependencyError: nothing listens there, or the host is unreachable.
        ConfigurationError: this process may not open so many connections.
    """
    if importlib.util.find_spec("httptools") is None:
        raise DependencyError("is not installed", field="httptools", mend="Install httptools (pip install httptools)")
    with asyncio.Runner(loop_factory=precise_loop) as runner, paused_gc():
        runner.run(_Engine(dispatch, messages, host, port).run())


class _Engine:
    def __init__(self, dispatch: Dispatch, messages: Sequence[bytes], host: str, port: int) -> None:
        self._dispatch = dispatch
        self._messages = messages
        self._host, self._port = host, port
        self._connections: dict[int, _Connection] = {}
        self._pauses = [0.0] * dispatch.connections
        self._opening: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._start = 0.0

    async def run(self) -> None:
        """Open the pool, send, wait for the last response, close."""
        self._loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._loop.set_exception_handler(self._unexpected)
        try:
            await self._open_pool()
            self._start = self._loop.time() + _SETTLE_SECONDS
            self._wake()
            await self._finished
        finally:
            if self._timer:
                self._timer.cancel()
            for task in self._opening:
                task.cancel()
            for connection in self._connections.values():
                connection.cut()
            await asyncio.sleep(0)

    def now(self) -> float:
        """Seconds since the start of the run."""
        return self._loop.time() - self._start

    # -- events of connections -----------------------------------------------------------------------------------

    def answered(self, connection: _Connection, status: int, keep: bool) -> None:
        """Handle a complete response; the connection stays open if ``keep``."""
        if not self._dispatch.carries(connection.number):
            self.broken(connection, Outcome.MALFORMED)  # a response without a request
            return
        now = self.now()
        self._dispatch.answered(connection.number, status, now)
        if keep:
            self._send(self._dispatch.opened(connection.number, now))
        else:
            self._reopen(connection.number)
        self._finish_if_done()

    def broken(self, connection: _Connection, outcome: Outcome) -> None:
        """Handle a broken connection; its request has failed with ``outcome``."""
        number = connection.number
        self._dispatch.lost(number, outcome, self.now())
        shortest, longest = _RETRY_SECONDS
        self._pauses[number] = 0.0 if connection.useful else min(max(2 * self._pauses[number], shortest), longest)
        connection.cut()
        self._reopen(number)
        self._finish_if_done()

    # -- timer ---------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Send due requests, time out late ones, and set the timer for the next event."""
        until = self.now()
        while self._dispatch.is_due(until):
            self._send(self._dispatch.fire(self.now()))
        for number in self._dispatch.expire(until):
            self._reopen(number)
        self._finish_if_done()
        if not self._dispatch.done:
            self._timer = self._loop.call_at(self._start + self._dispatch.next_event(), self._wake)

    def _send(self, assignment: tuple[int, int] | None) -> None:
        if assignment:
            number, request = assignment
            self._connections[number].send(self._messages[request % len(self._messages)])

    def _finish_if_done(self) -> None:
        if self._dispatch.done and not self._finished.done():
            self._finished.set_result(None)

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the run on an error in a callback; asyncio would only log it and wait forever."""
        error = context.get("exception") or RuntimeError(context["message"])
        if not (self._finished.done() or isinstance(error, OSError)):  # network errors are counted
            self._finished.set_exception(error)

    # -- opening -------------------------------------------------------------------------------------------------

    async def _open_pool(self) -> None:
        address = f"{self._host}:{self._port}"
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                for number in range(self._dispatch.connections):
                    await self._open(number)
        except TimeoutError as error:
            raise DependencyError(
                f"{address} did not accept {self._dispatch.connections} connections within {_CONNECT_SECONDS:.0f} s",
                field="address",
                mend="Check that the server runs and accepts connections, or use fewer",
                retryable=True,
            ) from error
        except ConnectionRefusedError as error:
            raise DependencyError(
                f"nothing listens on {address}", field="address", mend="Start the server, or correct host and port",
                retryable=True,
            ) from error  # fmt: skip
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise ConfigurationError(
                    "this process may not open so many files",
                    field="connections",
                    value=self._dispatch.connections,
                    mend="Use fewer connections, or raise the limit (ulimit -n)",
                ) from error
            raise DependencyError(
                f"{address} is unreachable ({error.strerror or error})",
                field="address",
                mend="Correct host and port",
                retryable=True,
            ) from error

    async def _open(self, number: int) -> None:
        _, connection = await self._loop.create_connection(lambda: _Connection(self, number), self._host, self._port)
        if connection.in_use:  # else it was lost meanwhile, and is being reopened
            self._connections[number] = connection
            self._send(self._dispatch.opened(number, self.now()))

    def _reopen(self, number: int) -> None:
        if number in self._connections:
            self._connections[number].cut()
        if not self._dispatch.done:
            task = self._loop.create_task(self._open_again(number))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open_again(self, number: int) -> None:
        pause = self._pauses[number]
        while True:
            await asyncio.sleep(pause)
            try:
                await self._open(number)
            except OSError:
                pause = min(max(2 * pause, _RETRY_SECONDS[0]), _RETRY_SECONDS[1])
            else:
                return


class _Connection(asyncio.Protocol):
    """Keep-alive connection: writes requests, reports complete responses."""

    _transport: asyncio.Transport

    def __init__(self, engine: _Engine, number: int) -> None:
        import httptools

        self.number = number
        self.useful = False
        self._engine: _Engine | None = engine  # None after cut(): later events are dropped
        self._parser = httptools.HttpResponseParser(self)
        self._parser_error: tuple[type[Exception], ...] = (httptools.HttpParserError, httptools.HttpParserUpgrade)

    @property
    def in_use(self) -> bool:
        """Whether it is neither lost nor closed."""
        return self._engine is not None

    def send(self, message: bytes) -> None:
        """Write one request."""
        self._transport.write(message)

    def cut(self) -> None:
        """Abort the connection, and report nothing more."""
        self._engine = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Asyncio: data of responses."""
        try:
            self._parser.feed_data(data)
        except self._parser_error:
            if self._engine:
                self._engine.broken(self, Outcome.MALFORMED)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: closed by the server or the network."""
        if self._engine:
            self._engine.broken(self, Outcome.CUT)

    def on_message_complete(self) -> None:
        """Httptools: a response is complete."""
        status = self._parser.get_status_code()
        if self._engine and status >= 200:  # 1xx are informational
            self.useful = True
            self._engine.answered(self, status, self._parser.should_keep_alive())
