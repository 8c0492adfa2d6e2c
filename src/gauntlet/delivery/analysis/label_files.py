"""Files of a label table, on this machine or in a bucket, read as a stream of batches at every analysis."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gauntlet.data.reader import format_of, raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.delivery.analysis.labels import Count, OutcomesSource, Rows
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import ConfigurationError, DataError, DependencyError, GauntletError
from gauntlet.settings import parse
from gauntlet.storage import working_folder

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_GCS = "gs://"
_RETRY_SECONDS = 30.0
_CHUNK_BYTES = 8 << 20


class LabelTable:
    """Counts matured labels; a ``judge.OutcomesOf``.

    Args:
        source: where the table is, and what its columns say.
    """

    def __init__(self, source: OutcomesSource) -> None:
        self._source = source

    def __call__(self, rollout: Rollout, now: float) -> Outcomes:
        """Decisions since a rollout began whose label has arrived by now.

        Raises:
            DataError: the table is not there, or not what was declared.
            DependencyError: its storage does not answer.
        """
        count = Count(self._source, rollout.candidate.version, rollout.stable.version, rollout.began, now)
        return count.outcomes(read_table(self._source))

    def obstacles(self) -> tuple[Obstacle, ...]:
        """Why it could not be read now; nothing if it can."""
        try:
            Count(self._source, "", "", 0.0, 0.0).outcomes(read_table(self._source))
        except GauntletError as error:
            said = error.message if error.value is None else f"{error.message} (found {error.value!r})"
            return (Obstacle(f"outcomes: {error.field}", said, error.mend or "Correct outcomes"),)
        return ()


def require_scheme(uri: str, *, field: str) -> None:
    """Refuse what is neither a local path nor ``gs://bucket/…``.

    Raises:
        ConfigurationError: it is of another kind.
    """
    if "://" not in uri:
        return
    if not uri.startswith(_GCS) or not uri.removeprefix(_GCS).strip("/"):
        raise ConfigurationError(
            "is of a kind that is not supported", field=field, value=uri, mend="Use gs://bucket/… or a local path"
        )


def read_table(source: OutcomesSource) -> Iterator[Rows]:
    """All rows of all files, in the order of the files' names; never more than one batch in memory.

    Raises:
        ConfigurationError: its kind of storage is not supported.
        DataError: there is no such file, or it cannot be read.
        DependencyError: the storage does not answer.
    """
    require_scheme(source.uri, field="outcomes.uri")
    options = parse(ReaderOptions, {}, field="reader")
    with tempfile.TemporaryDirectory(prefix="gauntlet-labels-") as scratch:
        for shown, lend in _files(source.uri):
            with lend(Path(scratch)) as path:
                kind = format_of(path, shown, options)
                for batch in raw_batches(path, shown, kind, options, source.columns):
                    yield Rows(batch, shown, sparse=kind == "jsonl")


Lend = Callable[[Path], AbstractContextManager[Path]]
"""Scratch folder → a context that lends the file's path on this machine."""


def _files(uri: str) -> Iterator[tuple[str, Lend]]:
    """What each file is called, and how it is lent."""
    from pyarrow.fs import FileSelector, FileType

    system, place = _opened(uri)
    with _answered(uri):
        about = system.get_file_info(place)
        if about.type is FileType.NotFound:
            mend = "Write it, with its header, before the rollout begins; or correct outcomes.uri"
            raise DataError("there is no such file or folder", field=uri, mend=mend)
        found = [about] if about.type is FileType.File else system.get_file_info(FileSelector(place, recursive=True))
    paths = sorted(one.path for one in found if one.type is FileType.File and _visible(one.path, place))
    if not paths:
        raise DataError("the folder holds no file", field=uri, mend="Write the table's first part there, even if empty")
    for path in paths:
        shown = f"{_GCS}{path}" if uri.startswith(_GCS) else path
        yield shown, partial(_lent, system, path, shown)


def _visible(path: str, folder: str) -> bool:
    return not any(part.startswith((".", "_")) for part in path.removeprefix(folder).strip("/").split("/"))


@contextmanager
def _lent(system: FileSystem, path: str, shown: str, scratch: Path) -> Iterator[Path]:
    if not shown.startswith(_GCS):
        yield Path(path)
        return
    target = scratch / "part"
    with _answered(shown), system.open_input_stream(path, compression=None) as stream, target.open("wb") as copy:
        while chunk := stream.read(_CHUNK_BYTES):
            copy.write(chunk)
    try:
        yield target
    finally:
        target.unlink()


def _opened(uri: str) -> tuple[FileSystem, str]:
    from pyarrow.fs import GcsFileSystem, LocalFileSystem

    if not uri.startswith(_GCS):
        return LocalFileSystem(), str((working_folder() / uri).resolve())
    emulator = urlsplit(os.environ.get("STORAGE_EMULATOR_HOST", ""))
    elsewhere = {"anonymous": True, "scheme": emulator.scheme, "endpoint_override": emulator.netloc}
    place = uri.removeprefix(_GCS).rstrip("/")
    return GcsFileSystem(
        retry_time_limit=timedelta(seconds=_RETRY_SECONDS), **(elsewhere if emulator.netloc else {})
    ), place


@contextmanager
def _answered(uri: str) -> Iterator[None]:
    """Storage errors as errors of ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("is not there any more", field=uri, mend="Leave the table's files where they are") from error
    except PermissionError as error:
        mend = "Give the account of this run read access to it"
        raise DependencyError("may not be read", field=uri, value=str(error), mend=mend) from error
    except OSError as error:
        mend = "Retry once the service is available"
        said = "storage did not respond"
        raise DependencyError(said, field=uri, value=str(error), mend=mend, retryable=True) from error
