"""From slice columns to slices: which rows belong together, under what name.

Every row is in exactly one slice of a column and of a crossing. Nothing is left out: missing values are a slice of
their own, numbers are cut into bins, and the rare values of a long column share one slice that says how many they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.policies import Slicing

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "(missing)"
_FEW_NUMBERS = 12
"""An integer column with at most so many values is taken as codes, one slice a value."""
_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Grouping:
    """One way of putting every row into a slice.

    Attributes:
        columns: the slice columns it rests on; more than one for a crossing.
        codes: (n,) int64, the slice of each row: index into ``values``.
        values: the slices' values, one name a column: ``(("Female", "Black"), ...)``. Every slice has a row.
    """

    columns: tuple[str, ...]
    codes: NDArray[np.int64]
    values: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """``sex``, or ``sex × race``."""
        return " × ".join(self.columns)

    def slice_name(self, slice_index: int) -> str:
        """``sex=Female``, or ``sex=Female, race=Black``."""
        pairs = zip(self.columns, self.values[slice_index], strict=True)
        return ", ".join(f"{column}={value}" for column, value in pairs)


def build_groupings(columns: Mapping[str, pa.ChunkedArray], slicing: Slicing) -> tuple[Grouping, ...]:
    """Every grouping a policy asks for: its columns, then its crossings.

    Args:
        columns: slice column → (n,) values, as the predictions carry them.
        slicing: the policy.

    Raises:
        ConfigurationError: a column that the predictions do not carry, or bins for one that holds no numbers.
    """
    named = {"columns": slicing.columns or (), "bins": tuple(slicing.bins)}
    named |= {f"crossings.{i}": crossing for i, crossing in enumerate(slicing.crossings)}
    for field, wanted in named.items():
        for column in wanted:
            if column not in columns:
                known = ", ".join(columns) or "(none)"
                raise ConfigurationError(
                    "the predictions carry no such slice column",
                    field=f"policy.{field}",
                    value=column,
                    mend=f"Name it in slice_columns of batch_predict, or use one of: {known}",
                )
    singles = tuple(columns) if slicing.columns is None else slicing.columns
    needed = dict.fromkeys([*singles, *(column for crossing in slicing.crossings for column in crossing)])
    built = {
        name: group_column(name, columns[name], edges=slicing.bins.get(name), max_values=slicing.max_values)
        for name in needed
    }
    return (
        *(built[name] for name in singles),
        *(cross([built[name] for name in crossing]) for crossing in slicing.crossings),
    )


def group_column(
    name: str, values: pa.ChunkedArray, *, edges: Sequence[float] | None = None, max_values: int = 50
) -> Grouping:
    """Put rows into slices by one column.

    Numbers are cut at ``edges`` (each bin holds its lower edge), or at their quartiles; strings, booleans and integer
    codes are slices by value, the commonest first, the missing last.

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
        numbers = np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
        if edges is not None:
            return _group_bins(name, numbers, np.asarray(edges, dtype=np.float64))
        if not pa.types.is_integer(kind) or len(pc.unique(values.drop_null())) > _FEW_NUMBERS:
            known = numbers[~np.isnan(numbers)]
            return _group_bins(name, numbers, np.unique(np.quantile(known, _QUARTILES)) if len(known) else known)
    if pa.types.is_timestamp(kind):
        values = pc.cast(values, pa.date32(), safe=False)
    return _group_values(name, pc.cast(values, pa.string()), max_values)


def cross(groupings: Sequence[Grouping]) -> Grouping:
    """Slices by several columns at once; combinations that no row has do not appear."""
    shape = tuple(len(grouping.values) for grouping in groupings)
    flat = np.ravel_multi_index(tuple(grouping.codes for grouping in groupings), shape)
    present, codes = np.unique(flat, return_inverse=True)
    indices = np.transpose(np.unravel_index(present, shape))
    return Grouping(
        columns=tuple(column for grouping in groupings for column in grouping.columns),
        codes=codes.astype(np.int64),
        values=tuple(
            tuple(value for grouping, index in zip(groupings, row, strict=True) for value in grouping.values[index])
            for row in indices
        ),
    )


def _group_values(name: str, values: pa.ChunkedArray, max_values: int) -> Grouping:
    """Slices by value, commonest first (ties by name), so that names do not depend on the order of the rows."""
    encoded = values.combine_chunks().dictionary_encode()
    names = [str(value) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(names)).to_numpy().astype(np.int64)
    counts = np.bincount(codes, minlength=len(names) + 1)
    order = sorted(range(len(names)), key=lambda code: (-counts[code], names[code]))
    kept, tail = (order, []) if len(order) <= max_values else (order[: max_values - 1], order[max_values - 1 :])
    labels = [names[code] for code in kept]
    new_code = np.empty(len(names) + 1, dtype=np.int64)
    new_code[kept] = np.arange(len(kept))
    if tail:
        new_code[tail] = len(labels)
        labels.append(f"({len(tail):,} rarer values)")
    new_code[-1] = len(labels)
    if counts[-1]:
        labels.append(MISSING)
    return Grouping((name,), new_code[codes], tuple((label,) for label in labels))


def _group_bins(name: str, numbers: NDArray[np.float64], edges: NDArray[np.float64]) -> Grouping:
    labels = [*_bin_names(edges), MISSING]
    bins = np.where(np.isnan(numbers), len(labels) - 1, np.searchsorted(edges, numbers, side="right"))
    present, codes = np.unique(bins, return_inverse=True)
    return Grouping((name,), codes.astype(np.int64), tuple((labels[index],) for index in present))


def _bin_names(edges: NDArray[np.float64]) -> list[str]:
    """``under 25``, ``25 to under 45``, ``45 and over``."""
    shown = [f"{edge:.6g}" for edge in edges]
    if not shown:
        return ["all values"]
    between = [f"{low} to under {high}" for low, high in pairwise(shown)]
    return [f"under {shown[0]}", *between, f"{shown[-1]} and over"]
