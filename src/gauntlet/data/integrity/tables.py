"""The snapshot's rows and the reference tables, as DuckDB sees them: on disk, counted in bounded memory.

Files are lent to DuckDB under names of our own in a scratch folder, and their columns are bound by position to names of
our own, so that no character of a path or of a column's name means anything to it. It loads no extensions and reaches
no network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.columns import ColumnType
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.integrity.reading import write_reference
from gauntlet.data.integrity.sql import ID, ROWS, SPLIT, Name, listed, numbered, text
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.data.source import Pinned
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.parquet import open_parquet

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Reference:
    """A reference table.

    Attributes:
        relation: what it is called in queries.
        names: the columns read of it → their names in queries.
    """

    relation: str
    names: Mapping[str, Name]

    def named(self, columns: Iterable[str]) -> tuple[Name, ...]:
        """Columns as queries name them."""
        return tuple(self.names[column] for column in columns)


@dataclass(frozen=True)
class Tables:
    """Tables that can be asked.

    Attributes:
        connection: DuckDB's; ``rows`` is the snapshot with its splits.
        columns: the snapshot's columns and their types.
        names: the snapshot's columns → their names in queries.
        roles: the snapshot's roles.
        features: columns a model may learn from.
        splits: split → rows.
        references: reference table → what queries call it and its columns.
    """

    connection: Any
    columns: Mapping[str, str]
    names: Mapping[str, Name]
    roles: Roles
    features: tuple[str, ...]
    splits: Mapping[str, int]
    references: Mapping[str, Reference]

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(self.splits.values())

    @property
    def cluster(self) -> tuple[Name, ...]:
        """The column of what rows share, as queries name it; none where the roles name none."""
        return self.named([self.roles.cluster]) if self.roles.cluster in self.columns and self.roles.cluster else ()

    def named(self, columns: Iterable[str]) -> tuple[Name, ...]:
        """Columns of the snapshot as queries name them."""
        return tuple(self.names[column] for column in columns)

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """Every row of the answer.

        Raises:
            DataError: a file cannot be read.
            ConfigurationError: the memory does not suffice.
        """
        with _explained():
            found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def one(self, query: str) -> tuple[Any, ...]:
        """The answer of one row; see ``all`` for errors."""
        return self.all(query)[0]

    def run(self, query: str) -> None:
        """Do something that has no answer; see ``all`` for errors."""
        self.all(query)

    def arrays(self, query: str) -> dict[str, np.ndarray]:
        """The answer column by column, none of them with nulls; see ``all`` for errors."""
        with _explained():
            found: dict[str, np.ndarray] = self.connection.execute(query).fetchnumpy()
        return found


@contextmanager
def open_tables(
    snapshot: Snapshot,
    files: Mapping[str, Sequence[Pinned]],
    wanted: Mapping[str, Mapping[str, ColumnType | None]],
    policy: IntegrityPolicy,
) -> Iterator[Tables]:
    """Open a snapshot and reference tables for counting.

    Args:
        snapshot: whose rows.
        files: reference table → its files.
        wanted: reference table → the columns to read, and the type of what they are compared with.
        policy: memory, threads and how to read reference tables.

    Raises:
        ConfigurationError: a reference table lacks a column.
        DataError: its files cannot be read, or hold values of another type.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="gauntlet-integrity-") as scratch:
        folder = Path(scratch)
        references = {
            table: Reference(f"reference_{position}", dict(zip(columns, numbered(len(columns)), strict=True)))
            for position, (table, columns) in enumerate(wanted.items())
        }
        for table, found in references.items():
            options = policy.readers.get(table) or ReaderOptions.model_validate({})
            write_reference(table, files[table], wanted[table], found.names, options, folder / found.relation)
        settings = {
            "memory_limit": f"{policy.memory_mb}MiB",
            "threads": policy.threads,
            "temp_directory": str(folder / "spilled"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            names = dict(zip(snapshot.columns, numbered(len(snapshot.columns)), strict=True))
            with _explained():
                connection.execute(f"CREATE VIEW {ROWS} AS {_rows(snapshot, names, folder)}")
            for found in references.values():
                source = _read([folder / found.relation], tuple(found.names.values()))
                connection.execute(f"CREATE VIEW {found.relation} AS SELECT * FROM {source}")
            yield Tables(
                connection, snapshot.columns, names, snapshot.roles, snapshot.features, snapshot.splits, references
            )


def _rows(snapshot: Snapshot, names: Mapping[str, Name], folder: Path) -> str:
    """The query that reads every split's parts, each row with the name of its split."""
    known = {EXAMPLE_ID: ID, **names}
    parts = []
    for number, (split, files) in enumerate(snapshot.parts.items()):
        # One scan for all parts of one shape: DuckDB's memory grows with the number of scans.
        shapes: dict[tuple[str, ...], list[Path]] = {}
        for position, file in enumerate(files):
            link = folder / f"rows-{number}-{position}.parquet"
            link.symlink_to((snapshot.path / file).resolve())
            held = _columns(snapshot.path / file)
            if set(held) != set(known):
                raise DataError(
                    "does not hold the snapshot's columns",
                    field=str(snapshot.path / file),
                    mend="Import the data again",
                )
            shapes.setdefault(held, []).append(link)
        for held, links in shapes.items():
            source = _read(links, [known[name] for name in held])
            parts.append(f"SELECT {listed(known.values())}, {text(split)} AS {SPLIT} FROM {source}")
    if not parts:
        raise DataError("has no rows", field=str(snapshot.path), mend="Import the data again")
    return " UNION ALL ".join(parts)


def _read(files: Sequence[Path], names: Sequence[Name]) -> str:
    """Parquet files in a query's FROM, their columns under our names: by position, as DuckDB renames like ones."""
    listing = ", ".join(text(str(file)) for file in files)
    return f"read_parquet([{listing}], hive_partitioning = false) AS held({listed(names)})"


def _columns(file: Path) -> tuple[str, ...]:
    """The columns of a part, in its order."""
    import pyarrow as pa

    try:
        with open_parquet(file, str(file)) as part:
            return tuple(part.schema_arrow.names)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            "cannot be read as Parquet", field=str(file), value=_first_line(error), mend="Import the data again"
        ) from error


@contextmanager
def _explained() -> Iterator[None]:
    """DuckDB's errors in our words."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ConfigurationError(
            "is too little to count with",
            field="policy.memory_mb",
            value=_first_line(error),
            mend="Raise it, lower policy.threads, or give the task more disk",
        ) from error
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise DataError(
            "cannot be read", field="snapshot", value=_first_line(error), mend="Import the data again"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
