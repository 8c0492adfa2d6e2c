"""Reading CSV, Parquet and JSON lines as a stream of batches, whatever their size.

A batch as read is *raw*: columns of text formats hold the text as it stands in the file, columns of typed formats the
file's own type reduced to one of ``int64``, ``double``, ``bool``, ``timestamp[us, UTC]`` and ``string``. Names are
already stripped and renamed, missing values are nulls. What type a column gets in the end is decided elsewhere, from
all rows (``gauntlet.data.inference``).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from gauntlet.data.columns import is_text, reduce_type
from gauntlet.data.headers import final_names, refuse_repeated_header
from gauntlet.data.jsonlines import batches as jsonl_batches
from gauntlet.data.opening import is_damage, is_packed, open_text, plain_name, start_of
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.sniffing import Finding, encoding_of, shape_of
from gauntlet.errors import DataError
from gauntlet.parquet import open_parquet

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["csv", "parquet", "jsonl"]

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
_PARQUET_MAGIC = b"PAR1"
_BLOCK_BYTES = 8 << 20
_HEADER_BYTES = 1 << 20
_BATCH_ROWS = 65_536
_LINES_LOOKED_AT = 50
_EVERY_BYTE = "latin-1"
"""An encoding in which every byte is a character."""


def raw_batches(
    path: Path,
    shown: str,
    kind: Format,
    options: ReaderOptions,
    needed: Collection[str] | None = None,
    *,
    text: bool = False,
    partitions: Mapping[str, str | int | None] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Stream one file as raw batches.

    Args:
        path: the file on this machine.
        shown: the name the user knows it by, for messages.
        kind: its format, see ``format_of``.
        options: how to read it.
        needed: columns the caller will look at; ``None``: all. With it, a Parquet file gives one batch of no rows with
            all columns, for their names and types, then batches of those columns alone.
        text: all columns of text are needed too.
        partitions: column → what it holds in every row, unless the file has a column of that name.

    Raises:
        DataError: empty, truncated, malformed or of a type that a snapshot cannot hold; names the file.
    """
    import pyarrow as pa

    if kind == "csv":
        batches = _csv_batches(path, shown, options)
    elif kind == "parquet":
        batches = _parquet_batches(path, shown, options, needed, text=text)
    else:
        batches = _jsonl_batches(path, shown, options)
    rows = 0
    try:
        for batch in batches:
            whole = _with_partitions(batch, partitions) if partitions else batch
            names = final_names(whole.schema.names, shown, options)
            if kind == "csv":
                refuse_repeated_header(batch, rows, shown, options, lambda: _first_line(path, shown, options))
                rows += batch.num_rows
            columns = [
                _mark_missing(reduce_type(column, f"{shown}: column {name}"), options)
                for name, column in zip(names, whole.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, names=names)
    except Exception as error:  # of Arrow, or of whatever unpacks and decodes
        if not isinstance(error, pa.ArrowInvalid | pa.ArrowNotImplementedError) and not is_damage(error):
            raise
        reason = " ".join(str(error).split())
        found = _cause(path, shown, kind, options, reason)
        raise DataError(
            f"cannot be read as {kind}" + (f": {found.message}" if found else ""),
            field=shown,
            value=found.value if found else reason,
            mend=found.mend if found else _mend(kind, reason),
        ) from error


def _with_partitions(batch: pa.RecordBatch, partitions: Mapping[str, str | int | None]) -> pa.RecordBatch:
    import pyarrow as pa

    more = {name: value for name, value in partitions.items() if name not in batch.schema.names}
    columns = [*batch.columns, *(pa.repeat(pa.scalar(value), batch.num_rows) for value in more.values())]
    return pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, *more])


def _mark_missing(column: pa.Array, options: ReaderOptions) -> pa.Array:
    """Strip text, and turn missing-value texts and NaN into nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == pa.float64():
        missing = pc.is_nan(column)
    elif column.type == pa.string():
        if options.strip_whitespace:
            column = pc.utf8_trim_whitespace(column)
        missing = pc.is_in(column, value_set=pa.array(options.missing_values, pa.string()))
    else:
        return column
    return pc.if_else(missing, pa.scalar(None, column.type), column) if pc.any(missing).as_py() else column


def format_of(path: Path, shown: str, options: ReaderOptions) -> Format:
    """A file's format: as the options say, else by its extension, else by its first bytes."""
    if options.format != "auto":
        return options.format
    known = _BY_SUFFIX.get("." + plain_name(path, shown).rsplit(".", 1)[-1])
    if known:
        return known
    start = start_of(path, shown)
    if start.startswith(_PARQUET_MAGIC):
        return "parquet"
    return "jsonl" if start.lstrip().startswith(b"{") else "csv"


def _first_line(path: Path, shown: str, options: ReaderOptions) -> str:
    with open_text(path, shown, options.encoding) as stream:
        return stream.readline(_HEADER_BYTES).decode(errors="replace").strip("\r\n")


