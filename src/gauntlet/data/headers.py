"""The names of columns: what files call them, what they are called from then on, and headers that come twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gauntlet.data.reader_options import ReaderOptions
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def final_names(names: Sequence[str], shown: str, options: ReaderOptions) -> list[str]:
    """The columns' names after stripping and renaming.

    Raises:
        DataError: a name is empty or occurs twice.
    """
    stripped = [name.strip() if options.strip_whitespace else name for name in names]
    renamed = [options.rename.get(name, name) for name in stripped]
    for position, name in enumerate(renamed, start=1):
        if not name:
            raise DataError(
                f"column {position} has no name{', as the index that pandas writes' if position == 1 else ''}",
                field=shown,
                mend=_mend_unnamed(stripped, options),
            )
        if renamed.index(name) != position - 1:
            raise DataError(
                "column name occurs twice",
                field=shown,
                value=name,
                mend=_mend_repeated(stripped, stripped[position - 1]),
            )
    return renamed


def _mend_unnamed(names: Sequence[str], options: ReaderOptions) -> str:
    """How to leave out columns without a name, or to name them."""
    unnamed = ("unnamed" if number == 1 else f"unnamed_{number}" for number in itertools.count(1))
    free = (name for name in unnamed if name not in names)
    given = [name or next(free) for name in names]
    dropped = [new for old, new in zip(names, given, strict=True) if not old]
    if len(dropped) == 1:
        named = {**options.rename, "": dropped[0]}
        settings = {"rename": named, "drop": [*options.drop, *dropped]}
        return f"Leave it out: reader: {_json(settings)}. Or give it a name: reader.rename: {_json(named)}"
    settings = {"column_names": given, "drop": [*options.drop, *dropped]}
    return f"Leave them out: reader: {_json(settings)} (CSV). Or name them in reader.column_names"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _mend_repeated(names: Sequence[str], name: str) -> str:
    """How to give columns names of their own; ``rename`` cannot: it would rename both."""
    if names.count(name) < 2:
        return "Rename to another name in reader.rename"
    unique: list[str] = []
    for position, column in enumerate(names):
        numbered = (f"{column}_{number}" for number in itertools.count(2))
        repeated = column in names[:position]
        unique.append(next(name for name in numbered if name not in (*names, *unique)) if repeated else column)
    suggestion = json.dumps(unique, ensure_ascii=False)
    return f"Name all columns: reader.column_names: {suggestion} (CSV), or give each a name of its own at the source"


def refuse_repeated_header(
    batch: pa.RecordBatch, before: int, shown: str, options: ReaderOptions, first_line: Callable[[], str]
) -> None:
    """Refuse a row that repeats the header, as files put one behind the other have it.

    Args:
        batch: text, under the names in the file.
        before: how many data rows come before it.
        shown: the file.
        options: how it is read.
        first_line: reads the file's first line.

    Raises:
        DataError: naming the row, and how to leave such rows out.
    """
    import pyarrow.compute as pc

    names = batch.schema.names
    if len(names) < 2:
        return
    repeats = pc.equal(batch.column(0), names[0])
    for name, column in zip(names[1:], batch.columns[1:], strict=True):
        if not pc.any(repeats).as_py():
            return
        repeats = pc.and_(repeats, pc.equal(column, name))
    if pc.any(repeats).as_py():
        row = before + pc.index(repeats, True).as_py() + 1
        mend = _mend_header(row, names, options, first_line())
        raise DataError("repeats the header", field=f"{shown}: row {row}", value=",".join(names), mend=mend)


def _mend_header(row: int, names: Sequence[str], options: ReaderOptions, line: str) -> str:
    mend = "Remove such lines at the source"
    if row == 1 and not options.header:
        return f"{mend}, or say that the first line is a header: reader.header: true"
    if options.comment or options.column_names or not line.isprintable() or "\ufffd" in line:
        return mend
    settings = {"header": False, "column_names": list(names), "comment": line}
    return f"{mend}, or leave them out: reader: {json.dumps(settings, ensure_ascii=False)}"
