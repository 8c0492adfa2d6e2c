"""One column's statistics in plain terms: what the schema, the gates and the reports read from TFDV's protos.

TFDV tells numbers from categories by which statistics a proto carries, spreads counts over three messages, and lists
only the most frequent categories. ``Profile`` is the same knowledge as flat fields and arrays, by rows: example
weights play no part in it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.tails import Tail, read_tails
from gauntlet.data.value_counts import ValueCounts, read_value_counts

# Values of enums in tensorflow_metadata's statistics.proto, which never change meaning.
FLOAT_STATISTICS = 1
STRING_STATISTICS = 2
QUANTILES_HISTOGRAM = 1

NAMES_OF_TYPES = {0: "int", 1: "float", 2: "string", 3: "bytes", 4: "struct"}
_NOTHING = np.empty(0)
_RANK_ERROR = 0.001
"""Of a quantile, as a share of the rows: ``statistics.QUANTILE_ERROR``."""


@dataclass(frozen=True)
class Profile:
    """What one data set says of one column.

    Attributes:
        name: the column.
        type: how its values were stored: ``int``, ``float``, ``string``.
        rows: rows of the data set.
        present: rows that have a value.
        categorical: values are counted by name; otherwise they are quantities.
        mean, deviation, minimum, maximum: of the values present; NaN for categories and where there are none.
        zeros: rows whose value is 0.
        edges: quantiles of the values at equal steps of rank, shape (b + 1,), from the minimum to the maximum;
            empty for categories.
        values: the categories known by name, most frequent first (TFDV keeps 1,000).
        counts: rows of each of ``values``, shape (k,). Exact while there are at most 1,000 distinct values; above,
            each is a lower bound, short by at most ``present`` / 1024.
        distinct: number of distinct categories (estimated above 16,384).
        low, high: both ends of a number; ``None`` for categories, and in statistics that do not have them.
        counted: how often the values of a number occur; ``None`` likewise.
    """

    name: str
    type: str
    rows: int
    present: int
    categorical: bool
    mean: float = float("nan")
    deviation: float = float("nan")
    minimum: float = float("nan")
    maximum: float = float("nan")
    zeros: int = 0
    edges: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    values: tuple[str, ...] = ()
    counts: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    distinct: int = 0
    low: Tail | None = None
    high: Tail | None = None
    counted: ValueCounts | None = None

    def called(self, names: Mapping[str, str]) -> Profile:
        """The same with readable names of categories; itself where these would make two categories one."""
        values = tuple(names.get(value, value) for value in self.values)
        return self if len(set(values)) < len(values) else replace(self, values=values)

    @property
    def missing_share(self) -> float:
        """Share of rows without a value, in [0, 1]; 0 for an empty data set."""
        return 1 - self.present / self.rows if self.rows else 0.0

    @property
    def median(self) -> float:
        """The median of a number; NaN where there is none."""
        return self.quantile(0.5)

    @property
    def rest(self) -> float:
        """Rows whose category is present but not listed by name."""
        return max(0.0, self.present - float(self.counts.sum()))

    @cached_property
    def count_of(self) -> dict[str, float]:
        """Category → rows."""
        return dict(zip(self.values, self.counts.tolist(), strict=True))

    def share_of(self, value: str) -> float:
        """Share of the rows present that have this category."""
        return self.count_of.get(value, 0.0) / self.present if self.present else 0.0

    def quantile(self, probability: float) -> float:
        """The value below which this share of the values lies, interpolated between ``edges``."""
        if not len(self.edges):
            return float("nan")
        return float(np.interp(probability, np.linspace(0, 1, len(self.edges)), self.edges))

    def rows_below(self, limit: float) -> int:
        """Rows whose value is < ``limit``: exact up to 16; above, a bound from below that is seldom far off."""
        return self._rows_beyond(self.low, self.edges, -1, limit)

    def rows_above(self, limit: float) -> int:
        """Rows whose value is > ``limit``; see ``rows_below``."""
        return self._rows_beyond(self.high, self.edges[::-1], 1, limit)

    def _rows_beyond(self, tail: Tail | None, outwards: NDArray[np.float64], sign: int, limit: float) -> int:
        beyond = int((sign * outwards > sign * limit).sum())
        if beyond == len(outwards):
            return self.present
        known = tail.beyond(sign * limit) if tail is not None else min(beyond, 1)
        steps = max(1, len(outwards) - 1)
        return max(known, math.floor(self.present * (max(0, beyond - 1) / steps - _RANK_ERROR)))


def read_profiles(dataset: Any) -> dict[str, Profile]:
    """All columns of a ``DatasetFeatureStatistics``, by name, in its order."""
    return {profile.name: profile for profile in (_read(one, dataset.num_examples) for one in dataset.features)}


def rows_only(dataset: Any, without: Collection[str] = (), reals: Collection[str] = ()) -> Any:
    """A copy of a data set's statistics with some columns left out and no weighted numbers.

    A schema speaks of rows, but TFDV takes weighted counts where there are any. To it, 5 is no real number, but what a
    sample of a real column holds may all be whole.

    Args:
        dataset: the statistics.
        without: columns to leave out.
        reals: columns whose whole numbers are taken as real ones.
    """
    copy = type(dataset)(name=dataset.name, num_examples=dataset.num_examples)
    for feature in dataset.features:
        if feature.path.step[0] in without:
            continue
        kept = copy.features.add()
        kept.CopyFrom(feature)
        if feature.path.step[0] in reals and feature.type == feature.INT and not feature.HasField("string_stats"):
            kept.type = feature.FLOAT
        for group, weighted in (("num_stats", "weighted_numeric_stats"), ("string_stats", "weighted_string_stats")):
            if kept.HasField(group):
                stats = getattr(kept, group)
                stats.ClearField(weighted)
                stats.common_stats.ClearField("weighted_common_stats")
    return copy


def is_categorical(feature: Any) -> bool:
    """Whether a ``FeatureNameStatistics`` counts its values by name."""
    return bool(feature.HasField("string_stats"))


def _read(feature: Any, rows: int) -> Profile:
    name = ".".join(feature.path.step) or feature.name
    kind = NAMES_OF_TYPES.get(feature.type, "other")
    if is_categorical(feature):
        stats = feature.string_stats
        buckets = stats.rank_histogram.buckets
        return Profile(
            name=name,
            type=kind,
            rows=rows,
            present=stats.common_stats.num_non_missing,
            categorical=True,
            values=tuple(bucket.label for bucket in buckets),
            counts=np.array([bucket.sample_count for bucket in buckets], dtype=float),
            distinct=stats.unique,
        )
    stats = feature.num_stats
    present = stats.common_stats.num_non_missing
    if not present:
        return Profile(name=name, type=kind, rows=rows, present=0, categorical=False)
    low, high = read_tails(feature, present)
    return Profile(
        name=name,
        type=kind,
        rows=rows,
        present=present,
        categorical=False,
        low=low,
        high=high,
        mean=stats.mean,
        deviation=stats.std_dev,
        minimum=stats.min,
        maximum=stats.max,
        zeros=stats.num_zeros,
        edges=_quantile_edges(stats),
        counted=read_value_counts(feature),
    )


def _quantile_edges(stats: Any) -> NDArray[np.float64]:
    for histogram in stats.histograms:
        if histogram.type == QUANTILES_HISTOGRAM and histogram.buckets:
            buckets = histogram.buckets
            return np.array([buckets[0].low_value, *(bucket.high_value for bucket in buckets)])
    return _NOTHING
