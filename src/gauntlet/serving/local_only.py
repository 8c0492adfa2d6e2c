"""Refuses web pages at ports on loopback.

A page of any site can send requests to loopback from the browser of whoever looks at it, and reads the answers where
its own host name has been made to point there (DNS rebinding). Such requests carry an ``Origin``, or a ``Host`` that is
a name of the page's site. Programs of this machine address it as ``localhost`` or by number.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_NAMES = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether an address to bind is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def foreign(headers: Iterable[tuple[bytes, bytes]], *, strict: bool = False) -> str:
    """Why a request may be a web page's; empty if it is none.

    Args:
        headers: names in lower case.
        strict: accept loopback's own names only. Otherwise numbers and names without a dot pass as well: a page can
            have neither in the domain name system.
    """
    for name, value in headers:
        if name == b"origin":
            return "web pages are not answered here; the request has an Origin"
        if name == b"host" and not _is_ours(value.decode("latin-1").strip().lower(), strict=strict):
            return f"this server is for programs of its own machine: address it as {' or '.join(_NAMES[:2])}"
    return ""


def _is_ours(host: str, *, strict: bool) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name in _NAMES:
        return True
    if strict:
        return False
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name.removesuffix(".localhost")
    return True
