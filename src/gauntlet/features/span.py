"""A stretch of raw rows, and what the feature code makes of it batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import DataError
from gauntlet.features.transform import Transform

if TYPE_CHECKING:
    import pyarrow as pa

Age = Literal["historical", "new"]


@dataclass(frozen=True)
class Span:
    """One split of a snapshot.

    Attributes:
        name: what people call it.
        age: ``historical``, or ``new``: the rows the candidate is judged on.
        snapshot: where the rows are.
        split: which of its splits.
    """

    name: str
    age: Age
    snapshot: Snapshot
    split: str

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.snapshot.splits[self.split]


def spans_of(history: Snapshot | None, snapshot: Snapshot, split: str) -> tuple[Span, ...]:
    """Every split of the history that has rows, then the new rows.

    Raises:
        ConfigurationError: no such split of the new data.
        DataError: it has no rows.
    """
    snapshot.require_split(split)
    earlier = [name for name, rows in history.splits.items() if rows] if history is not None else []
    new_name = f"new {split}" if split in earlier else split
    past = (Span(name, "historical", history, name) for name in earlier if history is not None)
    return (*past, Span(new_name, "new", snapshot, split))


def readable(snapshot: Snapshot, transform: Transform) -> tuple[str, ...]:
    """The columns feature code is given: those it names, or all but the label, which no feature may know.

    Raises:
        DataError: it names one that is not there.
    """
    if transform.inputs is None:
        return tuple(name for name in snapshot.columns if name != snapshot.roles.label)
    for name in transform.inputs:
        if name not in snapshot.columns:
            raise DataError(
                f"{transform.name} reads this column and the snapshot does not have it",
                field=name,
                mend="Import the column, or mend the feature code",
            )
    return transform.inputs


def rows_of(span: Span, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Stream a span's rows: ``example_id`` and the columns named that it has."""
    wanted = [name for name in dict.fromkeys(columns) if name in span.snapshot.columns]
    return span.snapshot.batches(span.split, [EXAMPLE_ID, *wanted])
