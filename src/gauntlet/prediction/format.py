"""Prediction format on disk, written by batch scoring and read by evaluation.

    <predictions>/predictions.json      manifest
    <predictions>/part-00000.parquet    the rows, in the snapshot's order

| column | type | meaning |
|---|---|---|
| ``example_id`` | string | id of the row in the snapshot |
| ``label`` | int32 or double | binary: 1 is positive; multiclass: index into ``classes``; regression: the value |
|  |  | (no such column where the rows have no label) |
| ``score`` | double | binary: probability of the positive class; regression: the prediction |
| ``score:<class>`` | double | multiclass, instead of ``score``: one probability a class, in the order of ``classes`` |
| ``weight`` | double | example weight; 1 when none is declared |
| ``cluster`` | string | only if rows are clustered |
| ``slice:<column>`` | as in the snapshot | the columns to slice by |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gauntlet.errors import BrokenArtifact
from gauntlet.parquet import read_parquet
from gauntlet.storage import write_json

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "gauntlet.predictions/1"
MANIFEST = "predictions.json"
SLICE_PREFIX = "slice:"
SCORE_PREFIX = "score:"

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class SeedSpread:
    """Seed variance of a metric: standard deviation over models that differ only by seed."""

    standard_deviation: float
    seeds: int


@dataclass(frozen=True)
class Overlap:
    """Rows scored that the model was trained on.

    Attributes:
        looked_at: rows of which it is known.
        shared: those of them that the model was trained on.
    """

    looked_at: int
    shared: int

    @property
    def share(self) -> float:
        """Of the rows looked at, in [0, 1]; 0 without any."""
        return self.shared / self.looked_at if self.looked_at else 0.0


@dataclass(frozen=True)
class Manifest:
    """Manifest of a predictions folder.

    Attributes:
        task: ``binary | multiclass | regression``.
        classes: the label's values as strings, in score order; binary: (negative, positive); regression: ().
        rows: number of rows.
        slice_columns: names without the prefix.
        clustered: whether there is a ``cluster`` column.
        snapshot: digest of the snapshot scored.
        split: the split scored.
        model: digest of the model.
        seed_spread: metric name → seed variance measured in training; empty if unknown.
        trained_on: how many of the rows the model was trained on; ``None`` where the model does not say.
        names: slice column → value → readable name; rows hold the values.
        class_names: class → readable name.
    """

    task: Task
    classes: tuple[str, ...]
    rows: int
    slice_columns: tuple[str, ...]
    clustered: bool
    snapshot: str
    split: str
    model: str
    seed_spread: Mapping[str, SeedSpread] = field(default_factory=dict)
    trained_on: Overlap | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    class_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def named_classes(self) -> tuple[str, ...]:
        """The classes by their readable names, where they have any."""
        return tuple(self.class_names.get(name, name) for name in self.classes)

    def write(self, folder: Path) -> None:
        """Write ``predictions.json``."""
        write_json(folder / MANIFEST, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a predictions folder's manifest.

        Raises:
            DataError: there is none, or it has another format.
        """
        try:
            document = json.loads((folder / MANIFEST).read_text())
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            document["classes"] = tuple(document["classes"])
            document["slice_columns"] = tuple(document["slice_columns"])
            document["seed_spread"] = {
                metric: SeedSpread(**spread) for metric, spread in document["seed_spread"].items()
            }
            if document.get("trained_on") is not None:
                document["trained_on"] = Overlap(**document["trained_on"])
            return cls(**document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "are not predictions", field=str(folder), value=str(error), mend="Run batch_predict again"
            ) from error


def read_rows(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the prediction rows of a folder, in order.

    Args:
        folder: the predictions.
        columns: columns to read; all by default.

    Raises:
        DataError: a part is missing, truncated, or lacks a column.
    """
    import pyarrow as pa

    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise BrokenArtifact("contain no rows", field=str(folder), mend="Run batch_predict again")
    try:
        return pa.concat_tables(read_parquet(part, str(part), columns) for part in parts)
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise BrokenArtifact(
            "cannot be read as Parquet", field=str(folder), value=str(error), mend="Run batch_predict again"
        ) from error
