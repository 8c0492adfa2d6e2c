"""Timing of measurements: precise timers, and garbage collection paused."""

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
    """Create an event loop whose timers are precise to about 50 µs (Linux's timer slack)."""
    return asyncio.SelectorEventLoop(_PreciseSelector() if sys.platform == "linux" else selectors.DefaultSelector())


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pause garbage collection: a pass over a large heap takes longer than many responses."""
    enabled, frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.collect()
    if not frozen:  # a freeze of the caller must stay
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
        """Selector with microsecond timeouts: epoll has milliseconds, which would make every request late.

        select(2), whose timeout is finer, waits for the epoll descriptor.
        """

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Wait as the base class, but precisely ``timeout`` seconds."""
            if timeout is not None and timeout > 0 and self.fileno() < _SELECT_LIMIT:
                select.select([self], [], [], timeout)
                timeout = 0
            return super().select(timeout)
