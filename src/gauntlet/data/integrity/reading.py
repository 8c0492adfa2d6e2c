"""Reference tables: a few columns of pinned files, of the types of what they are compared with, as one Parquet file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.columns import ColumnType, arrow_type, convert
from gauntlet.data.integrity.sql import Name
from gauntlet.data.reader import format_of, raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.source import Pinned, fetch
from gauntlet.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    import pyarrow as pa


def write_reference(
    table: str,
    files: Sequence[Pinned],
    wanted: Mapping[str, ColumnType | None],
    names: Mapping[str, Name],
    options: ReaderOptions,
    destination: Path,
) -> None:
    """Read a reference table's columns, batch by batch.

    Args:
        table: its name.
        files: where it lies.
        wanted: column → the type it is compared as; ``None``: as text.
        names: column → what it is called in the file to write.
        options: how to read it.
        destination: the Parquet file to write.

    Raises:
        ConfigurationError: a column is not there; the message gives the closest name.
        DataError: the files cannot be read, or a column holds what is not of its type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: kind or "string" for name, kind in wanted.items()}
    schema = pa.schema([pa.field(names[name], arrow_type(kind)) for name, kind in kinds.items()])
    with pq.ParquetWriter(destination, schema) as writer:
        for file in files:
            for batch in _batches(file, options, kinds, destination.parent):
                writer.write_batch(_typed(batch, kinds, schema, table, file.uri, options))


def _batches(
    file: Pinned, options: ReaderOptions, kinds: Mapping[str, ColumnType], scratch: Path
) -> Iterator[pa.RecordBatch]:
    with fetch(file, scratch) as lent:
        kind = format_of(lent.path, file.uri, options)
        yield from raw_batches(lent.path, file.uri, kind, options, kinds, partitions=file.partitions)


def _typed(
    batch: pa.RecordBatch,
    kinds: Mapping[str, ColumnType],
    schema: pa.Schema,
    table: str,
    shown: str,
    options: ReaderOptions,
) -> pa.RecordBatch:
    import pyarrow as pa

    columns = []
    for name, kind in kinds.items():
        position = batch.schema.get_field_index(name)
        if position < 0:
            close = difflib.get_close_matches(name, batch.schema.names, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Its columns are: {', '.join(batch.schema.names)}"
            raise ConfigurationError("has no such column", field=f"table {table}", value=name, mend=hint)
        typed = convert(batch.column(position), kind, options.spelling(name))
        if typed is None:
            raise DataError(
                f"holds values that are not of type {kind}, as what they are compared with is",
                field=f"{shown}: column {name}",
                mend=f"Mend the table, or import the snapshot's column as text: reader.types.{name}: string",
            )
        columns.append(typed)
    return pa.RecordBatch.from_arrays(columns, schema=schema)
