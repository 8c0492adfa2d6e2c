"""Counts the rows in which stored and recomputed values differ, feature by feature, in constant memory.

Counts are exact. The diagnosis rests on a sample of rows: those whose keys hash lowest, so that it depends neither on
the order of the rows nor on their partitions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.columns import canonical_text

if TYPE_CHECKING:
    import pyarrow as pa

    from gauntlet.features.policy import FeaturesPolicy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]

_OFFENDERS = 5_000


@dataclass(frozen=True)
class RowDifferences:
    """Differences of stored and recomputed values of one feature, row by row of a batch.

    Attributes:
        stored_missing, new_missing: (n,) whether the value is missing.
        differs: (n,) whether both are present and differ by more than the tolerance.
        size: (n,) new less stored; 0 for text, NaN where either is missing.
    """

    stored_missing: Bools
    new_missing: Bools
    differs: Bools
    size: Floats

    @property
    def any(self) -> Bools:
        """(n,) whether store and code disagree in any way, missing values included."""
        return np.asarray(self.differs | (self.stored_missing != self.new_missing))


def compare(stored: pa.Array, new: pa.Array, policy: FeaturesPolicy) -> RowDifferences:
    """Compare stored values with recomputed ones, row by row.

    Fractions may differ by absolute_tolerance + relative_tolerance·|stored|; whole numbers, times, text and booleans
    not at all. Infinities equal themselves. Where one side is text, both are compared as text.

    Args:
        stored, new: (n,) values of the same rows, of a snapshot's types.
        policy: the tolerances.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    stored_missing, new_missing = (
        np.asarray(values.is_null().to_numpy(zero_copy_only=False)) for values in (stored, new)
    )
    present = ~(stored_missing | new_missing)
    if is_text(stored.type) or is_text(new.type):
        unequal = pc.fill_null(pc.not_equal(canonical_text(stored), canonical_text(new)), False)
        differs = np.asarray(unequal.to_numpy(zero_copy_only=False))
        return RowDifferences(stored_missing, new_missing, differs, np.where(present, 0.0, np.nan))
    x, y = numbers(stored), numbers(new)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.where(x == y, 0.0, y - x)  # equal infinities
        exact = not (pa.types.is_floating(stored.type) or pa.types.is_floating(new.type))
        allowed = 0.0 if exact else policy.absolute_tolerance + policy.relative_tolerance * np.abs(x)
        beyond = (np.abs(size) > allowed) | (np.isinf(x) & (x != y))
    size[~present] = np.nan
    return RowDifferences(stored_missing, new_missing, np.asarray(beyond & present), size)


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are compared as text: strings. Columns of nulls alone count as numbers."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind))


def numbers(values: pa.Array) -> Floats:
    """Convert values to float64: missing is NaN, a time its seconds since 1970, a bool 0 or 1."""
    import pyarrow as pa

    if pa.types.is_timestamp(values.type):
        return np.asarray(values.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int64())
    # Copied: what Arrow hands over may be read-only.
    return np.array(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))


class LowestHashes:
    """Bottom-k sample of a stream: the rows with the lowest hashes, a random sample without replacement.

    Args:
        size: number of rows to keep.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[Hashes, pa.Table]] = []
        self._rows = 0
        self._limit = np.iinfo(np.uint64).max

    def add(self, hashes: Hashes, rows: pa.Table) -> None:
        """Add a batch of rows; ``hashes``: (n,)."""
        chosen = np.flatnonzero(hashes <= self._limit)
        if not len(chosen):
            return
        self._kept.append((hashes[chosen], rows.take(chosen)))
        self._rows += len(chosen)
        if self._rows > 2 * self._size:  # not at once: sorting is paid for by as many rows as are kept
            self._prune()

    def table(self) -> pa.Table | None:
        """The sample, in the order of its hashes; ``None`` before the first row."""
        if not self._kept:
            return None
        self._prune()
        return self._kept[0][1]

    def _prune(self) -> None:
        import pyarrow as pa

        hashes = np.concatenate([part for part, _ in self._kept])
        order = np.argsort(hashes, kind="stable")[: self._size]
        table = pa.concat_tables([part for _, part in self._kept], promote_options="permissive")
        self._kept = [(hashes[order], table.take(order).combine_chunks())]
        self._rows = len(order)
        if len(order) == self._size:
            self._limit = hashes[order[-1]]


@dataclass
class DifferenceCounts:
    """Counts of rows in which one feature of one span differs.

    Attributes:
        feature: its name.
        matched: rows found in the store.
        lost: rows with a stored value where the new code gives none.
        gained: rows without a stored value where the new code gives one.
        beyond: rows with both, which differ by more than the tolerance.
        largest: the largest change in size; 0 for text.
        types: (stored, new) as Arrow names them.
        offenders: a sample of rows that differ, with columns ``stored`` and ``new``.
    """

    feature: str
    matched: int = 0
    lost: int = 0
    gained: int = 0
    beyond: int = 0
    largest: float = 0.0
    types: tuple[str, str] = ("", "")
    offenders: LowestHashes = field(default_factory=lambda: LowestHashes(_OFFENDERS))

    def add(self, stored: pa.Array, new: pa.Array, hashes: Hashes, policy: FeaturesPolicy) -> None:
        """Count a batch of rows, and sample those that differ."""
        import pyarrow as pa

        rows = compare(stored, new, policy)
        self.matched += len(stored)
        self.types = (str(stored.type), str(new.type))
        self.lost += int(np.count_nonzero(rows.new_missing & ~rows.stored_missing))
        self.gained += int(np.count_nonzero(rows.stored_missing & ~rows.new_missing))
        self.beyond += int(np.count_nonzero(rows.differs))
        places = np.flatnonzero(rows.any)
        if not len(places):
            return
        sizes = np.abs(rows.size[places])
        known = sizes[~np.isnan(sizes)]
        self.largest = max(self.largest, float(known.max(initial=0.0)))
        self.offenders.add(hashes[places], pa.table({"stored": stored.take(places), "new": new.take(places)}))

    @property
    def differing(self) -> int:
        """Rows in which store and code disagree, missing values included."""
        return self.lost + self.gained + self.beyond

    @property
    def share(self) -> float:
        """``differing`` as a share of the matched rows; 0 without any."""
        return self.differing / self.matched if self.matched else 0.0


def column(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array."""
    values: Any = table.column(name).combine_chunks()
    return values
