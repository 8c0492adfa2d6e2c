"""One streaming pass over the training rows: what each column holds, before anything is fitted."""

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
"""Distinct values counted per column; beyond that a column names rows rather than kinds. Bounds memory."""


@dataclass(frozen=True)
class Profile:
    """What a column holds.

    Attributes:
        rows: rows seen.
        missing: how many of them are null.
        values: value as text → rows, most frequent first; ``None``: not counted, or more than ``MOST_VALUES``.
        typical: the median of a number within the first batch, for the input example; NaN when there is none.
    """

    rows: int
    missing: int
    values: dict[str, int] | None
    typical: float


@dataclass
class _Tally:
    counted: bool
    rows: int = 0
    missing: int = 0
    values: Counter[str] = field(default_factory=Counter)
    typical: float = float("nan")


def survey(snapshot: Snapshot, split: str, columns: Sequence[str], counted: frozenset[str]) -> Mapping[str, Profile]:
    """Profile columns of a split in bounded memory.

    Args:
        snapshot: the data.
        split: which rows.
        columns: which columns.
        counted: those of them whose values are to be counted.

    Raises:
        ConfigurationError: unknown split or column.
        DataError: the split is empty or unreadable.
    """
    tallies = {name: _Tally(counted=name in counted) for name in columns}
    for batch in snapshot.batches(split, columns):
        for name, array in zip(columns, batch.columns, strict=True):
            _add(tallies[name], array)
    return {name: _profile(tally) for name, tally in tallies.items()}


def _add(tally: _Tally, array: pa.Array) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if tally.rows == 0 and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        middle = pc.quantile(array, q=0.5, interpolation="nearest")[0].as_py()
        tally.typical = float("nan") if middle is None else float(middle)
    tally.rows += len(array)
    tally.missing += array.null_count
    if not tally.counted:
        return
    fractional = pa.types.is_floating(array.type)
    for pair in as_text(array).value_counts() if not fractional else pc.value_counts(array):
        value, count = pair["values"].as_py(), pair["counts"].as_py()
        if value is not None:
            tally.values[_name(value)] += count
    if len(tally.values) > MOST_VALUES:
        tally.counted = False
        tally.values.clear()


def _name(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _profile(tally: _Tally) -> Profile:
    # Ties in frequency are broken by name, so that the order depends on content alone.
    ordered = sorted(tally.values.items(), key=lambda item: (-item[1], item[0]))
    return Profile(tally.rows, tally.missing, dict(ordered) if tally.counted else None, tally.typical)
