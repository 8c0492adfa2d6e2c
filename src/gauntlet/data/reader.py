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

from pydantic import Field, field_validator, model_validator

from gauntlet.data.columns import ColumnType, is_text, mark_missing, reduce_type
from gauntlet.data.headers import final_names, refuse_repeated_header
from gauntlet.errors import DataError
from gauntlet.parquet import open_parquet
from gauntlet.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["csv", "parquet", "jsonl"]
MappedValue = bool | int | float | str

MISSING_VALUES = (
    *("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "#N/A", "#N/A N/A", "#NA"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""What pandas 2 reads as missing (``pandas._libs.parsers.STR_NA_VALUES``)."""

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


class ReaderOptions(Settings):
    """How to read files that were not written for us.

    Applied in this order: ``column_names``, ``rename``, ``strip_whitespace``, ``missing_values``, ``values``,
    ``types``, ``derive``, ``drop``. Every option after ``rename`` uses the new names.
    """

    format: Literal["auto", "csv", "parquet", "jsonl"] = Field(
        "auto", description="Format of all files; auto goes by the file's extension, else by its first bytes."
    )
    delimiter: str | None = Field(None, description="CSV: one character between fields. Default: tab for .tsv, comma.")
    header: bool = Field(True, description="CSV: the first line holds the column names.")
    column_names: tuple[str, ...] = Field((), description="CSV: names of all columns, in place of the header's.")
    encoding: str = Field("utf-8", description="CSV and JSON lines: character encoding.")
    comment: str = Field("", description="CSV and JSON lines: lines that begin with this are not data.")
    strip_whitespace: bool = Field(True, description="Remove white space around names and text values.")
    missing_values: tuple[str, ...] = Field(
        MISSING_VALUES, description="Texts that mean a missing value. Default: those that pandas knows."
    )
    types: dict[str, ColumnType] = Field(
        {}, description="Column → int, float, string, bool or timestamp; not inferred."
    )
    rename: dict[str, str] = Field({}, description="Column's name in the file → its name in the snapshot.")
    values: dict[str, dict[str, MappedValue]] = Field(
        {}, description="Column → {value in the file: value in the snapshot}. A value not listed is an error."
    )
    derive: dict[str, str] = Field(
        {}, description='New column → expression, for example {"big_tip": "tips > 0.2 * fare"}.'
    )
    drop: tuple[str, ...] = Field((), description="Columns to leave out, after everything else.")
    missing_label: Literal["error", "drop"] = Field("error", description="What to do with rows whose label is missing.")
    duplicates: Literal["error", "keep_first"] = Field(
        "error", description="What to do with rows whose key was seen before (only when roles.key is given)."
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) != 1:
            raise ValueError("must be one ASCII character")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("is not an encoding Python knows") from None
        return value

    @field_validator("values")
    @classmethod
    def _integral_floats_are_ints(cls, value: dict[str, dict[str, MappedValue]]) -> dict[str, dict[str, MappedValue]]:
        """Pipelines hand numbers inside mappings over as doubles: 1 arrives as 1.0."""
        return {
            column: {
                old: int(new) if isinstance(new, float) and new.is_integer() else new for old, new in pairs.items()
            }
            for column, pairs in value.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> ReaderOptions:
        if not self.header and not self.column_names:
            raise ValueError("without a header, column_names must name the columns")
        _refuse_repeated("column_names", self.column_names)
        _refuse_repeated("rename", tuple(self.rename.values()))
        return self


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
                mark_missing(reduce_type(column, f"{shown}: column {name}"), options)
                for name, column in zip(names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, names=names)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError, UnicodeError, zlib.error) as error:
        raise DataError(
            f"cannot be read as {kind}", field=shown, value=" ".join(str(error).split()), mend=_mend(kind, str(error))
        ) from error


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
    from gauntlet.data.jsonlines import batches

    with _lines(path, options) as stream, io.TextIOWrapper(io.BufferedReader(stream), options.encoding) as text:
        yield from batches(text, shown, options, rows=_BATCH_ROWS)


def _refuse_repeated(option: str, names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{option} names {name!r} twice")


def _mend(kind: Format, reason: str) -> str:
    lowered = reason.lower()
    if "utf8" in lowered or "codec" in lowered:
        return "Set reader.encoding to the file's encoding, for example latin-1"
    if "empty csv" in lowered:
        return "The file is empty: check what writes it"
    if "expected" in lowered and "columns" in lowered:
        return "Every line needs the same number of fields: mend that line, or check reader.delimiter"
    return f"The file is truncated or damaged, or not {kind}: write it again, or set reader.format"
