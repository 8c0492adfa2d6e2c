"""Arrow rows as the pandas frame that a model's MLflow signature asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gauntlet.errors import DataError
from gauntlet.training.encoding import Feature

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

_NUMBERS = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32"}


def mlflow_type(feature: Feature) -> str:
    """The type a feature has in the signature. An integer that may be missing is ``double``: pandas has no other way to
    hold it, and MLflow refuses a frame whose types differ from the declared ones.
    """
    if feature.type == "int":
        return "long" if feature.required else "double"
    return {"float": "double", "bool": "boolean", "string": "string"}[feature.type]


def mlflow_types(features: tuple[Feature, ...]) -> dict[str, str]:
    """Name → ``mlflow_type``, in order."""
    return {feature.name: mlflow_type(feature) for feature in features}


def frame_of(rows: pa.RecordBatch, types: Mapping[str, str]) -> pd.DataFrame:
    """Build the frame.

    Args:
        rows: the rows; other columns than those named are ignored.
        types: column → MLflow type (``double``, ``long``, ``string``, ``boolean``, ``datetime``, …), in order.

    Returns:
        A frame of these columns: missing numbers are NaN, missing text and booleans ``None``.

    Raises:
        DataError: a column is not there, cannot be read as its type, or lacks values an integer cannot lack.
    """
    import pandas as pd
    import pyarrow as pa

    columns, given = {}, dict(zip(rows.schema.names, rows.columns, strict=True))
    for name, kind in types.items():
        if name not in given:
            raise DataError(
                "the model needs this column", field=name, mend="Add it to the snapshot, or use another model"
            )
        try:
            columns[name] = _column(given[name], kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DataError(
                f"the model's signature asks for {kind}, the snapshot holds {rows.schema.field(name).type}",
                field=name,
                value=str(error).splitlines()[0],
                mend="Import the column as the type the model was trained on",
            ) from error
    return pd.DataFrame(columns)


def _column(values: pa.Array, kind: str) -> np.ndarray:
    import numpy as np
    import pyarrow as pa

    if kind in _NUMBERS:
        if pa.types.is_string(values.type) or pa.types.is_timestamp(values.type):
            raise pa.ArrowTypeError("text and timestamps are not read as numbers")
        wanted = pa.type_for_alias(_NUMBERS[kind])
        if pa.types.is_integer(wanted) and values.null_count:
            raise pa.ArrowInvalid(f"{values.null_count} values are missing")
        numbers = _as(values, wanted, safe=pa.types.is_integer(wanted))
        return np.asarray(numbers.to_numpy(zero_copy_only=False)).astype(_NUMBERS[kind])
    if kind == "string":
        return _objects(_as(values, pa.string()))
    if kind == "boolean":
        flags = _as(values, pa.bool_())
        return _objects(flags) if flags.null_count else np.asarray(flags.to_numpy(zero_copy_only=False))
    if kind == "datetime":
        return np.asarray(_as(values, pa.timestamp("us")).to_numpy(zero_copy_only=False))
    raise pa.ArrowTypeError(f"a signature with {kind} columns cannot be served from a snapshot")


def _as(values: pa.Array, wanted: pa.DataType, *, safe: bool = True) -> pa.Array:
    """A cast, unless there is nothing to do: for one row, casts are most of the time a frame takes."""
    return values if values.type == wanted else values.cast(wanted, safe=safe)


def _objects(values: pa.Array) -> np.ndarray:
    import numpy as np

    column = np.empty(len(values), dtype=object)
    column[:] = values.to_pylist()
    return column
