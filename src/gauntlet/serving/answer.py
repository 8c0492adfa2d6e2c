"""Converts a model's output to columns, which both protocols write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np

SINGLE_OUTPUT = "prediction"
"""Name of a single output column without a name in the signature."""

_JSON_KINDS = "fiub"  # dtypes whose tolist() is plain JSON


@dataclass(frozen=True)
class Answer:
    """Model output by column.

    Attributes:
        names: names of the output columns.
        columns: their values, each of shape (rows,).
        shape: JSON of a row: ``column`` one value, ``matrix`` an array of values, ``records`` an object.
    """

    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...]
    shape: str

    def rows(self) -> list[Any]:
        """Return one JSON value per row."""
        if self.shape == "column":
            return _json_values(self.columns[0])
        every = zip(*map(_json_values, self.columns), strict=True)
        if self.shape == "matrix":
            return [list(row) for row in every]
        return [dict(zip(self.names, row, strict=True)) for row in every]


def answer_of(output: Any, *, rows: int, names: Sequence[str] = ()) -> Answer:
    """Convert a model's output to columns.

    Args:
        output: NumPy array of one or two dimensions, DataFrame, Series, or list.
        rows: number of rows scored.
        names: names of the output columns in the signature; ignored if their number differs.

    Raises:
        DataError: another shape, another number of rows, or a number that is NaN or infinite, which JSON cannot
            represent.
    """
    import numpy as np

    labels = getattr(output, "columns", None)
    if labels is not None:
        columns = tuple(np.asarray(output[label]) for label in labels)
        return _checked(Answer(tuple(map(str, labels)), columns, "records"), rows)
    try:
        values = np.asarray(output)
    except ValueError as error:
        raise DataError(
            "returned rows of different lengths", field="model", mend="Return rows of one length"
        ) from error
    if values.ndim not in (1, 2) or isinstance(output, dict):
        raise DataError(
            f"returned an output of shape {values.shape}",
            field="model",
            mend="Return a value, or an array of values, for each row",
        )
    columns = (values,) if values.ndim == 1 else tuple(values.T)
    output_names = tuple(names) if len(names) == len(columns) else _names(len(columns))
    return _checked(Answer(output_names, columns, "column" if values.ndim == 1 else "matrix"), rows)


def _names(count: int) -> tuple[str, ...]:
    return (SINGLE_OUTPUT,) if count == 1 else tuple(f"{SINGLE_OUTPUT}-{index}" for index in range(count))


def _checked(answer: Answer, rows: int) -> Answer:
    import numpy as np

    if not answer.columns or any(column.shape != (rows,) for column in answer.columns):
        raise DataError(
            f"returned another number of predictions than {rows} rows",
            field="model",
            mend="Return one prediction per row",
        )
    for name, column in zip(answer.names, answer.columns, strict=True):
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            raise DataError(
                "returned a number that is NaN or infinite", field=f"model output {name}", mend="Return finite numbers"
            )
    return answer


def _json_values(column: np.ndarray) -> list[Any]:
    if column.dtype.kind in _JSON_KINDS:
        return list(column.tolist())
    return [value.item() if hasattr(value, "item") else value if value is None else _plain(value) for value in column]


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, bool, int, float)) else str(value)
