"""Partitions rows into slices by columns, bins and crossings.

Every row is in exactly one slice of a column and of a crossing. Nothing is left out: missing values are a slice of
their own, numbers are cut into bins, and the rare values of a long column share one slice that says how many they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, pairwise
from typing import TYPE_CHECKING

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.policies import Slicing
from gauntlet.evaluation.sample import Floats, Ints
from gauntlet.evaluation.slices import CROSSED, JOINED, Partition

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "(missing)"
_QUARTILES = (0.25, 0.5, 0.75)
_FEW_NUMBERS = 12
"""An integer column with at most so many values is taken as codes, one slice a value."""


def partitions(
    columns: Mapping[str, pa.ChunkedArray], slicing: Slicing, field: str = "policy"
) -> tuple[Partition, ...]:
    """Make all partitions of a policy: its columns, then its crossings.

    Args:
        columns: slice column → (n,) values, as the predictions carry them.
        slicing: the policy.
        field: where it is written, for messages.

    Raises:
        ConfigurationError: a column that the predictions do not carry, or bins for one that holds no numbers.
    """
    configured = {"columns": slicing.columns or (), "bins": tuple(slicing.bins)}
    configured |= {f"crossings.{i}": crossing for i, crossing in enumerate(slicing.crossings)}
    for key, names in configured.items():
        for name in names:
            if name not in columns:
                known = ", ".join(columns) or "(none)"
                raise ConfigurationError(
                    "the predictions carry no such slice column",
                    field=f"{field}.{key}",
                    value=name,
                    mend=f"Name it in slice_columns, or use one of: {known}",
                )
    singles = tuple(columns) if slicing.columns is None else slicing.columns
    for crossing in slicing.crossings:
        if CROSSED.join(crossing) in singles:
            raise ConfigurationError(
                "a column is called as this crossing would be",
                field=f"{field}.crossings",
                value=list(crossing),
                mend="Rename the column with reader.rename, or leave the crossing out",
            )
    needed = dict.fromkeys([*singles, *(name for crossing in slicing.crossings for name in crossing)])
    built = {
        name: by_column(name, columns[name], edges=slicing.bins.get(name), max_values=slicing.max_values)
        for name in needed
    }
    return (
        *(built[name] for name in singles),
        *(cross([built[name] for name in crossing]) for crossing in slicing.crossings),
    )


def by_column(
    name: str, values: pa.ChunkedArray, *, edges: Sequence[float] | None = None, max_values: int = 50
) -> Partition:
    """Put rows into slices by one column.

    Numbers are cut at ``edges``, or at their quartiles; strings, booleans and integer codes are slices by value, the
    most frequent first, missing last.

    Args:
        name: the column.
        values: (n,) int64, double, string, bool or timestamp (sliced by day), nulls allowed; NaN counts as missing.
        edges: ascending inner edges for a numeric column.
        max_values: most values that get a slice of their own.

    Raises:
        ConfigurationError: ``edges`` for a column that holds no numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if edges is not None and not numeric:
        raise ConfigurationError(
            "bins need a numeric column", field=f"policy.bins.{name}", value=str(kind), mend="Remove the bins"
        )
    if numeric:
        codes = pa.types.is_integer(kind) and len(pc.unique(values.drop_null())) <= _FEW_NUMBERS
        if edges is not None or not codes:
            numbers = np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
            return _by_bins(name, numbers, edges)
    if pa.types.is_timestamp(kind):
        values = pc.cast(values, pa.date32(), safe=False)
    return _by_value(name, pc.cast(values, pa.string()), max_values)


