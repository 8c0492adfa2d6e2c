"""Cross-tabulates the correct decisions of two models on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation.paired import PairedCounts, mcnemar
from gauntlet.evaluation.sample import Floats, Sample


@dataclass(frozen=True)
class Decisions:
    """Counts of correct decisions of two models, with McNemar's test.

    Attributes:
        counts: rows both, only the challenger, only the champion, or neither has right.
        p_value: exact McNemar test of equal shares; ``None`` where rows are weighted or clustered.
    """

    counts: PairedCounts
    p_value: float | None


def decisions(models: tuple[Sample, Sample]) -> Decisions | None:
    """Count decisions: challenger first, champion second; ``None`` for a regression, which makes none."""
    model = models[0]
    if model.task == "regression":
        return None
    first, second = (_decided(scored) == scored.label for scored in models)
    counts = PairedCounts(
        both=int((first & second).sum()),
        first_only=int((first & ~second).sum()),
        second_only=int((~first & second).sum()),
        neither=int((~first & ~second).sum()),
    )
    exact = not model.weighted and model.cluster is None
    return Decisions(counts, mcnemar(counts) if exact else None)


def _decided(model: Sample) -> Floats:
    """(n,) the predicted class of each row."""
    decided = model.score.argmax(axis=1) if model.task == "multiclass" else model.score >= model.threshold
    return np.asarray(decided, dtype=np.float64)
