"""Reading CSV, Parquet and JSON lines as a stream of batches, whatever their size.

A batch as read is *raw*: columns of text formats hold the text as it stands in the file, columns of typed formats the
file's own type reduced to one of ``int64``, ``double``, ``bool``, ``timestamp[us, UTC]`` and ``string``. Names are
already stripped and renamed, missing values are nulls. What type a column gets in the end is decided elsewhere, from
all rows (``gauntlet.data.inference``).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from gauntlet.data.columns import is_text, reduce_type
from gauntlet.data.headers import final_names, refuse_repeated_header
from gauntlet.data.jsonlines import batches as jsonl_batches
from gauntlet.data.reader_options import ReaderOptions
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
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_BLOCK_BYTES = 8 << 20
_HEADER_BYTES = 1 << 20
_BATCH_ROWS = 65_536


def raw_batches(
    path: Path,
    shown: str,
    kind: Format,
    options: ReaderOptions,
    needed: Collection[str] | None = None,
    *,
    text: bool = False,
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
            names = final_names(batch.schema.names, shown, options)
            if kind == "csv":
                refuse_repeated_header(batch, rows, shown, options, lambda: _first_line(path, options))
                rows += batch.num_rows
            columns = [
                _mark_missing(reduce_type(column, f"{shown}: column {name}"), options)
                for name, column in zip(names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, names=names)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError, UnicodeError, zlib.error) as error:
        raise DataError(
            f"cannot be read as {kind}", field=shown, value=" ".join(str(error).split()), mend=_mend(kind, str(error))
        ) from error


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
    name = shown.lower().removesuffix(".gz")
    known = _BY_SUFFIX.get("." + name.rsplit(".", 1)[-1])
    if known:
        return known
    with _open(path) as stream:
        start = stream.read(512)
    if start.startswith(_PARQUET_MAGIC):
        return "parquet"
    return "jsonl" if start.lstrip().startswith(b"{") else "csv"


def _open(path: Path) -> IO[bytes]:
    """Open for reading; gzip is recognised by its first bytes, not by a name."""
    import gzip

    with path.open("rb") as stream:
        compressed = stream.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]  # GzipFile is binary IO


def _first_line(path: Path, options: ReaderOptions) -> str:
    with _open(path) as stream:
        return stream.readline(_HEADER_BYTES).decode(options.encoding, errors="replace").strip("\r\n")


def _csv_batches(path: Path, shown: str, options: ReaderOptions) -> Iterator[pa.RecordBatch]:
    """All columns as text: what type they have is nothing a first block can know."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    delimiter = options.delimiter or ("\t" if shown.lower().removesuffix(".gz").endswith(".tsv") else ",")
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    read = arrow_csv.ReadOptions(
        block_size=_HEADER_BYTES,
        encoding=options.encoding,
        column_names=list(options.column_names) or None,
        skip_rows=1 if options.column_names and options.header else 0,
        use_threads=False,
    )
    with _lines(path, options) as stream, arrow_csv.open_csv(stream, read_options=read, parse_options=parse) as first:
        names = first.schema.names
    read.block_size = _BLOCK_BYTES
    convert = arrow_csv.ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=True
    )
    with (
        _lines(path, options) as stream,
        arrow_csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert) as reader,
    ):
        yield from reader


def _lines(path: Path, options: ReaderOptions) -> Any:
    if options.comment:
        return _WithoutComments(_open(path), options.comment.encode(options.encoding))
    return _open(path)


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

    with open_parquet(path, shown) as file:
        schema = file.schema_arrow
        columns = None
        if needed is not None:
            fields = zip(schema, final_names(schema.names, shown, options), strict=True)
            columns = [field.name for field, name in fields if name in needed or (text and is_text(field.type))]
            yield pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False)


def _jsonl_batches(path: Path, shown: str, options: ReaderOptions) -> Iterator[pa.RecordBatch]:
    with _lines(path, options) as stream, io.TextIOWrapper(io.BufferedReader(stream), options.encoding) as text:
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