def _first_lines(path: Path, shown: str, options: ReaderOptions) -> list[str]:
    with io.BufferedReader(_lines(path, shown, options)) as stream:
        return stream.read(_HEADER_BYTES).decode(errors="replace").splitlines()[:_LINES_LOOKED_AT]


def _delimiter(path: Path, shown: str, options: ReaderOptions) -> str:
    return options.delimiter or ("\t" if plain_name(path, shown).endswith(".tsv") else ",")


def _cause(path: Path, shown: str, kind: Format, options: ReaderOptions, reason: str) -> Finding | None:
    """What a file of text is that could not be read as the options say; ``None``: it is what they say."""
    lowered = reason.lower()
    if "utf8" in lowered or "utf-8" in lowered:
        with open_text(path, shown, _EVERY_BYTE) as stream:
            return encoding_of(line.decode().encode(_EVERY_BYTE) for line in stream)
    if kind == "csv" and "expected" in lowered and "columns" in lowered:
        return shape_of(_first_lines(path, shown, options), _delimiter(path, shown, options))
    return None


def _csv_batches(path: Path, shown: str, options: ReaderOptions) -> Iterator[pa.RecordBatch]:
    """All columns as text: what type they have is nothing a first block can know."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    delimiter = _delimiter(path, shown, options)
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    read = arrow_csv.ReadOptions(
        block_size=_HEADER_BYTES,
        column_names=list(options.column_names) or None,
        skip_rows=1 if options.column_names and options.header else 0,
        use_threads=False,
    )
    with (
        _lines(path, shown, options) as stream,
        arrow_csv.open_csv(stream, read_options=read, parse_options=parse) as first,
    ):
        names = first.schema.names
    found = None
    if not options.column_names and (len(names) == 1 or names[0].startswith("{")):
        found = shape_of(_first_lines(path, shown, options), delimiter)
    if found is not None:
        raise DataError(f"is no table as it is read: {found.message}", field=shown, value=found.value, mend=found.mend)
    read.block_size = _BLOCK_BYTES
    convert = arrow_csv.ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=True
    )
    with (
        _lines(path, shown, options) as stream,
        arrow_csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert) as reader,
    ):
        yield from reader


def _lines(path: Path, shown: str, options: ReaderOptions) -> Any:
    stream = open_text(path, shown, options.encoding)
    return _WithoutComments(stream, options.comment.encode()) if options.comment else stream


class _WithoutComments(io.RawIOBase):
    """A binary stream without the lines that begin with a prefix."""

    def __init__(self, stream: IO[bytes], prefix: bytes) -> None:
        self._stream = stream
        self._prefix = prefix
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            lines = self._stream.readlines(len(buffer))
            if not lines:
                return 0
            self._rest = b"".join(line for line in lines if not line.startswith(self._prefix))
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def _parquet_batches(
    path: Path, shown: str, options: ReaderOptions, needed: Collection[str] | None, *, text: bool
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if is_packed(path):
        raise DataError("is Parquet inside a compressed file", field=shown, mend="Unpack it; Parquet compresses itself")
    with open_parquet(path, shown) as file:
        schema = _without_row_labels(file.schema_arrow)
        columns = schema.names if len(schema) < len(file.schema_arrow) else None
        if needed is not None:
            fields = zip(schema, final_names(schema.names, shown, options), strict=True)
            columns = [field.name for field, name in fields if name in needed or (text and is_text(field.type))]
            yield pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False)


def _without_row_labels(schema: pa.Schema) -> pa.Schema:
    """A schema without the unnamed index that pandas writes beside the columns: numbers of rows, which are no data.

    The file says what is an index (https://pandas.pydata.org/docs/development/developer.html). One that was given a
    name is a column that somebody chose.
    """
    import pyarrow as pa

    try:
        index = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError):
        return schema
    labels = {name for name in index if isinstance(name, str) and _UNNAMED_INDEX.fullmatch(name)}
    return pa.schema([field for field in schema if field.name not in labels]) if labels else schema


def _jsonl_batches(path: Path, shown: str, options: ReaderOptions) -> Iterator[pa.RecordBatch]:
    with _lines(path, shown, options) as stream, io.TextIOWrapper(io.BufferedReader(stream), "utf-8") as text:
        yield from jsonl_batches(text, shown, options, rows=_BATCH_ROWS)


def _mend(kind: Format, reason: str) -> str:
    lowered = reason.lower()
    if "utf8" in lowered or "codec" in lowered:
        return "Set reader.encoding to the file's encoding, for example latin-1"
    if "empty csv" in lowered:
        return "The file is empty: check what writes it"
    if "expected" in lowered and "columns" in lowered:
        return "Every line needs the same number of fields: mend that line, or check reader.delimiter"
    return f"The file is truncated or damaged, or not {kind}: write it again, or set reader.format"
