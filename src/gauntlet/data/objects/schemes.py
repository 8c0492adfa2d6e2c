"""Which storage an address belongs to.

A new kind of storage is a module in this package that implements ``ObjectStore``, and one line in ``_STORES``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from gauntlet.data.objects.gcs import GoogleCloudStorage
from gauntlet.data.objects.local import LocalFiles
from gauntlet.data.objects.store import ObjectStore
from gauntlet.errors import ConfigurationError

_MARK = "://"

_STORES: Mapping[str, Callable[[], ObjectStore]] = {
    "gs": GoogleCloudStorage,
}
"""Scheme → the store behind it. An address without a scheme is a local path."""

BUCKET_ADDRESSES = " or ".join(f"{scheme}{_MARK}…" for scheme in _STORES)
"""For descriptions of settings: ``gs://…``."""


def store_of(uri: str, *, field: str) -> ObjectStore:
    """The store that an address belongs to; nothing is opened yet.

    Args:
        uri: a local path, or an address with one of the schemes.
        field: the option it comes from, for messages.

    Raises:
        ConfigurationError: an unknown scheme, or no bucket behind it.
    """
    if is_local(uri):
        return LocalFiles()
    scheme, _, place = uri.partition(_MARK)
    if scheme not in _STORES:
        known = ", ".join(f"{known}{_MARK}" for known in _STORES)
        raise ConfigurationError(
            "is of a kind that is not supported",
            field=field,
            value=f"{scheme}{_MARK}",
            mend=f"Use {known} or a local path",
        )
    if not place.partition("/")[0]:
        raise ConfigurationError("names no bucket", field=field, value=uri, mend=f"Write {scheme}{_MARK}bucket/…")
    return _STORES[scheme]()


def is_local(uri: str) -> bool:
    """Whether an address is a path on this machine: it has no scheme."""
    return _MARK not in uri


def relative_to(file: str, uri: str) -> str:
    """The full address of what a file names: a relative path starts in the folder that the file lies in.

    Args:
        file: the file that names it: a path, or an address in a bucket.
        uri: as it stands in the file; an absolute path and an address with a scheme stand for themselves.
    """
    return posixpath.join(posixpath.dirname(file), uri) if is_local(uri) else uri
