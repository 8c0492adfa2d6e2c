"""Address of the server under test, and whether it may be put under load."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from gauntlet.errors import ConfigurationError


@dataclass(frozen=True)
class Address:
    """Address of a server.

    Attributes:
        host: name or address.
        port: TCP port.
        base: path before every path of the protocols, without a slash at its end; mostly ``""``.
    """

    host: str
    port: int
    base: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.base}"


def parse_address(url: str, *, allow_remote: bool) -> Address:
    """Read a URL such as ``http://127.0.0.1:8080``.

    Args:
        url: with a path where the protocols' paths begin below one.
        allow_remote: whether hosts other than this machine are allowed. Names other than ``localhost`` count as remote:
            they may resolve differently between this check and the load.

    Raises:
        ConfigurationError: invalid URL, https, or a remote address that is not allowed.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable(url, "is no URL") from error
    if parts.scheme == "https":
        raise ConfigurationError(
            "the load generator speaks HTTP without TLS",
            field="url",
            value=url,
            mend="Give the address of the server itself, inside the cluster: http://…",
        )
    if parts.scheme != "http" or not host:
        raise _unusable(url, "is no address of a server")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise _unusable(url, "holds more than host, port and path")
    if not allow_remote and not _is_loopback(host):
        raise ConfigurationError(
            "is not on this machine, and testing puts it under load",
            field="url",
            value=url,
            mend="Give a staging address and set policy.allow_remote to true; never a production address",
        )
    return Address(host, port or 80, parts.path.rstrip("/"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unusable(url: str, message: str) -> ConfigurationError:
    return ConfigurationError(message, field="url", value=url, mend="Give http://HOST:PORT")
