"""Chooses the rows to request: spread over a split, with the extremes and missing values of every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import DataError
from gauntlet.prediction.format import SCORE_PREFIX, Manifest, read_rows
from gauntlet.serving.acceptance.bodies import json_rows
from gauntlet.serving.contract import InputContract

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Offline:
    """Rows with their scores from batch scoring.

    Attributes:
        ids: (n,) their ``example_id``.
        rows: (n,) JSON values.
        scores: (n,) or (n, classes) float64.
        task: ``binary | multiclass | regression``.
        classes: class names in score order; () for a regression.
        refused: ids of rows that were scored in batch but do not fit the signature.
    """

    ids: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    scores: np.ndarray
    task: str
    classes: tuple[str, ...]
    refused: tuple[str, ...] = ()


def read_offline(predictions: Path, snapshot: Snapshot, contract: InputContract, *, model: str, rows: int) -> Offline:
    """Choose rows of the split that was scored, with their scores.

    Args:
        predictions: output of ``batch_predict``.
        snapshot: the snapshot it scored.
        contract: the model's input contract.
        model: the model's digest.
        rows: number of rows spread over the split; extremes and missing values are added.

    Raises:
        DataError: predictions of another snapshot or model, or of other rows than the split has; or no row
            that fits the signature.
    """
    import numpy as np

    manifest = Manifest.read(predictions)
    for field, actual, expected in (("snapshot", manifest.snapshot, snapshot.digest), ("model", manifest.model, model)):
        if actual != expected:
            raise DataError(
                f"the predictions are of another {field}",
                field="predictions",
                value=actual,
                mend="Run batch_predict with this model on this snapshot",
            )
    names = [f"{SCORE_PREFIX}{name}" for name in manifest.classes] if manifest.task == "multiclass" else ["score"]
    table = read_rows(predictions, [EXAMPLE_ID, *names])
    columns = [model_input.name for model_input in contract.inputs]
    chosen = choose_rows(snapshot, manifest.split, columns, rows)
    picked = _take(snapshot, manifest.split, columns, chosen)
    if table.num_rows != snapshot.splits[manifest.split]:
        raise _other_rows()
    table = table.take(chosen)
    if table.column(EXAMPLE_ID).to_pylist() != picked.column(EXAMPLE_ID).to_pylist():
        raise _other_rows()
    ids, values = picked.column(EXAMPLE_ID).to_pylist(), json_rows(contract, picked)
    required = [model_input.name for model_input in contract.inputs if model_input.required]
    fits = [all(row[name] is not None for name in required) for row in values]
    if not any(fits):
        raise DataError(
            "lacks columns that the signature requires in every row looked at",
            field=f"split {manifest.split}",
            mend="Give the snapshot that the model was made for",
        )
    scores = np.column_stack([table.column(name).to_numpy() for name in names])[np.asarray(fits, dtype=bool)]
    return Offline(
        ids=tuple(row_id for row_id, fit in zip(ids, fits, strict=True) if fit),
        rows=tuple(row for row, fit in zip(values, fits, strict=True) if fit),
        scores=scores if manifest.task == "multiclass" else scores[:, 0],
        task=manifest.task,
        classes=manifest.classes,
        refused=tuple(row_id for row_id, fit in zip(ids, fits, strict=True) if not fit),
    )


def choose_rows(snapshot: Snapshot, split: str, columns: Sequence[str], rows: int) -> list[int]:
    """Choose row indices, ascending: ``rows`` evenly spaced ones (all, if there are fewer), and for each column the
    first row that lacks it and those of its smallest and largest value.

    Args:
        snapshot: the data.
        split: which split.
        columns: columns whose extremes and missing values to include.
        rows: number of rows to spread.
    """
    total = snapshot.splits[split]
    count = min(rows, total)
    chosen = {(2 * index + 1) * total // (2 * count) for index in range(count)} if count else set[int]()
    gaps: dict[str, int] = {}
    ends: dict[tuple[str, str], tuple[Any, int]] = {}
    start = 0
    for batch in snapshot.batches(split, list(columns)):
        for name in columns:
            _look(batch.column(name), name, start, gaps, ends)
        start += batch.num_rows
    return sorted(chosen | set(gaps.values()) | {index for _, index in ends.values()})


def _look(
    values: pa.Array, name: str, start: int, gaps: dict[str, int], ends: dict[tuple[str, str], tuple[Any, int]]
) -> None:
    """Update the first missing value and the extremes of a column with a batch, by row index."""
    import pyarrow.compute as pc

    if values.null_count and name not in gaps:
        gaps[name] = start + pc.index(values.is_null(), value=True).as_py()
    extremes = pc.min_max(values).as_py()
    for side, value in extremes.items():
        known = ends.get((name, side))
        if value is not None and (known is None or (value < known[0] if side == "min" else value > known[0])):
            ends[name, side] = value, start + pc.index(values, value=value).as_py()


def _take(snapshot: Snapshot, split: str, columns: Sequence[str], chosen: Sequence[int]) -> pa.Table:
    """Read the chosen rows, batch by batch."""
    import numpy as np
    import pyarrow as pa

    indices, start, parts = np.asarray(chosen), 0, []
    for batch in snapshot.batches(split, [EXAMPLE_ID, *columns]):
        here = indices[(indices >= start) & (indices < start + batch.num_rows)] - start
        parts.append(batch.take(pa.array(here)))
        start += batch.num_rows
    return pa.Table.from_batches(parts)


def _other_rows() -> DataError:
    return DataError(
        "hold other rows than the snapshot's split",
        field="predictions",
        mend="Run batch_predict again on this snapshot",
    )
