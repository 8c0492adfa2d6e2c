"""Per-row columns whose sums make up metrics.

A column is a function phi of one row; ``MOMENTS`` names them. Columns of the label alone are shared by all models.
Multiclass columns carry their class after a colon: ``hit:2`` is 1 where the label and the decision are both class 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gauntlet.evaluation.sample import Floats, Sample

_SMALLEST = np.finfo(np.float64).eps
"""Probabilities are clipped to this distance from 0 and 1 in the log loss, which is then at most 36."""


def decision(sample: Sample) -> Floats:
    """(n,) predicted class: score at or above the threshold; multiclass: the most probable, the first of equals."""
    if sample.task == "multiclass":
        return np.asarray(sample.score.argmax(axis=1), dtype=np.float64)
    return (sample.score >= sample.threshold).astype(np.float64)


def _log_loss(sample: Sample) -> Floats:
    if sample.task == "multiclass":
        total = sample.score.sum(axis=1)
        chosen = sample.score[np.arange(sample.rows), sample.label.astype(np.int64)] / total
    else:
        chosen = np.where(sample.label == 1, sample.score, 1 - sample.score)
    return np.asarray(-np.log(np.clip(chosen, _SMALLEST, 1 - _SMALLEST)))


def _error(sample: Sample) -> Floats:
    return sample.score - sample.label


LABEL_COLUMNS: dict[str, Callable[[Sample], Floats]] = {
    "one": lambda sample: np.ones(sample.rows),
    "positive": lambda sample: sample.label,
    "label": lambda sample: sample.label - sample.origin,
    "label²": lambda sample: np.square(sample.label - sample.origin),
}

SCORE_COLUMNS: dict[str, Callable[[Sample], Floats]] = {
    "predicted": decision,
    "hit": lambda sample: decision(sample) * sample.label,
    "correct": lambda sample: (decision(sample) == sample.label).astype(np.float64),
    "log_loss": _log_loss,
    "error": _error,
    "|error|": lambda sample: np.abs(_error(sample)),
    "error²": lambda sample: np.square(_error(sample)),
}


def of_label(name: str) -> bool:
    """Whether a column depends on the label alone."""
    return name in LABEL_COLUMNS or name.startswith("class:")


def column(name: str, sample: Sample) -> Floats:
    """(n,) values of a column, unweighted."""
    base, _, class_ = name.partition(":")
    if not class_:
        return {**LABEL_COLUMNS, **SCORE_COLUMNS}[name](sample)
    is_class = sample.label == int(class_)
    if base == "class":
        return np.asarray(is_class, dtype=np.float64)
    decided = decision(sample) == int(class_)
    return np.asarray(decided & is_class if base == "hit" else decided, dtype=np.float64)
