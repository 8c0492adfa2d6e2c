"""What a model returned, as columns that both protocols can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np

SINGLE_OUTPUT = "prediction"
"""The name of an only output column that the signature leaves unnamed."""

_JSON_KINDS = "fiub"  # dtypes whose tolist() is plain JSON


@dataclass(frozen=True)
class Answer:
    """A model's output.

    Attributes:
        names: the output columns.
        columns: their values, each of shape (rows,).
        shape: ``column`` one value a row, ``matrix`` an array of values a row, ``records`` an object a row.
    """

    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...]
    shape: str

    def rows(self) -> list[Any]:
        """One JSON value a row."""
        if self.shape == "column":
            return _listed(self.columns[0])
        every = zip(*map(_listed, self.columns), strict=True)
        if self.shape == "matrix":
            return [list(row) for row in every]
        return [dict(zip(self.names, row, strict=True)) for row in every]


def answer_of(output: Any, *, rows: int, names: Sequence[str] = ()) -> Answer:
    """Bring a model's output to columns.

    Args:
        output: NumPy array of one or two dimensions, DataFrame, Series, or list.
        rows: rows that were scored.
        names: the signature's names of the output columns, if it gives any; used where they fit in number.

    Raises:
        DataError: another shape, another number of rows, or a number that is NaN or infinite, which JSON cannot say.
    """
    import numpy as np

    labels = getattr(output, "columns", None)
    if labels is not None:
        columns = tuple(np.asarray(output[label]) for label in labels)
        return _checked(Answer(tuple(map(str, labels)), columns, "records"), rows)
    try:
        values = np.asarray(output)
    except ValueError as error:
        raise DataError("gave rows of different lengths", field="model", mend="Mend the model") from error
    if values.ndim not in (1, 2) or isinstance(output, dict):
        raise DataError(
            f"gave an output of shape {values.shape}",
            field="model",
            mend="Return a value, or an array of values, for each row",
        )
    columns = (values,) if values.ndim == 1 else tuple(values.T)
    known = tuple(names) if len(names) == len(columns) else _names(len(columns))
    return _checked(Answer(known, columns, "column" if values.ndim == 1 else "matrix"), rows)


def _names(count: int) -> tuple[str, ...]:
    return (SINGLE_OUTPUT,) if count == 1 else tuple(f"{SINGLE_OUTPUT}-{index}" for index in range(count))


def _checked(answer: Answer, rows: int) -> Answer:
    import numpy as np

    if not answer.columns or any(column.shape != (rows,) for column in answer.columns):
        raise DataError(
            f"{rows} rows gave another number of answers", field="model", mend="Return one answer for each row"
        )
    for name, column in zip(answer.names, answer.columns, strict=True):
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            raise DataError(
                "gave a number that is NaN or infinite", field=f"model output {name}", mend="Mend the model"
            )
    return answer


def _listed(column: np.ndarray) -> list[Any]:
    if column.dtype.kind in _JSON_KINDS:
        return list(column.tolist())
    return [value.item() if hasattr(value, "item") else value if value is None else _plain(value) for value in column]


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, bool, int, float)) else str(value)
