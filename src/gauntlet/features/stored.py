"""Joins raw rows with their stored features by key, for stores of any size and order.

Where store and span hold the same keys in the same order, they are read in parallel. Otherwise both are partitioned on
disk by the hash of their keys and joined one partition at a time (a grace hash join): memory depends on
``policy.partition_rows``, not on rows. Without a store, the champion's own feature code can stand in for it.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gauntlet.data.identity import key_digests
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import DataError
from gauntlet.features.difference_counts import Hashes
from gauntlet.features.span import Span, readable, rows_of
from gauntlet.features.transform import Transform

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_PARTS = 250
"""Files open at once, for each set of column types; most systems allow 1,024."""
_HASH, _CHECK = "\0hash", "\0check"  # NUL: no column of a user has such a name


@dataclass(frozen=True)
class Matched:
    """Rows joined with their stored features.

    Attributes:
        hashes: (n,) of their keys, uniform.
        rows: raw columns, then recomputed features, ``replay.NEW`` before their names.
        stored: the store's columns.
    """

    hashes: Hashes
    rows: pa.Table
    stored: pa.Table


class Store(Protocol):
    """Source of stored features."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]

    def match(self, span: Span, batches: Iterable[pa.Table]) -> Iterator[Matched]:
        """Join the rows of a span with their stored features, in any order; rows without any are left out.

        Args:
            span: the span.
            batches: its rows, in its order, with ``example_id`` and ``keys``.
        """
        ...


class StandIn:
    """The champion's feature code in place of a store: its features are those that would have been stored.

    Args:
        champion: its transform.
        columns: the features it gives.
    """

    keys: tuple[str, ...] = ()

    def __init__(self, champion: Transform, columns: Sequence[str]) -> None:
        self.name = "the champion's own feature code"
        self.columns = tuple(columns)
        self._champion = champion

    def match(self, span: Span, batches: Iterable[pa.Table]) -> Iterator[Matched]:
        """As ``Store.match``; every row is found."""
        inputs = list(readable(span.snapshot, self._champion))
        for rows in batches:
            raw = rows.select([name for name in rows.column_names if name in inputs])
            yield Matched(hashes_of(rows, (EXAMPLE_ID,))[0], rows, self._champion(raw))


class KeyedStore:
    """Snapshot of features, joined by key. A context manager: it keeps its partitions on disk until the end.

    Args:
        snapshot: the store, every split of it.
        keys: the columns that identify a row, in the store and in the data.
        columns: the stored features to read.
        partition_rows: rows joined at a time.
    """

    def __init__(self, snapshot: Snapshot, keys: Sequence[str], columns: Sequence[str], *, partition_rows: int) -> None:
        self.name = "the store"
        self.keys = tuple(keys)
        self.columns = tuple(columns)
        self._snapshot = snapshot
        self._parts = min(_MOST_PARTS, max(1, math.ceil(sum(snapshot.splits.values()) / partition_rows)))
        self._scratch = tempfile.TemporaryDirectory(prefix="gauntlet-features-")
        self._divided: Path | None = None

    def __enter__(self) -> KeyedStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.cleanup()

    def match(self, span: Span, batches: Iterable[pa.Table]) -> Iterator[Matched]:
        """As ``Store.match``.

        Raises:
            DataError: the store holds two rows of one key.
        """
        split = self._same_order(span)
        if split is not None:
            yield from self._side_by_side(split, batches)
            return
        if self._divided is None:
            stored = (batch for name in self._filled for batch in self._read(name, [*self.keys, *self.columns]))
            self._divided = self._divide("store", stored, self.columns)
        folder = self._divide(f"span-{span.age}-{span.split}", batches, None)
        for part in range(self._parts):
            rows, stored_rows = _read_part(folder, part), _read_part(self._divided, part)
            if rows is not None and stored_rows is not None:
                yield _joined(rows, stored_rows, ", ".join(self.keys))
        shutil.rmtree(folder)  # the scratch space holds the store and one span

    @property
    def _filled(self) -> list[str]:
        return [name for name, rows in self._snapshot.splits.items() if rows]

    def _read(self, split: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        import pyarrow as pa

        for batch in self._snapshot.batches(split, list(dict.fromkeys(columns))):
            yield pa.Table.from_batches([batch])

    def _same_order(self, span: Span) -> str | None:
        """Find a split of the store with the span's keys in the span's order; ``None`` if there is none."""
        candidates = [name for name in self._filled if self._snapshot.splits[name] == span.rows]
        for name in sorted(candidates, key=lambda name: name != span.split):
            keys = (rows.select(list(self.keys)) for rows in _tables(rows_of(span, self.keys)))
            pairs = aligned(keys, self._read(name, self.keys))
            if all(
                first.schema.types == second.schema.types and first.equals(second) and not _missing(first)
                for first, second in pairs
            ):
                return name
        return None

    def _side_by_side(self, split: str, batches: Iterable[pa.Table]) -> Iterator[Matched]:
        for rows, stored in aligned(batches, self._read(split, self.columns)):
            yield Matched(hashes_of(rows, self.keys)[0], rows, stored)

    def _divide(self, name: str, tables: Iterable[pa.Table], columns: Sequence[str] | None) -> Path:
        """Partition rows into files by the hash of their keys; rows without a key are left out."""
        import pyarrow as pa

        folder = Path(self._scratch.name) / name
        folder.mkdir()
        writers: dict[tuple[int, int], Any] = {}
        schemas: list[pa.Schema] = []  # a batch without values for a feature has another type for it
        try:
            for table in tables:
                hashes, checks, known = hashes_of(table, self.keys)
                kept = table if columns is None else table.select(list(columns))
                kept = kept.take(known).append_column(_HASH, pa.array(hashes)).append_column(_CHECK, pa.array(checks))
                if kept.schema not in schemas:
                    schemas.append(kept.schema)
                places = (hashes % np.uint64(self._parts)).astype(np.int64)
                order = np.argsort(places, kind="stable")
                ends = np.searchsorted(places[order], np.arange(self._parts + 1))
                ordered = kept.take(order)
                for part in np.flatnonzero(np.diff(ends)):
                    file = (int(part), schemas.index(kept.schema))
                    if file not in writers:
                        writers[file] = pa.ipc.new_stream(str(folder / f"{file[0]}-{file[1]}.arrow"), kept.schema)
                    writers[file].write_table(ordered.slice(ends[part], ends[part + 1] - ends[part]))
        finally:
            for writer in writers.values():
                writer.close()
        return folder


def hashes_of(rows: pa.Table, keys: Sequence[str]) -> tuple[Hashes, Hashes, np.ndarray]:
    """Two hashes of each row that has its whole key, and which rows those are.

    One of 64 bits finds the row; among billions of rows two keys may share one, and the second keeps one
    from being taken for the other.
    """
    import pyarrow.compute as pc

    columns = [rows.column(name).combine_chunks() for name in keys]
    known = np.ones(rows.num_rows, dtype=np.bool_)
    for column in columns:
        if column.null_count:
            known &= np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False))
    places = np.flatnonzero(known)
    whole = columns if len(places) == len(known) else [column.take(places) for column in columns]
    digests = key_digests(whole)
    return digests[:, 0].astype(np.uint64), digests[:, 1].astype(np.uint64), places


