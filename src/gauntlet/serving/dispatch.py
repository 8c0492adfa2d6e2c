"""Request dispatch of a load: assigns requests to connections and records outcomes, without network or clock.

A request is due → on a connection, or queued for one (FIFO) → finished, once. A connection is free, carries one
request, or is closed. The network layer reports events with their times, and receives what to send.
"""

from __future__ import annotations

import math
from array import array
from collections import deque

import numpy as np

from gauntlet.errors import InternalError
from gauntlet.serving.arrivals import Floats
from gauntlet.serving.load_result import LoadResult, Outcome

_PENDING = 0


class Dispatch:
    """State of a running load. Times are seconds from its start, and monotonic.

    Args:
        intended: (n,) ascending intended starts.
        connections: number of connections; all are closed until ``opened``.
        timeout: seconds from the intended start after which a request times out.
    """

    def __init__(self, intended: Floats, *, connections: int, timeout: float) -> None:
        count = len(intended)
        self._intended = array("d", intended.tobytes())
        self._fired = array("d", [math.nan]) * count
        self._sent = array("d", [math.nan]) * count
        self._ended = array("d", [math.nan]) * count
        self._outcome = array("B", [_PENDING]) * count
        self._status = array("H", [0]) * count
        self._timeout = timeout
        self._next = 0  # the first request not yet due
        self._oldest = 0  # every request before it is finished
        self._unfinished = count
        self._queue: deque[int] = deque()
        self._free: deque[int] = deque()
        self._carried: list[int | None] = [None] * connections
        self._carrier: dict[int, int] = {}

    @property
    def connections(self) -> int:
        """Number of connections, open or not."""
        return len(self._carried)

    @property
    def done(self) -> bool:
        """Whether every request is finished."""
        return not self._unfinished

    def is_due(self, now: float) -> bool:
        """Whether there is a request to ``fire``."""
        return self._next < len(self._intended) and self._intended[self._next] <= now

    def next_event(self) -> float:
        """Time at which the next request is due or times out; infinite when done."""
        while self._oldest < len(self._outcome) and self._outcome[self._oldest]:
            self._oldest += 1
        if self._oldest == len(self._outcome):
            return math.inf
        deadline = self._intended[self._oldest] + self._timeout
        return min(deadline, self._intended[self._next]) if self._next < len(self._intended) else deadline

    def fire(self, now: float) -> tuple[int, int] | None:
        """Take the next due request: returns the connection to send it on and the request; None if it is queued."""
        request = self._next
        self._next = request + 1
        self._fired[request] = now
        if self._free:
            return self._load(self._free.popleft(), request, now)
        self._queue.append(request)
        return None

    def opened(self, connection: int, now: float) -> tuple[int, int] | None:
        """Report an open, free connection; returns the queued request to send on it, if any."""
        if self._queue:
            return self._load(connection, self._queue.popleft(), now)
        self._free.append(connection)
        return None

    def answered(self, connection: int, status: int, now: float) -> None:
        """Report the complete response on a connection. The connection counts as closed until ``opened``."""
        request = self._carried[connection]
        if request is None:
            raise InternalError("a response without a request was recorded", field="connection", value=connection)
        self._status[request] = status
        self._finish(request, Outcome.ANSWERED, now)

    def lost(self, connection: int, outcome: Outcome, now: float) -> None:
        """Report a lost connection: its request has failed with ``outcome``. Closed until ``opened``."""
        request = self._carried[connection]
        if request is not None:
            self._finish(request, outcome, now)
        elif connection in self._free:
            self._free.remove(connection)

    def carries(self, connection: int) -> bool:
        """Whether the connection carries a request."""
        return self._carried[connection] is not None

    def expire(self, now: float) -> list[int]:
        """Time out late requests.

        Returns:
            Connections whose request timed out: they count as closed, and the caller must abort them.
        """
        while self._queue and self._is_late(self._queue[0], now):
            self._finish(self._queue.popleft(), Outcome.NEVER_SENT, now)
        late = []
        for request, connection in self._carrier.items():  # in sending order, which is that of intended starts
            if not self._is_late(request, now):
                break
            late.append(connection)
        for connection in late:
            self.lost(connection, Outcome.TIMED_OUT, now)
        return late

    def result(self, *, rate: float, seconds: float) -> LoadResult:
        """Build the result of a finished run.

        Args:
            rate: configured requests per second.
            seconds: configured duration of sending.
        """
        if not self.done:
            raise InternalError(
                "the result was read before the run finished", field="unfinished", value=self._unfinished
            )
        return LoadResult(
            rate=rate,
            seconds=seconds,
            timeout=self._timeout,
            intended=np.frombuffer(self._intended),
            fired=np.frombuffer(self._fired),
            sent=np.frombuffer(self._sent),
            ended=np.frombuffer(self._ended),
            outcome=np.frombuffer(self._outcome, dtype=np.uint8),
            status=np.frombuffer(self._status, dtype=np.uint16),
        )

    def _is_late(self, request: int, now: float) -> bool:
        return self._intended[request] + self._timeout <= now

    def _load(self, connection: int, request: int, now: float) -> tuple[int, int]:
        self._sent[request] = now
        self._carried[connection] = request
        self._carrier[request] = connection
        return connection, request

    def _finish(self, request: int, outcome: Outcome, now: float) -> None:
        self._outcome[request] = outcome
        self._ended[request] = now
        self._unfinished -= 1
        connection = self._carrier.pop(request, None)
        if connection is not None:
            self._carried[connection] = None
