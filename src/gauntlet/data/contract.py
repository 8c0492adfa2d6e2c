"""The schema in plain terms, for readers without TFDV: ``columns.json`` beside ``schema.pbtxt``.

A schema artifact is a folder of both. ``schema.pbtxt`` is the TFMD proto that any TFDV reads; ``columns.json`` is
derived from it and says the same per column, so that training and serving need no protobuf.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gauntlet.errors import BrokenArtifact
from gauntlet.storage import write_json

FORMAT = "gauntlet.columns/1"
COLUMNS_FILE = "columns.json"
SCHEMA_FILE = "schema.pbtxt"


@dataclass(frozen=True)
class Column:
    """What the schema demands of one column.

    Attributes:
        name: the column.
        type: ``int | float | string | bool | timestamp``, as in a snapshot.
        categorical: its values are names (or integer codes), not quantities.
        values: the known categories in the schema's order (as strings); ``None``: not listed.
        required: it may not be null in any row.
        minimum, maximum: allowed range of a number; ``None``: unbounded.
        serving: it is there at serving time (the label, say, is not).
    """

    name: str
    type: str
    categorical: bool = False
    values: tuple[str, ...] | None = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    serving: bool = True


@dataclass(frozen=True)
class Contract:
    """All columns a schema knows, in its order."""

    columns: Mapping[str, Column]

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Contract:
        """Build from columns in order."""
        return cls({column.name: column for column in columns})

    def write(self, folder: Path) -> None:
        """Write ``columns.json`` into a schema folder."""
        document = {"format": FORMAT, "columns": [asdict(column) for column in self.columns.values()]}
        write_json(folder / COLUMNS_FILE, document)

    @classmethod
    def read(cls, folder: Path) -> Contract:
        """Read a schema folder's ``columns.json``.

        Raises:
            DataError: it is not there or not of this format.
        """
        try:
            document = json.loads((folder / COLUMNS_FILE).read_text())
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            columns = [
                Column(**{**fields, "values": None if fields["values"] is None else tuple(fields["values"])})
                for fields in document["columns"]
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not a schema artifact", field=str(folder), value=str(error), mend="Run infer_schema again"
            ) from error
        return cls.of(columns)
