"""How often the values of a number occur, for pictures: counted in the pass that makes the statistics.

TFDV keeps quantiles and ten equal bars, from which no picture of a narrow range can be had. Here every value is counted
by itself while there are few; then, so that memory does not grow, in cells, which begin at multiples of their width.
Widths are 1 or 5 times a power of ten, so a cell lies whole in each coarser one, and every count stays exact: that of
the values in ``[low, high)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]

MOST_WHILE_COUNTING = 4096
"""Values or occupied cells of a column in memory: 64 kB."""
MOST_VALUES = 500
"""Values written one by one."""
MOST_CELLS = 400
"""Cells written over the range that pictures show; several times their bars."""
MOST_TAIL_CELLS = 40
"""Cells written on either side of it."""
REACH = 3.0
"""How far beyond the middle 98 % pictures reach at most, in widths of that middle."""

_STATISTIC = "gauntlet.value_counts"
_FINEST = 1e-4
"""Width of the first cells, in interquartile ranges."""
_ON_EDGE = 1e-9
"""A value that lies closer below an edge than this, in cells, is on it: 0.29 is 28.999999999999996 hundredths."""
_FARTHEST = 1e300
"""Cells are numbered up to here; values beyond are in the last one."""
_NONE = np.empty(0)


@dataclass(frozen=True)
class ValueCounts:
    """Counts of a column's values, in ascending order.

    Attributes:
        lows, highs: (b,) ends of each cell, ``[low, high)``; equal where a value is counted by itself.
        counts: (b,) rows.
    """

    lows: Floats
    highs: Floats
    counts: Floats

    @property
    def by_value(self) -> bool:
        """Whether every value is counted by itself."""
        return bool((self.lows == self.highs).all())

    def between(self, low: float, high: float) -> ValueCounts:
        """The cells that reach into ``[low, high]``."""
        inside = (self.highs >= low) & (self.lows <= high)
        return ValueCounts(self.lows[inside], self.highs[inside], self.counts[inside])

    def binned(self, edges: Floats) -> tuple[Floats, bool]:
        """Rows in each bin ``[edge, next edge)``, those beyond in the outer bins, and whether all counts are exact.

        A cell that two bins share is divided in proportion, and the counts are not exact.

        Args:
            edges: (k + 1,) ascending.

        Returns:
            (k,) rows, and whether no cell was divided.
        """
        last = len(edges) - 2
        first_bin = np.clip(np.searchsorted(edges, self.lows, side="right") - 1, 0, last)
        # A cell that ends on an edge does not reach the bin that begins there.
        side_high = np.where(self.lows == self.highs, first_bin, np.searchsorted(edges, self.highs, side="left") - 1)
        last_bin = np.clip(side_high, first_bin, last)
        whole = first_bin == last_bin
        rows = np.bincount(first_bin[whole], self.counts[whole], minlength=last + 1).astype(np.float64)
        for position in np.flatnonzero(~whole):
            low, high, count = self.lows[position], self.highs[position], self.counts[position]
            inner = edges[first_bin[position] + 1 : last_bin[position] + 1]
            parts = np.diff(np.concatenate([[low], inner, [high]])) / (high - low)
            rows[first_bin[position] : last_bin[position] + 1] += count * parts
        return rows, bool(whole.all())


@dataclass
class Tally:
    """Counter of one column's values, batch by batch."""

    _level: int | None = None
    """Of the cells' width, 1 or 5 times ten to the half of it; ``None`` while values are counted by themselves."""
    _keys: Floats = field(default_factory=lambda: _NONE)
    """Values, or numbers of cells, ascending."""
    _counts: Floats = field(default_factory=lambda: _NONE)

    def add(self, values: Floats) -> None:
        """Count more values, in any order; NaN is left out."""
        values = values[~np.isnan(values)]
        keys = values if self._level is None else _cell_numbers(values, self._level)
        found, counts = _counted(keys)
        self._keys, self._counts = _summed(np.concatenate([self._keys, found]), np.concatenate([self._counts, counts]))
        if len(self._keys) > MOST_WHILE_COUNTING:
            self._coarsen(MOST_WHILE_COUNTING)

    def result(self) -> ValueCounts:
        """What was counted, in cells no finer than pictures need."""
        if self._level is None and len(self._keys) <= MOST_VALUES:
            return ValueCounts(self._keys, self._keys, self._counts)
        if self._level is None:
            self._coarsen(MOST_WHILE_COUNTING)
        assert self._level is not None
        low, high = self._shown()
        below, above = np.searchsorted(self._keys, [low, high + 1])
        parts = [(0, below, MOST_TAIL_CELLS), (below, above, MOST_CELLS), (above, len(self._keys), MOST_TAIL_CELLS)]
        return _joined([self._written(start, end, most) for start, end, most in parts])

    def _coarsen(self, most: int) -> None:
        if self._level is None:
            self._level = _first_level(self._keys, self._counts)
            self._keys, self._counts = _summed(_cell_numbers(self._keys, self._level), self._counts)
        while len(self._keys) > most:
            self._keys, self._counts = _summed(np.floor(self._keys / _factor(self._level)), self._counts)
            self._level += 1

    def _shown(self) -> tuple[float, float]:
        """The numbers of the first and last cell that pictures show."""
        low, high = _quantiles(self._keys, self._counts, (0.01, 0.99))
        reach = REACH * max(high - low, 1.0)
        return low - reach, high + reach

    def _written(self, start: int, end: int, most: int) -> ValueCounts:
        """Some of the cells, joined to at most so many, each reaching from the first to the last cell in it."""
        assert self._level is not None
        keys, counts, level = self._keys[start:end], self._counts[start:end], self._level
        groups = keys
        while len(np.unique(groups)) > most:
            groups = np.floor(groups / _factor(level))
            level += 1
        firsts = np.flatnonzero(np.append(True, np.diff(groups) > 0)) if len(groups) else np.empty(0, dtype=int)
        lasts = np.append(firsts[1:], len(groups)) - 1 if len(groups) else firsts
        sums = np.add.reduceat(counts, firsts) if len(groups) else _NONE
        return ValueCounts(_edges_at(keys[firsts], self._level), _edges_at(keys[lasts] + 1, self._level), sums)


