"""The least and the largest values of a number, and how many rows hold them.

TFDV publishes a minimum, a maximum and a hundred quantiles: a limit that one row in two hundred breaks lies between two
of them. The outermost thousand values at either end are collected here in the same pass. The first sixteen are kept one
by one, those farther in at ranks that grow by a fifth, as custom statistics of the feature, which any TFDV passes on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LOWEST, _HIGHEST = "lowest values", "highest values"
_QUANTILES = 1  # the type of a histogram in tensorflow_metadata
_DEEPEST = 1024
_RANKS = np.unique([*range(1, 17), *(round(16 * 1.2**step) for step in range(1, 23)), _DEEPEST])


@dataclass(frozen=True)
class Tail:
    """One end of a number's distribution, turned so that outwards is upwards: a lower end holds negated values.

    Attributes:
        values: from the outermost inwards, shape (k,).
        ranks: how many rows lie at or beyond each, rising from 1, shape (k,).
        rows: values of the column in all.
    """

    values: Floats
    ranks: Ints
    rows: int

    def beyond(self, limit: float) -> int:
        """Rows beyond a limit: exact up to 16; above, at least five in six of them, and never more than 1,024."""
        inside = int(np.searchsorted(-self.values, -limit, side="left"))
        return int(self.ranks[inside - 1]) if inside else 0

    def without(self, rows: int) -> Tail:
        """The same end without its outermost rows; at most 16."""
        return Tail(self.values[rows:], self.ranks[rows:] - rows, self.rows - rows)

    def is_apart(self, rows: int, centre: float, breadth: float) -> bool:
        """Whether the outermost rows lie farther from the next one than the tail of the rest explains.

        Distances from the centre are taken to fall off as a power of rank, which Hill's estimator reads off the rest
        ("A simple general approach to inference about the tail of a distribution", Annals of Statistics 3, 1975), with
        three standard errors for not knowing it. Under such a law the logarithm of the ratio of neighbours is
        exponential (Rényi), so that a gap has a chance; below one in a million it is one. A tail lighter than a power
        makes gaps still rarer. Where all of the rest lies at the centre, as zeros do, its other side says what is far.

        Args:
            rows: how many are the outermost; at most 16.
            centre: the median, in this end's direction.
            breadth: how far the other end reaches from the centre.
        """
        distances = self.values - centre
        rest = (self.ranks > rows) & (self.ranks <= rows + min(_REST, (self.rows - rows) // 8)) & np.isfinite(distances)
        if not rows or not rest.any() or self.ranks[rest][-1] - rows < _LEAST_ROWS or distances[rows - 1] <= 0:
            return False
        ranks, off_centre = self.ranks[rest] - rows, distances[rest] > 0
        if not off_centre.any():
            return bool(0 < breadth * _FAR**_LIGHTEST < distances[rows - 1])
        if ranks[off_centre][-1] < _LEAST_ROWS:
            return False
        ranks, logs = ranks[off_centre], np.log(distances[rest][off_centre])
        deepest = int(ranks[-1])
        counts = np.diff(ranks, prepend=0)
        index = float(counts @ (logs - logs[-1])) / float(counts @ np.log(deepest / ranks))
        index = max(_LIGHTEST, index * (1 + 3 / math.sqrt(deepest)))
        return bool(distances[rows - 1] > math.exp(logs[0]) * _FAR**index)


_REST = 100
"""Rows from which the tail is read."""
_LEAST_ROWS = 10
_LIGHTEST = 0.1
"""Least tail index that is believed: grades from 1 to 5 show none at all, and yet a 6 is no wonder."""
_FAR = 1e6
"""One over the chance of a gap that is taken for one."""


class Ends:
    """Collects both ends of every number over batches.

    Args:
        names: the columns that are numbers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._low: dict[str, Floats] = {name: np.empty(0) for name in names}
        self._high: dict[str, Floats] = {name: np.empty(0) for name in names}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one batch."""
        for name in self._low:
            column = batch.column(name).drop_null()
            values = column.to_numpy(zero_copy_only=False).astype(np.float64)
            values = values[~np.isnan(values)]
            self._low[name] = -_outermost(np.concatenate([-self._low[name], -values]))
            self._high[name] = _outermost(np.concatenate([self._high[name], values]))

    def write(self, features: Mapping[str, Any]) -> None:
        """Put what was collected into the ``FeatureNameStatistics`` of each column, by name."""
        for name in self._low:
            for kind, outwards in ((_LOWEST, np.sort(self._low[name])), (_HIGHEST, np.sort(self._high[name])[::-1])):
                if len(outwards):
                    _write(features[name], kind, outwards)


def read_tails(feature: Any, rows: int) -> tuple[Tail | None, Tail | None]:
    """Lower and upper end from a ``FeatureNameStatistics``; ``None`` where statistics do not have them."""
    found: dict[str, Tail] = {}
    for custom in feature.custom_stats:
        if custom.name in (_LOWEST, _HIGHEST):
            buckets = custom.histogram.buckets
            sign = -1 if custom.name == _LOWEST else 1
            values = np.array([sign * bucket.low_value for bucket in buckets])
            counts = np.array([bucket.sample_count for bucket in buckets])
            found[custom.name] = Tail(values, np.cumsum(counts).astype(np.int64), rows)
    return found.get(_LOWEST), found.get(_HIGHEST)


def _outermost(values: Floats) -> Floats:
    return values if len(values) <= _DEEPEST else np.partition(values, len(values) - _DEEPEST)[-_DEEPEST:]


def _write(feature: Any, kind: str, outwards: Floats) -> None:
    custom = feature.custom_stats.add(name=kind)
    custom.histogram.type = _QUANTILES
    ranks = _RANKS[: np.searchsorted(_RANKS, len(outwards), side="right")]
    for value, count in zip(outwards[ranks - 1].tolist(), np.diff(ranks, prepend=0).tolist(), strict=True):
        custom.histogram.buckets.add(low_value=value, high_value=value, sample_count=count)
