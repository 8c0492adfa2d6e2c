"""Which request is where: the bookkeeping of a run, without network or clock.

A request is due → on a connection, or waiting for one (first come, first served) → decided, once. A connection is free,
carries one request, or is closed. Whoever runs the network tells what happened and when, and is told what to send.
"""

from __future__ import annotations

import math
from array import array
from collections import deque

import numpy as np

from gauntlet.errors import InternalError
from gauntlet.serving.arrivals import Floats
from gauntlet.serving.measured import Measured, Outcome

_PENDING = 0


class Dispatch:
    """A run under way. All times are seconds from its start and never go back.

    Args:
        intended: (n,) ascending intended starts.
        connections: their number; all are closed until ``opened``.
        timeout: seconds from the intended start after which a request is given up.
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
        self._oldest = 0  # every request before it is decided
        self._undecided = count
        self._waiting: deque[int] = deque()
        self._free: deque[int] = deque()
        self._carried: list[int | None] = [None] * connections
        self._carrier: dict[int, int] = {}

    @property
    def connections(self) -> int:
        """How many connections there are, open or not."""
        return len(self._carried)

    @property
    def done(self) -> bool:
        """Every request is decided."""
        return not self._undecided

    def is_due(self, now: float) -> bool:
        """There is a request to ``fire``."""
        return self._next < len(self._intended) and self._intended[self._next] <= now

    def next_event(self) -> float:
        """When something is to be done next if nothing happens: a request is due or times out; infinite when done."""
        while self._oldest < len(self._outcome) and self._outcome[self._oldest]:
            self._oldest += 1
        if self._oldest == len(self._outcome):
            return math.inf
        deadline = self._intended[self._oldest] + self._timeout
        return min(deadline, self._intended[self._next]) if self._next < len(self._intended) else deadline

    def fire(self, now: float) -> tuple[int, int] | None:
        """Take up the next due request: the connection to send it on and the request, or None: it waits for one."""
        request = self._next
        self._next = request + 1
        self._fired[request] = now
        if self._free:
            return self._load(self._free.popleft(), request, now)
        self._waiting.append(request)
        return None

    def opened(self, connection: int, now: float) -> tuple[int, int] | None:
        """A connection is open and free; what to send on it, if something waits."""
        if self._waiting:
            return self._load(connection, self._waiting.popleft(), now)
        self._free.append(connection)
        return None

    def answered(self, connection: int, status: int, now: float) -> None:
        """The request on a connection has its whole answer. The connection counts as closed until ``opened``."""
        request = self._carried[connection]
        if request is None:
            raise InternalError("an answer to no request was recorded", field="connection", value=connection)
        self._status[request] = status
        self._decide(request, Outcome.ANSWERED, now)

    def lost(self, connection: int, outcome: Outcome, now: float) -> None:
        """A connection is of no more use: whatever it carried has failed that way. Closed until ``opened``."""
        request = self._carried[connection]
        if request is not None:
            self._decide(request, outcome, now)
        elif connection in self._free:
            self._free.remove(connection)

    def carries(self, connection: int) -> bool:
        """A request is under way on the connection."""
        return self._carried[connection] is not None

    def expire(self, now: float) -> list[int]:
        """Give up what has timed out.

        Returns:
            Connections whose request was given up: closed as far as this is concerned, and to be cut.
        """
        while self._waiting and self._is_late(self._waiting[0], now):
            self._decide(self._waiting.popleft(), Outcome.NEVER_SENT, now)
        late = []
        for request, connection in self._carrier.items():  # in the order of sending, which is that of intended starts
            if not self._is_late(request, now):
                break
            late.append(connection)
        for connection in late:
            self.lost(connection, Outcome.TIMED_OUT, now)
        return late

    def measured(self, *, rate: float, seconds: float) -> Measured:
        """The record of a run that is done.

        Args:
            rate: requests per second it was meant to have.
            seconds: how long it was meant to send.
        """
        if not self.done:
            raise InternalError("a run was read before its end", field="undecided", value=self._undecided)
        return Measured(
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

    def _decide(self, request: int, outcome: Outcome, now: float) -> None:
        self._outcome[request] = outcome
        self._ended[request] = now
        self._undecided -= 1
        connection = self._carrier.pop(request, None)
        if connection is not None:
            self._carried[connection] = None
