"""Small tables for the integrity gate: snapshots, pinned reference tables, and the gate on both."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.source import resolve
from gauntlet.settings import parse
from snapshots import write_snapshot

QUIET = {"conflicts": False, "leakage": False}
"""Neither of the checks of the label that are on by default."""


def pinned(folder: Path, **tables):
    """Write reference tables (columns as mappings, or Arrow tables) as Parquet, and pin them under their names."""
    sources = []
    for name, columns in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
        sources.append({"uri": str(path), "table": name})
    return resolve(sources)


def examine(folder: Path, splits, policy, *, roles=None, sources=(), **tables):
    """Run the gate on splits given as mappings of columns, or as one mapping for the training split."""
    if not all(isinstance(columns, dict | pa.Table) for columns in splits.values()):
        splits = {"train": splits}
    written = {
        name: columns if isinstance(columns, pa.Table) else pa.table(columns) for name, columns in splits.items()
    }
    per_part = max(7, max(table.num_rows for table in written.values()) // 3)
    snapshot = write_snapshot(folder / "snapshot", written, roles, rows_per_part=per_part)
    files = [*pinned(folder, **tables), *resolve(sources)]
    return check_integrity(snapshot, files, parse(IntegrityPolicy, policy, field="policy"))


def checks(result):
    """Name → check."""
    return {check.name: check for check in result.verdict.checks}


def statuses(result):
    """Name → status."""
    return {check.name: check.status.value for check in result.verdict.checks}
