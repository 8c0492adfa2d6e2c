"""Limits of what callers may hold of a server: connections, time and bytes; without network.

A caller that is slow, by intent or not, costs a connection and what it has sent so far. So every phase in which a
server waits for a caller has a timeout, connections have a limit, and bodies share a budget of bytes. At the limit a
new connection takes the place of the one whose caller has kept the server waiting longest; a caller that was answered
before goes last. A connection whose request is being answered is never closed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

SWEEP_SECONDS = 0.25
"""Between two looks at the timeouts."""
FREE_BYTES = 64 * 1024
"""Bytes of each body that the budget does not count, so that small requests pass when large ones have used it up."""
SPARE_CONNECTIONS = 32
"""Connections that predictions leave to health checks and metrics."""
SPARE_FILES = 1024
"""Open files beside connections: the model's, the libraries', and connections accepted but not yet counted."""


class Phase(StrEnum):
    """What a connection waits for."""

    IDLE = "idle"
    """The next request."""
    HEAD = "head"
    """The rest of a request's head; on a new connection, its first byte."""
    BODY = "body"
    """The rest of a request's body."""
    READ = "read"
    """The caller, which has not read what it was sent."""
    BUSY = "busy"
    """The server's own answer."""


FULL = "full"
"""Reason for closing a connection: the limit is reached, and its caller kept the server waiting longest."""
BYTES = "bytes"
"""Reason for refusing a request: the budget of bytes is used up."""
REASONS = (Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.READ, FULL, BYTES)
"""Reasons for turning a caller away."""


@dataclass(frozen=True)
class Patience:
    """Limits of connections.

    Attributes:
        connections: open at the same time; at least 2.
        head_seconds: for the head of a request, from its first byte or from the opening of the connection.
        body_seconds: for the body of a request, and for reading an answer.
        idle_seconds: between two requests of a connection.
    """

    connections: int = 512
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    idle_seconds: float = 65.0

    def seconds(self, phase: Phase) -> float:
        """Timeout of a phase in which the server waits for the caller."""
        if phase is Phase.IDLE:
            return self.idle_seconds
        return self.head_seconds if phase is Phase.HEAD else self.body_seconds


class Caller(Protocol):
    """Connection of a caller."""

    def turn_away(self, reason: str) -> None:
        """Close the connection, with an answer where the caller can still read one.

        Args:
            reason: one of ``REASONS``.
        """
        ...


class Doorkeeper:
    """Connections of a server.

    Args:
        patience: limits.
        clock: monotonic seconds.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self.turned_away: Counter[str] = Counter()
        """Callers turned away, by reason."""
        self._patience = patience
        self._clock = clock
        self._open: set[Caller] = set()
        self._proven: set[Caller] = set()
        # Phase and its start, of callers that were never answered, and of others; longest waiting first.
        self._new: dict[Caller, tuple[Phase, float]] = {}
        self._known: dict[Caller, tuple[Phase, float]] = {}

    def opened(self, caller: Caller) -> bool:
        """Admit a new connection, in the place of another one if necessary; returns whether there is room."""
        if len(self._open) >= self._patience.connections:
            longest = next(iter(self._new), None) or next(iter(self._known), None)
            if longest is None:
                self.turned_away[FULL] += 1
                return False
            self._turn_away(longest, FULL)
        self._open.add(caller)
        self._new[caller] = (Phase.HEAD, self._clock())
        return True

    def moved(self, caller: Caller, phase: Phase) -> None:
        """Report the phase that a connection has entered."""
        if caller not in self._open:
            return
        self._new.pop(caller, None)
        self._known.pop(caller, None)
        if phase is Phase.BUSY:
            self._proven.add(caller)
        else:
            (self._known if caller in self._proven else self._new)[caller] = (phase, self._clock())

    def closed(self, caller: Caller) -> None:
        """Report that a connection is closed; again is no error."""
        self._open.discard(caller)
        self._proven.discard(caller)
        self._new.pop(caller, None)
        self._known.pop(caller, None)

    def sweep(self) -> None:
        """Close the connections whose callers have taken too long."""
        now = self._clock()
        for caller, (phase, since) in [*self._new.items(), *self._known.items()]:
            if now - since > self._patience.seconds(phase):
                self._turn_away(caller, phase)

    async def keep(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    def _turn_away(self, caller: Caller, reason: str) -> None:
        self.turned_away[reason] += 1
        self.closed(caller)
        caller.turn_away(reason)


class Budget:
    """Bytes that the bodies of all requests under way may hold together, beyond ``FREE_BYTES`` of each.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self.used = False
        """Whether it was used since somebody set this to false."""


class Share:
    """One request's share of a budget.

    Args:
        budget: the budget.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0
        self._bytes = 0

    def take(self, count: int) -> bool:
        """Take so many bytes more; returns whether the budget has them."""
        self._bytes += count
        more = max(0, self._bytes - FREE_BYTES) - self._taken
        if self._budget.held + more > self._budget.most:
            return False
        if more:
            self._budget.held += more
            self._budget.used = True
            self._taken += more
        return True

    def release(self) -> None:
        """Give everything back."""
        self._budget.held -= self._taken
        self._taken = self._bytes = 0


def refusal_of(reason: str, patience: Patience) -> tuple[int, str] | None:
    """Status and message for a caller that is turned away; ``None`` where it expects no answer.

    Args:
        reason: one of ``REASONS``.
        patience: limits.
    """
    if reason == FULL:
        return 503, f"all {patience.connections} connections of this server are in use; try again"
    if reason in (Phase.IDLE, Phase.READ):
        return None
    return 408, f"the request's {reason} took longer than {patience.seconds(Phase(reason)):g} s"


def part(transport: asyncio.Transport, seconds: float = 5.0) -> None:
    """Close a connection once what was written is sent, at the latest after so many seconds.

    A caller that reads nothing would else keep it open for ever.
    """
    transport.close()
    asyncio.get_running_loop().call_later(seconds, transport.abort)


def allow_files(connections: int) -> int:
    """Raise the process's limit of open files so that these connections fit.

    Args:
        connections: the number wanted.

    Returns:
        The number that fits, at most ``connections``: the system may allow fewer files.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = float("inf") if hard == resource.RLIM_INFINITY else hard
    wanted = int(min(connections + SPARE_FILES, most))
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = float("inf") if soft == resource.RLIM_INFINITY else soft
    return int(max(2, min(connections, files - min(SPARE_FILES, files // 2))))
