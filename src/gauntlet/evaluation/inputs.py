"""Reads and validates predictions into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gauntlet.errors import BrokenArtifact, DataError
from gauntlet.evaluation.value_names import named
from gauntlet.prediction.format import SCORE_PREFIX, SLICE_PREFIX, Manifest, read_rows
from gauntlet.storage import absence

if TYPE_CHECKING:
    import pyarrow as pa

_PROBABILITY_SLACK = 1e-6
"""Float32 arithmetic in a model may leave a probability this far outside [0, 1], and a row's sum this far per class."""


@dataclass(frozen=True)
class Scored:
    """Validated predictions of one model.

    Attributes:
        manifest: what they are.
        example_ids: (n,) strings, in the snapshot's order.
        labels: (n,) float64. binary: 0 or 1; multiclass: index of the class; regression: the value.
        scores: (n,) float64, multiclass (n, classes). Probabilities, or a regression's predictions.
        weights: (n,) float64, or ``None`` when all are 1.
        clusters: (n,) int64 codes from 0, or ``None`` when every row stands for itself.
        columns: slice column (no prefix) → (n,) values as read.
    """

    manifest: Manifest
    example_ids: pa.ChunkedArray
    labels: NDArray[np.float64]
    scores: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    clusters: NDArray[np.int64] | None
    columns: Mapping[str, pa.ChunkedArray]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.labels)


def read_predictions(folder: Path) -> Scored:
    """Read predictions and validate every value.

    Args:
        folder: output of ``batch_predict``.

    Raises:
        DataError: not predictions, truncated, a column missing, no rows, or a value that is no label, score or weight.
    """
    manifest = Manifest.read(folder)
    table = read_rows(folder)
    labels = _numbers(table, "label")
    if not len(labels):
        raise DataError("hold no rows", field=str(folder), mend="Predict on a split that has rows")
    if len(labels) != manifest.rows:
        raise BrokenArtifact(
            f"hold {len(labels)} rows where the manifest says {manifest.rows}",
            field=str(folder),
            mend="Run batch_predict again",
        )
    if manifest.task == "multiclass":
        columns = [_numbers(table, SCORE_PREFIX + name) for name in manifest.classes]
        scores = np.column_stack(columns)
    else:
        scores = _numbers(table, "score")
    _check_labels(labels, manifest)
    scores = _checked_scores(scores, manifest)
    return Scored(
        manifest=manifest,
        example_ids=_column(table, "example_id"),
        labels=labels,
        scores=scores,
        weights=_weights(table),
        clusters=_clusters(table) if manifest.clustered else None,
        columns={name: _slice_column(table, name, manifest) for name in manifest.slice_columns},
    )


def _slice_column(table: pa.Table, name: str, manifest: Manifest) -> pa.ChunkedArray:
    column = _column(table, SLICE_PREFIX + name)
    return named(column, manifest.names[name]) if name in manifest.names else column


def read_if_there(folder: Path | None) -> Scored | None:
    """Read optional predictions; ``None`` where they are not connected, or say that they are absent."""
    return None if folder is None or absence(folder) is not None else read_predictions(folder)


def require_both_classes(scored: Scored) -> None:
    """Check that a binary or multiclass sample has more than one class.

    Raises:
        DataError: it does not; ranking and rates by class mean nothing then.
    """
    if scored.manifest.task == "regression":
        return
    present = np.unique(scored.labels)
    if len(present) < 2:
        name = scored.manifest.classes[int(present[0])]
        raise DataError(
            f"all {scored.rows:,} rows have the same label, so no metric can tell a good model from a bad one",
            field="label",
            value=name,
            mend=f"Evaluate on a split that holds other labels than {name!r} too",
        )


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise DataError(
            "is not in the predictions",
            field=name,
            value=", ".join(table.column_names),
            mend="Score rows that have a label"
            if name == "label"
            else "Run batch_predict again; slice columns are named in slice_columns",
        )
    return table.column(name)


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _column(table, name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise DataError("is not a number", field=name, value=str(column.type), mend="Run batch_predict again")
    values = np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(values):,} values are missing or not finite, the first in row {bad[0]}",
            field=name,
            value=float(values[bad[0]]),
            mend="Leave unlabelled rows out of the split" if name == "label" else "Mend the model's output",
        )
    return values


def _check_labels(labels: NDArray[np.float64], manifest: Manifest) -> None:
    if manifest.task == "regression":
        return
    known = range(2 if manifest.task == "binary" else len(manifest.classes))
    bad = np.flatnonzero(~np.isin(labels, known))
    if len(bad):
        raise DataError(
            f"is no class number from 0 to {known[-1]}, first in row {bad[0]}",
            field="label",
            value=float(labels[bad[0]]),
            mend="Run batch_predict again with the model's classes",
        )


def _checked_scores(scores: NDArray[np.float64], manifest: Manifest) -> NDArray[np.float64]:
    """Scores fit for the task; what arithmetic left a hair outside [0, 1] is put back in."""
    if manifest.task == "regression":
        return scores
    outside = np.flatnonzero((scores < -_PROBABILITY_SLACK) | (scores > 1 + _PROBABILITY_SLACK))
    if len(outside):
        raise DataError(
            f"{len(outside):,} values are no probabilities",
            field="score",
            value=float(scores.ravel()[outside[0]]),
            mend="Give the model an output of probabilities between 0 and 1",
        )
    if manifest.task == "multiclass":
        sums = scores.sum(axis=1)
        slack = _PROBABILITY_SLACK * len(manifest.classes)
        bad = np.flatnonzero(np.abs(sums - 1) > slack)
        if len(bad):
            raise DataError(
                f"the probabilities of row {bad[0]} do not add up to 1",
                field="score",
                value=float(sums[bad[0]]),
                mend="Give the model one probability a class",
            )
    return np.clip(scores, 0, 1)


def _weights(table: pa.Table) -> NDArray[np.float64] | None:
    if "weight" not in table.column_names:
        return None
    weights = _numbers(table, "weight")
    if (weights < 0).any():
        raise DataError("is negative", field="weight", value=float(weights.min()), mend="Use weights of 0 or more")
    if not weights.any():
        raise DataError("is 0 in every row", field="weight", value=0.0, mend="Give some rows a positive weight")
    return None if (weights == 1).all() else weights


def _clusters(table: pa.Table) -> NDArray[np.int64]:
    column = _column(table, "cluster")
    if column.null_count:
        raise DataError(
            f"{column.null_count:,} rows have none", field="cluster", mend="Give every row a cluster, or declare none"
        )
    codes = column.combine_chunks().dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)
