"""Open-loop load: requests are sent when they are due, whether or not earlier ones have been answered.

A closed loop (send, wait, send again) stops sending while the server stalls, so the affected requests are never sent
and the percentiles hide the stall ("coordinated omission", Tene 2013). Here every request has an intended start, from
which its latency is measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from gauntlet.errors import ConfigurationError
from gauntlet.serving.arrivals import Spacing, arrivals
from gauntlet.serving.dispatch import Dispatch
from gauntlet.serving.load_result import LoadResult

MOST_REQUESTS = 20_000_000
"""Limit per run: a result takes 35 bytes per request, so this is 0.7 GB."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods whose responses have a body as of their headers (HEAD and CONNECT differ)."""
_RESERVED_HEADERS = ("content-length", "transfer-encoding", "connection")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_PATH = re.compile(r"/[!-~]*")
_VALUE = re.compile(r"[\t -~]*")


@dataclass(frozen=True)
class Load:
    """Settings of a load, validated on construction.

    Attributes:
        rate: intended requests per second.
        seconds: duration of sending; the run ends when the last request is answered or has timed out.
        seed: seed of the arrivals.
        spacing: ``poisson`` (independent users) or ``constant``.
        connections: connections opened before the run, and the limit of concurrent requests. A request without a free
            connection is queued, and its latency includes the queue time.
        timeout: seconds from the intended start after which a request counts as failed.
        method: GET, POST, PUT, PATCH, DELETE or OPTIONS.
        path: path and query, percent-encoded.
        bodies: bodies sent in turn, request i with ``bodies[i % len(bodies)]``; empty for requests without a body.
        headers: added to each request. A ``host`` here replaces the address (a gateway routes by it).

    Raises:
        ConfigurationError: naming the first invalid field.
    """

    rate: float
    seconds: float
    seed: int = 0
    spacing: Spacing = "poisson"
    connections: int = 64
    timeout: float = 10.0
    method: str = "GET"
    path: str = "/"
    bodies: Sequence[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("rate", "seconds", "timeout"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise ConfigurationError("must be positive and finite", field=name, value=value, mend=f"Correct {name}")
        if self.connections < 1:
            raise ConfigurationError(
                "must be at least 1", field="connections", value=self.connections, mend="Use at least one connection"
            )
        if not 1 <= self.requests <= MOST_REQUESTS:
            raise ConfigurationError(
                f"rate · seconds makes {self.requests:,} requests, outside 1 to {MOST_REQUESTS:,}",
                field="rate",
                value=self.rate,
                mend="Change rate or seconds",
            )
        if self.spacing not in ("poisson", "constant"):
            raise ConfigurationError(
                "is not an arrival process", field="spacing", value=self.spacing, mend="Use poisson or constant"
            )
        self._check_request()

    @property
    def requests(self) -> int:
        """Number of requests."""
        return round(self.rate * self.seconds)

    def _check_request(self) -> None:
        if self.method not in _METHODS:
            raise ConfigurationError(
                "is not supported", field="method", value=self.method, mend=f"Use one of: {', '.join(_METHODS)}"
            )
        if not _PATH.fullmatch(self.path):
            raise ConfigurationError(
                "must begin with / and contain visible ASCII only",
                field="path",
                value=self.path,
                mend="Percent-encode the rest",
            )
        for name, value in self.headers.items():
            if name.lower() in _RESERVED_HEADERS:
                raise ConfigurationError("is set by the load generator", field=f"headers.{name}", mend="Remove it")
            if not (_TOKEN.fullmatch(name) and _VALUE.fullmatch(value)):
                raise ConfigurationError(
                    "is not a valid header", field=f"headers.{name}", value=value, mend="Use ASCII without line breaks"
                )


def run(load: Load, host: str, port: int) -> LoadResult:
    """Run a load against a server from this process, until every request is finished.

    Connections are opened before the measurement. Garbage collection is paused meanwhile. Needs ``httptools``, and must
    not be called from a running event loop.

    Args:
        load: the load.
        host: name or address of a server that the caller may put under load.
        port: TCP port.

    Raises:
        DependencyError: nothing listens there, or the host is unreachable. Later errors do not raise but are counted.
        ConfigurationError: this process may not open so many connections.
    """
    from gauntlet.serving import engine

    intended = arrivals(load.rate, load.seconds, spacing=load.spacing, seed=load.seed)
    dispatch = Dispatch(intended, connections=load.connections, timeout=load.timeout)
    engine.drive(dispatch, messages(load, host, port), host, port)
    return dispatch.result(rate=load.rate, seconds=load.seconds)


def messages(load: Load, host: str, port: int) -> list[bytes]:
    """Build the complete HTTP/1.1 requests, one per body."""
    address = f"[{host}]" if ":" in host else host
    headers = {"host": f"{address}:{port}"} | {name.lower(): value for name, value in load.headers.items()}
    head = f"{load.method} {load.path} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers.items()
    )
    if not load.bodies:
        empty = "content-length: 0\r\n" if load.method in ("POST", "PUT", "PATCH") else ""
        return [f"{head}{empty}\r\n".encode("ascii")]
    return [f"{head}content-length: {len(body)}\r\n\r\n".encode("ascii") + body for body in load.bodies]
