"""What to import, and its raw batches in order: what both passes over the data share."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gauntlet.data.plan import Purpose
from gauntlet.data.reader import Format, raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.reading import Family
from gauntlet.data.roles import Roles
from gauntlet.data.rows import Place
from gauntlet.data.source import LocalFile
from gauntlet.data.split import SplitOptions, in_order
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

SERVING: Purpose = "serving"
HISTORY: Purpose = "history"
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass(frozen=True)
class Request:
    """What to import.

    Attributes:
        files: in the order of their rows, and the format of each.
        roles, reader, split, purpose: see ``import_snapshot``.
        key: columns that identify a row; empty: its content does.
        group: columns whose rows stay in one split; empty: what identifies a row does.
    """

    files: Sequence[tuple[LocalFile, Format]]
    roles: Roles
    reader: ReaderOptions
    split: SplitOptions
    purpose: Purpose
    key: tuple[str, ...]
    group: tuple[str, ...]

    @property
    def told(self) -> frozenset[str]:
        """Columns about which the user has said what they are: of a type, codes, or nothing a model learns from."""
        reader, roles = self.reader, self.roles
        named = (*roles.key, *roles.exclude, *roles.categorical, *self.split.key, *reader.drop)
        return frozenset((*named, *roles.columns["cluster"], *reader.declared, *reader.values))

    def doubts(self, column: str, family: Family, form: str | None) -> bool:
        """Whether text that is nearly of a family may not stay text: as what rows have a time by, if it needs a format.

        Rows cannot be split by text at all.
        """
        return column != self.roles.time or self.split.by == "time" or (family == "time" and form is not None)

    @cached_property
    def partitions(self) -> list[Mapping[str, str | int | None]]:
        """Columns that each file's folders hold: whole numbers where all files have such, as a file of types would.

        Text in a CSV, whose columns are read off their text.
        """
        texts: dict[str, list[str]] = {}
        for file, _ in self.files:
            for name, text in file.pinned.partitions.items():
                texts.setdefault(name, []).extend([text] if text else [])
        whole = {name for name, values in texts.items() if values and all(map(_WHOLE.fullmatch, values))}

        def value(name: str, text: str) -> str | int | None:
            return (int(text) if text else None) if name in whole else text

        return [
            file.pinned.partitions
            if kind == "csv"
            else {name: value(name, text) for name, text in file.pinned.partitions.items()}
            for file, kind in self.files
        ]

    @property
    def splits(self) -> list[str]:
        """Names of all splits, in order."""
        if self.purpose == SERVING:
            return [SERVING]
        if self.purpose == HISTORY:
            return list(dict.fromkeys(file.pinned.split or HISTORY for file, _ in self.files))
        own = [file.pinned.split for file, _ in self.files if file.pinned.split is not None]
        shared = self.split.names if len(own) < len(self.files) else ()
        return in_order(dict.fromkeys([*shared, *own]))


def all_batches(request: Request, needed: Collection[str] | None = None) -> Iterator[tuple[int, pa.RecordBatch, Place]]:
    """All raw batches in order, with the number of their file and where they stand in it.

    Raises:
        DataError: a file's columns are not those of the files before it (JSON lines may leave columns out).
    """
    expected: tuple[str, set[str]] | None = None
    for number, (file, kind) in enumerate(request.files):
        shown, before, checked = file.pinned.uri, 0, kind == "jsonl"
        partitions = request.partitions[number]
        batches = raw_batches(file.path, shown, kind, request.reader, needed, text=True, partitions=partitions)
        for batch in batches:
            if not checked:
                checked = True
                names = set(batch.schema.names)
                expected = expected or (shown, names)
                _require_same_columns(shown, names, *expected)
            yield number, batch, Place(shown, before)
            before += batch.num_rows


def _require_same_columns(shown: str, names: set[str], earlier: str, expected: set[str]) -> None:
    if names == expected:
        return
    missing, surplus = sorted(expected - names), sorted(names - expected)
    what = f"lacks column {missing[0]!r}" if missing else f"has a column {surplus[0]!r}"
    raise DataError(
        f"{what}, unlike {earlier}",
        field=shown,
        value={"missing": missing, "surplus": surplus},
        mend="Import files of one shape together; use reader.column_names where only the header differs",
    )


def columns_of(batch: pa.RecordBatch, names: Iterable[str]) -> dict[str, pa.Array]:
    """Columns of a batch by name; one that it lacks is missing in every row."""
    import pyarrow as pa

    present = dict(zip(batch.schema.names, batch.columns, strict=True))
    return {name: present[name] if name in present else pa.nulls(batch.num_rows) for name in names}
