"""Round trips through Parquet: of the features, and of the rows that they are computed from."""

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
    """Write features and read them back: values must be bit-identical and types the same.

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
    """Compute features of rows as pandas reads them from Parquet: integers with missing values have become floats.

    Code that turns such a code into text gives ``3.0`` for what was ``3``, and no category of that name was ever seen.
    """
    result = attempt(features, as_pandas_holds(rows))
    if isinstance(result, Failure):
        return Repetition((), result, rows.num_rows, AS_A_FRAME)
    return Repetition(compare(first, result, tolerance), None, rows.num_rows, AS_A_FRAME)


def as_pandas_holds(rows: pa.Table) -> pa.Table:
    """Cast rows to the types that pandas gives them on reading, without needing pandas."""
    import pyarrow as pa

    for index, field in enumerate(rows.schema):
        if pa.types.is_integer(field.type) and rows.column(index).null_count:
            rows = rows.set_column(index, field.name, rows.column(index).cast(pa.float64(), safe=False))
    return rows
