"""TFDV's comparators on two columns' statistics, prepared so that nothing is passed over in silence.

Left to themselves the comparators see ten equal-width bins, at most a thousand categories whose shares they divide by
the total of *listed* ones, and no category at all in integers. Here each pair is first laid out alike:

- **numbers**: one set of cells for both, cut at quantiles of the two distributions taken together (half and half), with
  a cell of its own for a value that fills several of them. A rescaled column cannot hide in one wide bin, an extreme
  value stretches none, and a grid of round values does not make quantiles jump. Where one side has few rows, the cells
  are cut at quantiles of the other alone: cut around the few, they would follow them, and chance would look like shift.
- **categories** (text, booleans, integer codes): counts over the union of listed values, and one more bucket for all
  rows whose value is not listed, so that shares are of all rows with a value.

The distance itself is TFDV's: Jensen–Shannon divergence for numbers, L-infinity for categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gauntlet.data import tfdv
from gauntlet.data.profile import FLOAT_STATISTICS, QUANTILES_HISTOGRAM, STRING_STATISTICS, Profile

Array = NDArray[np.float64]
BINS = 20
_WHOLE = 0.99  # of a step, apart from rounding
FEW = 200
"""Rows of a side below which cells are cut from the other side alone: there one row fills half a step or more."""
_NEIGHBOURS = 2  # edges on either side that tell whether values are lumped about one
REST = "\x00 (not listed)"


@dataclass(frozen=True)
class Pair:
    """One column before and after, both with values and of one kind.

    Attributes:
        before, after: the two profiles.
    """

    before: Profile
    after: Profile

    @property
    def name(self) -> str:
        """The column."""
        return self.before.name

    @property
    def categorical(self) -> bool:
        """Whether values are counted by name."""
        return self.before.categorical


def measure(pairs: Sequence[Pair]) -> Mapping[str, float]:
    """The distance of each pair by TFDV's own comparators, in one call.

    Returns:
        Column → distance in [0, 1]. A column TFDV did not compare is not in it: whoever asked must not take that for 0.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    if not pairs:
        return {}
    schema = schema_pb2.Schema()
    before = statistics_pb2.DatasetFeatureStatistics(num_examples=max(pair.before.rows for pair in pairs))
    after = statistics_pb2.DatasetFeatureStatistics(num_examples=max(pair.after.rows for pair in pairs))
    for pair in pairs:
        kind = schema_pb2.BYTES if pair.categorical else schema_pb2.FLOAT
        comparator = schema.feature.add(name=pair.name, type=kind).skew_comparator
        if pair.categorical:
            comparator.infinity_norm.threshold = 0.0
            values, *counts = aligned_counts(pair)
            for dataset, found in zip((before, after), counts, strict=True):
                _add_categories(dataset, pair.name, values, found)
        else:
            comparator.jensen_shannon_divergence.threshold = 0.0
            comparator.jensen_shannon_divergence.source.type = (
                schema_pb2.HistogramSelection.QUANTILES  # the default, equal widths, hides a rescaled column
            )
            cells = number_cells(pair)
            for dataset, shares, side in zip((before, after), cells.shares, (pair.before, pair.after), strict=True):
                _add_numbers(dataset, pair.name, shares, side.present)
    found = tfdv.validate(before, schema, serving=after).drift_skew_info
    return {info.path.step[0]: info.skew_measurements[0].value for info in found if len(info.skew_measurements) == 1}


@dataclass(frozen=True)
class Cells:
    """Two distributions of a number over common cells.

    Attributes:
        shares: share of values in each cell, before and after; shapes (k,).
        reach: how far each inner cut, read off quantiles, may lie from the share of values below it, before and after,
            as a share; shapes (k − 1,).
        lumped: which inner cuts are known only as the middle of a step between quantiles, because one value fills all
            of it; before and after, shapes (k − 1,).
        step: that step, as a share, before and after.
    """

    shares: tuple[Array, Array]
    reach: tuple[Array, Array]
    lumped: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    step: tuple[float, float]


