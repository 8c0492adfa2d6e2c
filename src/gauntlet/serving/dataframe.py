"""Builds a pandas DataFrame of the signature's types from validated rows.

``gauntlet.training.frame`` builds the same DataFrame from Arrow columns for batch scoring. For a single row, as in most
requests, converting through Arrow takes longer than everything else before the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gauntlet.errors import DataError
from gauntlet.serving.contract import Rows
from gauntlet.serving.errors import InvalidRequest

if TYPE_CHECKING:
    import pandas as pd

Build = Callable[[Sequence[Any]], Any]
_INTEGERS = ("long", "integer")


def frame_of_rows(rows: Rows, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Build the DataFrame.

    Args:
        rows: validated rows; a missing value is ``None``.
        kinds: input → MLflow type, in the signature's order.

    Returns:
        A DataFrame of these columns, with the types that MLflow's own enforcement produces: missing numbers are NaN,
        missing text and booleans ``None``, missing times NaT; times are in nanoseconds.

    Raises:
        InvalidRequest: an integer is missing, which a DataFrame cannot represent.
        DataError: a value does not fit its type; validated rows hold none.
    """
    import pandas as pd

    columns = {}
    for name, kind in kinds.items():
        values = rows.columns[name]
        if kind in _INTEGERS and None in values:
            raise InvalidRequest(
                f"expected an integer ({kind}), found null, which this model cannot take",
                field=name,
                row=values.index(None),
                mend="Send an integer, or have the column declared as double in the model's signature",
            )
        try:
            columns[name] = _BUILD[kind](values)
        except (TypeError, ValueError) as error:
            # The original message may contain the value.
            raise DataError(
                f"has a value that a DataFrame cannot represent as {kind}",
                field=name,
                value=type(error).__name__,
                mend="Declare the column with the type of its values in the model's signature",
            ) from None
    return pd.DataFrame(columns)


def _objects(values: Sequence[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _booleans(values: Sequence[Any]) -> np.ndarray:
    return _objects(values) if None in values else np.array(values, dtype=bool)


def _times(values: Sequence[Any]) -> Any:
    import pandas as pd

    # Unlike NumPy's, this conversion raises on times outside the range of nanoseconds.
    return pd.Series(np.array(values, dtype="datetime64[us]")).astype("datetime64[ns]")


def _numbers(dtype: str) -> Build:
    return lambda values: np.array(values, dtype=dtype)


_BUILD: Mapping[str, Build] = {
    "double": _numbers("float64"),
    "float": _numbers("float32"),
    "long": _numbers("int64"),
    "integer": _numbers("int32"),
    "string": _objects,
    "boolean": _booleans,
    "datetime": _times,
}
"""MLflow type → builder of a column."""
