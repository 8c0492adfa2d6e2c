"""One model's scores as a table that merges: its AUC and DeLong variance without the rows.

The table keeps every distinct score with the weight and squared weight of each class there, so nothing is rounded and
sums over shards equal the whole. It grows with the number of distinct scores; ``quantised`` bounds that at a price
stated there. Covariances with other models or slices need the rows.

The gates evaluate in one process today; this and ``gather.merge`` are for predictions gathered in parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation.sample import Floats, Sample


@dataclass(frozen=True)
class ScoreTable:
    """Distinct scores, ascending, and what lies on each.

    Attributes:
        score: (d,) distinct scores.
        weight: (d, 2) sum of weights of negatives and positives.
        square: (d, 2) sum of squared weights.
    """

    score: Floats
    weight: Floats
    square: Floats


def tabulate(sample: Sample) -> ScoreTable:
    """The score table of a binary model's (unclustered) rows."""
    label = np.stack([1 - sample.label, sample.label], axis=1)
    weight = label * sample.weight[:, None]
    return _reduce(sample.score, weight, weight * sample.weight[:, None])


def merge(first: ScoreTable, second: ScoreTable) -> ScoreTable:
    """Add two shards."""
    parts = [(table.score, table.weight, table.square) for table in (first, second)]
    score, weight, square = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _reduce(score, weight, square)


def quantised(table: ScoreTable, digits: int) -> ScoreTable:
    """Round scores to so many decimals, which ties neighbours.

    The AUC moves by at most half the weighted share of (positive, negative) pairs that become tied.
    """
    return _reduce(np.round(table.score, digits), table.weight, table.square)


def _reduce(score: Floats, weight: Floats, square: Floats) -> ScoreTable:
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=np.nan) != 0)
    add = np.add.reduceat
    return ScoreTable(ranked[starts], add(weight[order], starts, axis=0), add(square[order], starts, axis=0))


def area(table: ScoreTable) -> tuple[float, float]:
    """AUC and its DeLong variance; NaN when a class has no weight.

    With the same m / (m - 1) correction by class as ``auc.delong``, m being Kish's effective class size.
    """
    total = table.weight.sum(axis=0)
    if not (total > 0).all():
        return np.nan, np.nan
    below = np.cumsum(table.weight, axis=0) - table.weight / 2
    place_positive = below[:, 0] / total[0]
    place_negative = 1 - below[:, 1] / total[1]
    value = float(place_positive @ table.weight[:, 1] / total[1])
    variance = 0.0
    for place, column in ((place_negative, 0), (place_positive, 1)):
        size = total[column] ** 2 / table.square[:, column].sum()
        correction = size / (size - 1) if size > 1 else 1.0
        variance += correction * float(np.square(place - value) @ table.square[:, column]) / total[column] ** 2
    return value, variance
