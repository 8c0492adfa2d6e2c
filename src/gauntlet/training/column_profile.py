"""Column profiles of a split (missing values, distinct values, median), from one streaming pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gauntlet.data.snapshot import Snapshot
from gauntlet.training.encoding import as_text

if TYPE_CHECKING:
    import pyarrow as pa

MOST_VALUES = 100_000
"""Limit of distinct values counted per column, to bound memory; beyond it a column identifies rows."""


@dataclass(frozen=True)
class Profile:
    """Profile of a column.

    Attributes:
        rows: number of rows.
        missing: number of nulls.
        values: value as text → rows, most frequent first; ``None`` if not counted, or more than ``MOST_VALUES``.
        typical: median of the first batch of a numeric column, for the input example; NaN if there is none.
    """

    rows: int
    missing: int
    values: dict[str, int] | None
    typical: float


@dataclass
class _PartialProfile:
    counted: bool
    rows: int = 0
    missing: int = 0
    values: Counter[str] = field(default_factory=Counter)
    typical: float = float("nan")


def profile_columns(
    snapshot: Snapshot, split: str, columns: Sequence[str], counted: frozenset[str]
) -> Mapping[str, Profile]:
    """Profile columns of a split in bounded memory.

    Args:
        snapshot: the data.
        split: the split.
        columns: the columns.
        counted: columns whose distinct values are counted.

    Raises:
        ConfigurationError: unknown split or column.
        DataError: the split is empty or unreadable.
    """
    partials = {name: _PartialProfile(counted=name in counted) for name in columns}
    for batch in snapshot.batches(split, columns):
        for name, array in zip(columns, batch.columns, strict=True):
            _add(partials[name], array)
    return {name: _profile(partial) for name, partial in partials.items()}


def _add(partial: _PartialProfile, array: pa.Array) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if partial.rows == 0 and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        middle = pc.quantile(array, q=0.5, interpolation="nearest")[0].as_py()
        partial.typical = float("nan") if middle is None else float(middle)
    partial.rows += len(array)
    partial.missing += array.null_count
    if not partial.counted:
        return
    fractional = pa.types.is_floating(array.type)
    for pair in as_text(array).value_counts() if not fractional else pc.value_counts(array):
        value, count = pair["values"].as_py(), pair["counts"].as_py()
        if value is not None:
            partial.values[_text(value)] += count
    if len(partial.values) > MOST_VALUES:
        partial.counted = False
        partial.values.clear()


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _profile(partial: _PartialProfile) -> Profile:
    # Ties in frequency are broken by name, so that the order depends on content alone.
    ordered = sorted(partial.values.items(), key=lambda pair: (-pair[1], pair[0]))
    return Profile(partial.rows, partial.missing, dict(ordered) if partial.counted else None, partial.typical)
