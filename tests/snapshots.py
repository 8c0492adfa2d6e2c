"""Small snapshots written by hand, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gauntlet.data.snapshot import EXAMPLE_ID, FORMAT, MANIFEST, Snapshot
from gauntlet.digest import digest_bytes

_KINDS = {
    pa.int64(): "int",
    pa.float64(): "float",
    pa.string(): "string",
    pa.bool_(): "bool",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


def write_snapshot(
    folder: Path,
    splits: Mapping[str, pa.Table],
    roles: Mapping[str, Any] | None = None,
    rows_per_part: int = 1_000_000,
) -> Snapshot:
    """Write tables as the splits of a snapshot; types are those of the tables."""
    columns = {field.name: _KINDS[field.type] for field in next(iter(splits.values())).schema}
    described = {}
    for name, table in splits.items():
        ids = pa.array([f"{name}-{row:08d}" for row in range(table.num_rows)])
        table = table.add_column(0, EXAMPLE_ID, ids)
        (folder / name).mkdir(parents=True, exist_ok=True)
        parts = []
        for start in range(0, max(table.num_rows, 1), rows_per_part):
            part = f"{name}/part-{len(parts):05d}.parquet"
            pq.write_table(table.slice(start, rows_per_part), folder / part)
            parts.append(part)
        described[name] = {"rows": table.num_rows, "parts": parts}
    document = {
        "format": FORMAT,
        "digest": digest_bytes(repr(sorted(described.items())).encode()),
        "columns": columns,
        "roles": dict(roles or {}),
        "splits": described,
        "sources": [],
    }
    (folder / MANIFEST).write_text(json.dumps(document))
    return Snapshot.open(folder)
