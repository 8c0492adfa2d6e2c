"""A variant of a snapshot: the same columns and roles, some splits holding other rows.

Trials and re-runs need one: a bounded sample, a resample with repeated rows, labels shuffled. Only the splits that
change are written; the others are read from where they are, so a variant lives as long as its origin and its folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.snapshot import ROWS_PER_PART, Snapshot
from gauntlet.digest import digest_file, digest_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROW_GROUP = 125_000


def variant(snapshot: Snapshot, folder: Path, changed: Mapping[str, pa.Table]) -> Snapshot:
    """Write the changed splits and give the snapshot that has them.

    Args:
        snapshot: the origin.
        folder: where the changed splits go; made if it is not there.
        changed: split → its rows, with the origin's columns. A split of the origin that is not named stays as it is;
            one with no rows is empty.

    Returns:
        The variant, with a digest of its own.
    """
    import pyarrow.parquet as pq

    parts = {name: [str((snapshot.path / part).resolve()) for part in found] for name, found in snapshot.parts.items()}
    splits, digests = dict(snapshot.splits), {}
    for name, table in changed.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        parts[name] = []
        for number, start in enumerate(range(0, max(table.num_rows, 1), ROWS_PER_PART)):
            part = (folder / name / f"part-{number:05d}.parquet").resolve()
            pq.write_table(table.slice(start, ROWS_PER_PART), part, row_group_size=ROW_GROUP)
            parts[name].append(str(part))
        splits[name] = table.num_rows
        digests[name] = [digest_file(Path(part)) for part in parts[name]]
    digest = digest_json({"origin": snapshot.digest, "changed": digests})
    return replace(snapshot, path=folder, digest=digest, splits=splits, parts=parts)


def take(snapshot: Snapshot, split: str, positions: np.ndarray) -> pa.Table:
    """Rows of a split by position, with ``example_id``, streamed: only what is taken is held.

    Args:
        snapshot: the data.
        split: which rows.
        positions: (n,) ascending row numbers; a number that is repeated repeats its row.

    Raises:
        ConfigurationError: no such split.
        DataError: the split is empty or unreadable.
    """
    import numpy as np
    import pyarrow as pa

    taken: list[pa.RecordBatch] = []
    start = 0
    for batch in snapshot.batches(split):
        first, last = np.searchsorted(positions, [start, start + batch.num_rows])
        if last > first or not taken:
            taken.append(batch.take(pa.array(positions[first:last] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(taken)
