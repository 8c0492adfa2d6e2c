"""Files that would run a program, fill the memory or leave their folder, in whatever of our readers opens them.

Each is imported as a team would. It is refused in words, or read as the text it is: then everything that data go
through afterwards runs on it too (statistics, checks in SQL, pages).
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.hostile import Program, hostile_file
from gauntlet.data import import_files
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import Pinned
from gauntlet.data.statistics import write_statistics
from gauntlet.errors import DataError
from gauntlet.reports.views.integrity import integrity_page
from gauntlet.reports.views.statistics import statistics_page

ROWS = 60


def pickled(marker: Path, protocol: int = 4) -> bytes:
    return pickle.dumps(Program(marker), protocol=protocol)


def archive(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return stream.getvalue()


def numpy_objects(marker: Path) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Program(marker)], dtype=object), allow_pickle=True)
    return stream.getvalue()


def arrow_file(marker: Path, *, stream: bool = False) -> bytes:
    metadata = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickled(marker, 2)}
    schema = pa.schema([pa.field("hours", pa.int64(), metadata=metadata)])
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, schema) as writer:
        writer.write_batch(pa.record_batch([pa.array([1, 2])], schema=schema))
    return sink.getvalue()


def parquet_notes(marker: Path) -> bytes:
    """A plain table; the file's own notes, which libraries read, hold programs."""
    schema = pa.schema([pa.field("x", pa.int64()), pa.field("y", pa.int64())])
    notes = {
        b"pandas": b'{"index_columns": [], "x": "' + pickled(marker, 0).hex().encode() + b'"}',
        b"geo": pickled(marker),
    }
    sink = io.BytesIO()
    table = pa.table({"x": range(ROWS), "y": [n % 2 for n in range(ROWS)]}, schema=schema)
    pq.write_table(table.replace_schema_metadata(notes), sink)
    return sink.getvalue()


def parquet_schema(marker: Path) -> bytes:
    """The schema that Arrow writes beside Parquet's own is a program."""
    sink = io.BytesIO()
    notes = {b"ARROW:schema": base64.b64encode(pickled(marker))}
    pq.write_table(pa.table({"x": [1], "y": [1]}).replace_schema_metadata(notes), sink)
    return sink.getvalue()


def parquet(marker: Path, *, nested: bool) -> bytes:
    path = hostile_file(marker.with_name("made.parquet"), marker, nested=nested)
    content = path.read_bytes()
    path.unlink()
    return content


def table(name: str, cells: Callable[[int], str]) -> bytes:
    lines = [f'"{name.replace(chr(34), chr(34) * 2)}",n,y']
    for row in range(ROWS):
        text = cells(row).replace('"', '""')
        lines.append(f'"{text}",{row},{row % 2}')
    return "\n".join(lines).encode()


def mixed(cell: str) -> bytes:
    return table("text", lambda row: cell if row % 2 else f"plain {row % 5}")


