"""What units that a sample has not met may add to an estimate: the ends of intervals beyond their variance.

Of m units none may be of a kind that makes up a share q = c² / (m + c²) of the population, c being the critical value:
Wilson's (1927) upper limit of a share of which nothing was seen. Shares of rows have this in their score intervals.
Means and areas get it here: q times what such a unit may do, in quadrature with the interval of the units seen (as
MOVER combines independent parts, Zou & Donner 2008).

- A row scored at random costs an area half of what it has, one scored against its label all of it: q · A · 0.6 for a
  level and q · A / 2 for a difference, which by simulation (tests/simulation) are enough. (m: the smaller class.)
- A loss: the mean of the farthest q of its distribution, from the largest losses seen (``tails.Tail.unseen``).
- The difference of two models' losses: the largest loss seen of the model that would be hit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gauntlet.evaluation.families import Family, Side
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.simultaneous import student_quantile

_LOST_BY_LEVEL, _LOST_BY_DIFFERENCE = 0.6, 0.5


def share(side: Side, critical: Floats) -> Floats:
    """(k,) largest share of the population of which the sample may hold no unit; 1 where it holds none at all."""
    squared = student_quantile(critical, np.maximum(side.support - 1, 0.0)) ** 2
    return np.asarray(np.where(side.support > 0, squared / (side.support + squared), 1.0))


def area(family: Family, side: Side, critical: Floats) -> Floats:
    """(k,) how much an area (of a multiclass model: the mean of the classes' areas) may lose by unseen units."""
    number = np.array([metric.areas if metric.rank else 1 for metric in family.metrics])
    lost = _LOST_BY_DIFFERENCE if family.kind == "difference" else _LOST_BY_LEVEL
    return np.asarray(share(side, critical) * side.value * lost / number)


def above(family: Family, side: Side, high: Floats, critical: Floats) -> Floats:
    """(k,) upper ends of mean losses with what unseen units may add.

    Args:
        family: of losses, for their metrics; others give anything.
        side: the levels.
        high: (k,) upper ends from the variance.
        critical: (k,) critical values of |z|.
    """
    farthest = share(side, critical)
    power = _power(family)
    loss = losses(family, side) ** power
    added = farthest * np.maximum(side.tail.unseen(side.support, farthest) - loss, 0.0)
    with np.errstate(over="ignore"):
        return np.asarray((loss + np.hypot(high**power - loss, np.nan_to_num(added, posinf=np.inf))) ** (1 / power))


def difference(family: Family, side: Side, critical: Floats) -> Floats:
    """(k,) how much a model's mean loss may rise by unseen units as large as the largest seen of either model."""
    power = _power(family)
    assert family.second is not None
    largest = np.maximum(family.first.tail.largest, family.second.tail.largest)
    loss = losses(family, side)
    return np.asarray((loss**power + share(side, critical) * np.nan_to_num(largest)) ** (1 / power) - loss)


def losses(family: Family, side: Side) -> Floats:
    """(k,) levels as losses: R² as the share that it leaves unexplained."""
    return np.where(_explained(family), 1 - side.value, side.value)


def _explained(family: Family) -> NDArray[np.bool_]:
    return np.array([metric.explained for metric in family.metrics])


def _power(family: Family) -> Floats:
    """(k,) 2 for roots, whose square is the mean."""
    return np.array([2.0 if metric.root else 1.0 for metric in family.metrics])