def aligned(first: Iterable[pa.Table], second: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Align two streams of equally many rows, so that both tables of a pair have the same rows."""
    lefts, rights = (iter(table for table in tables if table.num_rows) for tables in (first, second))
    left, right = next(lefts, None), next(rights, None)
    while left is not None and right is not None:
        rows = min(left.num_rows, right.num_rows)
        yield left.slice(0, rows), right.slice(0, rows)
        left = left.slice(rows) if rows < left.num_rows else next(lefts, None)
        right = right.slice(rows) if rows < right.num_rows else next(rights, None)


def _tables(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    import pyarrow as pa

    return (pa.Table.from_batches([batch]) for batch in batches)


def _missing(table: pa.Table) -> bool:
    return any(column.null_count for column in table.columns)


def _read_part(folder: Path, part: int) -> pa.Table | None:
    import pyarrow as pa

    pieces = []
    for path in sorted(folder.glob(f"{part}-*.arrow")):
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
            pieces.append(reader.read_all())
    return pa.concat_tables(pieces, promote_options="permissive") if pieces else None


def _joined(rows: pa.Table, stored: pa.Table, keys: str) -> Matched:
    """Join one partition of rows with that of the store."""
    known, checks = _hashes(stored)
    order = np.lexsort((checks, known))
    known, checks = known[order], checks[order]
    twice = (known[1:] == known[:-1]) & (checks[1:] == checks[:-1])
    if twice.any():
        raise DataError(
            f"holds {int(twice.sum()):,} rows more than it has keys in a part of it",
            field=f"stored ({keys})",
            mend="Give the column that tells rows of one key apart as roles.time, or mend the store",
        )
    hashes, row_checks = _hashes(rows)
    # Past the end means unknown; any place will do, since the hashes there differ.
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    matched = np.flatnonzero((known[places] == hashes) & (checks[places] == row_checks))
    return Matched(
        hashes[matched],
        rows.take(matched).drop_columns([_HASH, _CHECK]),
        stored.take(order[places[matched]]).drop_columns([_HASH, _CHECK]),
    )


def _hashes(table: pa.Table) -> tuple[Hashes, Hashes]:
    return table.column(_HASH).to_numpy(), table.column(_CHECK).to_numpy()
