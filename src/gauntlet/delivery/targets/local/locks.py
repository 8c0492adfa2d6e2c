"""What is locked where a lock file cannot be made: a lock must not need a disk that can be written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
"""Nothing in the lock file's place, such as a pipe, is waited for."""


def open_lock(file: Path) -> int:
    """Open a lock file: read-only where it cannot be written, or its folder where it cannot be made.

    Returns:
        Its descriptor; either is enough for ``flock``.

    Raises:
        OSError: there is nothing to lock.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | _FLAGS, 0o644)
    except OSError:
        with suppress(OSError):
            return os.open(lockable(file), os.O_RDONLY | _FLAGS)
        raise


def lockable(file: Path) -> Path:
    """The lock file, or else the nearest folder of it that is there."""
    return next((path for path in (file, file.parent) if path.exists()), file.parent.parent)
