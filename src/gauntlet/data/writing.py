"""Writing a snapshot's parts and computing its digest, in memory that does not grow with rows.

Rows are gathered into row groups of a fixed size, so that parts and digest do not depend on how the rows arrived. The
digest is of Arrow's values, not of Parquet's bytes: another version of the writer gives the same digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import EXAMPLE_ID, FORMAT, MANIFEST, ROWS_PER_PART
from gauntlet.digest import digest_json
from gauntlet.storage import write_text

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 125_000
"""Divides ``ROWS_PER_PART``."""


class SplitWriter:
    """Writes the rows of one split in order; a context manager.

    Args:
        folder: the snapshot's folder.
        split: its name.
        schema: ``example_id`` and the columns.
    """

    def __init__(self, folder: Path, split: str, schema: pa.Schema) -> None:
        self.parts: list[str] = []
        self.rows = 0
        self._folder = folder
        self._split = split
        self._schema = schema
        self._groups = 0
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._writer: Any = None
        self._state = hashlib.sha256()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if batch.num_rows:
            self._pending.append(batch)
            self._pending_rows += batch.num_rows
        if self._pending_rows >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def __enter__(self) -> SplitWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is left; after an error, only let go of the file."""
        if kind is None:
            self._flush(1)
        self._end_part()

    @property
    def digest(self) -> str:
        """Digest of the rows written; complete once the writer is closed."""
        return "sha256:" + self._state.hexdigest()

    def _flush(self, at_least: int) -> None:
        import pyarrow as pa

        if self._pending_rows < at_least:
            return
        table = pa.Table.from_batches(self._pending, self._schema).combine_chunks()
        start = 0
        while table.num_rows - start >= at_least:
            group = table.slice(start, ROW_GROUP)
            self._write_group(group)
            start += group.num_rows
        rest = table.slice(start)
        self._pending, self._pending_rows = rest.to_batches(), rest.num_rows

    def _write_group(self, group: pa.Table) -> None:
        import pyarrow.parquet as pq

        if self._writer is None or self._groups == ROWS_PER_PART // ROW_GROUP:
            self._end_part()
            name = f"{self._split}/part-{len(self.parts):05}.parquet"
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            # A dictionary of values that are all different, as identifiers are, costs space and gains none.
            text = [field.name for field in self._schema if field.type == "string" and field.name != EXAMPLE_ID]
            self._writer = pq.ParquetWriter(path, self._schema, version="2.6", use_dictionary=text)
            self.parts.append(name)
        _digest_values(self._state, group)
        self._writer.write_table(group, row_group_size=ROW_GROUP)
        self.rows += group.num_rows
        self._groups += 1

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._groups = None, 0


def write_manifest(
    folder: Path,
    *,
    columns: Mapping[str, str],
    roles: Roles,
    writers: Mapping[str, SplitWriter],
    sources: Sequence[Mapping[str, Any]],
    notes: Sequence[str] = (),
) -> None:
    """Write ``snapshot.json``.

    Its digest covers columns, roles and every split's rows, not where they came from nor what values are called.
    """
    plain_roles = roles.model_dump(mode="json")
    digest = digest_json(
        {
            "format": FORMAT,
            "columns": list(columns.items()),
            "roles": {role: value for role, value in plain_roles.items() if role != "labels"},
            "splits": [[name, writer.rows, writer.digest] for name, writer in writers.items()],
        }
    )
    document = {
        "format": FORMAT,
        "digest": digest,
        "columns": columns,
        "roles": plain_roles,
        "splits": {name: {"rows": writer.rows, "parts": writer.parts} for name, writer in writers.items()},
        "sources": list(sources),
        "notes": list(notes),
    }
    # Not write_json, which sorts keys: the order of columns and of splits is part of what a snapshot is.
    write_text(folder / MANIFEST, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _digest_values(state: Any, group: pa.Table) -> None:
    """Feed a row group into a hash: column by column which values are there, then the values, a missing one as zero."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    state.update(group.num_rows.to_bytes(8, "little"))
    for column in group.columns:
        for chunk in column.chunks:
            valid = chunk.is_valid().to_numpy(zero_copy_only=False)
            state.update(np.packbits(valid, bitorder="little").tobytes())
            if pa.types.is_string(chunk.type):
                filled = pc.fill_null(chunk, "")
                state.update(pc.binary_length(filled).to_numpy(zero_copy_only=False).astype("<i4").tobytes())
                state.update(_string_bytes(filled))
                continue
            if pa.types.is_timestamp(chunk.type):
                chunk = chunk.cast(pa.int64())
            filled = pc.fill_null(chunk, pa.scalar(0).cast(chunk.type))
            values = filled.to_numpy(zero_copy_only=False)
            state.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _string_bytes(text: pa.Array) -> memoryview:
    import numpy as np

    _, offsets, content = text.buffers()
    if content is None or not len(text):
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int32)
    return memoryview(content)[ends[text.offset] : ends[text.offset + len(text)]]