REFUSED: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "a pickle for a table": ("a.csv", pickled),
    "an old pickle": ("a.csv", lambda marker: pickled(marker, 2)),
    "a pickle of text": ("a.jsonl", lambda marker: pickled(marker, 0)),
    "a pickle of text for a table": ("a.csv", lambda marker: pickled(marker, 0)),
    "a pickle for Parquet": ("a.parquet", pickled),
    "a pickle for JSON": ("a.jsonl", pickled),
    "a packed pickle": ("a.csv.gz", lambda marker: gzip.compress(pickled(marker))),
    "a pickle as bz2": ("a.csv.bz2", lambda marker: bz2.compress(pickled(marker))),
    "a pickle as xz": ("a.csv.xz", lambda marker: lzma.compress(pickled(marker))),
    "a pickle as joblib writes it": ("a.csv", lambda marker: zlib.compress(pickled(marker))),
    "a pickle in an archive": ("a.zip", lambda marker: archive({"a.csv": pickled(marker)})),
    "objects of NumPy": ("a.csv", numpy_objects),
    "an archive of NumPy": ("a.npz", lambda marker: archive({"a.npy": numpy_objects(marker)})),
    "a model of PyTorch": ("a.zip", lambda marker: archive({"m/data.pkl": pickled(marker), "m/version": b"3"})),
    "a type of Parquet that runs": ("a.parquet", lambda marker: parquet(marker, nested=False)),
    "such a type inside another": ("a.parquet", lambda marker: parquet(marker, nested=True)),
    "a program for Parquet's schema": ("a.parquet", parquet_schema),
    "a type of Arrow that runs": ("a.csv", arrow_file),
    "the same for Parquet": ("a.parquet", arrow_file),
    "a stream of Arrow": ("a.parquet", lambda marker: arrow_file(marker, stream=True)),
    "an XML document with an entity": (
        "a.csv",
        lambda _: b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
    ),
    "a web page with a script": ("a.csv", lambda _: b"<!doctype html><script>alert(1)</script>"),
    "JSON nested without end": ("a.jsonl", lambda _: b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "two tables in an archive": ("a.zip", lambda _: archive({"a.csv": mixed("x"), "b.csv": mixed("x")})),
}
READ: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "programs in Parquet's notes": ("a.parquet", parquet_notes),
    "an archive that leaves its folder": ("a.zip", lambda marker: archive({f"../{marker.name}/a.csv": mixed("x")})),
    "YAML that makes objects": ("a.csv", lambda m: mixed(f"!!python/object/apply:os.mkdir ['{m}']")),
    "JSON that makes objects": (
        "a.jsonl",
        lambda m: b"\n".join(
            json.dumps({"py/reduce": f"os.mkdir('{m}')", "__class__": "os.mkdir", "n": n, "y": n % 2}).encode()
            for n in range(ROWS)
        ),
    ),
    "a formula": ("a.csv", lambda m: mixed(f"=cmd|'/C mkdir {m}'!A0")),
    "a shell's command": ("a.csv", lambda m: mixed(f"$(mkdir {m}) `mkdir {m}`; mkdir {m}")),
    "a template": ("a.csv", lambda m: mixed("{{ cycler.__init__.__globals__.os.mkdir('" + str(m) + "') }}")),
    "SQL": ("a.csv", lambda m: mixed(f"'; COPY (SELECT 1) TO '{m}'; --")),
    "a script": ("a.csv", lambda _: mixed("</script><script>alert(1)</script><img src=x onerror=alert(1)>")),
    "a column named in SQL": ("a.csv", lambda m: table(f"x\"; COPY (SELECT 1) TO '{m}'; --", lambda row: str(row % 7))),
    "a column named by a function of SQL": (
        "a.csv",
        lambda m: table("read_text('x')", lambda r: str(r % 7)),
    ),
    "a column named as a template": ("a.csv", lambda m: table("{{ 7 * 191 }}", lambda row: str(row % 7))),
    "a column named as a script": ("a.csv", lambda m: table("<script>alert(1)</script>", lambda row: str(row % 7))),
    "a column named as a path": ("a.csv", lambda m: table("../../../" + m.name, lambda row: str(row % 7))),
}


def import_one(folder: Path, name: str, content: bytes) -> Snapshot:
    inside = folder / "in"
    inside.mkdir()
    (inside / name).write_bytes(content)
    return import_files(inside / name, folder / "snapshot", roles={"label": "y"})


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


def left(folder: Path) -> list[str]:
    """What lies in a folder, besides what was put there."""
    return sorted(set(os.listdir(folder)) - {"in", "snapshot", "statistics"})


@pytest.mark.parametrize(("name", "make"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_and_does_not_run(tmp_path, marker, name, make):
    content = make(marker)
    with pytest.raises(DataError):
        import_one(tmp_path, name, content)
    assert left(tmp_path) == []
    assert not (tmp_path / "snapshot").exists()


@pytest.mark.parametrize(("name", "make"), READ.values(), ids=READ)
def test_what_is_text_stays_text_wherever_data_go(tmp_path, marker, name, make):
    snapshot = import_one(tmp_path, name, make(marker))
    assert sum(snapshot.splits.values()) == ROWS
    statistics = write_statistics(snapshot, tmp_path / "statistics")
    integrity = check_integrity(snapshot, list[Pinned](), IntegrityPolicy())
    for page in (statistics_page(statistics), integrity_page(integrity)):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "1337" not in page, "a name was taken for a template"
    assert left(tmp_path) == []


def test_there_are_twenty_kinds():
    assert len(REFUSED) + len(READ) >= 20
