"""Compares two tables of features of the same rows, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Tolerance:
    """Tolerance of the comparison of two numbers: ``absolute + relative · max(|a|, |b|)``."""

    relative: float = 1e-6
    absolute: float = 1e-9


EXACT = Tolerance(0.0, 0.0)


@dataclass(frozen=True)
class Difference:
    """Difference of one feature between two tables.

    Attributes:
        feature: its name.
        what: ``absent`` (the second table lacks it), ``new`` (the first does), ``type`` or ``values``.
        rows: rows in which it differs; all of them where the whole column does.
        compared: rows compared.
        nulls: rows in which one side has a value and the other has none.
        largest: largest difference of two numbers; ``None`` where no two numbers differ.
        row: position of the row that differs most.
        expected, found: the two values there, or the two types.
    """

    feature: str
    what: str
    rows: int
    compared: int
    nulls: int = 0
    largest: float | None = None
    row: int = 0
    expected: Any = None
    found: Any = None

    @property
    def share(self) -> float:
        """Share of the rows that differ."""
        return self.rows / self.compared if self.compared else 1.0


def compare(
    expected: pa.Table, found: pa.Table, tolerance: Tolerance, *, types: bool = False
) -> tuple[Difference, ...]:
    """Find the features that differ, the largest share of rows first.

    Args:
        expected, found: features of the same rows in the same order; equally many rows.
        tolerance: for numbers. A missing value equals a missing value, and infinity itself.
        types: another Arrow type is a difference even where the values agree.

    Raises:
        ValueError: the tables have different numbers of rows.
    """
    if expected.num_rows != found.num_rows:
        raise ValueError(f"{expected.num_rows} rows cannot be compared with {found.num_rows}")
    differences = _each(expected, found, tolerance, types)
    return tuple(sorted(differences, key=lambda difference: (-difference.share, difference.feature)))


def _each(expected: pa.Table, found: pa.Table, tolerance: Tolerance, types: bool) -> Iterator[Difference]:
    yield from appearances(expected, found)
    there = set(found.column_names)
    for name, first in zip(expected.column_names, expected.columns, strict=True):
        if name not in there:
            continue
        second = found.column(name)
        if types and first.type != second.type:
            rows = expected.num_rows
            yield Difference(name, "type", rows, rows, expected=str(first.type), found=str(second.type))
            continue
        difference = _values(name, first.combine_chunks(), second.combine_chunks(), tolerance)
        if difference is not None:
            yield difference


def appearances(expected: pa.Table, found: pa.Table) -> tuple[Difference, ...]:
    """Find features that are in one table only."""
    rows, names, others = expected.num_rows, expected.column_names, found.column_names
    gone, come = set(names) - set(others), set(others) - set(names)
    absent = (Difference(name, "absent", rows, rows) for name in names if name in gone)
    return (*absent, *(Difference(name, "new", rows, rows) for name in others if name in come))


def _values(name: str, expected: Any, found: Any, tolerance: Tolerance) -> Difference | None:
    import numpy as np

    if is_number(expected.type) and is_number(found.type):
        first, second = as_numbers(expected), as_numbers(found)
        missing = np.isnan(first) != np.isnan(second)
        unequal = ~np.isnan(first) & ~np.isnan(second) & (first != second)
        gap, size = np.zeros(len(first)), np.zeros(len(first))
        gap[unequal] = np.abs(first[unequal] - second[unequal])
        size[unequal] = np.maximum(np.abs(first[unequal]), np.abs(second[unequal]))
        # An infinite number agrees with itself alone: the tolerance around it would be infinite.
        size[np.isinf(size)] = 0.0
        beyond = unequal & (gap > tolerance.absolute + tolerance.relative * size)
        differs = missing | beyond
        largest = float(gap[beyond].max()) if beyond.any() else None
        worst = int(np.argmax(np.where(beyond, gap, -1.0) if beyond.any() else missing)) if len(first) else 0
    else:
        left, right = expected.to_pylist(), found.to_pylist()
        missing = np.array([(a is None) != (b is None) for a, b in zip(left, right, strict=True)], dtype=bool)
        differs = np.array([a != b for a, b in zip(left, right, strict=True)], dtype=bool)
        worst, largest = int(np.argmax(differs)) if len(differs) else 0, None
    if not differs.any():
        return None
    return Difference(
        name,
        "values",
        int(differs.sum()),
        len(differs),
        int(missing.sum()),
        largest,
        worst,
        expected[worst].as_py(),
        found[worst].as_py(),
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether values are compared as numbers: integers, floats, booleans, and columns of nulls alone."""
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    )


def as_numbers(array: pa.Array) -> np.ndarray:
    """Convert to float64, missing values as NaN. Integers beyond 2⁵³ are rounded, which no feature rests on."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
