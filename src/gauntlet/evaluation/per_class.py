"""What a classifier does class by class, for pictures: precision, recall, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation.curves import Binned, confusion, reliability
from gauntlet.evaluation.sample import Floats, Sample
from gauntlet.evaluation.shares import wilson

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class PerClass:
    """Shares of k classes; NaN where a class does not occur, or is never decided.

    Attributes:
        actual: (k,) sums of weights of each class's rows.
        decided: (k,) sums of weights of the rows decided as it.
        recall: (k,) share of a class's rows that are decided as it.
        precision: (k,) share of the rows decided as a class that are of it.
        recall_ends, precision_ends: (2, k) 95 % Wilson intervals, one share at a time, at the effective number of rows
            (Kish 1965); ``None`` where rows are clustered, since they take rows as independent.
    """

    actual: Floats
    decided: Floats
    recall: Floats
    precision: Floats
    recall_ends: Floats | None
    precision_ends: Floats | None


def per_class(sample: Sample) -> PerClass:
    """Precision and recall of every class of a classifier.

    Args:
        sample: binary, decided at its threshold, or multiclass, decided by the largest probability.
    """
    table = confusion(sample)
    squared = confusion(_reweighted(sample, sample.weight**2))
    right, actual, decided = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = right / actual, right / decided
    if sample.cluster is not None:
        return PerClass(actual, decided, recall, precision, None, None)
    return PerClass(
        actual,
        decided,
        recall,
        precision,
        _ends(recall, actual, squared.sum(axis=1)),
        _ends(precision, decided, squared.sum(axis=0)),
    )


def calibration_by_class(sample: Sample, bins: int = 10) -> tuple[Binned, ...]:
    """For each class of a multiclass sample: how often it occurs against the probability given to it."""
    return tuple(
        reliability(
            Sample(
                "binary",
                (sample.label == index).astype(np.float64),
                sample.score[:, index],
                sample.weight,
                sample.cluster,
                weighted=sample.weighted,
            ),
            bins,
        )
        for index in range(sample.classes)
    )


def _ends(share: Floats, weight: Floats, squared: Floats) -> Floats:
    effective = np.divide(weight**2, squared, out=np.zeros_like(weight), where=squared > 0)
    return np.array(wilson(np.nan_to_num(share), effective, _NORMAL_95))


def _reweighted(sample: Sample, weight: Floats) -> Sample:
    return Sample(sample.task, sample.label, sample.score, weight, sample.cluster, sample.threshold, weighted=True)
