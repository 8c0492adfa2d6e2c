"""scikit-learn Pipeline of a trained model: the feature encoder and a fitted XGBoost estimator.

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
    """Transformer that applies ``encoding.encode`` to a DataFrame of raw columns. ``fit`` does nothing.

    Args:
        features: the model's inputs.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features

    def fit(self, X: Any, y: Any = None) -> SchemaEncoder:  # noqa: N803 - scikit-learn's name
        """Do nothing: the categories are those of the training split."""
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803 - scikit-learn's name
        """Encode a DataFrame; see ``encoding.encode`` for the result and its errors."""
        return encode(self.features, {str(name): X[name] for name in X.columns}, len(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Feature names, in the order of the columns of ``transform``."""
        return np.asarray([feature.name for feature in self.features], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def assemble(features: Sequence[Feature], booster: Any, task: str) -> Pipeline:
    """Assemble a fitted Pipeline.

    Args:
        features: the model's inputs.
        booster: an ``xgboost.Booster`` fitted on them.
        task: ``binary | multiclass | regression``.
    """
    estimator = xgboost.XGBRegressor() if task == "regression" else xgboost.XGBClassifier()
    # Through the serialized form, which alone also sets the estimator's other attributes (its classes).
    estimator.load_model(bytearray(booster.save_raw("ubj")))
    # One thread: requests are small, and parallel scoring uses processes.
    estimator.set_params(n_jobs=1)
    estimator.get_booster().set_param({"nthread": 1})
    return Pipeline([(ENCODER_STEP, SchemaEncoder(tuple(features))), (MODEL_STEP, estimator)])


def score(pipeline: Pipeline, task: str, frame: pd.DataFrame) -> np.ndarray:
    """Score a DataFrame: probabilities (rows, classes) of a classifier, values (rows,) of a regressor."""
    return np.asarray(pipeline.predict(frame) if task == "regression" else pipeline.predict_proba(frame))


def score_encoded(pipeline: Pipeline, task: str, matrix: np.ndarray) -> np.ndarray:
    """Score rows that ``encode`` has encoded; result as of ``score``."""
    estimator = pipeline.named_steps[MODEL_STEP]
    return np.asarray(estimator.predict(matrix) if task == "regression" else estimator.predict_proba(matrix))
