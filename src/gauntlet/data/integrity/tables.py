"""The snapshot's rows and the reference tables, as DuckDB sees them: on disk, counted in bounded memory.

Files are lent to DuckDB under names of our own in a scratch folder, so that no character of a path means anything to
it. It loads no extensions and reaches no network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.columns import ColumnType
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.integrity.reading import write_reference
from gauntlet.data.integrity.sql import ROWS, SPLIT, reference, reference_name, text
from gauntlet.data.reader import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import Pinned
from gauntlet.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Tables:
    """Tables that can be asked.

    Attributes:
        connection: DuckDB's; ``rows`` is the snapshot with its splits, a reference table ``t_<name>``.
        columns: the snapshot's columns and their types.
        roles: the snapshot's roles.
        features: columns a model may learn from.
        splits: split → rows.
        references: reference table → the columns read of it.
    """

    connection: Any
    columns: Mapping[str, str]
    roles: Roles
    features: tuple[str, ...]
    splits: Mapping[str, int]
    references: Mapping[str, tuple[str, ...]]

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(self.splits.values())

    @property
    def cluster(self) -> tuple[str, ...]:
        """The column of what rows share; none where the roles name none."""
        return (self.roles.cluster,) if self.roles.cluster in self.columns and self.roles.cluster else ()

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
        for table, columns in wanted.items():
            options = policy.readers.get(table) or ReaderOptions.model_validate({})
            write_reference(table, files[table], columns, options, folder / reference_name(table))
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
            with _explained():
                connection.execute(f"CREATE VIEW {ROWS} AS {_rows(snapshot, folder)}")
            for table in wanted:
                source = f"read_parquet({text(str(folder / reference_name(table)))})"
                connection.execute(f"CREATE VIEW {reference(table)} AS SELECT * FROM {source}")
            yield Tables(
                connection,
                snapshot.columns,
                snapshot.roles,
                snapshot.features,
                snapshot.splits,
                {table: tuple(columns) for table, columns in wanted.items()},
            )


def _rows(snapshot: Snapshot, folder: Path) -> str:
    """The query that reads every split's parts, each row with the name of its split."""
    parts = []
    for number, (split, names) in enumerate(snapshot.parts.items()):
        links = []
        for position, name in enumerate(names):
            link = folder / f"rows-{number}-{position}.parquet"
            link.symlink_to((snapshot.path / name).resolve())
            links.append(text(str(link)))
        if links:
            parts.append(f"SELECT *, {text(split)} AS {SPLIT} FROM read_parquet([{', '.join(links)}])")
    if not parts:
        raise DataError("has no rows", field=str(snapshot.path), mend="Import the data again")
    return " UNION ALL ".join(parts)


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
