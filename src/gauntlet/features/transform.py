"""Feature code as a callable: raw rows in, features out.

A team's own function is named ``module:function``. It takes a pandas DataFrame, or an Arrow table where the annotation
of its first parameter says so, and returns a frame or a table with one row per input row, in the same order:

    def features(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"income": rows["income"], "instalment": rows["amount"] / rows["term_months"]})

Frames hold missing numbers as NaN and missing text as ``None``; an integer column becomes floating where a value is
missing, as everywhere in pandas. ``gauntlet.features.fitted`` finds the transform inside a trained model.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.columns import reduce_type
from gauntlet.digest import digest_bytes, digest_file, digest_json
from gauntlet.errors import ConfigurationError, DataError, GauntletError
from gauntlet.training.custom import resolve
from gauntlet.training.frame import frame_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FIELD = "feature_code"


class NotFeatures(DataError):
    """Feature code returned no table of features, or other columns than before: the fault of the code, not the rows."""


class Transform:
    """Feature code with its name, digest and inputs.

    Args:
        name: its name in sentences: ``module:function``, ``the steps of the model before its last``.
        digest: content digest of its code and fitted state.
        apply: Arrow rows → a frame, a table or a record batch of features.
        inputs: the raw columns it reads; ``None``: all.

    Attributes:
        outputs: its features in order; ``None`` before the first call.
    """

    def __init__(
        self, name: str, digest: str, apply: Callable[[pa.Table], Any], inputs: Sequence[str] | None = None
    ) -> None:
        self.name = name
        self.digest = digest
        self.inputs = None if inputs is None else tuple(inputs)
        self.outputs: tuple[str, ...] | None = None
        self._apply = apply
        self._texts: dict[str, bool] = {}

    def __call__(self, rows: pa.Table | pa.RecordBatch) -> pa.Table:
        """Compute the features of rows.

        Args:
            rows: raw rows; columns it does not read are dropped.

        Returns:
            One row per input row, in the same order; columns of the five types of a snapshot, missing values as nulls.

        Raises:
            DataError: it reads a column that is missing, or raises.
            NotFeatures: it returns another number of rows, other columns than before, or a column that is no feature
                (nested, mixed, twice the same name).
        """
        table = self._given(rows)
        try:
            output = self._apply(table)
        except GauntletError:
            raise
        except Exception as error:  # whatever a team's code raises on the rows it was given
            raise DataError(
                f"{self.name} failed on {table.num_rows} rows",
                field=FIELD,
                value=f"{type(error).__name__}: {error}",
                mend="Run it on these rows by hand",
            ) from error
        features = _checked(output, table.num_rows, self.name)
        if self.outputs is not None and self.outputs != tuple(features.column_names):
            raise NotFeatures(
                f"{self.name} gives other columns than on the rows before: "
                + ", ".join(sorted(set(self.outputs) ^ set(features.column_names)) or ["the order differs"]),
                field=FIELD,
                mend="Give the same columns, in the same order, whatever the rows",
            )
        self.outputs = tuple(features.column_names)
        self._check_kinds(features)
        return features

    def _check_kinds(self, features: pa.Table) -> None:
        """Check that a feature is text in all batches or in none; batches without values do not count."""
        import pyarrow as pa

        for field in features.schema:
            if pa.types.is_null(field.type):
                continue
            text = pa.types.is_string(field.type)
            if self._texts.setdefault(field.name, text) != text:
                raise NotFeatures(
                    f"{self.name} gives text for some rows and none for others",
                    field=field.name,
                    mend="Give one type of value, whatever the rows",
                )

    def _given(self, rows: pa.Table | pa.RecordBatch) -> pa.Table:
        import pyarrow as pa

        table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
        if self.inputs is None:
            return table
        for name in self.inputs:
            if name not in table.column_names:
                raise DataError(
                    f"{self.name} reads this column and the data does not have it",
                    field=name,
                    mend="Import the column, or mend the feature code",
                )
        return table.select(list(self.inputs))


def open_transform(code: str) -> Transform:
    """Import a team's feature function.

    Args:
        code: ``module:function``.

    Raises:
        ConfigurationError: no such module or function, or its import fails.
    """
    function = resolve(code, field=FIELD)
    module = sys.modules[code.partition(":")[0]]
    source = getattr(module, "__file__", None)
    content = digest_file(Path(source)) if source else digest_bytes(repr(function).encode())
    return wrap(function, code, digest_json([code.partition(":")[2], content]))


def transform_of(code: Callable[[Any], Any] | Transform | str) -> Transform:
    """Make a transform of feature code: a function, its name (``module:function``), or a transform.

    Raises:
        ConfigurationError: no such function.
    """
    if isinstance(code, Transform):
        return code
    if isinstance(code, str):
        return open_transform(code)
    if not callable(code):
        raise ConfigurationError(
            "is not feature code", field="function", value=code, mend="Give a function, or its name as module:function"
        )
    name = getattr(code, "__qualname__", type(code).__name__).replace("<locals>.", "").rpartition(".")[2]
    return wrap(code, name, digest_bytes(name.encode()))  # a function of a notebook has no file to take the digest of


def wrap(function: Callable[[Any], Any], name: str, digest: str) -> Transform:
    """Wrap a feature function as a transform; see the module's docstring for its signature."""
    takes = _annotation(function)

    def apply(rows: pa.Table) -> Any:
        if "RecordBatch" in takes:
            return function(_one_batch(rows))
        return function(rows if "Table" in takes else frame(rows))

    return Transform(name, digest, apply)


