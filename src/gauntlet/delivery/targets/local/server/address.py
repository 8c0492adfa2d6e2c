"""Where a host listens: written for its clients, or as it was written before where that is impossible.

A host that is started again on a disk that takes no writes listens where the host before it did, and also answers to
its name: so ``host.json`` is true as it is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gauntlet.delivery.targets.local.client.host_client import HOST_FILE, HOST_FORMAT
from gauntlet.delivery.targets.local.reserve import from_reserve
from gauntlet.errors import DependencyError
from gauntlet.storage import write_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Address:
    """What ``host.json`` says of a host; empty and 0 where it says nothing.

    Attributes:
        url: for callers.
        admin: for state and metrics.
        incarnation: its name.
    """

    url: str = ""
    admin: str = ""
    incarnation: str = ""

    @property
    def port(self) -> int:
        """For callers."""
        return _port(self.url)

    @property
    def admin_port(self) -> int:
        """For state and metrics."""
        return _port(self.admin)


def former_address(folder: Path) -> Address:
    """The address of the last host, as far as it can be read."""
    try:
        about = json.loads((folder / HOST_FILE).read_bytes())
        if about["format"] != HOST_FORMAT:
            return Address()
        return Address(str(about["url"]), str(about["admin"]), str(about["incarnation"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Address()


def tell_address(folder: Path, address: Address, former: Address, about: Mapping[str, Any]) -> str:
    """Write a host's address.

    Args:
        folder: the host's.
        address: of this host.
        former: of the last one.
        about: what else the file says.

    Returns:
        Another name that this host has to answer to, since the file could not be written; empty where it was.

    Raises:
        DependencyError: it could not be written, and this host listens elsewhere, where nobody would find it.
    """
    place = folder / HOST_FILE
    known = {"url": address.url, "admin": address.admin, "incarnation": address.incarnation}
    try:
        from_reserve(folder, lambda: write_json(place, {"format": HOST_FORMAT, **known, **about}))
    except OSError as error:
        if (address.url, address.admin) != (former.url, former.admin):
            raise DependencyError(
                f"cannot be written ({error.strerror or error}), so nobody would find this host",
                field=str(place),
                mend="See to the disk's space and the folder's permissions, and start it again",
                retryable=True,
            ) from error
        log.warning("%s cannot be written (%s), and is still right", place, error.strerror or error)
        return former.incarnation
    return ""


def forget_address(folder: Path) -> None:
    """Remove it, as far as the disk takes that."""
    with suppress(OSError):
        (folder / HOST_FILE).unlink(missing_ok=True)


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0
