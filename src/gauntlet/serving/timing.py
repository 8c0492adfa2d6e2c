"""What a process that measures time needs: exact timers, and no collector in between."""

from __future__ import annotations

import asyncio
import gc
import select
import selectors
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SELECT_LIMIT = 1024
"""select(2) takes descriptors below this (FD_SETSIZE)."""


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose timers are exact to some 50 µs (the slack that Linux gives to sleepers)."""
    return asyncio.SelectorEventLoop(_PreciseSelector() if sys.platform == "linux" else selectors.DefaultSelector())


@contextmanager
def resting_collector() -> Iterator[None]:
    """Nothing is collected meanwhile: a pass over a large heap takes longer than many an answer."""
    enabled, frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.collect()
    if not frozen:  # what others froze is theirs to thaw
        gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        if enabled:
            gc.enable()


if sys.platform == "linux":

    class _PreciseSelector(selectors.EpollSelector):
        """Sleeps to the microsecond: epoll itself counts in milliseconds and would make every request late.

        select(2) watches the epoll descriptor, and its timeout is finer.
        """

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Wait as the base class does, for exactly ``timeout`` seconds."""
            if timeout is not None and timeout > 0 and self.fileno() < _SELECT_LIMIT:
                select.select([self], [], [], timeout)
                timeout = 0
            return super().select(timeout)
