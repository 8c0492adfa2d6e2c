"""From what a person names (a file, a folder, a pattern, an object) to versions that never change.

``resolve`` looks at the world once and pins every file: a local one by the SHA-256 of its content, an object in a
bucket by its generation. ``fetch`` later hands out exactly what was pinned, or says that it is gone.
"""

from __future__ import annotations

import glob
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import Settings, parse
from gauntlet.storage import working_folder

_GCS = "gs://"
_WILDCARDS = frozenset("*?[")


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
    """

    uri: str
    version: str
    size: int
    split: str | None = None
    table: str | None = Field(default=None, min_length=1)

    def to_json(self) -> dict[str, Any]:
        """As ``resolve_source`` returns it: without ``split`` and ``table`` where there is none."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True)
class LocalFile:
    """A pinned file's content on this machine, and the name the user knows it by."""

    path: Path
    pinned: Pinned


def resolve(sources: Sequence[Mapping[str, Any]]) -> list[Pinned]:
    """Pin every file that the sources name, sorted by URI.

    Args:
        sources: ``{"uri": …, "split": …, "table": …}``; a URI is ``gs://bucket/object``, a local path, a folder
            (``gs://…/``: all that lies below it, hidden files and those beginning with ``_`` aside) or a pattern with
            ``* ? [ ] **``.

    Raises:
        ConfigurationError: an unknown scheme or key, nothing there, or a file named twice.
        DependencyError: the storage service is not reachable or refuses.
    """
    pinned: list[Pinned] = []
    for position, values in enumerate(sources):
        field = f"sources[{position}]"
        source = parse(Source, values, field=field)
        pinned.extend(_pin(source, f"{field}.uri"))
    pinned.sort(key=lambda file: file.uri)
    for first, second in itertools.pairwise(pinned):
        if first.uri == second.uri:
            raise ConfigurationError(
                "names a file twice", field="sources", value=first.uri, mend="Make the patterns disjoint"
            )
    return pinned


def parse_pinned(values: Sequence[Mapping[str, Any]]) -> list[Pinned]:
    """Read what ``resolve_source`` returned, as a pipeline hands it on (sizes as doubles).

    Raises:
        ConfigurationError: it is something else.
    """
    return [parse(Pinned, value, field=f"pinned[{position}]") for position, value in enumerate(values)]


@contextmanager
def fetch(pinned: Pinned, scratch: Path) -> Iterator[LocalFile]:
    """Lend out a pinned file's content, checked at the start and, for a local file, again at the end.

    Args:
        pinned: the file.
        scratch: a folder for downloads.

    Raises:
        DataError: the pinned version is not there any more.
        DependencyError: the storage service is not reachable or refuses.
    """
    if pinned.uri.startswith(_GCS):
        from gauntlet.data.gcs import download

        target = download(pinned.uri, pinned.version, scratch)
        yield LocalFile(target, pinned)
        return
    path = _local(pinned.uri)
    _require_version(path, pinned)
    before = _stamp(path)
    yield LocalFile(path, pinned)
    if _stamp(path) != before:
        raise _changed(pinned)


def _pin(source: Source, field: str) -> list[Pinned]:
    if source.uri.startswith(_GCS):
        from gauntlet.data.gcs import find

        return [
            Pinned(uri=found.uri, version=found.generation, size=found.size, split=source.split, table=source.table)
            for found in find(source.uri, field)
        ]
    if "://" in source.uri:
        scheme = source.uri.split("://", 1)[0]
        raise ConfigurationError(
            "is of a kind that is not supported", field=field, value=f"{scheme}://", mend="Use gs:// or a local path"
        )
    return [_pin_local(uri, source) for uri in _local_files(source.uri, field)]


def _pin_local(uri: str, source: Source) -> Pinned:
    path = _local(uri)
    try:
        size = path.stat().st_size
        return Pinned(uri=uri, version=digest_file(path), size=size, split=source.split, table=source.table)
    except OSError as error:
        raise DataError("cannot be read", field=uri, value=error.strerror, mend="Check its permissions") from error


def _local_files(uri: str, field: str) -> list[str]:
    """The files a path, folder or pattern names, written as the user wrote it (relative stays relative)."""
    path = _local(uri)
    if path.is_file():
        return [uri]
    if path.is_dir():
        below = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
        visible = [name for name in below if not any(part.startswith((".", "_")) for part in name.parts)]
        found = [(Path(uri) / name).as_posix() for name in visible]
    elif _WILDCARDS & set(uri):
        names = glob.glob(uri, root_dir=None if Path(uri).is_absolute() else working_folder(), recursive=True)
        found = sorted(name for name in names if _local(name).is_file())
    else:
        raise ConfigurationError(
            "there is no such file or folder", field=field, value=uri, mend=f"Looked at {path}: correct the path"
        )
    if not found:
        raise ConfigurationError(
            "names no file", field=field, value=uri, mend=f"Looked in {working_folder()}: correct it"
        )
    return found


def _local(uri: str) -> Path:
    return working_folder() / uri


def _require_version(path: Path, pinned: Pinned) -> None:
    try:
        actual = digest_file(path)
    except OSError as error:
        raise DataError(
            "is not there any more", field=pinned.uri, value=error.strerror, mend="Resolve the sources again"
        ) from error
    if actual != pinned.version:
        raise _changed(pinned)


def _changed(pinned: Pinned) -> DataError:
    return DataError(
        "has changed since it was resolved", field=pinned.uri, value=pinned.version, mend="Resolve the sources again"
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
