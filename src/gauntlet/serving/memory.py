"""Gives memory that is free within the process back to the system (glibc)."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from functools import cache

from gauntlet.serving.connections import Budget

_PAUSE_SECONDS = 1.0


async def keep_trimmed(budget: Budget) -> None:
    """Trim the heap whenever large bodies have come and gone; runs until cancelled.

    The allocator keeps what they needed. Elsewhere than on glibc this does nothing.

    Args:
        budget: of the bodies.
    """
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        if budget.used:
            budget.used = bool(budget.held)
            await asyncio.to_thread(_trim(), 0)


@cache
def _trim() -> Callable[[int], int]:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim  # releases the interpreter's lock for the call
    except (OSError, AttributeError):
        return lambda _: 0
    return trim
