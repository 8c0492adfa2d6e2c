"""Metamorphic tests of feature code: rows repeated, alone, permuted, without later rows; features must not change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.features.properties.calling import Compute, Failure, attempt
from gauntlet.features.properties.comparing import Difference, Tolerance, appearances, compare, is_number

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Repetition:
    """Result of computing features again.

    Attributes:
        differences: features that differ from the first run.
        failure: why there is nothing to compare; ``None`` otherwise.
        rows: rows compared.
        where: which repetition it was, where there are several: ``in another process``, ``row 17 alone``.
    """

    differences: tuple[Difference, ...]
    failure: Failure | None = None
    rows: int = 0
    where: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing differed and nothing failed."""
        return not self.differences and self.failure is None


def again(features: Compute, rows: pa.Table, first: pa.Table, tolerance: Tolerance, where: str = "") -> Repetition:
    """Compute the same rows again, from a copy (so that nothing cached by identity is reused).

    Args:
        features: the same code, or that code in another process.
        rows: the rows.
        first: their features from the first run.
        tolerance: for numbers; types must be the same as well.
        where: name of the repetition, for the finding.
    """
    return _against(first, attempt(features, copy_of(rows)), tolerance, where, types=True)


def one_at_a_time(
    features: Compute, rows: pa.Table, batch: pa.Table, positions: np.ndarray, tolerance: Tolerance
) -> Repetition:
    """Compute rows one at a time, and compare them with the same rows in a batch.

    A feature that differs is computed from the other rows of its batch: a mean, a rank, a category's code. At serving
    those are other rows. Types are not compared: a single row of a pandas frame has no way to hold a missing integer.
    """
    import pyarrow as pa

    alone: list[pa.Table] = []
    for position in positions.tolist():
        result = attempt(features, rows.slice(position, 1))
        if isinstance(result, Failure):
            return Repetition((), result, len(positions), f"row {position:,} alone")
        expected = batch.slice(position, 1)
        differences = appearances(expected, result) or _other_kinds(expected, result)
        if differences:
            return Repetition(differences, None, 1, f"row {position:,} alone")
        alone.append(_plain(result, batch.schema))
    features_alone = pa.concat_tables(alone)
    return Repetition(compare(batch.take(pa.array(positions)), features_alone, tolerance), rows=len(positions))


def permuted(features: Compute, rows: pa.Table, first: pa.Table, seed: int, tolerance: Tolerance) -> Repetition:
    """Compute the rows in random order and in reverse; each row must keep its features."""
    import numpy as np
    import pyarrow as pa

    count = rows.num_rows
    orders = {"in random order": np.random.default_rng(seed).permutation(count), "in reverse": np.arange(count)[::-1]}
    for where, order in orders.items():
        result = attempt(features, rows.take(pa.array(order)))
        if not isinstance(result, Failure):
            result = result.take(pa.array(np.argsort(order)))
        repetition = _against(first, result, tolerance, where)
        if not repetition.holds:
            return repetition
    return Repetition((), rows=count)


def without_later(
    features: Compute, rows: pa.Table, first: pa.Table, times: pa.Array, cuts: int, tolerance: Tolerance
) -> tuple[Repetition, ...]:
    """Compute the sample without the rows after a point in time; earlier rows must keep their features.

    Args:
        features: feature code.
        rows: the sample.
        first: its features.
        times: the time of each row, comparable; rows without one are left out.
        cuts: number of points in time, evenly spread over the rows' times; the last time itself is none.

    Returns:
        One repetition a cut, the earliest first; none when there are not two different times.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    known = np.sort(times.drop_null().cast(pa.int64() if pa.types.is_timestamp(times.type) else times.type).to_numpy())
    distinct = np.unique(known)
    if len(distinct) < 2:
        return ()
    chosen = np.unique(known[(np.arange(1, cuts + 1) * len(known) // (cuts + 1))])
    values = times.cast(pa.int64()) if pa.types.is_timestamp(times.type) else times
    repetitions = []
    for cut in chosen[chosen < distinct[-1]] if (chosen < distinct[-1]).any() else distinct[:1]:
        early = pc.fill_null(pc.less_equal(values, pa.scalar(cut.item(), values.type)), False)
        result = attempt(features, rows.filter(early))
        when = pa.scalar(cut.item(), values.type).cast(times.type).as_py()
        repetitions.append(_against(first.filter(early), result, tolerance, f"after {when}"))
    return tuple(repetitions)


def copy_of(rows: pa.Table) -> pa.Table:
    """Copy rows into memory of their own."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return pa.ipc.open_stream(pa.BufferReader(sink.getvalue().to_pybytes())).read_all()


def _against(
    expected: pa.Table, result: pa.Table | Failure, tolerance: Tolerance, where: str, *, types: bool = False
) -> Repetition:
    if isinstance(result, Failure):
        return Repetition((), result, expected.num_rows, where)
    if result.num_rows != expected.num_rows:
        message = f"{result.num_rows:,} rows for {expected.num_rows:,}"
        return Repetition((), Failure(message, False), expected.num_rows, where)
    return Repetition(compare(expected, result, tolerance, types=types), None, expected.num_rows, where)


def _other_kinds(expected: pa.Table, found: pa.Table) -> tuple[Difference, ...]:
    """Find features that are numbers on one side only."""
    pairs = [(name, expected.column(name).type, found.column(name).type) for name in expected.column_names]
    return tuple(
        Difference(name, "type", 1, 1, expected=str(first), found=str(second))
        for name, first, second in pairs
        if is_number(first) != is_number(second) and not _is_null(first) and not _is_null(second)
    )


def _plain(row: pa.Table, like: pa.Schema) -> pa.Table:
    """Cast one row so that it concatenates with others: numbers to float64, all else to the type in the batch."""
    import pyarrow as pa

    def as_batch(name: str) -> pa.ChunkedArray:
        kind = like.field(name).type
        return row.column(name).cast(pa.float64() if is_number(kind) else kind, safe=False)

    return pa.table({name: as_batch(name) for name in like.names})


def _is_null(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_null(kind))
