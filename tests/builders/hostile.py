"""Parquet files that carry a program, and every way of ours to open one."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gauntlet.data.reader import raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.prediction.format import read_rows


class Program:
    """What, unpickled, makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def hostile_file(path: Path, marker: Path, *, nested: bool = False) -> Path:
    """A Parquet file that makes the folder ``marker`` when an Arrow before 14.0.1 looks at it.

    The type is written down as the file format does, in the field's metadata: no Arrow that knows it is needed.
    """
    program = pickle.dumps(Program(marker), protocol=2)
    metadata = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": program}
    field = pa.field("hours", pa.int64(), metadata=metadata)
    if nested:
        field = pa.field("shift", pa.list_(pa.struct([field])))
        columns = [pa.array([[{"hours": number}] for number in range(4)], field.type)]
    else:
        columns = [pa.array(range(4), field.type)]
    schema = pa.schema([field, pa.field("y", pa.int64())])
    pq.write_table(pa.Table.from_arrays([*columns, pa.array([0, 1, 0, 1])], schema=schema), path)
    return path


def _raw(path: Path) -> Any:
    return list(raw_batches(path, path.name, "parquet", ReaderOptions()))


def _some_columns(path: Path) -> Any:
    return list(raw_batches(path, path.name, "parquet", ReaderOptions(), needed={"y"}))


def _snapshot(path: Path) -> Any:
    snapshot = Snapshot(path.parent, "", {"y": "int"}, Roles(), {"train": 4}, {"train": [path.name]}, ())
    return snapshot.table("train")


def _predictions(path: Path) -> Any:
    return read_rows(path.parent)


OPENED_EVERYWHERE: dict[str, Callable[[Path], Any]] = {
    "a file to import": _raw,
    "some columns of it": _some_columns,
    "a snapshot": _snapshot,
    "predictions": _predictions,
}


def assert_refused(open_file: Callable[[Path], Any], folder: Path) -> None:
    """Opening is refused in words, and the program has not run."""
    for nested in (False, True):
        marker = folder / "marker"
        path = hostile_file(folder / "part-0.parquet", marker, nested=nested)
        with pytest.raises(DataError, match=r"program.*CVE-2023-47248") as raised:
            open_file(path)
        assert path.name in str(raised.value)
        assert not marker.exists()