def number_cells(pair: Pair) -> Cells:
    """Lay both sides of a number out over common cells; see the module's docstring."""
    if min(pair.before.present, pair.after.present) < FEW:
        return _cells_of_the_larger(pair)
    sides = (pair.before.edges, pair.after.edges)
    grid = np.linspace(0, 1, 2 * BINS + 1)
    pooled = np.sort(np.concatenate([np.interp(grid, np.linspace(0, 1, len(edges)), edges) for edges in sides]))[4:-4:4]
    values, repeats = np.unique(pooled, return_counts=True)
    heaps = values[repeats > 1]
    order = np.argsort(np.concatenate([values, heaps]), kind="stable")  # the cut below a value comes before that above
    found = []
    for edges, other in (sides, sides[::-1]):
        lumps = _lumps(edges, other)
        found.append(_cuts_around(edges, lumps, values, heaps, order))
    first, second = found
    steps = [1 / (len(edges) - 1) for edges in sides]
    return Cells(
        (first.cells(), second.cells()),
        (first.reach, second.reach),
        (first.lumped, second.lumped),
        (steps[0], steps[1]),
    )


def _cells_of_the_larger(pair: Pair) -> Cells:
    """Cells cut at quantiles of the side with more rows; the other's values are counted one by one."""
    before_is_larger = pair.before.present >= pair.after.present
    larger, smaller = (pair.before, pair.after) if before_is_larger else (pair.after, pair.before)
    edges = larger.edges
    cuts = np.interp(np.linspace(0, 1, BINS + 1)[1:-1], np.linspace(0, 1, len(edges)), edges)
    values, repeats = np.unique(cuts, return_counts=True)
    heaps = values[repeats > 1]
    order = np.argsort(np.concatenate([values, heaps]), kind="stable")
    lumps = _lumps(edges, np.empty(0))
    of_larger = _cuts_around(edges, lumps, values, heaps, order)
    counted = _sorted_values(smaller)
    below = np.concatenate([np.searchsorted(counted, values, "left"), np.searchsorted(counted, heaps, "right")])
    shares = below[order] / len(counted)
    unsure = 0.5 / len(counted) if smaller.present > len(counted) else 0.0
    of_smaller = _Cuts(shares, np.full(len(shares), unsure), np.zeros(len(shares), dtype=bool))
    first, second = (of_larger, of_smaller) if before_is_larger else (of_smaller, of_larger)
    steps = (1 / (len(edges) - 1), 1 / len(counted))
    return Cells(
        (first.cells(), second.cells()),
        (first.reach, second.reach),
        (first.lumped, second.lumped),
        steps if before_is_larger else steps[::-1],
    )


def _sorted_values(profile: Profile) -> Array:
    """The values of a side of few rows, in order; where it has more rows than quantiles, those stand for them.

    TFDV's k-th of 100 quantiles is the value of rank floor(k n / 100), so that up to 100 rows every value is one.
    """
    steps = len(profile.edges) - 1
    if profile.present > steps:
        return profile.edges[:-1]
    return np.asarray(profile.edges[np.ceil(np.arange(profile.present) * steps / profile.present).astype(int)])


class _Cuts(NamedTuple):
    """Cumulative shares at cuts, and how sure they are: see ``Cells``; shapes (k − 1,)."""

    shares: Array
    reach: Array
    lumped: NDArray[np.bool_]

    def cells(self) -> Array:
        """Shares of the cells between the cuts, shape (k,)."""
        return np.diff(np.concatenate([[0.0], np.maximum.accumulate(self.shares), [1.0]]))


def _cuts_around(edges: Array, lumps: Array, values: Array, heaps: Array, order: NDArray[np.int64]) -> _Cuts:
    """The cuts below each value and those above each heap, in ``order``."""
    below, up_to = _cuts_at(edges, lumps, values, "left"), _cuts_at(edges, lumps, heaps, "right")
    return _Cuts(
        np.concatenate([below.shares, up_to.shares])[order],
        np.concatenate([below.reach, up_to.reach])[order],
        np.concatenate([below.lumped, up_to.lumped])[order],
    )


