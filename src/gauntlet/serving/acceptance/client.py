"""HTTP client of the tests: connection failures are part of the reply, not exceptions."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from gauntlet.errors import DependencyError
from gauntlet.serving.acceptance.address import Address

_JSON = "application/json"
_CLOSED = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")


@dataclass(frozen=True)
class Reply:
    """Response of a request.

    Attributes:
        status: the HTTP status; 0 without a complete response.
        kind: the media type, in lower case, without parameters.
        body: the bytes.
        failure: why the response is incomplete; empty otherwise.
    """

    status: int
    kind: str = ""
    body: bytes = b""
    failure: str = ""

    def json(self) -> Any:
        """Parse the body as JSON.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


class Client:
    """Persistent connection. Not thread-safe.

    Args:
        address: the server.
        timeout: seconds for one response.
        headers: sent with every request.
    """

    def __init__(self, address: Address, *, timeout: float, headers: Mapping[str, str] | None = None) -> None:
        self._address = address
        self._headers = {"content-type": _JSON, **(headers or {})}
        self._connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
        self._used = False

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        """Send a request and wait for its response. Follows no redirection.

        A server may close an idle connection just as it is reused. So a request without a response on a reused
        connection is retried once on a new one; predictions are idempotent.

        Args:
            method: GET or POST.
            path: below the address's base.
            body: the bytes; ``None`` sends none.
        """
        used, self._used = self._used, True
        reply = self._ask(method, path, body)
        return self._ask(method, path, body) if used and reply.failure in _CLOSED else reply

    def _ask(self, method: str, path: str, body: bytes | None) -> Reply:
        try:
            # A server may refuse a long body before it has read it; its response can still be read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._connection.request(method, self._address.base + path, body, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._used = False
            return Reply(0, failure="no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
        return Reply(answer.status, answer.headers.get_content_type().lower(), content)


def require_reachable(client: Client, address: Address) -> None:
    """Check that the address answers HTTP, before any failure counts as the server's.

    Raises:
        DependencyError: it does not.
    """
    reply = client.ask("GET", "/v2/health/live")
    if reply.failure:
        raise DependencyError(
            f"does not answer ({reply.failure})",
            field="url",
            value=str(address),
            mend="Start the server and wait until it is ready, or correct the address",
            retryable=True,
        )
