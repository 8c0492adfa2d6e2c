"""Predictions on disk: what batch scoring writes and evaluation reads.

    <predictions>/predictions.json      what they are
    <predictions>/part-00000.parquet    the rows, in the snapshot's order

| column | type | meaning |
|---|---|---|
| ``example_id`` | string | the snapshot's row |
| ``label`` | int32 or double | binary: 1 is positive; multiclass: index into ``classes``; regression: the value |
|  |  | (no such column where the rows have no label) |
| ``score`` | double | binary: probability of the positive class; regression: the prediction |
| ``score:<class>`` | double | multiclass, instead of ``score``: one probability a class, in the order of ``classes`` |
| ``weight`` | double | example weight; 1 when none is declared |
| ``cluster`` | string | only when rows are clustered |
| ``slice:<column>`` | as in the snapshot | the columns to slice by |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gauntlet.errors import DataError
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
    """What training's own randomness does to a metric: standard deviation over models that differ by seed alone."""

    standard_deviation: float
    seeds: int


@dataclass(frozen=True)
class Manifest:
    """What a set of predictions is.

    Attributes:
        task: ``binary | multiclass | regression``.
        classes: the label's values as strings, in score order; binary: (negative, positive); regression: ().
        rows: number of rows.
        slice_columns: names without the prefix.
        clustered: there is a ``cluster`` column.
        snapshot: digest of the snapshot scored.
        split: which split of it.
        model: digest of the model.
        seed_spread: metric name → spread measured when the model was trained; empty when unknown.
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

    def write(self, folder: Path) -> None:
        """Write ``predictions.json``."""
        write_json(folder / MANIFEST, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a predictions folder's manifest.

        Raises:
            DataError: there is none, or of another format.
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
            return cls(**document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "are not predictions", field=str(folder), value=str(error), mend="Run batch_predict again"
            ) from error


def read_rows(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All prediction rows of a folder, in order.

    Args:
        folder: the predictions.
        columns: which columns; default all.

    Raises:
        DataError: a part is missing, truncated, or lacks a column.
    """
    import pyarrow as pa

    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise DataError("hold no rows", field=str(folder), mend="Run batch_predict again")
    try:
        return pa.concat_tables(read_parquet(part, str(part), columns) for part in parts)
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise DataError(
            "cannot be read as Parquet", field=str(folder), value=str(error), mend="Run batch_predict again"
        ) from error
