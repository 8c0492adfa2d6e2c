"""Direct scoring of Gauntlet's own models, without pandas, MLflow or scikit-learn.

A pyfunc spends three of four milliseconds per row on DataFrames. Here a row is encoded with one dictionary look-up per
category, and XGBoost predicts in place. The encoding is that of ``training.encoding``, and predictions equal the
pyfunc's bit for bit, which tests check for every type of column, missing values and unseen categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gauntlet.serving.contract import Rows
from gauntlet.serving.errors import InvalidRequest
from gauntlet.training import bundle
from gauntlet.training.encoding import Feature

_EXACT = 2.0**53
_NAN = float("nan")


class DirectModel:
    """Feature encoder and booster.

    Args:
        task: ``binary | multiclass | regression``.
        features: the model's inputs, in the booster's order.
        booster: an ``xgboost.Booster`` set to one thread.
    """

    def __init__(self, task: str, features: tuple[Feature, ...], booster: Any) -> None:
        self._binary = task == "binary"
        self._features = features
        self._booster = booster
        self._codes = tuple(None if feature.categories is None else _codes(feature.categories) for feature in features)

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """Categorical input → its categories in training, as text."""
        return {feature.name: feature.categories for feature in self._features if feature.categories is not None}

    def predict(self, rows: Rows) -> np.ndarray:
        """Score rows: float32 probabilities (rows, classes), or values (rows,).

        Raises:
            InvalidRequest: a number is beyond the range of the model's 32-bit floats.
        """
        scores = self._booster.inplace_predict(self._encode(rows), validate_features=False)
        return np.stack((1.0 - scores, scores), axis=1) if self._binary else np.asarray(scores)

    def _encode(self, rows: Rows) -> np.ndarray:
        """Encode rows as float32 (rows, features); missing and unseen values are NaN."""
        columns = [
            _numbers(rows.columns[feature.name]) if codes is None else _coded(rows.columns[feature.name], codes)
            for feature, codes in zip(self._features, self._codes, strict=True)
        ]
        wide = np.array(columns, dtype=np.float64)
        with np.errstate(over="ignore"):
            matrix = np.ascontiguousarray(wide.T.astype(np.float32))
        if np.isinf(matrix).any():
            row, column = (int(index) for index in np.argwhere(np.isinf(matrix))[0])
            raise InvalidRequest(
                "beyond ±3.4e38, the range of the model's 32-bit floats", field=self._features[column].name, row=row
            )
        return matrix


def is_direct(loader: str) -> bool:
    """Whether ``load_direct`` can load a model folder, by the loader module in its ``MLmodel``."""
    return loader == bundle.LOADER


def load_direct(folder: Path) -> DirectModel:
    """Load a model folder in Gauntlet's own format. Executes no code from it.

    Raises:
        DataError: it is not a model in this format.
    """
    model = bundle.load(folder)
    from gauntlet.training.pipeline import MODEL_STEP

    return DirectModel(model.task, model.features, model.pipeline.named_steps[MODEL_STEP].get_booster())


def _codes(categories: tuple[str, ...]) -> dict[str | None, float]:
    return {name: float(code) for code, name in enumerate(categories)}


def _numbers(values: list[Any]) -> list[Any]:
    return [_NAN if value is None else value for value in values]


def _coded(values: list[Any], codes: Mapping[str | None, float]) -> list[float]:
    return [codes.get(category(value), _NAN) for value in values]


def category(value: Any) -> str | None:
    """Category name as of ``encoding.as_text``: a float that is a whole number is written as the integer."""
    if type(value) is str or value is None:
        return value
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else None
    return str(value)
