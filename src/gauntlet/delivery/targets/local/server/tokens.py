"""The token of who may change a host's service: a file that its owner alone can read."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from gauntlet.delivery.targets.local.client.host_client import TOKEN_FILE

log = logging.getLogger(__name__)


def token_of(folder: Path) -> str:
    """The token of a folder: that of the last host, or a new one.

    A file that others can read or write, or that is another user's, is replaced. Where none can be written, the host
    has a token that nobody knows: it serves, and cannot be changed.

    Args:
        folder: the host's.
    """
    path = folder / TOKEN_FILE
    known = _read(path)
    if known:
        return known
    token = secrets.token_hex(32)
    beside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        beside.replace(path)
    except OSError as error:
        log.warning("%s cannot be written, so nobody can change this service: %s", path, error.strerror or error)
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return token


def _read(path: Path) -> str:
    """A token that is its owner's secret; empty if there is none."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
            about = os.fstat(file.fileno())
            secret = stat.S_ISREG(about.st_mode) and not about.st_mode & 0o077 and about.st_uid == os.geteuid()
            text = file.read(1000).strip() if secret else ""
    except (OSError, UnicodeDecodeError):
        return ""
    return text if len(text) == 64 and text.isalnum() and text.isascii() else ""
