"""Limits the log: callers that make a server log can then not fill the disk.

A few records of one origin pass in ten minutes, with their traces; the next one that passes says how many did not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_RECORDS = 10
"""Records of one origin in a span."""
SPAN_SECONDS = 600.0
_MOST_ORIGINS = 1000
"""Origins remembered; lines of code that log, so that usually there are a few."""


@dataclass
class _Origin:
    begun: float
    passed: int = 0
    left_out: int = 0


class LogLimit(logging.Filter):
    """Filter of a handler.

    Args:
        most: records of one origin, a line of code, in a span.
        seconds: the span.
        clock: monotonic seconds.
    """

    def __init__(
        self, most: int = MOST_RECORDS, seconds: float = SPAN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._origins: dict[tuple[str, int], _Origin] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; after a span in which some were not, it says how many."""
        now, where = self._clock(), (record.pathname, record.lineno)
        origin = self._origins.get(where)
        if origin is None:
            if len(self._origins) >= _MOST_ORIGINS:
                self._origins.clear()
            origin = self._origins[where] = _Origin(now)
        left_out = 0
        if now - origin.begun >= self._seconds:
            left_out, origin.begun, origin.passed, origin.left_out = origin.left_out, now, 0, 0
        if origin.passed >= self._most:
            origin.left_out += 1
            return False
        origin.passed += 1
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like this were left out)", ()
        return True


def limit_log() -> None:
    """Limit what the root logger's handlers write."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogLimit())
