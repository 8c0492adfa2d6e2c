"""A reserve of disk space: a file that is given up, so that a rollback can be written on a full disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

RESERVE_FILE = "reserve"
"""In the host's folder."""
RESERVE_BYTES = 2**20
"""More than a journal and a desired state take."""
_FULL = (errno.ENOSPC, errno.EDQUOT)

Written = TypeVar("Written")


def keep_reserve(folder: Path) -> None:
    """Make the reserve where it is missing and the disk has room for twice as much."""
    place = folder / RESERVE_FILE
    try:
        if place.exists() or shutil.disk_usage(folder).free < 2 * RESERVE_BYTES:
            return
        with place.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
    except FileExistsError:
        return  # another made it
    except OSError:
        with suppress(OSError):
            place.unlink(missing_ok=True)


def from_reserve(folder: Path, write: Callable[[], Written]) -> Written:
    """Write; where the disk or a quota is full, give up the reserve and write again.

    Args:
        folder: the host's.
        write: may be called twice.

    Raises:
        OSError: it cannot be written all the same.
    """
    try:
        return write()
    except OSError as error:
        if error.errno not in _FULL or not _freed(folder):
            raise
    return write()


def _freed(folder: Path) -> bool:
    try:
        (folder / RESERVE_FILE).unlink()
    except OSError:
        return False
    return True
