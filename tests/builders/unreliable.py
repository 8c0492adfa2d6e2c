"""A network that fails on purpose: a proxy before a server which refuses, loses and cuts what passes through it.

    with UnreliableProxy(api.url, authority=api.authority, certificate=api.certificate("proxy")) as proxy:
        client = api.client(token, url=proxy.url)
        proxy.next(Fault.LOST_ANSWER, method="PATCH")        # the next one that fits
        proxy.rates = {Fault.CONFLICT: 0.1, Fault.ERROR: 0.1}  # and any other, by the seed

Bearer tokens pass; a client's certificate cannot.
"""

from __future__ import annotations

import contextlib
import enum
import http.client
import json
import random
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from builders.certificates import Signed

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_WRITES = {"DELETE", "PATCH", "POST", "PUT"}
_UPSTREAM_SECONDS = 60


class Fault(enum.Enum):
    """What can happen to a request."""

    CONFLICT = "409, nothing written (a write only)"
    THROTTLED = "429 with Retry-After, nothing done"
    ERROR = "500, nothing done"
    LOST_REQUEST = "the connection breaks before the server has seen anything"
    LOST_ANSWER = "the server does it, and the connection breaks before it can say so"
    SILENT_REQUEST = "as LOST_REQUEST, but the connection stays open and silent"
    SILENT_ANSWER = "as LOST_ANSWER, but the connection stays open and silent"
    CUT = "the answer breaks off in its middle; a watch after its first events"


_ANSWERS = {
    Fault.CONFLICT: (409, "Conflict", "the object has been modified; please apply your changes to the latest version"),
    Fault.THROTTLED: (429, "TooManyRequests", "the server has received too many requests"),
    Fault.ERROR: (500, "InternalError", "an error on the server has prevented the request from succeeding"),
}
_NEVER_ARRIVES = {Fault.LOST_REQUEST, Fault.SILENT_REQUEST}
_NEVER_ANSWERED = {Fault.LOST_ANSWER, Fault.SILENT_ANSWER}
_SILENT = {Fault.SILENT_REQUEST, Fault.SILENT_ANSWER}


@dataclass(frozen=True)
class Passed:
    """A request that came by: its method, its path without the query, and what befell it."""

    method: str
    path: str
    fault: Fault | None


@dataclass(frozen=True)
class _Planned:
    fault: Fault
    method: str | None
    part: str

    def fits(self, method: str, path: str) -> bool:
        return self.part in path and (self.method is None or self.method == method)


class UnreliableProxy:
    """A proxy on loopback, as long as the ``with`` block.

    Args:
        upstream: URL of the server, ``http`` or ``https``.
        authority: what signed the server's certificate.
        certificate: of the proxy itself; without one it speaks plain HTTP.
        seed: of the faults that ``rates`` asks for, told apart by the order of requests alone.
        silence: seconds that a silent connection stays open.
        retry_after: seconds that a throttled client is told to wait.

    Attributes:
        url: the proxy's.
        rates: probability of each fault for each request.
        passed: every request, in the order of arrival.
        is_down: whether nothing passes.
    """

    def __init__(
        self,
        upstream: str,
        *,
        authority: Path | None = None,
        certificate: Signed | None = None,
        seed: int = 0,
        silence: float = 5.0,
        retry_after: int = 1,
    ) -> None:
        self.rates: Mapping[Fault, float] = {}
        self.passed: list[Passed] = []
        self.silence, self.retry_after = silence, retry_after
        self._upstream = urlsplit(upstream)
        self._trust = ssl.create_default_context(cafile=authority) if self._upstream.scheme == "https" else None
        self._planned: list[_Planned] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.is_down = False
        self._closing = threading.Event()
        self._server = _Server(self)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            # The handshake comes with the first read, in the connection's own thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.break_all()
        self._server.server_close()
        self._thread.join()

    def next(self, fault: Fault, *, method: str | None = None, part: str = "", times: int = 1) -> None:
        """Let a fault befall the next request that fits, and so many more.

        Args:
            fault: which.
            method: of the request; any if ``None``.
            part: what its path contains.
            times: how many requests.
        """
        with self._lock:
            self._planned += [_Planned(fault, method, part)] * times

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Break every connection, and every new one while the block runs."""
        self.is_down = True
        self._server.break_all()
        try:
            yield
        finally:
            self.is_down = False

    def befalling(self, method: str, path: str) -> Fault | None:
        """Decide the fate of a request, and note it."""
        with self._lock:
            fault = self._choose(method, path)
            self.passed.append(Passed(method, path, fault))
            return fault

    def _choose(self, method: str, path: str) -> Fault | None:
        if self.is_down:
            return Fault.LOST_REQUEST
        for planned in self._planned:
            if planned.fits(method, path):
                self._planned.remove(planned)
                return planned.fault
        drawn, passed = self._random.random(), 0.0
        for fault, rate in self.rates.items():
            passed += rate
            if drawn < passed:
                return None if fault is Fault.CONFLICT and method not in _WRITES else fault
        return None

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the server behind."""
        host = self._upstream.netloc
        if self._trust is None:
            return http.client.HTTPConnection(host, timeout=_UPSTREAM_SECONDS)
        return http.client.HTTPSConnection(host, timeout=_UPSTREAM_SECONDS, context=self._trust)

    def keep_silent(self) -> None:
        """Wait as long as a silent connection lasts, or until the proxy closes."""
        self._closing.wait(self.silence)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: UnreliableProxy) -> None:
        self.proxy = proxy
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def break_all(self) -> None:
        for connection in list(self.open):
            _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are this server's trade: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """Tests read ``passed`` instead."""

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        fault = proxy.befalling(self.command, urlsplit(self.path).path)
        if fault in _ANSWERS:
            self._refuse(*_ANSWERS[fault])
            return
        if fault not in _NEVER_ARRIVES:
            self._forward(body, fault)
        if fault in _SILENT:
            proxy.keep_silent()
        if fault:
            self._break()

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _serve

    def _forward(self, body: bytes, fault: Fault | None) -> None:
        with contextlib.closing(self.server.proxy.connect()) as connection:
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body or None, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            if fault in _NEVER_ANSWERED:
                answer.read()
                return
            self.send_response(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in {*_HOP_BY_HOP, "date", "server"}:
                    self.send_header(key, value)
            if _is_watch(self.path):
                self._stream(answer, once=fault is Fault.CUT)
            else:
                self._send(answer.read(), cut=fault is Fault.CUT)

    def _send(self, body: bytes, *, cut: bool) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def _stream(self, answer: http.client.HTTPResponse, *, once: bool) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := answer.read1(65536):
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
            if once or self.server.proxy.is_down:
                self._break()
                return
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, status: int, reason: str, message: str) -> None:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        said = json.dumps({**body, "reason": reason, "message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        if status == 429:
            self.send_header("Retry-After", str(self.server.proxy.retry_after))
        self.end_headers()
        self.wfile.write(said)

    def _break(self) -> None:
        """Close without a farewell, in the middle of whatever was said."""
        self.close_connection = True
        _hang_up(self.connection)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _is_watch(path: str) -> bool:
    # Each client writes a boolean in its own language.
    return any(value.lower() in ("true", "1") for value in parse_qs(urlsplit(path).query).get("watch", ()))
