"""Spans of raw rows: splits of the history, and the new rows."""

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
    """Span of raw rows, one split of a snapshot.

    Attributes:
        name: its name in sentences.
        age: ``historical``, or ``new``: the rows the candidate is judged on.
        snapshot: the snapshot.
        split: the split.
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
    """List the spans: every non-empty split of the history, then the new rows.

    Raises:
        ConfigurationError: no such split of the new data.
        DataError: that split has no rows.
    """
    snapshot.require_split(split)
    earlier = [name for name, rows in history.splits.items() if rows] if history is not None else []
    new_name = f"new {split}" if split in earlier else split
    past = (Span(name, "historical", history, name) for name in earlier if history is not None)
    return (*past, Span(new_name, "new", snapshot, split))


def readable(snapshot: Snapshot, transform: Transform) -> tuple[str, ...]:
    """Columns passed to feature code: those it declares, or all but the label, which no feature may use.

    Raises:
        DataError: it declares a column that the snapshot lacks.
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
    """Stream the rows of a span: ``example_id`` and those of the columns that it has."""
    present = [name for name in dict.fromkeys(columns) if name in span.snapshot.columns]
    return span.snapshot.batches(span.split, [EXAMPLE_ID, *present])
