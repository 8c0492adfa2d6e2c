"""Turning raw batches into a snapshot's columns, with errors that say which row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.data.columns import LARGEST_EXACT, ColumnType, arrow_type, convert, readable_text
from gauntlet.data.plan import Plan
from gauntlet.data.reader_options import MappedValue, ReaderOptions
from gauntlet.data.spelling import PLAIN_SPELLING, Spelling
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Place:
    """Where a batch stands: its file, and how many data rows come before it there."""

    file: str
    rows_before: int

    def row(self, position: int) -> str:
        """A row in words, counted from 1, the header not counted."""
        return f"{self.file}: row {self.rows_before + position + 1}"


def finish_columns(batch: pa.RecordBatch, plan: Plan, options: ReaderOptions, place: Place) -> dict[str, pa.Array]:
    """Give a raw batch its final columns: map values, convert types, derive, drop.

    Returns:
        the snapshot's columns in the plan's order.

    Raises:
        DataError: a value is not of its column's type, is not in the mapping, or is infinite; names column, value, row.
    """
    import pyarrow as pa

    raw = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns: dict[str, pa.Array] = {}
    for name, kind in plan.read.items():
        column = raw[name] if name in raw else pa.nulls(batch.num_rows)
        columns[name] = finish_column(column, name, kind, options, place)
    for name, expression in plan.derived.items():
        derived = expression.evaluate(columns, batch.num_rows)
        columns[name] = finite(derived, name, place, lambda _: "Correct reader.derive, or the columns it is made of")
    return {name: columns[name] for name in plan.columns}


def finish_column(column: pa.Array, name: str, kind: ColumnType, options: ReaderOptions, place: Place) -> pa.Array:
    """Give a raw column its final values; arguments and errors as ``finish_columns``."""
    raw = column
    if name in options.values:
        column = map_values(column, options.values[name], name, place)
    converted = to_type(column, kind, name, place, options.spelling(name))
    return finite(converted, name, place, lambda row: _mend_infinite(raw[row].as_py(), options))


def _mend_infinite(raw: object, options: ReaderOptions) -> str:
    if not isinstance(raw, str):
        return "Mend it at the source, or leave the value out there"
    missing = json.dumps([*options.missing_values, raw], ensure_ascii=False)
    return f"Mend it at the source, or read it as missing, in every column: reader.missing_values: {missing}"


def to_type(
    column: pa.Array, kind: ColumnType, name: str, place: Place, spelling: Spelling = PLAIN_SPELLING
) -> pa.Array:
    """Convert a raw column, whose text is written in a way of its own.

    Raises:
        DataError: naming column, value and row of the first value that is not of the type.
    """
    converted = convert(column, kind, spelling)
    if converted is not None:
        return converted
    position = _first(len(column), lambda end: convert(column.slice(0, end), kind, spelling) is None)
    as_declared = kind == "timestamp" and spelling.time
    where = "another form in reader.date_formats" if as_declared else "another type in reader.types"
    raise DataError(
        f"column {name} holds what is not of type {kind}" + (f", written as {spelling.time}" if as_declared else ""),
        field=place.row(position),
        value=column[position].as_py(),
        mend=f"Mend the value, add it to reader.missing_values, or declare {where}.{name}",
    )


def map_values(column: pa.Array, pairs: Mapping[str, MappedValue], name: str, place: Place) -> pa.Array:
    """Replace each value by what it is mapped to; a missing value stays missing.

    Raises:
        DataError: a value that is not in the mapping, with its row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from gauntlet.data.plan import mapped_type

    text = readable_text(column)
    found = pc.index_in(text, value_set=pa.array(list(pairs), pa.string()))
    unknown = pc.and_(found.is_null(), text.is_valid())
    if pc.any(unknown).as_py():
        position = pc.index(unknown, True).as_py()
        raise DataError(
            f"column {name} holds a value that its mapping does not list",
            field=place.row(position),
            value=text[position].as_py(),
            mend=f"Add it to reader.values.{name}, or to reader.missing_values",
        )
    return pa.array(list(pairs.values()), arrow_type(mapped_type(pairs, name))).take(found)


def finite(column: pa.Array, name: str, place: Place, mend: Callable[[int], str]) -> pa.Array:
    """A column without NaN (they become missing).

    Args:
        column: the values.
        name: its name.
        place: where they stand.
        mend: what to do about an infinite value in a row of the batch.

    Raises:
        DataError: a value is infinite.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != pa.float64():
        return column
    if pc.all(pc.is_finite(column)).as_py() is not False:
        return column
    infinite = pc.is_inf(column)
    if pc.any(infinite).as_py():
        position = pc.index(infinite, True).as_py()
        raise DataError(
            f"column {name} holds an infinite value",
            field=place.row(position),
            value=column[position].as_py(),
            mend=mend(position),
        )
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)


def require_weights(column: pa.Array, name: str, place: Place) -> None:
    """Make sure that weights are numbers, all there, none negative.

    Raises:
        DataError: naming the first that is not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type not in (pa.int64(), pa.float64()):
        raise DataError(
            "weights must be numbers", field=f"column {name}", value=str(column.type), mend="Correct roles.weight"
        )
    wrong = pc.fill_null(pc.less(column, 0), True)
    if pc.any(wrong).as_py():
        position = pc.index(wrong, True).as_py()
        value = column[position].as_py()
        raise DataError(
            f"column {name}: weight is {'missing' if value is None else 'negative'}",
            field=place.row(position),
            value=value,
            mend="Give every row a weight of zero or more",
        )


def require_exact(column: pa.Array, name: str, role: str, place: Place) -> None:
    """Make sure that a column by which rows are known holds no real numbers so large that neighbours are one.

    Raises:
        DataError: naming the first.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != pa.float64():
        return
    large = pc.greater_equal(pc.abs(column), LARGEST_EXACT)
    if pc.any(large).as_py():
        position = pc.index(large, True).as_py()
        raise DataError(
            f"column {name}: {role} is a real number of more than 53 bits, so its last digits are lost",
            field=place.row(position),
            value=column[position].as_py(),
            mend="Write it as whole numbers or text at the source; "
            f'where the file holds text, read it as text: reader.types: {{"{name}": "string"}}',
        )


def require_present(column: pa.Array, name: str, role: str, place: Place) -> None:
    """Make sure that a key or cluster column has no missing values.

    Raises:
        DataError: naming the first row without one.
    """
    import pyarrow.compute as pc

    if column.null_count:
        position = pc.index(column.is_null(), True).as_py()
        raise DataError(
            f"column {name}: {role} is missing",
            field=place.row(position),
            mend=f"Give every row a value there, or correct {role}",
        )


def _first(length: int, fails: Callable[[int], bool]) -> int:
    """Index of the first failing element, by bisection.

    Args:
        length: how many elements there are.
        fails: whether some of the first so many elements fail, alone or with those before them (a time with a zone
            after times without).
    """
    start, end = 0, length
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (start, middle) if fails(middle) else (middle, end)
    return start
