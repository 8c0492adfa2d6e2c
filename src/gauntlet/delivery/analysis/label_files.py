"""Files of a label table, on this machine or in a bucket, read as a stream of batches at every analysis."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gauntlet.data.objects.schemes import store_of
from gauntlet.data.objects.store import ObjectStore
from gauntlet.data.reader import format_of, raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.delivery.analysis.labels import Count, OutcomesSource, Rows
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DataError, DependencyError, GauntletError
from gauntlet.settings import parse


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
            reason = error.message if error.value is None else f"{error.message} (found {error.value!r})"
            return (Obstacle(f"outcomes: {error.field}", reason, error.mend or "Correct outcomes"),)
        return ()


def read_table(source: OutcomesSource) -> Iterator[Rows]:
    """All rows of all files, in the order of the files' names; never more than one batch in memory.

    Nothing is pinned: the files are read as they are now.

    Raises:
        ConfigurationError: its kind of storage is not supported.
        DataError: there is no such file, or it cannot be read.
        DependencyError: the storage does not answer.
    """
    store = store_of(source.uri, field="outcomes.uri")
    options = parse(ReaderOptions, {}, field="reader")
    with tempfile.TemporaryDirectory(prefix="gauntlet-labels-") as scratch:
        for file in _files(store, source.uri):
            with _storage_errors(file), store.lend(file, None, Path(scratch), field=file) as path:
                kind = format_of(path, file, options)
                for batch in raw_batches(path, file, kind, options, source.columns):
                    yield Rows(batch, file, sparse=kind == "jsonl")


def _files(store: ObjectStore, uri: str) -> list[str]:
    with _storage_errors(uri):
        files = store.files_at(uri, field=uri)
    if files is None:
        mend = "Write it, with its header, before the rollout begins; or correct outcomes.uri"
        raise DataError("there is no such file or folder", field=uri, mend=mend)
    if not files:
        raise DataError("the folder holds no file", field=uri, mend="Write the table's first part there, even if empty")
    return files


@contextmanager
def _storage_errors(uri: str) -> Iterator[None]:
    """Word an outage for whoever waits for a rollout: it is the table's storage, and it may come back."""
    try:
        yield
    except DependencyError as error:
        if not error.retryable:
            raise
        mend = "Retry once the service is available"
        raise DependencyError(
            "storage did not respond", field=uri, value=str(error), mend=mend, retryable=True
        ) from error
