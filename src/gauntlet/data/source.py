"""From what a person names (a file, a folder, a pattern, an object) to versions that never change.

``resolve`` reads the world once and pins every file: a local one by the SHA-256 of its content, an object in a
bucket by its generation. ``fetch`` later lends exactly what was pinned, or says that it is gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from gauntlet.data.objects.patterns import partitions_of
from gauntlet.data.objects.schemes import is_local, store_of
from gauntlet.errors import ConfigurationError
from gauntlet.settings import Settings, parse
from gauntlet.storage import working_folder


class Source(Settings):
    """What a person writes: where data lie, the split its rows belong to or the table they make, if decided there."""

    uri: str
    split: str | None = None
    table: str | None = Field(default=None, min_length=1)


class Pinned(Settings):
    """One file in one version.

    Attributes:
        uri: ``gs://bucket/object`` or a local path, as given.
        version: the object's generation, or ``sha256:…`` of the file's content.
        size: bytes.
        split: the split of all its rows, if decided at the source.
        table: the reference table it is a part of, if it is one.
        partitions: column → its value in all rows, where the file's folders say so (``site=alpha/``).
    """

    uri: str
    version: str
    size: int
    split: str | None = None
    table: str | None = Field(default=None, min_length=1)
    partitions: dict[str, str] = {}

    def to_json(self) -> dict[str, Any]:
        """As ``resolve_source`` returns it: without what there is not of ``split``, ``table`` and ``partitions``."""
        return {name: value for name, value in self.model_dump(exclude_none=True).items() if value != {}}


@dataclass(frozen=True)
class LocalFile:
    """A pinned file's content on this machine, and the name the user knows it by."""

    path: Path
    pinned: Pinned


def resolve(sources: Sequence[Mapping[str, Any]], parameter: str = "sources") -> list[Pinned]:
    """Pin every file that the sources name, sorted by URI.

    Args:
        sources: ``{"uri": …, "split": …, "table": …}``; a URI is ``gs://bucket/object``, a local path, a folder
            (``gs://…/``: all that lies below it, hidden files and those beginning with ``_`` aside) or a pattern with
            ``* ? [ ] **``.
        parameter: what the user calls them, for messages.

    Raises:
        ConfigurationError: an unknown scheme or key, nothing there, or a file named twice.
        DependencyError: the storage service is not reachable or refuses.
    """
    pinned: list[Pinned] = []
    for position, values in enumerate(sources):
        field = f"{parameter}[{position}]"
        source = parse(Source, values, field=field)
        pinned.extend(_pin(source, f"{field}.uri"))
    pinned.sort(key=lambda file: file.uri)
    for first, second in itertools.pairwise(pinned):
        if first.uri == second.uri:
            raise ConfigurationError(
                "names a file twice", field=parameter, value=first.uri, mend="Make the patterns disjoint"
            )
    _refuse_other_names(pinned, parameter)
    return pinned


def _refuse_other_names(pinned: Sequence[Pinned], parameter: str) -> None:
    """Refuse a file on this machine that is named by two paths, or by itself and by a link to it."""
    seen: dict[Path, str] = {}
    for file in pinned:
        if not is_local(file.uri):
            continue
        real = (working_folder() / file.uri).resolve()
        if real in seen:
            raise ConfigurationError(
                "names a file twice, by two names", field=parameter, value=[seen[real], file.uri], mend="Name it once"
            )
        seen[real] = file.uri


def parse_pinned(values: Sequence[Mapping[str, Any]]) -> list[Pinned]:
    """Read what ``resolve_source`` returned, as a pipeline hands it on (sizes as doubles).

    Raises:
        ConfigurationError: it is something else.
    """
    return [parse(Pinned, value, field=f"pinned[{position}]") for position, value in enumerate(values)]


@contextmanager
def fetch(pinned: Pinned, scratch: Path) -> Iterator[LocalFile]:
    """Lend a pinned file's content, checked at the start and, for a local file, again at the end.

    Args:
        pinned: the file.
        scratch: a folder for downloads.

    Raises:
        DataError: the pinned version is not there any more.
        DependencyError: the storage service is not reachable or refuses.
    """
    with store_of(pinned.uri, field="pinned").lend(pinned.uri, pinned.version, scratch, field="pinned") as path:
        yield LocalFile(path, pinned)


def _pin(source: Source, field: str) -> list[Pinned]:
    return [
        Pinned(
            uri=file.uri,
            version=file.version,
            size=file.size,
            split=source.split,
            table=source.table,
            partitions=partitions_of(file.uri, source.uri),
        )
        for file in store_of(source.uri, field=field).find(source.uri, field=field)
    ]
