"""A snapshot: the immutable, typed copy of the data that everything after it reads.

    <snapshot>/snapshot.json                what it is: columns, roles, splits, sources, digest
    <snapshot>/<split>/part-00000.parquet   the rows, split by split, at most ``ROWS_PER_PART`` a part

Every row has an ``example_id`` (string, unique within the snapshot). Column types are reduced to five: ``int`` (int64),
``float`` (double), ``string``, ``bool``, ``timestamp`` (microseconds, UTC); a missing value is a null, never a NaN or
an empty string. ``gauntlet.data.importing`` writes snapshots; this module reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.roles import Roles
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError
from gauntlet.parquet import open_parquet
from gauntlet.settings import parse
from gauntlet.storage import absence

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "gauntlet.snapshot/1"
MANIFEST = "snapshot.json"
EXAMPLE_ID = "example_id"
ROWS_PER_PART = 1_000_000


@dataclass(frozen=True)
class Snapshot:
    """A snapshot on disk, opened for reading.

    Attributes:
        path: its folder.
        digest: content digest of the rows, their order, their types and their roles; not of where they came from.
        columns: name → ``int | float | string | bool | timestamp``; ``example_id`` is not listed.
        roles: what each column is for.
        splits: name → number of rows.
        parts: split → its part files, relative to ``path``, in order.
        sources: the pinned files it was read from (``uri``, ``version``, …), as ``resolve_source`` returned them.
        notes: what a person should know of the data, one sentence each.
    """

    path: Path
    digest: str
    columns: Mapping[str, str]
    roles: Roles
    splits: Mapping[str, int]
    parts: Mapping[str, Sequence[str]]
    sources: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()

    @classmethod
    def open(cls, path: Path) -> Snapshot:
        r"""Open a snapshot.

        Raises:
            DataError: no snapshot there, another format, or a part is missing.

        >>> import tempfile
        >>> from gauntlet.data import import_files
        >>> folder = Path(tempfile.mkdtemp())
        >>> written = (folder / "loans.csv").write_text("income,repaid\n1200,1\n,0\n2500,1\n")
        >>> whole = {"fractions": {"train": 1}}
        >>> imported = import_files(folder / "loans.csv", folder / "out", roles={"label": "repaid"}, split=whole)
        >>> snapshot = Snapshot.open(folder / "out")
        >>> snapshot.digest == imported.digest
        True
        >>> snapshot.table("train", ["income"]).to_pydict()
        {'income': [1200, None, 2500]}
        """
        manifest = path / MANIFEST
        try:
            document = json.loads(manifest.read_text())
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            snapshot = cls(
                path=path,
                digest=document["digest"],
                columns=document["columns"],
                roles=parse(Roles, document["roles"], field="snapshot.roles"),
                splits={name: split["rows"] for name, split in document["splits"].items()},
                parts={name: split["parts"] for name, split in document["splits"].items()},
                sources=document["sources"],
                notes=document.get("notes", []),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not a snapshot", field=str(manifest), value=str(error), mend="Import the data again"
            ) from error
        for name in (part for parts in snapshot.parts.values() for part in parts):
            if not (path / name).is_file():
                raise BrokenArtifact("a part is missing", field=str(path / name), mend="Import the data again")
        return snapshot

    @property
    def features(self) -> tuple[str, ...]:
        """Columns a model may learn from, in the snapshot's order."""
        return tuple(name for name in self.columns if name not in self.roles.not_features)

    def require_split(self, split: str) -> None:
        """Make sure that ``split`` exists and has rows.

        Raises:
            ConfigurationError: no such split.
            DataError: the split is empty.
        """
        if split not in self.splits:
            known = ", ".join(self.splits)
            raise ConfigurationError("no such split", field="split", value=split, mend=f"Use one of: {known}")
        if not self.splits[split]:
            raise DataError("has no rows", field=f"split {split}", mend="Widen the split or check the source")

    def batches(self, split: str, columns: Sequence[str] | None = None, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Stream a split in bounded memory.

        Args:
            split: name of the split.
            columns: which columns, in this order; default ``example_id`` and all others.
            rows: most rows a batch.

        Raises:
            ConfigurationError: unknown split or column.
            DataError: a part cannot be read (truncated, not Parquet).
        """
        import pyarrow as pa

        self.require_split(split)
        wanted = [EXAMPLE_ID, *self.columns] if columns is None else list(columns)
        for name in wanted:
            if name != EXAMPLE_ID and name not in self.columns:
                raise ConfigurationError(
                    "no such column in the snapshot", field=name, mend=f"Use one of: {', '.join(self.columns)}"
                )
        for part in self.parts[split]:
            try:
                # Without pre_buffer, or all of the part's columns are held at once.
                with open_parquet(self.path / part, str(self.path / part), pre_buffer=False) as file:
                    for batch in file.iter_batches(batch_size=rows, columns=wanted):
                        # RecordBatch.select came after the oldest Arrow that reads snapshots.
                        order = [batch.schema.get_field_index(name) for name in wanted]
                        yield pa.RecordBatch.from_arrays(
                            [batch.column(index) for index in order],
                            schema=pa.schema([batch.schema.field(index) for index in order]),
                        )
            except (OSError, pa.ArrowInvalid) as error:
                raise BrokenArtifact(
                    "cannot be read as Parquet",
                    field=str(self.path / part),
                    value=str(error),
                    mend="Import the data again",
                ) from error

    def table(self, split: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A split in memory; see ``batches`` for arguments and errors."""
        import pyarrow as pa

        return pa.Table.from_batches(list(self.batches(split, columns)))


def open_if_there(path: Path) -> Snapshot | None:
    """Open an optional snapshot; ``None`` when it is absent.

    Raises:
        DataError: there is something, but not a snapshot.
    """
    return None if absence(path) else Snapshot.open(path)
