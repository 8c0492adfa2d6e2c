"""HTTP client of the host of a folder; standard library only."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gauntlet.delivery.retry import Retry, retry_on_conflict
from gauntlet.delivery.targets.local.spec import Desired
from gauntlet.errors import ConfigurationError, DataError, DependencyError

HOST_FILE = "host.json"
"""In the folder: where its host listens."""
HOST_FORMAT = "gauntlet.host/1"
TOKEN_FILE = "host.token"  # noqa: S105 - the file, not the token
"""In the folder: what a change of the service needs; its owner alone can read it."""
INCARNATION_HEADER = "x-gauntlet-incarnation"
"""Names the host that a request is for: another one may listen there by now."""
_UNAUTHORIZED, _MISDIRECTED = 401, 421
_ATTEMPTS = 10
"""Attempts at a change, each made anew when another change came first."""
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class RevisionStatus:
    """The status of a version's server.

    Attributes:
        digest: of the model it serves.
        ready: it answers now.
        failed: why it will not be started again; empty otherwise.
        port: where it listens; ``None`` while there is no process.
        pid: its process.
        restarts: how often it was started again.
    """

    digest: str
    ready: bool
    failed: str
    port: int | None
    pid: int | None
    restarts: int


@dataclass(frozen=True)
class State:
    """The state of a host.

    Attributes:
        incarnation: changes with every start of the host, which resets its counters.
        desired: its desired state.
        weights: version → percent of requests, in force.
        revisions: version → its status.
        unwritten: why the desired state could not be written, so that a restarted host would not know it; else empty.
    """

    incarnation: str
    desired: Desired
    weights: Mapping[str, int]
    revisions: Mapping[str, RevisionStatus]
    unwritten: str = ""


@dataclass(frozen=True)
class _Host:
    """The addresses of a host, from its folder."""

    url: str
    name: str
    port: int
    incarnation: str


class Client:
    """Client of the host of one folder; finds the new one when the host was restarted.

    Args:
        folder: the host's.
        seconds: how long an answer may take.
    """

    def __init__(self, folder: Path, seconds: float = 10.0) -> None:
        self.folder = folder
        self._seconds = seconds

    def state(self) -> State:
        """Read the host's state.

        Raises:
            DependencyError: no host answers.
        """
        return _state(self._document("GET", "/v1/state"))

    def change(self, transition: Callable[[Desired], Desired]) -> State:
        """Apply a transition to the desired state (compare and swap); made anew when another change came first.

        Raises:
            ServiceBusy: other processes changed it at every attempt.
            DependencyError: no host answers, or its disk takes no writes.
            ConfigurationError: the host refuses the new state.
        """

        def attempt() -> State:
            state = self.state()
            desired = transition(state.desired)
            if desired == state.desired:
                return state
            document = replace(desired, generation=state.desired.generation + 1).to_document()
            match = {"if-match": f'"{state.desired.generation}"'}
            status, body = self._ask("PUT", "/v1/desired", json.dumps(document).encode(), match)
            if status == 200:
                return _state(self._read(body))
            if status == 507:
                raise DependencyError(
                    "the host cannot write the desired state",
                    field=str(self.folder),
                    value=self._error_in(body),
                    mend="See to the disk's space and the folder's permissions, and try again",
                    retryable=True,
                )
            if status != 412:
                raise ConfigurationError(
                    f"the host refuses it ({status}): {self._error_in(body)}",
                    field=str(self.folder),
                    mend="Correct the change",
                )
            raise Retry

        return retry_on_conflict(
            attempt,
            attempts=_ATTEMPTS,
            field=str(self.folder),
            mend="Try again",
            pause=lambda: time.sleep(_PAUSE_SECONDS),
        )

    def restart(self, version: str) -> None:
        """Restart a failed version."""
        self._ask("POST", f"/v1/revisions/{version}/restart")

    def mirror(self) -> Mapping[str, Any]:
        """The mirrored version's largest disagreements, as the host's ``/v1/mirror`` has them."""
        return self._document("GET", "/v1/mirror")

    def metrics(self) -> str:
        """The router's ``/metrics`` page."""
        return self._page(*self._ask("GET", "/metrics"))

    def server_metrics(self, port: int) -> str:
        """The ``/metrics`` page of a version's own server.

        Raises:
            DependencyError: it does not answer.
        """
        return self._page(*self._once(("127.0.0.1", port), "GET", "/metrics", None, {}))

    def url(self) -> str:
        """The URL for callers."""
        return self._host().url

    # -- the wire ------------------------------------------------------------------------------------------------

    def _document(self, method: str, path: str) -> Mapping[str, Any]:
        status, body = self._ask(method, path)
        if status != 200:
            raise self._silent(f"{path} answers with status {status}")
        return self._read(body)

    def _page(self, status: int, body: bytes) -> str:
        if status != 200:
            raise self._silent(f"/metrics answers with status {status}")
        return body.decode(errors="replace")

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        host = self._host()
        addressed = {INCARNATION_HEADER: host.incarnation, **self._token(), **(headers or {})}
        status, answer = self._once((host.name, host.port), method, path, body, addressed)
        if status == _UNAUTHORIZED:
            raise ConfigurationError(
                "is not the token of the host, or cannot be read",
                field=str(self.folder / TOKEN_FILE),
                mend="Run this as the user who started gauntlet serve, or start the host again",
            )
        if status == _MISDIRECTED:
            raise self._silent("another one listens where it did")
        return status, answer

    def _once(
        self, address: tuple[str, int], method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*address, timeout=self._seconds)
        try:
            connection.connect()
            # Head and body are two writes; without this the second waits for the first to be acknowledged.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(f"{type(error).__name__} at port {address[1]}") from error
        finally:
            connection.close()

    def _token(self) -> Mapping[str, str]:
        try:
            token = (self.folder / TOKEN_FILE).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return {}
        return {"authorization": f"Bearer {token}"} if token.isalnum() else {}

    def _host(self) -> _Host:
        try:
            about = json.loads((self.folder / HOST_FILE).read_text())
            if about["format"] != HOST_FORMAT:
                raise ValueError(f"format {about['format']!r}")
            admin = urlsplit(str(about["admin"]))
            return _Host(str(about["url"]), str(admin.hostname), int(admin.port or 0), str(about["incarnation"]))
        except FileNotFoundError as error:
            raise self._silent(f"there is no {HOST_FILE}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._silent(f"{HOST_FILE} cannot be read") from error

    def _read(self, body: bytes) -> Mapping[str, Any]:
        try:
            return dict(json.loads(body))
        except (ValueError, TypeError) as error:
            raise self._silent("it answers what is no JSON") from error

    def _error_in(self, body: bytes) -> str:
        return str(self._read(body).get("error", ""))

    def _silent(self, why: str) -> DependencyError:
        return DependencyError(
            f"no host answers ({why})",
            field=str(self.folder),
            mend=f"Start one: gauntlet serve {self.folder}",
            retryable=True,
        )


def _state(document: Mapping[str, Any]) -> State:
    try:
        return State(
            incarnation=str(document["incarnation"]),
            desired=Desired.from_document(document["desired"]),
            weights=dict(document["weights"]),
            revisions={version: RevisionStatus(**status) for version, status in document["revisions"].items()},
            unwritten=str(document.get("unwritten", "")),
        )
    except (KeyError, TypeError, DataError, ConfigurationError) as error:
        raise DependencyError(
            f"the host answers what is not its state ({error})", field="/v1/state", mend="Start one of this version"
        ) from error
