"""What every kind of storage does: find files, pin them to a version, list them, and lend their content."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gauntlet.errors import DataError


@dataclass(frozen=True)
class StoredFile:
    """A file in the version that is current now.

    Attributes:
        uri: its address, as a user can write it.
        version: names this content and no other: an object's generation, or ``sha256:…``.
        size: bytes.
    """

    uri: str
    version: str
    size: int


class ObjectStore(Protocol):
    """One kind of storage.

    Every method takes the addresses that users write, and ``field``: the option an address comes from, for messages.
    A folder holds all files below it but those that are not ``visible``.

    Raises, all methods: ``DependencyError`` when the storage does not answer or refuses.
    """

    def find(self, uri: str, *, field: str) -> list[StoredFile]:
        """The files that an address names, which may be a folder or a pattern (``* ? [ ] **``); at least one.

        Raises:
            ConfigurationError: there is none.
            DataError: one cannot be read.
        """

    def pin(self, uri: str, *, field: str) -> StoredFile:
        """The one file of this name, taken literally.

        Raises:
            ConfigurationError: there is none.
            DataError: it cannot be read.
        """

    def files_at(self, uri: str, *, field: str) -> list[str] | None:
        """The file of this name, or those in the folder of this name, sorted; ``None``: there is neither.

        The name is taken literally, and nothing is pinned: for files that change all the time.
        """

    def lend(self, uri: str, version: str | None, scratch: Path, *, field: str) -> AbstractContextManager[Path]:
        """Lend a file's content as a file on this machine, until the context ends.

        Args:
            uri: the file.
            version: the only one that will do; ``None``: the current one.
            scratch: a folder for downloads.
            field: the option it comes from.

        Raises:
            DataError: the file, or that version of it, is not there any more.
        """


def visible(name: str) -> bool:
    """Whether a folder's file counts: neither it nor a folder on the way is hidden or begins with ``_``.

    Args:
        name: relative to the folder, with ``/`` between levels; one that ends in ``/`` marks a folder, and is no file.
    """
    parts = name.split("/")
    return parts[-1] != "" and not any(part.startswith((".", "_")) for part in parts)


def gone(uri: str) -> DataError:
    """What a store raises that should lend the current version of a file, and there is none."""
    return DataError("is not there any more", field=uri, mend="Leave files where they are while they are read")
