"""Features through a Parquet file, and rows that came through one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gauntlet.features.properties.calling import Compute, Failure, attempt
from gauntlet.features.properties.comparing import EXACT, Tolerance, compare
from gauntlet.features.properties.repeating import Repetition
from gauntlet.parquet import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

AS_A_FRAME = "from rows that pandas had read"


def through_parquet(first: pa.Table) -> Repetition:
    """Features written and read back: the same values to the last bit, and the same types.

    Arrow's own notes in the file are left out, so that what comes back is what any other reader of the store gets:
    with them, a type that Parquet does not have would come back here and nowhere else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    try:
        pq.write_table(first, sink, store_schema=False)
        back = read_parquet(pa.BufferReader(sink.getvalue()), "features")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        message = str(error).strip().splitlines()[0]
        return Repetition((), Failure(f"{type(error).__name__}: {message}", False), first.num_rows, "in a Parquet file")
    return Repetition(compare(first, back, EXACT, types=True), None, first.num_rows, "in a Parquet file")


def from_stored_rows(features: Compute, rows: pa.Table, first: pa.Table, tolerance: Tolerance) -> Repetition:
    """Rows as a table written and read by pandas holds them: integers with a missing value have become real numbers.

    Code that turns such a code into text gives ``3.0`` for what was ``3``, and no category of that name was ever seen.
    """
    result = attempt(features, as_pandas_holds(rows))
    if isinstance(result, Failure):
        return Repetition((), result, rows.num_rows, AS_A_FRAME)
    return Repetition(compare(first, result, tolerance), None, rows.num_rows, AS_A_FRAME)


def as_pandas_holds(rows: pa.Table) -> pa.Table:
    """The rows with the types that pandas leaves after reading them, without needing pandas."""
    import pyarrow as pa

    for index, field in enumerate(rows.schema):
        if pa.types.is_integer(field.type) and rows.column(index).null_count:
            rows = rows.set_column(index, field.name, rows.column(index).cast(pa.float64(), safe=False))
    return rows
