"""The same rows again, alone, in another order, without the later ones: their features must stay what they are."""

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
    """What a repetition showed.

    Attributes:
        differences: features that came out otherwise than at first.
        failure: why there was nothing to compare, if so.
        rows: rows compared.
        where: which repetition it was, where there are several: ``in another process``, ``row 17 alone``.
    """

    differences: tuple[Difference, ...]
    failure: Failure | None = None
    rows: int = 0
    where: str = ""

    @property
    def holds(self) -> bool:
        """Nothing differed and nothing failed."""
        return not self.differences and self.failure is None


def again(features: Compute, rows: pa.Table, first: pa.Table, tolerance: Tolerance, where: str = "") -> Repetition:
    """The same rows once more, as a copy of their own (nothing is remembered by identity).

    Args:
        features: what computes them now: the same code, or that code in another process.
        rows: the rows.
        first: their features as they came out at first.
        tolerance: for numbers; types must be the same as well.
        where: said in the finding.
    """
    return _against(first, attempt(features, copy_of(rows)), tolerance, where, types=True)


def one_at_a_time(
    features: Compute, rows: pa.Table, batch: pa.Table, positions: np.ndarray, tolerance: Tolerance
) -> Repetition:
    """Rows alone against the same rows in a batch.

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
    found = pa.concat_tables(alone)
    return Repetition(compare(batch.take(pa.array(positions)), found, tolerance), rows=len(positions))


def permuted(features: Compute, rows: pa.Table, first: pa.Table, seed: int, tolerance: Tolerance) -> Repetition:
    """The rows in a random order, and in reverse; each must have the features it had."""
    import numpy as np
    import pyarrow as pa

    count = rows.num_rows
    orders = {"in random order": np.random.default_rng(seed).permutation(count), "in reverse": np.arange(count)[::-1]}
    for where, order in orders.items():
        result = attempt(features, rows.take(pa.array(order)))
        if not isinstance(result, Failure):
            result = result.take(pa.array(np.argsort(order)))
        found = _against(first, result, tolerance, where)
        if not found.holds:
            return found
    return Repetition((), rows=count)


def without_later(
    features: Compute, rows: pa.Table, first: pa.Table, times: pa.Array, cuts: int, tolerance: Tolerance
) -> tuple[Repetition, ...]:
    """The sample cut off at points in time: what was known then must be what is computed now.

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
    found = []
    for cut in chosen[chosen < distinct[-1]] if (chosen < distinct[-1]).any() else distinct[:1]:
        early = pc.fill_null(pc.less_equal(values, pa.scalar(cut.item(), values.type)), False)
        result = attempt(features, rows.filter(early))
        when = pa.scalar(cut.item(), values.type).cast(times.type).as_py()
        found.append(_against(first.filter(early), result, tolerance, f"after {when}"))
    return tuple(found)


def copy_of(rows: pa.Table) -> pa.Table:
    """The same rows in memory of their own."""
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
    """Features that are numbers on one side and something else on the other."""
    pairs = [(name, expected.column(name).type, found.column(name).type) for name in expected.column_names]
    return tuple(
        Difference(name, "type", 1, 1, expected=str(first), found=str(second))
        for name, first, second in pairs
        if is_number(first) != is_number(second) and not _is_null(first) and not _is_null(second)
    )


def _plain(row: pa.Table, like: pa.Schema) -> pa.Table:
    """One row in types that go together with other rows': any number is a real one, anything else as in the batch."""
    import pyarrow as pa

    def as_batch(name: str) -> pa.ChunkedArray:
        kind = like.field(name).type
        return row.column(name).cast(pa.float64() if is_number(kind) else kind, safe=False)

    return pa.table({name: as_batch(name) for name in like.names})


def _is_null(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_null(kind))
