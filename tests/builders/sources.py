"""Small source files, and importing them."""

import json
from pathlib import Path

from gauntlet.data.importing import import_snapshot
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions
from gauntlet.settings import parse

N = 200
COLUMNS = {
    "id": [f"r{number}" for number in range(N)],
    "x": [number / 4 for number in range(N)],
    "n": list(range(N)),
    "c": ["north" if number % 3 else "south" for number in range(N)],
    "y": [number % 2 for number in range(N)],
}
KEYED = {"label": "y", "key": ["id"]}
ALL_TRAIN = {"fractions": {"train": 1.0}}


def csv_text(**columns):
    """CSV with a header; ``None`` is an empty field."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


def write_csv(path: Path, **columns):
    path.write_text(csv_text(**columns))
    return path


def write_jsonl(path: Path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


def load(path, destination, *, roles=None, reader=None, split=None, purpose="training", most_rows=0):
    """Resolve and import one path, pattern or list of sources, with options as a user writes them."""
    sources = path if isinstance(path, list) else [{"uri": str(path)}]
    return import_snapshot(
        resolve(sources),
        destination,
        roles=parse(Roles, {"label": "y"} if roles is None else roles, field="roles"),
        reader=parse(ReaderOptions, reader, field="reader"),
        split=parse(SplitOptions, split, field="split"),
        purpose=purpose,
        most_rows=most_rows,
    )


def rows(snapshot, columns=None):
    """All rows of a snapshot as dicts, split by split."""
    found = []
    for split, count in snapshot.splits.items():
        if count:
            found.extend({"split": split, **row} for row in snapshot.table(split, columns).to_pylist())
    return found


def column(snapshot, name):
    """One column's values by example_id's order of appearance in all splits, sorted by example_id."""
    return [row[name] for row in sorted(rows(snapshot), key=lambda row: row["example_id"])]
