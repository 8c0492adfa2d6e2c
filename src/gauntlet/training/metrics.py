"""Validation metrics: for monitoring training, not for gates.

The gates evaluate with ``gauntlet.evaluation``, on rows not used in training; names and definitions agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gauntlet.errors import DataError
from gauntlet.training.target import Target

if TYPE_CHECKING:
    import numpy as np


def measure(target: Target, labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None) -> dict[str, float]:
    """Compute the weighted metrics of one model.

    Args:
        target: task and classes.
        labels: codes or values, shape (n,).
        scores: binary: P(positive), (n,); multiclass: (n, classes); regression: (n,).
        weights: (n,) or ``None``.

    Returns:
        binary: ``auc``, ``log_loss``, ``brier``, ``accuracy`` (at 0.5); multiclass: ``log_loss``, ``accuracy``;
        regression: ``rmse``, ``mae``.

    Raises:
        DataError: binary, and all labels are of one class: AUC is undefined.
    """
    import numpy as np
    from sklearn import metrics

    if target.task == "regression":
        return {
            "rmse": float(metrics.root_mean_squared_error(labels, scores, sample_weight=weights)),
            "mae": float(metrics.mean_absolute_error(labels, scores, sample_weight=weights)),
        }
    codes = list(range(len(target.classes)))
    # In single precision, probabilities sum to one only within 1e-7, for which scikit-learn warns.
    scores = scores.astype(np.float64)
    if target.task == "multiclass":
        scores = scores / scores.sum(axis=1, keepdims=True)
        return {
            "log_loss": float(metrics.log_loss(labels, scores, sample_weight=weights, labels=codes)),
            "accuracy": float(metrics.accuracy_score(labels, scores.argmax(axis=1), sample_weight=weights)),
        }
    if len(np.unique(labels)) < 2:
        raise DataError("the validation split has only one class", field=target.column, mend="Widen the split")
    return {
        "auc": float(metrics.roc_auc_score(labels, scores, sample_weight=weights)),
        "log_loss": float(metrics.log_loss(labels, scores, sample_weight=weights, labels=codes)),
        "brier": float(metrics.brier_score_loss(labels, scores, sample_weight=weights)),
        "accuracy": float(metrics.accuracy_score(labels, scores >= 0.5, sample_weight=weights)),
    }


def spread(measured: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | int]]:
    """Seed variance: standard deviation (n − 1) of each metric over models that differ only by seed.

    Returns:
        metric → ``standard_deviation`` and ``seeds``; empty for fewer than two models.
    """
    import numpy as np

    if len(measured) < 2:
        return {}
    return {
        name: {
            "standard_deviation": float(np.std([metrics[name] for metrics in measured], ddof=1)),
            "seeds": len(measured),
        }
        for name in measured[0]
    }