def _lumps(edges: Array, other: Array) -> Array:
    """About how much of a step the values around each edge fill one by one, in [0, 1]; shape of ``edges``.

    Two samples of a continuous distribution have no quantile in common. Where values come from a grid, a quantile is
    found again, on its own side or on the other, about as often as one value fills a step.
    """
    repeated = np.isin(edges, other) | (np.searchsorted(edges, edges, "right") - np.searchsorted(edges, edges) > 1)
    padded = np.pad(repeated.astype(float), _NEIGHBOURS, mode="edge")
    return np.convolve(padded, np.full(2 * _NEIGHBOURS + 1, 1 / (2 * _NEIGHBOURS + 1)), mode="valid")


def _cuts_at(edges: Array, lumps: Array, values: Array, side: Literal["left", "right"]) -> _Cuts:
    """Share of values below (``left``) or up to (``right``) each of ``values``, and how far off that may be.

    Within a step between quantiles the share is interpolated. That is off where the density bends, which unequal
    widths of neighbouring steps show. Where values are lumped, the jump at a quantile lies anywhere in the step before
    (after) it: its middle is taken.
    """
    steps = len(edges) - 1
    first, last = np.searchsorted(edges, values, side="left"), np.searchsorted(edges, values, side="right") - 1
    at = np.clip(first - 1, 0, steps - 1)
    lump = np.where(last > first, 1.0, np.maximum(lumps[at], lumps[at + 1]))
    widths = np.diff(edges)
    around = widths[np.clip(at + np.array([[-1], [0], [1]]), 0, steps - 1)]
    widest = around.max(axis=0)
    bend = 1 - np.divide(around.min(axis=0), widest, out=np.ones(len(values)), where=widest > 0)
    width = widths[at]
    inside = np.clip(np.divide(values - edges[at], width, out=np.zeros(len(values)), where=width > 0), 0, 1)
    between = at + (1 - lump) * inside + lump / 2
    on_edge = first - lump / 2 if side == "left" else last + lump / 2
    shares = np.clip(np.where(last >= first, on_edge, between) / steps, 0, 1)
    outside_low, outside_high = (first == 0, first > steps) if side == "left" else (last < 0, last >= steps)
    shares = np.where(outside_low, 0.0, np.where(outside_high, 1.0, shares))
    outside = outside_low | outside_high
    reach = np.where(outside, 0.0, np.maximum(lump, bend**2) / (2 * steps))
    return _Cuts(shares, reach, ~outside & (lump > _WHOLE))


def aligned_counts(pair: Pair) -> tuple[tuple[str, ...], Array, Array]:
    """Values listed on either side and ``REST``, and the rows of each, before and after; shapes (k,)."""
    values = tuple(dict.fromkeys([*pair.before.values, *pair.after.values]))
    before, after = (
        np.array([*(profile.count_of.get(value, 0.0) for value in values), profile.rest])
        for profile in (pair.before, pair.after)
    )
    return (*values, REST), before, after


def listing_error(pair: Pair) -> float:
    """Most by which a listed share can be off because TFDV lists 1,000 categories and estimates their counts.

    0 while both sides list all their categories: then counts are exact.
    """
    error = 0.0
    for profile in (pair.before, pair.after):
        if profile.rest > 0 and len(profile.counts):
            error += max(float(profile.counts.min()) / profile.present, 1 / 1024)
    return error


def _add_numbers(dataset: Any, name: str, shares: Array, size: int) -> None:
    """The cells stand at 0, 1, 2, …: both sides have the same ones, so only what they hold matters."""
    feature = dataset.features.add(type=FLOAT_STATISTICS)
    feature.path.step.append(name)
    common = feature.num_stats.common_stats
    common.num_non_missing, common.tot_num_values = size, size
    histogram = feature.num_stats.histograms.add(type=QUANTILES_HISTOGRAM)
    for cell, share in enumerate(shares):
        histogram.buckets.add(low_value=cell, high_value=cell + 1, sample_count=share * size)


def _add_categories(dataset: Any, name: str, values: Sequence[str], counts: Array) -> None:
    feature = dataset.features.add(type=STRING_STATISTICS)
    feature.path.step.append(name)
    common = feature.string_stats.common_stats
    common.num_non_missing, common.tot_num_values = round(counts.sum()), round(counts.sum())
    buckets = feature.string_stats.rank_histogram.buckets
    for value, count in zip(values, counts, strict=True):
        if count > 0:
            buckets.add(label=value, sample_count=count)