class Tallies:
    """Counters of several columns.

    Args:
        names: the columns that are numbers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._tallies = {name: Tally() for name in names}

    @property
    def names(self) -> Iterable[str]:
        """The columns counted."""
        return self._tallies.keys()

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Count one batch of every column."""
        for name, tally in self._tallies.items():
            values = columns[name].drop_null().to_numpy(zero_copy_only=False)
            tally.add(values.astype(np.float64))

    def write(self, features: Mapping[str, Any]) -> None:
        """Add the counts to the ``FeatureNameStatistics`` of each column, as a custom statistic."""
        for name, tally in self._tallies.items():
            counted = tally.result()
            buckets = features[name].custom_stats.add(name=_STATISTIC).histogram.buckets
            for low, high, count in zip(counted.lows, counted.highs, counted.counts, strict=True):
                buckets.add(low_value=low, high_value=high, sample_count=count)


def read_value_counts(feature: Any) -> ValueCounts | None:
    """The counts in a ``FeatureNameStatistics``; ``None`` if whoever made it kept none."""
    for statistic in feature.custom_stats:
        if statistic.name == _STATISTIC:
            buckets = [(b.low_value, b.high_value, b.sample_count) for b in statistic.histogram.buckets]
            lows, highs, counts = np.array(buckets, dtype=float).reshape(-1, 3).T
            return ValueCounts(lows, highs, counts)
    return None


def _factor(level: int) -> int:
    """How many cells of a level make one of the next."""
    return 2 if level % 2 else 5


def _first_level(values: Floats, counts: Floats) -> int:
    """The level whose cells are a small part of what most values span."""
    finite = np.isfinite(values)
    values, counts = values[finite], counts[finite]
    for low, high in ((0.25, 0.75), (0.01, 0.99), (0.0, 1.0)):
        start, end = _quantiles(values, counts, (low, high))
        if 0 < end - start < math.inf:
            return 2 * max(-300, math.floor(math.log10(end - start) + math.log10(_FINEST)))
    return 0


def _quantiles(values: Floats, counts: Floats, probabilities: tuple[float, float]) -> tuple[float, float]:
    cumulative = np.cumsum(counts)
    places = np.searchsorted(cumulative, np.array(probabilities) * cumulative[-1])
    low, high = values[np.minimum(places, len(values) - 1)]
    return float(low), float(high)


def _cell_numbers(values: Floats, level: int) -> Floats:
    tens, half = divmod(level, 2)
    with np.errstate(over="ignore"):
        # Dividing by a power of ten is exact to the last digit where multiplying by its inverse is not.
        parts = values / 10.0**tens if tens >= 0 else values * 10.0**-tens
        parts = np.clip(parts / 5 if half else parts, -_FARTHEST, _FARTHEST)
    nearest = np.rint(parts)
    on_edge = np.abs(parts - nearest) <= np.maximum(_ON_EDGE, 4 * np.finfo(float).eps * np.abs(parts))
    cells: Floats = np.where(on_edge, nearest, np.floor(parts))
    return cells


def _edges_at(numbers: Floats, level: int) -> Floats:
    """Where cells begin, as the nearest numbers to their decimals."""
    tens, half = divmod(level, 2)
    parts = numbers * 5 if half else numbers
    edges: Floats = parts * 10.0**tens if tens >= 0 else parts / 10.0**-tens
    return edges


def _counted(keys: Floats) -> tuple[Floats, Floats]:
    """The distinct keys, ascending, and how often each occurs."""
    if len(keys) and np.isfinite(keys).all():
        low, high = float(keys.min()), float(keys.max())
        if high - low <= 2 * len(keys) + MOST_WHILE_COUNTING and (keys == np.floor(keys)).all():
            counts = np.bincount((keys - low).astype(np.int64))
            there = np.flatnonzero(counts)
            return (there + low).astype(np.float64), counts[there].astype(np.float64)
    found, counts = np.unique(keys, return_counts=True)
    return found, counts.astype(np.float64)


def _summed(keys: Floats, counts: Floats) -> tuple[Floats, Floats]:
    found, places = np.unique(keys, return_inverse=True)
    return found, np.bincount(places, counts, minlength=len(found)).astype(np.float64)


def _joined(parts: list[ValueCounts]) -> ValueCounts:
    return ValueCounts(
        np.concatenate([part.lows for part in parts]),
        np.concatenate([part.highs for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )
