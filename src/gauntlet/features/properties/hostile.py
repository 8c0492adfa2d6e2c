"""Tests feature code on adverse values: unseen categories, missing values, zero, huge and infinite numbers.

Such values are put into every other row of a small batch, one column at a time. The code may compute something or
refuse; it may not crash, make a number infinite that was not, leave out a required feature, or change the rows between.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gauntlet.features.properties.calling import Compute, Failure, attempt
from gauntlet.features.properties.comparing import Tolerance, as_numbers, compare

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

UNSEEN = "never seen before"
ALL = "every column"
_HUGE = 1e18
"""Larger than any recorded quantity; its square is still a finite float64."""
_LARGEST_EXACT = 2**53
"""2⁵³, up to which float64 holds every integer: beyond it, code is right to refuse."""


@dataclass(frozen=True)
class Value:
    """Adverse value.

    Attributes:
        name: its name in sentences.
        value: the value; ``None``: missing.
    """

    name: str
    value: Any

    @property
    def infinite(self) -> bool:
        """Whether the value is infinite, so that an infinite feature may result."""
        return isinstance(self.value, float) and math.isinf(self.value)


@dataclass(frozen=True)
class Mishap:
    """Fault that an adverse value caused.

    Attributes:
        column: column of the value; ``ALL`` for every column at once.
        value: name of the value.
        what: ``refused``, ``broke``, ``infinite`` (a feature), ``missing`` (a required feature), ``others`` (rows that
            were not touched changed) or ``columns`` (features came or went).
        feature: the feature concerned, if any.
        failure: the exception, if any.
        alone: it happened to a row alone, not in a batch.
        expected, found: of a row that was not touched: its feature before and after.
    """

    column: str
    value: str
    what: str
    feature: str = ""
    failure: Failure | None = None
    alone: bool = False
    expected: Any = None
    found: Any = None


@dataclass(frozen=True)
class Rules:
    """Rules for features of adverse values.

    Attributes:
        tolerance: for the rows that were not touched.
        required: features that may not be missing.
        forbid_infinite: an infinite value coming out as one is a mishap too; a finite one always is.
    """

    tolerance: Tolerance = field(default_factory=Tolerance)
    required: frozenset[str] = frozenset()
    forbid_infinite: bool = False


def unseen_values(column: pa.ChunkedArray, categorical: bool) -> tuple[Value, ...]:
    """Categories that the column does not hold; () for a quantity."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(column.type):
        return (Value(f"'{UNSEEN}'", UNSEEN), Value("an empty text", ""))
    if categorical and pa.types.is_integer(column.type):
        largest = pc.max(column).as_py() or 0
        return (Value(f"{largest + 1}", largest + 1), Value("−1", -1))
    return ()


def missing_value(column: pa.ChunkedArray) -> tuple[Value, ...]:
    """A missing value, for a column of any type."""
    return (Value("a missing value", None),)


def extreme_values(column: pa.ChunkedArray) -> tuple[Value, ...]:
    """Zero, huge and infinite numbers of the column's type; () for text, booleans and times."""
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        huge = (Value("1e18", _HUGE), Value("−1e18", -_HUGE))
        return (Value("0", 0.0), *huge, Value("infinity", math.inf), Value("−infinity", -math.inf))
    if pa.types.is_integer(column.type):
        largest = min(2 ** (column.type.bit_width - 1) - 1, _LARGEST_EXACT)
        return (Value("0", 0), Value(f"{largest:,}", largest), Value(f"−{largest:,}", -largest))
    return ()


def is_text(kind: pa.DataType) -> bool:
    """Whether the type is text, dictionary-encoded or not."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def spoil(
    features: Compute, rows: pa.Table, first: pa.Table, columns: Sequence[str], values: Sequence[Value], rules: Rules
) -> Iterator[Mishap]:
    """Put values into every other row and compare the features with those before.

    Args:
        features: feature code.
        rows: a small batch, at least two rows.
        first: its features before.
        columns: where the values go: one column, or several at once.
        values: what to put there, in turns.
        rules: what may come out.
    """
    import numpy as np

    name = columns[0] if len(columns) == 1 else ALL
    touched = np.arange(1, rows.num_rows, 2)
    turns = np.arange(len(touched)) % len(values)
    spoilt = _put(rows, columns, touched, [values[turn].value for turn in turns.tolist()])
    result = _quietly(features, spoilt)
    if isinstance(result, Failure):
        if len(values) > 1:  # find out which of them caused it
            for value in values:
                yield from spoil(features, rows, first, columns, [value], rules)
        else:
            yield Mishap(name, values[0].name, "refused" if result.refusal else "broke", failure=result)
        return
    changed = set(result.column_names) ^ set(first.column_names)
    if changed or result.num_rows != rows.num_rows:
        yield Mishap(name, _names(values), "columns", feature=", ".join(sorted(changed)))
        return
    yield from _to_others(name, values, first, result, rules)
    for turn, value in enumerate(values):
        yield from _to_touched(name, value, first, result, touched[turns == turn], rules)
        position = int(touched[turn]) if turn < len(touched) else None
        alone = None if position is None else _quietly(features, spoilt.slice(position, 1))
        if isinstance(alone, Failure):
            what = "refused" if alone.refusal else "broke"
            yield Mishap(name, value.name, what, failure=alone, alone=True)


def _quietly(features: Compute, rows: pa.Table) -> pa.Table | Failure:
    """Compute features without NumPy's floating-point warnings, which adverse values provoke."""
    import numpy as np

    with np.errstate(all="ignore"):
        return attempt(features, rows)


def _to_others(name: str, values: Sequence[Value], first: pa.Table, result: pa.Table, rules: Rules) -> Iterator[Mishap]:
    import numpy as np
    import pyarrow as pa

    between = pa.array(np.arange(0, first.num_rows, 2))
    for difference in compare(first.take(between), result.take(between), rules.tolerance):
        before, after = difference.expected, difference.found
        yield Mishap(name, _names(values), "others", difference.feature, expected=before, found=after)


def _to_touched(
    name: str, value: Value, first: pa.Table, result: pa.Table, rows: np.ndarray, rules: Rules
) -> Iterator[Mishap]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    picked = pa.array(rows)
    for feature in result.column_names:
        before, after = first.column(feature).take(picked), result.column(feature).take(picked)
        if feature in rules.required and pc.any(pc.and_(pc.is_null(after), pc.is_valid(before))).as_py():
            yield Mishap(name, value.name, "missing", feature)
        if pa.types.is_floating(after.type) and (rules.forbid_infinite or not value.infinite):
            infinite = np.isinf(as_numbers(after.combine_chunks()))
            if pa.types.is_floating(before.type):
                infinite &= ~np.isinf(as_numbers(before.combine_chunks()))
            if infinite.any():
                yield Mishap(name, value.name, "infinite", feature)


def _put(rows: pa.Table, columns: Sequence[str], positions: np.ndarray, values: Sequence[Any]) -> pa.Table:
    """Put values into columns at positions."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in columns:
        index = rows.schema.get_field_index(name)
        column = rows.column(name).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        every: list[Any] = [None] * rows.num_rows
        mask = np.zeros(rows.num_rows, dtype=bool)
        for position, value in zip(positions.tolist(), values, strict=True):
            every[position], mask[position] = value, True
        put = pc.if_else(pa.array(mask), pa.array(every, column.type), column)
        rows = rows.set_column(index, name, put)
    return rows


def _names(values: Collection[Value]) -> str:
    return " or ".join(value.name for value in values)
