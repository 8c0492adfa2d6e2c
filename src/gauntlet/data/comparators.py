"""TFDV's comparators on two columns' statistics, prepared so that nothing is passed over in silence.

Left to themselves the comparators see ten equal-width bins, at most a thousand categories whose shares they divide by
the total of *listed* ones, and no category at all in integers. Here each pair is first laid out alike:

- **numbers**: one set of cells for both, cut at quantiles of the two distributions taken together (half and half), with
  a cell of its own for a value that fills several of them. A rescaled column cannot hide in one wide bin, an extreme
  value stretches none, and a grid of round values does not make quantiles jump.
- **categories** (text, booleans, integer codes): counts over the union of listed values, and one more bucket for all
  rows whose value is not listed, so that shares are of all rows with a value.

The distance itself is TFDV's: Jensen–Shannon divergence for numbers, L-infinity for categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gauntlet.data import tfdv
from gauntlet.data.profile import FLOAT_STATISTICS, QUANTILES_HISTOGRAM, STRING_STATISTICS, Profile

Array = NDArray[np.float64]
BINS = 20
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
        vague: for each inner cut, whether values heap up there, so that the quantiles place it only to within one of
            their steps; before and after, shapes (k − 1,).
        step: that step, as a share, before and after.
    """

    shares: tuple[Array, Array]
    vague: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    step: tuple[float, float]


def number_cells(pair: Pair) -> Cells:
    """Lay both sides of a number out over common cells; see the module's docstring."""
    sides = (pair.before.edges, pair.after.edges)
    grid = np.linspace(0, 1, 2 * BINS + 1)
    pooled = np.sort(np.concatenate([np.interp(grid, np.linspace(0, 1, len(edges)), edges) for edges in sides]))[4:-4:4]
    values, repeats = np.unique(pooled, return_counts=True)
    heaps = values[repeats > 1]
    whole = pair.before.type == pair.after.type == "int"
    below = [_cumulative(edges, values, "left", whole=whole) for edges in sides]
    up_to = [_cumulative(edges, heaps, "right", whole=whole) for edges in sides]
    order = np.argsort(np.concatenate([values, heaps]), kind="stable")  # the cut below a value comes before that above
    shares, vague = [], []
    for (left, left_vague), (right, right_vague) in zip(below, up_to, strict=True):
        cuts = np.concatenate([left, right])[order]
        shares.append(np.diff(np.concatenate([[0.0], np.maximum.accumulate(cuts), [1.0]])))
        vague.append(np.concatenate([left_vague, right_vague])[order])
    steps = [1 / (len(edges) - 1) for edges in sides]
    return Cells((shares[0], shares[1]), (vague[0], vague[1]), (steps[0], steps[1]))


def _cumulative(
    edges: Array, values: Array, side: Literal["left", "right"], *, whole: bool
) -> tuple[Array, NDArray[np.bool_]]:
    """Share of values below (``left``) or up to (``right``) each of ``values``, and where that is vague.

    Where a value fills at least one step between quantiles, the jump lies somewhere in the step before its first edge
    (after its last): its middle is taken. Whole numbers heap up everywhere, if not by whole steps.
    """
    steps = len(edges) - 1
    first, last = np.searchsorted(edges, values, side="left"), np.searchsorted(edges, values, side="right") - 1
    heap = (last >= first) if whole else (last > first)
    at = np.clip(first - 1, 0, steps - 1)
    width = edges[at + 1] - edges[at]
    inside = np.clip(np.divide(values - edges[at], width, out=np.zeros(len(values)), where=width > 0), 0, 1)
    smooth = np.where(first == 0, 0.0, np.where(first > steps, 1.0, (at + inside) / steps))
    jump = np.where(first == 0, 0.0, first - 0.5) if side == "left" else np.where(last == steps, steps, last + 0.5)
    ends = (first == 0) if side == "left" else (last == steps)
    return np.where(heap, jump / steps, smooth), (heap | whole) & ~ends


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
