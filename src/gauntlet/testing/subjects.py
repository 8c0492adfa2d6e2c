"""Converts a test's arguments: rows of any form to an Arrow table, a function to its name."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.parquet import read_parquet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from gauntlet.features.transform import Transform

    Rows: TypeAlias = (
        pa.Table | pa.RecordBatch | pd.DataFrame | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | Path
    )
    Code: TypeAlias = Callable[[Any], Any] | Transform | str

_FILES = "a .parquet or .csv file"


def table_of(rows: Rows, argument: str = "rows") -> pa.Table:
    """Convert rows to the types of a snapshot (one of five per column), missing values to nulls.

    Args:
        rows: an Arrow table or record batch, a pandas DataFrame, columns by name, a list of rows, or a Parquet or CSV
            file.
        argument: the argument's name, for messages.

    Raises:
        ConfigurationError: rows of another form, or no such file.
        DataError: a file that cannot be read, or a column of an unsupported type.
    """
    import pyarrow as pa

    from gauntlet.data.columns import reduce_type

    table = _table(rows, argument)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        array = column.combine_chunks()
        array = reduce_type(pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array, name)
        columns[name] = _without_nan(array)
    return pa.table(columns)


def importable_name(code: Code) -> str | None:
    """Return ``module:function`` if another process can import the same function by it; ``None`` otherwise."""
    if isinstance(code, str):
        return code
    module, name = getattr(code, "__module__", None), getattr(code, "__qualname__", "")
    if module is None or getattr(sys.modules.get(module), name, None) is not code:
        return None
    parts, folders, spec = module.split("."), None, None
    for depth in range(len(parts)):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[: depth + 1]), folders)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
    same_file = spec is not None and spec.origin == getattr(sys.modules[module], "__file__", None)
    return f"{module}:{name}" if same_file else None


def _table(rows: Any, argument: str) -> pa.Table:
    import pyarrow as pa

    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if isinstance(rows, str | Path):
        return _file(Path(rows), argument)
    try:
        if isinstance(rows, Mapping):
            return pa.table(dict(rows))
        if hasattr(rows, "iloc") and hasattr(rows, "columns"):
            return pa.Table.from_pandas(rows, preserve_index=False)
        if isinstance(rows, Sequence) and rows and all(isinstance(row, Mapping) for row in rows):
            return pa.Table.from_pylist([dict(row) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise DataError(
            "cannot be converted to a table", field=argument, value=str(error), mend="Use one type per column"
        ) from error
    raise ConfigurationError(
        "is not a table",
        field=argument,
        value=rows,
        mend=f"Give a DataFrame, an Arrow table, a list of rows, or {_FILES}",
    )


def _file(path: Path, argument: str) -> pa.Table:
    import pyarrow as pa

    if not path.is_file():
        raise ConfigurationError("no such file", field=argument, value=str(path), mend="Correct the path")
    try:
        if path.suffix == ".parquet":
            return read_parquet(path, str(path))
        if path.suffix == ".csv":
            import pyarrow.csv as arrow_csv

            options = arrow_csv.ConvertOptions(strings_can_be_null=True)
            return arrow_csv.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError("cannot be read", field=str(path), value=str(error), mend="Write the file again") from error
    raise ConfigurationError("is not a supported file", field=argument, value=str(path), mend=f"Give {_FILES}")


def _without_nan(array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(array.type):
        return array
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
