"""Opening Parquet files: the one place that does, because a file can carry a program.

A Parquet file may name for a column the type ``arrow.py_extension_type``, whose description is a pickle; Arrow before
14.0.1 unpickles it as soon as it looks at the file's schema (CVE-2023-47248). TFDV holds the data image to such an
Arrow. Here the type is taken out of Arrow before any file is opened, and a file that names it is refused in every
image. The linter holds all other code to these functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError, DependencyError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_UNPICKLED = "arrow.py_extension_type"
_EXTENSION_NAME = b"ARROW:extension:name"
_MEND = "Open it with no other tool; if you know who wrote it, have the column written as text, number, bool or time"


def open_parquet(source: Path | pa.NativeFile, shown: str, **options: Any) -> pq.ParquetFile:
    """Open a Parquet file for reading; a context manager that closes it.

    Args:
        source: the file.
        shown: the name the user knows it by, for messages.
        options: Arrow's, see ``pyarrow.parquet.ParquetFile``.

    Raises:
        DataError: a column's type is one that runs code when it is read.
        DependencyError: this Arrow would run it, and what keeps it from doing so is not installed.
        pyarrow.ArrowInvalid, OSError: it is no Parquet file.
    """
    import pyarrow.parquet as pq

    _disarm()
    try:
        file = pq.ParquetFile(source, **options)
    except RuntimeError as error:  # what pyarrow_hotfix raises in place of unpickling
        if _UNPICKLED in str(error):
            raise _refusal(shown) from error
        raise
    for column, field in _fields(file.schema_arrow):
        if _names_a_program(field):
            file.close()
            raise _refusal(shown, column)
    return file


def read_parquet(source: Path | pa.NativeFile, shown: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole Parquet file in memory.

    Args:
        source: the file.
        shown: the name the user knows it by, for messages.
        columns: which columns, in this order; default all.

    Raises:
        KeyError: it lacks a column.
        Others: as ``open_parquet``.
    """
    with open_parquet(source, shown) as file:
        table = file.read(columns=None if columns is None else list(columns))
    return table if columns is None else table.select(list(columns))


def _disarm() -> None:
    """Take the type that is unpickled out of this process's Arrow, which had it up to version 20."""
    import pyarrow as pa

    if not hasattr(pa, "PyExtensionType"):
        return
    try:
        import pyarrow_hotfix  # noqa: F401  # importing it is what replaces the type
    except ImportError as error:
        raise DependencyError(
            "would run a program that a Parquet file carries (CVE-2023-47248)",
            field="pyarrow",
            value=pa.__version__,
            mend="Install pyarrow-hotfix beside it, or pyarrow 21 or later",
        ) from error


def _fields(schema: pa.Schema) -> Iterator[tuple[str, pa.Field]]:
    """A schema's fields, those inside other fields too, each with the name of the column it is in."""
    waiting = [(field.name, field) for field in schema]
    while waiting:
        column, field = waiting.pop()
        yield column, field
        waiting += [(column, child) for child in _children(field.type)]


def _children(data_type: pa.DataType) -> list[pa.Field]:
    import pyarrow as pa

    if pa.types.is_map(data_type):
        return [data_type.key_field, data_type.item_field]
    if pa.types.is_struct(data_type):
        return list(data_type)
    return [data_type.value_field] if hasattr(data_type, "value_field") else []


def _names_a_program(field: pa.Field) -> bool:
    named = (field.metadata or {}).get(_EXTENSION_NAME, b"")
    return named == _UNPICKLED.encode() or getattr(field.type, "extension_name", "") == _UNPICKLED


def _refusal(shown: str, column: str | None = None) -> DataError:
    what = "a column" if column is None else f"column {column}"
    return DataError(
        f"{what} is of the type {_UNPICKLED}, a program that runs when the file is read (CVE-2023-47248)",
        field=shown,
        mend=_MEND,
    )
