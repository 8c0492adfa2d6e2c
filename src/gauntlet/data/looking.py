"""The first pass over the data: what the columns are, and who the rows are.

A row's identity is of its values, and what value a text is depends on its column's type, which only the last row
settles. So rows are identified by the types that their columns have so far, and once more only if one of them turned
out to be another: a column of numbers in which words came later.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.columns import LARGEST_EXACT, ColumnType, kind_of
from gauntlet.data.faults import check_all, raise_it
from gauntlet.data.identity import content_digests, groups_of, key_digests
from gauntlet.data.inference import Survey
from gauntlet.data.mistaken import TextColumns
from gauntlet.data.opening import is_packed
from gauntlet.data.plan import Plan, make_plan, mapped_type, named_columns
from gauntlet.data.request import Request, all_batches, columns_of
from gauntlet.data.row_index import RowIndex
from gauntlet.data.rows import Place, finish_column, require_exact, require_present
from gauntlet.data.suspicion import refusal
from gauntlet.errors import DataError
from gauntlet.progress import watched

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Kinds = Callable[[str, "pa.Array"], ColumnType]
"""Name and raw column → the type that its values are taken for."""


@dataclass(frozen=True)
class Look:
    """What the first pass found.

    Attributes:
        plan: what becomes of the columns.
        row_index: digests of all rows.
        rows: how many rows each file has.
    """

    plan: Plan
    row_index: RowIndex
    rows: list[int]


def look(request: Request, folder: Path) -> Look:
    """Pass over the data once, and again if identities have to be written again.

    Args:
        request: what to import.
        folder: a folder to create for the row index.

    Raises:
        ConfigurationError: options, roles and columns contradict each other.
        DataError: the data have no rows, cannot be read, hold what was not declared, or text that is nearly numbers.
    """
    survey = Survey(frozenset((*request.reader.declared, *request.reader.values)), request.reader.spelling)
    texts = TextColumns(request.told, request.reader.spelling)
    rows = [0] * len(request.files)
    so_far = _Provisional(request, survey)
    row_index = RowIndex(folder, grouped=bool(request.group))

    def digests() -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        read = all_batches(request, needed=_needed(request))
        for number, batch, place in watched("reading", read, _rows_of, total=_bytes_of(request), amount=_bytes_in):
            inferred = request.files[number][1] == "csv"
            survey.see(batch, place.file, is_text=inferred)
            kinds = {name: column.text for name, column in survey.columns.items()} if inferred else {}
            texts.see(batch, place, kinds, typed=not inferred)
            rows[number] += batch.num_rows
            if batch.num_rows:
                yield _identify(batch, request, place, so_far.of(inferred=inferred))

    row_index.record(digests())
    if not row_index.rows:
        shown = ", ".join(file.pinned.uri for file, _ in request.files)
        raise DataError("has no rows", field=shown, mend="Check what writes the file: it holds at most a header")
    # First, as what is wrong with a plan may follow from it: an expression that compares text with a number.
    found = texts.suspicions(survey.text_columns())
    suspicions = [one for one in found if request.doubts(one.column, one.family, one.form)]
    if suspicions:
        error = refusal(suspicions, request.reader, request.roles.label, survey.reals())
        training = request.purpose == "training"
        named = named_columns(list(survey.columns), request.reader, request.roles) if training else ()
        check_all([partial(raise_it, error), *named])
    plan = make_plan(survey, request.reader, request.roles, request.purpose)
    if not so_far.holds(plan.read):
        shutil.rmtree(folder)
        row_index = RowIndex(folder, grouped=bool(request.group))
        row_index.record(_identified(request, plan))
    return Look(plan, row_index, rows)


def _needed(request: Request) -> tuple[str, ...] | None:
    """The columns that say who a row is; ``None``: all of them."""
    return (*request.key, *request.group) if request.key else None


def _rows_of(read: tuple[int, pa.RecordBatch, Place]) -> int:
    return int(read[1].num_rows)


def _bytes_of(request: Request) -> int:
    """Bytes of all files, where those of a batch tell how far it is: in plain CSV; else 0."""
    plain = all(kind == "csv" and not is_packed(file.path) for file, kind in request.files)
    return sum(file.pinned.size for file, _ in request.files) if plain else 0


def _bytes_in(read: tuple[int, pa.RecordBatch, Place]) -> int:
    """About the bytes of a CSV that a batch came from: its text, and a delimiter for every value."""
    batch = read[1]
    offsets = 4 * (batch.num_rows + 1) * batch.num_columns
    return int(max(0, batch.nbytes - offsets) + batch.num_rows * batch.num_columns)


def _identified(request: Request, plan: Plan) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Identities by the columns' types as they are now known."""
    for _, batch, place in all_batches(request, needed=_needed(request)):
        if batch.num_rows:
            yield _identify(batch, request, place, lambda name, _: plan.read[name])


class _Provisional:
    """The types of columns so far, and which of them identities were written by."""

    def __init__(self, request: Request, survey: Survey) -> None:
        self._reader = request.reader
        self._survey = survey
        self._used: dict[str, set[ColumnType]] = {}
        self._long: set[str] = set()

    def of(self, *, inferred: bool) -> Kinds:
        """The types for a batch that the survey has seen.

        Args:
            inferred: its file has no types.
        """
        return lambda name, column: self._kind(name, column, inferred)

    def _kind(self, name: str, column: pa.Array, inferred: bool) -> ColumnType:
        if name in self._reader.declared:
            return self._reader.declared[name]
        if name in self._reader.values:
            return mapped_type(self._reader.values[name], name)
        kind = self._survey.columns[name].text if inferred else kind_of(column.type)
        if kind is None or column.null_count == len(column):
            return kind or "string"  # a missing value is no part of who a row is
        self._used.setdefault(name, set()).add(kind)
        if kind == "int":
            self._note_long(name, column)
        return kind

    def _note_long(self, name: str, column: pa.Array) -> None:
        """Remember columns with integers that a real number cannot hold."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if column.type == pa.string():
            column = self._reader.spelling(name).plain_numbers(column)
            if pc.max(pc.binary_length(column)).as_py() <= len(str(int(LARGEST_EXACT))) - 1:
                return
            column = column.cast(pa.int64())
        if pc.any(pc.greater(pc.abs(column), int(LARGEST_EXACT))).as_py():
            self._long.add(name)

    def holds(self, final: Mapping[str, ColumnType]) -> bool:
        """Whether every identity is what it would be by the final types."""
        return all(
            kind == final[name] or (kind == "int" and final[name] == "float" and name not in self._long)
            for name, kinds in self._used.items()
            for kind in kinds
        )


def _identify(
    batch: pa.RecordBatch, request: Request, place: Place, kinds: Kinds
) -> tuple[np.ndarray, np.ndarray | None]:
    """Digests of a batch's rows, and their groups where they differ."""

    def values(names: tuple[str, ...]) -> dict[str, pa.Array]:
        columns = columns_of(batch, names)
        return {name: finish_column(columns[name], name, kinds(name, columns[name]), reader, place) for name in columns}

    def digests(names: tuple[str, ...], role: str) -> np.ndarray:
        columns = values(names)
        for name, column in columns.items():
            require_present(column, name, role, place)
            require_exact(column, name, role, place)
        return key_digests(list(columns.values()))

    reader = request.reader
    groups = groups_of(digests(request.group, "the column to group by")) if request.group else None
    if request.key:
        return digests(request.key, "roles.key"), groups
    left_out = {request.roles.label, request.roles.weight, *request.reader.drop}
    kept = tuple(name for name in batch.schema.names if name not in left_out)
    return content_digests(values(kept), batch.num_rows), groups