def cross(crossed: Sequence[Partition]) -> Partition:
    """Slices by several columns at once; combinations that no row has do not appear.

    Args:
        crossed: partitions in which every row has a level.
    """
    shape = tuple(len(partition.levels) for partition in crossed)
    flat = np.ravel_multi_index(tuple(partition.codes for partition in crossed), shape)
    present, codes = np.unique(flat, return_inverse=True)
    indices = np.transpose(np.unravel_index(present, shape))
    levels = [
        JOINED.join(partition.levels[index] for partition, index in zip(crossed, row, strict=True)) for row in indices
    ]
    return Partition(CROSSED.join(partition.name for partition in crossed), codes.astype(np.int64), _distinct(levels))


def _by_bins(name: str, numbers: Floats, edges: Sequence[float] | None) -> Partition:
    """Bins [a, b), the outer two open; missing values in a slice of their own; bins without rows do not appear."""
    known = numbers[~np.isnan(numbers)]
    if edges is None:
        edges = np.unique(np.quantile(known, _QUARTILES)).tolist() if len(known) else []
    names = [*_bin_names(edges), MISSING]
    bins = np.where(np.isnan(numbers), len(names) - 1, np.searchsorted(edges, numbers, side="right"))
    present, codes = np.unique(bins, return_inverse=True)
    return Partition(name, codes.astype(np.int64), tuple(names[index] for index in present))


def _bin_names(edges: Sequence[float]) -> list[str]:
    """``under 25``, ``25 to under 45``, ``45 and over``."""
    edge_texts = [f"{edge:.6g}" for edge in edges]
    if not edge_texts:
        return ["all values"]
    between = [f"{low} to under {high}" for low, high in pairwise(edge_texts)]
    return [f"under {edge_texts[0]}", *between, f"{edge_texts[-1]} and over"]


def _by_value(name: str, values: pa.ChunkedArray, max_values: int) -> Partition:
    """Make slices by value, most frequent first (ties by name), independent of the order of rows."""
    encoded = values.combine_chunks().dictionary_encode()
    names = [str(value) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(names)).to_numpy().astype(np.int64)
    counts = np.bincount(codes, minlength=len(names) + 1)
    order = sorted(range(len(names)), key=lambda code: (-counts[code], names[code]))
    kept, tail = (order, []) if len(order) <= max_values else (order[: max_values - 1], order[max_values - 1 :])
    levels = [names[code] for code in kept]
    new_code = np.empty(len(names) + 1, dtype=np.int64)
    new_code[kept] = np.arange(len(kept))
    if tail:
        new_code[tail] = len(levels)
        levels.append(f"({len(tail):,} rarer values)")
    new_code[-1] = len(levels)
    if counts[-1]:
        levels.append(MISSING)
    return Partition(name, new_code[codes], _distinct(levels))


def _distinct(levels: Sequence[str]) -> tuple[str, ...]:
    """Names of slices, the later of two alike with a number: (missing) may be a value, and so may ``a, b``."""
    named: dict[str, None] = {}
    for level in levels:
        numbered = (f"{level} ({number})" for number in count(2))
        named[level if level not in named else next(name for name in numbered if name not in {*named, *levels})] = None
    return tuple(named)


def units(partition: Partition, cluster: Ints | None) -> Ints:
    """(levels,) independent units of each slice: its rows, or the clusters that have a row in it."""
    inside = partition.codes >= 0
    codes = partition.codes[inside]
    if cluster is not None:
        pairs = np.unique(np.stack([codes, cluster[inside]]), axis=1)
        codes = pairs[0]
    return np.bincount(codes, minlength=len(partition.levels)).astype(np.int64)


def without_small(partition: Partition, sizes: Ints, smallest: int) -> Partition:
    """Leave slices that are too small to judge without a code; their rows still count among the rest of the others.

    Args:
        partition: the slices.
        sizes: (levels,) units of each, from ``units``.
        smallest: fewest units a slice is judged on.
    """
    judged = np.flatnonzero(sizes >= smallest)
    new_code = np.full(len(partition.levels), -1, dtype=np.int64)
    new_code[judged] = np.arange(len(judged))
    return Partition(partition.name, new_code[partition.codes], tuple(partition.levels[code] for code in judged))
