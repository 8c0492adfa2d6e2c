"""Callers that mean harm: sockets that send parts of requests, and what became of them. Loopback only."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MEBI = 1 << 20


@contextmanager
def callers(port: int, count: int, *, room: int = 0) -> Iterator[list[socket.socket]]:
    """Connections; with so many bytes of room for answers that they do not read."""

    def connected() -> socket.socket:
        caller = socket.socket()
        if room:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        caller.settimeout(10)
        caller.connect(("127.0.0.1", port))
        return caller

    with ExitStack() as stack:
        yield [stack.enter_context(connected()) for _ in range(count)]


def head(path: str, length: int, *lines: str) -> bytes:
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {length}", *lines, "", ""]
    ).encode()


def send(caller: socket.socket, *parts: bytes) -> None:
    """Send until the server closes, which it may at any time."""
    try:
        for part in parts:
            caller.sendall(part)
    except (ConnectionError, TimeoutError):
        pass


def answers(caller: socket.socket) -> bytes:
    """What the server says until it closes."""
    said = b""
    try:
        while part := caller.recv(65536):
            said += part
    except (ConnectionError, TimeoutError):
        pass
    return said


def closed(found: list[socket.socket]) -> int:
    """How many connections the server has closed or answered."""
    return len(select.select(found, [], [], 0)[0])


def connections(port: int) -> int:
    """How many connections to a port of this machine are open at its server's end."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def memory(process: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{process}/status").read_text().split("VmRSS:")[1].split()[0]) * 1024


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
