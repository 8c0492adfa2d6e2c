"""Feature encoding for XGBoost, the same in training, batch scoring and serving.

A number is passed as it is; a category becomes its index among the categories *of the training split*. Missing and
unseen values become NaN: XGBoost learns a default direction for missing values, whereas it would score an unknown code
as some category it knows. Arrow decides what is missing: ``None``, ``NaN`` and ``pd.NA`` all become null first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Feature:
    """Input feature of a model.

    Attributes:
        name: the column.
        type: ``int | float | string | bool``, as in a snapshot.
        categories: categories of the training split, as strings, in code order; ``None`` for a number.
        required: whether the schema forbids missing values.
    """

    name: str
    type: str
    categories: tuple[str, ...] | None = None
    required: bool = False

    @property
    def xgboost_type(self) -> str:
        """XGBoost's feature type: ``c`` categorical, ``q`` quantitative."""
        return "q" if self.categories is None else "c"


def encode(features: Sequence[Feature], columns: Mapping[str, Any], rows: int) -> np.ndarray:
    """Encode a batch of rows.

    Args:
        features: the model's inputs, in its order.
        columns: name → Arrow array, NumPy array, pandas Series or list, ``rows`` long. Other columns are
            ignored; an absent column counts as all missing unless its feature is required.
        rows: the number of rows.

    Returns:
        float32, shape (rows, features); missing and unseen are NaN.

    Raises:
        DataError: a required column is absent, or a column's values are not of its type, infinite, or too large.
    """
    import numpy as np

    matrix = np.full((rows, len(features)), np.nan, dtype=np.float32)
    for index, feature in enumerate(features):
        if feature.name in columns:
            array = as_arrow(columns[feature.name], feature.name)
            matrix[:, index] = _codes(array, feature) if feature.categories is not None else _numbers(array, feature)
        elif feature.required:
            raise DataError("the model needs this column", field=feature.name, mend="Add it, or train without it")
    return matrix


def as_arrow(values: Any, name: str) -> pa.Array:
    """Convert values to one Arrow array in which every kind of missing value is null.

    Raises:
        DataError: the values are of mixed types.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError("mixes types", field=name, mend="Use values of one type") from error
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def as_text(array: pa.Array) -> pa.Array:
    """Convert category values to strings.

    A float that is a whole number is written as the integer (1.0 → ``1``), because pandas turns an integer column with
    missing values into floats; any other float becomes null.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        whole = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 2.0**53))
        array = pc.if_else(whole, array, None).cast(pa.int64())
    return array.cast(pa.string())


def _codes(array: pa.Array, feature: Feature) -> np.ndarray:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = pc.index_in(as_text(array), value_set=pa.array(feature.categories, pa.string()))
    return np.asarray(codes.cast(pa.float32()).to_numpy(zero_copy_only=False), dtype=np.float32)


def _numbers(array: pa.Array, feature: Feature) -> np.ndarray:
    import numpy as np
    import pyarrow as pa

    kind = array.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or kind == pa.null()):
        raise DataError(
            f"holds {kind}, but the model was trained on {feature.type}", field=feature.name, mend="Use numbers"
        )
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    numbers = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = numbers.astype(np.float32)
    beyond = np.isinf(narrow)
    if beyond.any():
        raise DataError(
            "holds a number beyond ±3.4e38, the range of the model's 32-bit floats",
            field=feature.name,
            value=float(numbers[beyond][0]),
            mend="Rescale the column, or declare infinities as missing when importing",
        )
    return narrow
