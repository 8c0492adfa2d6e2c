"""Converts the output of any MLflow pyfunc to scores.

| output | binary | multiclass | regression |
|---|---|---|---|
| one column of floats | P(positive), within [0, 1] | error | the prediction |
| one column a class | P(positive) is the positive's column | probabilities | error |
| one column of labels or class codes | a decision: 1.0 or 0.0 | 1.0 for the class named | refused |

Columns of a DataFrame are matched by name if they have the classes' names, else by position. A model that returns
decisions only can be evaluated by accuracy and similar metrics; its log loss and calibration are not meaningful.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np

_ROUNDING = 1e-3
"""Tolerance of a row's sum of probabilities: models in half precision lose this much."""


def as_scores(output: Any, *, task: str, classes: tuple[str, ...], rows: int) -> np.ndarray:
    """Convert a model's output to scores.

    Args:
        output: NumPy array, DataFrame, Series or list.
        task: ``binary | multiclass | regression``.
        classes: class names in score order; binary: (negative, positive).
        rows: number of rows scored.

    Returns:
        float64: (rows,) for binary and regression, (rows, classes) for multiclass.

    Raises:
        DataError: another shape or type, a value that is not finite, or numbers that are not probabilities.
    """
    import numpy as np

    values = _array(output, classes)
    if values.shape[:1] != (rows,) or values.ndim > 2:
        raise DataError(
            f"{rows} rows gave an output of shape {values.shape}",
            field="model",
            mend="Return one score, or one probability a class, for each row",
        )
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if task == "regression":
        return _finite(_numbers(_one_column(values, task)))
    if values.ndim == 1:
        return _from_one_column(values, task, classes)
    if values.shape[1] != len(classes):
        raise DataError(
            f"returned {values.shape[1]} columns for {len(classes)} classes ({', '.join(classes)})",
            field="model",
            mend="Return one probability a class",
        )
    probabilities = _within_bounds(_finite(_numbers(values)))
    deviation = np.abs(probabilities.sum(axis=1) - 1)
    if (deviation > _ROUNDING).any():
        raise DataError(
            "returned rows of probabilities that do not add up to one",
            field="model",
            value=[float(value) for value in probabilities[deviation.argmax()]],
            mend="Return probabilities, not margins",
        )
    return probabilities[:, 1] if task == "binary" else probabilities


def _array(output: Any, classes: tuple[str, ...]) -> np.ndarray:
    import numpy as np

    columns = getattr(output, "columns", None)
    if columns is not None:
        names = [str(name) for name in columns]
        if classes and set(classes) <= set(names):
            output = output.iloc[:, [names.index(name) for name in classes]]
        return np.asarray(output.to_numpy())
    if isinstance(output, dict) or output is None:
        raise DataError(
            f"returned a {type(output).__name__}", field="model", mend="Return an array, a list, or a DataFrame"
        )
    try:
        return np.asarray(output)
    except ValueError as error:
        raise DataError(
            "returned rows of different lengths", field="model", mend="Return rows of one length"
        ) from error


def _one_column(values: np.ndarray, task: str) -> np.ndarray:
    if values.ndim != 1:
        raise DataError(
            f"returned {values.shape[1]} columns for a {task} task", field="model", mend="Return one value a row"
        )
    return values


def _from_one_column(values: np.ndarray, task: str, classes: tuple[str, ...]) -> np.ndarray:
    import numpy as np

    if values.dtype.kind == "f" or (values.dtype == object and all(isinstance(value, float) for value in values)):
        if task == "binary":
            return _within_bounds(_finite(_numbers(values)))
        raise DataError(
            "returned one float a row for a multiclass task", field="model", mend="Return one probability a class"
        )
    codes = _codes(values, classes)
    if task == "binary":
        return codes.astype(np.float64)
    return np.asarray(np.eye(len(classes))[codes])


def _codes(values: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Convert labels to class codes; integers that are no class names are codes already."""
    import numpy as np

    boolean = values.dtype.kind == "b"
    texts = [str(value).lower() if boolean or isinstance(value, bool) else str(value) for value in values]
    index = {name: code for code, name in enumerate(classes)}
    if boolean and not set(texts) <= index.keys():
        return np.asarray(values, dtype=np.int64)
    if values.dtype.kind in "iu" and not set(texts) <= index.keys():
        index = {str(code): code for code in range(len(classes))}
    unknown = [text for text in texts if text not in index]
    if unknown:
        raise DataError(
            f"returned a value that is neither a score nor one of the classes {', '.join(classes)}",
            field="model",
            value=unknown[0],
            mend="Return probabilities, or labels spelled as in the data",
        )
    return np.asarray([index[text] for text in texts], dtype=np.int64)


def _numbers(values: np.ndarray) -> np.ndarray:
    import numpy as np

    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "returned scores that are not numbers", field="model", value=str(error), mend="Return numbers"
        ) from error


def _finite(values: np.ndarray) -> np.ndarray:
    import numpy as np

    bad = ~np.isfinite(values)
    if bad.any():
        affected = int(np.count_nonzero(bad.reshape(len(values), -1).any(axis=1)))
        raise DataError(
            f"returned, for {affected} of {len(values)} rows, a score that is NaN or infinite",
            field="model",
            mend="Correct the model",
        )
    return values


def _within_bounds(values: np.ndarray) -> np.ndarray:
    outside = (values < 0) | (values > 1)
    if outside.any():
        raise DataError(
            "returned probabilities outside 0 to 1",
            field="model",
            value=float(values[outside][0]),
            mend="Return probabilities, not margins; for a scikit-learn model: pyfunc_predict_fn='predict_proba'",
        )
    return values
