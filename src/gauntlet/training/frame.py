"""Converts Arrow rows to a pandas DataFrame with the types of a model's MLflow signature."""

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
    """MLflow type of a feature in the signature.

    An integer that may be missing is ``double``: pandas stores it as a float, and MLflow rejects a DataFrame whose
    types differ from the signature.
    """
    if feature.type == "int":
        return "long" if feature.required else "double"
    return {"float": "double", "bool": "boolean", "string": "string"}[feature.type]


def mlflow_types(features: tuple[Feature, ...]) -> dict[str, str]:
    """Name → ``mlflow_type``, in order."""
    return {feature.name: mlflow_type(feature) for feature in features}


def frame_of(rows: pa.RecordBatch, types: Mapping[str, str]) -> pd.DataFrame:
    """Build the DataFrame.

    Args:
        rows: the rows; columns not in ``types`` are ignored.
        types: column → MLflow type (``double``, ``long``, ``string``, ``boolean``, ``datetime``, …), in order.

    Returns:
        A DataFrame of these columns: missing numbers are NaN, missing text and booleans ``None``.

    Raises:
        DataError: a column is absent, cannot be converted to its type, or is an integer with missing values.
    """
    import pandas as pd
    import pyarrow as pa

    arrays = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns = {}
    for name, kind in types.items():
        if name not in arrays:
            raise DataError(
                "the model needs this column", field=name, mend="Add it to the snapshot, or use another model"
            )
        try:
            columns[name] = _column(arrays[name], kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DataError(
                f"the model's signature requires {kind}, the snapshot has {rows.schema.field(name).type}",
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
        arrow_type = pa.type_for_alias(_NUMBERS[kind])
        if pa.types.is_integer(arrow_type) and values.null_count:
            raise pa.ArrowInvalid(f"{values.null_count} values are missing")
        numbers = _cast(values, arrow_type, safe=pa.types.is_integer(arrow_type))
        return np.asarray(numbers.to_numpy(zero_copy_only=False)).astype(_NUMBERS[kind])
    if kind == "string":
        return _objects(_cast(values, pa.string()))
    if kind == "boolean":
        flags = _cast(values, pa.bool_())
        return _objects(flags) if flags.null_count else np.asarray(flags.to_numpy(zero_copy_only=False))
    if kind == "datetime":
        return np.asarray(_cast(values, pa.timestamp("us")).to_numpy(zero_copy_only=False))
    raise pa.ArrowTypeError(f"a signature with {kind} columns cannot be served from a snapshot")


def _cast(values: pa.Array, arrow_type: pa.DataType, *, safe: bool = True) -> pa.Array:
    """Cast values unless they have the type already: for one row, casts take most of the time."""
    return values if values.type == arrow_type else values.cast(arrow_type, safe=safe)


def _objects(values: pa.Array) -> np.ndarray:
    import numpy as np

    column = np.empty(len(values), dtype=object)
    column[:] = values.to_pylist()
    return column
