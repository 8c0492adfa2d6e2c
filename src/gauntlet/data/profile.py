"""One column's statistics in plain terms: what the schema, the gates and the reports read from TFDV's protos.

TFDV tells numbers from categories by which statistics a proto carries, spreads counts over three messages, and lists
only the most frequent categories. ``Profile`` is the same knowledge as flat fields and arrays, by rows: example
weights play no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.value_counts import ValueCounts, read_value_counts

# Values of enums in tensorflow_metadata's statistics.proto, which never change meaning.
FLOAT_STATISTICS = 1
STRING_STATISTICS = 2
QUANTILES_HISTOGRAM = 1

NAMES_OF_TYPES = {0: "int", 1: "float", 2: "string", 3: "bytes", 4: "struct"}
_NOTHING = np.empty(0)


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
        counted: how often the values of a number occur; ``None`` for categories, and in statistics that do not say.
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
    counted: ValueCounts | None = None

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

    def share_below(self, limit: float) -> float:
        """About the share of values < ``limit``, from the quantiles: right to one part in ``len(edges) - 1``."""
        return _share_at(self.edges, limit, side="left")

    def share_above(self, limit: float) -> float:
        """About the share of values > ``limit``; see ``share_below``."""
        return _share_at(-self.edges[::-1], -limit, side="left")


def read_profiles(dataset: Any) -> dict[str, Profile]:
    """All columns of a ``DatasetFeatureStatistics``, by name, in its order."""
    return {profile.name: profile for profile in (_read(one, dataset.num_examples) for one in dataset.features)}


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
    return Profile(
        name=name,
        type=kind,
        rows=rows,
        present=present,
        categorical=False,
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


def _share_at(edges: NDArray[np.float64], limit: float, side: str) -> float:
    if len(edges) < 2 or limit <= edges[0]:
        return 0.0
    if limit > edges[-1]:
        return 1.0
    steps = len(edges) - 1
    index = int(np.searchsorted(edges, limit, side=side)) - 1  # type: ignore[call-overload]
    width = edges[index + 1] - edges[index]
    inside = (limit - edges[index]) / width if width > 0 else 0.0
    return float((index + inside) / steps)
