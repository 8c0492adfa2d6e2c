"""Optimistic concurrency: read, decide, write; and all of it again when another process wrote in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gauntlet.errors import ServiceBusy

Result = TypeVar("Result")


class Retry(Exception):
    """Another process wrote what an attempt had read, or a write has to be followed by another one."""


def retry_on_conflict(
    attempt: Callable[[], Result],
    *,
    attempts: int,
    field: str,
    mend: str,
    pause: Callable[[], None] = lambda: None,
) -> Result:
    """Make an attempt until it is not overtaken.

    Args:
        attempt: reads anew, decides and writes; raises ``Retry`` to be made again.
        attempts: how many at most.
        field, mend: what was to be written, and what to do when others keep writing it.
        pause: waits between two attempts.

    Returns:
        What the attempt returns.

    Raises:
        ServiceBusy: every attempt was overtaken.
    """
    for _ in range(attempts):
        try:
            return attempt()
        except Retry:
            pause()
    raise ServiceBusy(
        f"was changed by other processes during each of {attempts} attempts", field=field, mend=mend, retryable=True
    )
