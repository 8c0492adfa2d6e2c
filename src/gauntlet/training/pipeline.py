"""The model as scikit-learn knows it: a Pipeline of our encoder and an XGBoost estimator, both already fitted.

This module imports scikit-learn and XGBoost at the top; import it inside functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from gauntlet.training.encoding import Feature, encode

ENCODER_STEP = "encode"
MODEL_STEP = "xgboost"


class SchemaEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Turns a frame of raw columns into the numbers of ``encoding.encode``. It learns nothing from ``fit``.

    Args:
        features: the model's inputs.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features

    def fit(self, X: Any, y: Any = None) -> SchemaEncoder:  # noqa: N803 - scikit-learn's name
        """Nothing to do: the categories came from the training split."""
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803 - scikit-learn's name
        """Encode a frame; see ``encoding.encode`` for the result and its errors."""
        return encode(self.features, {str(name): X[name] for name in X.columns}, len(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The features' names, in the order of the columns of ``transform``."""
        return np.asarray([feature.name for feature in self.features], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def assemble(features: Sequence[Feature], booster: Any, task: str) -> Pipeline:
    """Put fitted parts together.

    Args:
        features: the model's inputs.
        booster: an ``xgboost.Booster`` fitted on them.
        task: ``binary | multiclass | regression``.
    """
    estimator = xgboost.XGBRegressor() if task == "regression" else xgboost.XGBClassifier()
    # Through the serialised form, because that alone sets what the estimator keeps beside the booster (its classes).
    estimator.load_model(bytearray(booster.save_raw("ubj")))
    # Requests are small, and whoever scores many at once does so in processes.
    estimator.set_params(n_jobs=1)
    estimator.get_booster().set_param({"nthread": 1})
    return Pipeline([(ENCODER_STEP, SchemaEncoder(tuple(features))), (MODEL_STEP, estimator)])


def score(pipeline: Pipeline, task: str, frame: pd.DataFrame) -> np.ndarray:
    """Probabilities, shape (rows, classes), for a classifier; values, shape (rows,), for a regressor."""
    return np.asarray(pipeline.predict(frame) if task == "regression" else pipeline.predict_proba(frame))


def score_encoded(pipeline: Pipeline, task: str, matrix: np.ndarray) -> np.ndarray:
    """As ``score``, from rows that ``encode`` has already made."""
    estimator = pipeline.named_steps[MODEL_STEP]
    return np.asarray(estimator.predict(matrix) if task == "regression" else estimator.predict_proba(matrix))