def frame(rows: pa.Table) -> pd.DataFrame:
    """Convert rows to the DataFrame passed to a team's function; see the module's docstring."""
    import pyarrow as pa

    def kind(column: pa.ChunkedArray) -> str:
        if pa.types.is_integer(column.type):
            return "double" if column.null_count else "long"
        if pa.types.is_boolean(column.type):
            return "boolean"
        if pa.types.is_timestamp(column.type):
            return "datetime"
        return "string" if pa.types.is_string(column.type) else "double"

    types = {name: kind(rows.column(name)) for name in rows.column_names}
    return frame_of(_one_batch(rows), types)


def identity(inputs: Sequence[str], name: str = "the raw columns") -> Transform:
    """Make the transform of a model that reads raw columns: they are its features."""
    return Transform(name, digest_json(["identity", *inputs]), lambda rows: rows, inputs)


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    import pyarrow as pa

    batches = rows.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=rows.schema)


def _annotation(function: Callable[..., Any]) -> str:
    """Annotation of the first parameter, as text; empty if there is none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # a builtin has no signature
        return ""
    declared = parameters[0].annotation if parameters else inspect.Parameter.empty
    if declared is inspect.Parameter.empty:
        return ""
    return declared if isinstance(declared, str) else getattr(declared, "__name__", str(declared))


def _checked(output: Any, rows: int, name: str) -> pa.Table:
    import pyarrow as pa

    if isinstance(output, pa.RecordBatch):
        output = pa.Table.from_batches([output])
    columns = _frame_columns(output, rows) if hasattr(output, "iloc") and hasattr(output, "columns") else output
    if isinstance(output, pa.Table):
        columns = list(zip(output.column_names, output.columns, strict=True))
    if not isinstance(columns, list):
        raise NotFeatures(
            f"{name} returned a {type(output).__name__}", field=FIELD, mend="Return a DataFrame or an Arrow table"
        )
    names = [column for column, _ in columns]
    for column, values in columns:
        if names.count(column) > 1:
            raise NotFeatures(
                f"{name} gives this column twice", field=column, mend="Give each feature a name of its own"
            )
        if len(values) != rows:
            raise NotFeatures(
                f"{name} gives {len(values)} rows for {rows}",
                field=column,
                mend="Give one row for each, missing values where there is nothing to say",
            )
    if not columns:
        raise NotFeatures(f"{name} gives no columns", field=FIELD, mend="Return at least one feature")
    return pa.table({column: _feature(values, column, name) for column, values in columns})


def _frame_columns(output: Any, rows: int) -> list[tuple[str, Any]]:
    """Columns of a frame in the order of the input rows, restored from its index where that permutes theirs."""
    import numpy as np
    import pandas as pd

    index = output.index
    if len(output) == rows and not isinstance(index, pd.RangeIndex) and index.inferred_type == "integer":
        labels = index.to_numpy()
        if np.array_equal(np.sort(labels), np.arange(rows)):
            output = output.iloc[np.argsort(labels, kind="stable")]
    return [(str(column), output.iloc[:, position]) for position, column in enumerate(output.columns)]


def _feature(values: Any, column: str, name: str) -> pa.Array:
    """Convert a column to one of the five types of a snapshot, NaN as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else _from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise NotFeatures(
            f"{name} gives a column of mixed values", field=column, value=str(error), mend="Give one type of value"
        ) from error
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    reduced = reduce_type(array, f"{name}: column {column}")
    if reduced.type == pa.float64():
        missing = pc.is_nan(reduced)
        if pc.any(missing).as_py():
            return pc.if_else(missing, pa.scalar(None, pa.float64()), reduced)
    return reduced


def _from_pandas(values: Any) -> pa.Array:
    import pyarrow as pa

    dense = values.sparse.to_dense() if hasattr(values.dtype, "subtype") and hasattr(values, "sparse") else values
    return pa.array(dense, from_pandas=True)
