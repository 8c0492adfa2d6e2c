"""Batch scoring: scores a split of a snapshot with any MLflow model, and writes the prediction format."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import EXAMPLE_ID, ROWS_PER_PART, Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.prediction.format import SCORE_PREFIX, SLICE_PREFIX, Manifest, Overlap, SeedSpread
from gauntlet.prediction.model import Scorer, open_model
from gauntlet.prediction.scores import as_scores
from gauntlet.prediction.truth import cluster_names
from gauntlet.progress import watched
from gauntlet.storage import whole_folder
from gauntlet.training.column_profile import profile_columns
from gauntlet.training.matrix import check_weights
from gauntlet.training.target import Target, Task, infer_target
from gauntlet.training.trained_rows import TrainedRows, hashes_of

if TYPE_CHECKING:
    import pyarrow as pa

_TRAIN = "train"


def predict_split(
    model: Path,
    snapshot: Snapshot,
    destination: Path,
    *,
    split: str = "test",
    slice_columns: Sequence[str] = (),
    expected: str = "",
) -> Manifest:
    """Score a split and write predictions atomically; memory does not grow with rows.

    Args:
        model: an MLflow model folder.
        snapshot: the data.
        destination: the predictions folder to create.
        split: the split to score.
        slice_columns: columns to keep for slicing.
        expected: the model's digest if known; another model is not loaded.

    Raises:
        ConfigurationError: no such split or slice column, or neither the snapshot has a label nor the model
            declares its task.
        DataError: the model is not the one expected, needs a column the snapshot lacks, or returns no scores; labels,
            weights or clusters are missing or unknown.
    """
    require_scorable(snapshot, split=split, slice_columns=slice_columns)
    label, slices = label_of(snapshot), tuple(dict.fromkeys(slice_columns))
    with open_model(model, expected) as scorer, whole_folder(destination) as folder:
        inputs = inputs_of(scorer, snapshot)
        target = target_of(scorer.facts, snapshot, label, split)
        seen = _Seen(scorer.trained_rows)
        rows = _write_parts(folder, _score_batches(scorer, snapshot, split, inputs, target, label, slices, seen))
        manifest = Manifest(
            task=target.task,
            classes=target.classes,
            rows=rows,
            slice_columns=slices,
            clustered=snapshot.roles.cluster is not None,
            snapshot=snapshot.digest,
            split=split,
            model=scorer.digest,
            seed_spread=_seed_spread(scorer.facts),
            trained_on=seen.overlap,
            names={name: names for name, names in snapshot.roles.labels.items() if name in slices},
            class_names=snapshot.roles.labels.get(label, {}) if label is not None else {},
        )
        manifest.write(folder)
    return manifest


def require_scorable(snapshot: Snapshot, *, split: str, slice_columns: Sequence[str]) -> None:
    """Check the split and the slice columns against a snapshot, independently of the model.

    Raises:
        ConfigurationError: no such split or slice column.
    """
    snapshot.require_split(split)
    for name in slice_columns:
        if name not in snapshot.columns:
            close = difflib.get_close_matches(name, snapshot.columns, n=1)
            raise ConfigurationError(
                "no such column in the snapshot",
                field="slice_columns",
                value=name,
                mend=f"Did you mean {close[0]!r}?" if close else f"Use some of: {', '.join(snapshot.columns)}",
            )


class _Seen:
    """Counts the rows that the model was trained on.

    Attributes:
        overlap: so far; ``None`` where the model does not say.
    """

    def __init__(self, trained: TrainedRows | None) -> None:
        self._trained = trained
        self.overlap = None if trained is None else Overlap(0, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch."""
        if self._trained is not None and self.overlap is not None:
            looked_at, shared = self._trained.overlap(hashes_of(batch.column(EXAMPLE_ID)))
            self.overlap = Overlap(self.overlap.looked_at + looked_at, self.overlap.shared + shared)


def _score_batches(
    scorer: Scorer,
    snapshot: Snapshot,
    split: str,
    inputs: Sequence[str],
    target: Target,
    label: str | None,
    slices: Sequence[str],
    seen: _Seen,
) -> Iterator[pa.RecordBatch]:
    roles = snapshot.roles
    extra = [name for name in (label, roles.weight, roles.cluster, *slices) if name is not None]
    batches = snapshot.batches(split, list(dict.fromkeys([EXAMPLE_ID, *inputs, *extra])))
    for batch in watched("scoring", batches, lambda one: one.num_rows, total=snapshot.splits.get(split, 0)):
        seen.add(batch)
        output = scorer.score(batch.select(list(inputs)))
        scores = as_scores(output, task=target.task, classes=target.classes, rows=batch.num_rows)
        yield _rows(batch, scores, target, label, roles, slices, split)


def _rows(
    batch: pa.RecordBatch,
    scores: Any,
    target: Target,
    label: str | None,
    roles: Roles,
    slices: Sequence[str],
    split: str,
) -> pa.RecordBatch:
    import numpy as np
    import pyarrow as pa

    weights = check_weights(batch.column(roles.weight), roles.weight) if roles.weight else np.ones(batch.num_rows)
    columns: dict[str, Any] = {"example_id": batch.column(EXAMPLE_ID)}
    if label is not None:
        columns["label"] = pa.array(target.encode(batch.column(label), where=f"split {split}"))
    if target.task == "multiclass":
        columns |= {f"{SCORE_PREFIX}{name}": pa.array(scores[:, code]) for code, name in enumerate(target.classes)}
    else:
        columns["score"] = pa.array(scores)
    columns["weight"] = pa.array(weights)
    if roles.cluster:
        columns["cluster"] = cluster_names(batch.column(roles.cluster), roles.cluster)
    columns |= {f"{SLICE_PREFIX}{name}": batch.column(name) for name in slices}
    return pa.RecordBatch.from_pydict(columns)


def _write_parts(folder: Path, batches: Iterator[pa.RecordBatch]) -> int:
    """Write batches to parts of at most ``ROWS_PER_PART`` rows (batches are not split); return the row count."""
    import pyarrow.parquet as pq

    writer, part, in_part, rows = None, 0, 0, 0
    try:
        for batch in batches:
            if writer is not None and in_part + batch.num_rows > ROWS_PER_PART:
                writer.close()
                writer, part, in_part = None, part + 1, 0
            if writer is None:
                writer = pq.ParquetWriter(folder / f"part-{part:05d}.parquet", batch.schema)
            writer.write_batch(batch)
            in_part += batch.num_rows
            rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def label_of(snapshot: Snapshot) -> str | None:
    """Label column if the snapshot has it; rows of a serving log have none."""
    label = snapshot.roles.label
    return label if label in snapshot.columns else None


def inputs_of(scorer: Scorer, snapshot: Snapshot) -> tuple[str, ...]:
    """Input columns of the model.

    A column that the model was trained with and the snapshot lacks is an error, even if the model accepts missing
    values: its scores would not be those of the model that was trained.

    Raises:
        DataError: the snapshot lacks an input column.
    """
    if scorer.inputs is None:
        return snapshot.features
    for name in scorer.inputs:
        if name not in snapshot.columns:
            raise DataError(
                "the model needs this column and the snapshot does not have it",
                field=name,
                mend="Import the column, or use a model trained without it",
            )
    return scorer.inputs


def target_of(facts: Mapping[str, Any], snapshot: Snapshot, label: str | None, split: str) -> Target:
    """Target of the model: task and classes as in its metadata, else inferred from the data."""
    if not facts.get("task"):
        if label is None:
            raise ConfigurationError(
                "the snapshot has no label, and the model does not declare its task",
                field="roles.label",
                value=snapshot.roles.label,
                mend="Import rows with the label's column, or use a model that Gauntlet trained",
            )
        profiled_split = _TRAIN if snapshot.splits.get(_TRAIN) else split
        profile = profile_columns(snapshot, profiled_split, [label], frozenset([label]))[label]
        categorical = label in snapshot.roles.categorical
        return infer_target(
            label, snapshot.columns[label], profile, task="auto", roles=snapshot.roles, categorical=categorical
        )
    if label is not None and facts.get("label", label) != label:
        raise DataError(
            "the model predicts another label",
            field="label",
            value=facts["label"],
            mend=f"The snapshot's label is {label}: use a model trained for it",
        )
    target = Target(label or str(facts.get("label", "")), cast(Task, facts["task"]), tuple(facts.get("classes", ())))
    positive = snapshot.roles.positive
    name = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if positive is not None and target.task == "binary" and target.classes[1] != name:
        raise DataError(
            f"the model's positive class is {target.classes[1]}, the snapshot's is another",
            field="roles.positive",
            value=positive,
            mend="Score with a model trained on the same roles",
        )
    return target


def _seed_spread(facts: Mapping[str, Any]) -> dict[str, SeedSpread]:
    return {
        metric: SeedSpread(float(spread["standard_deviation"]), int(spread["seeds"]))
        for metric, spread in facts.get("seed_spread", {}).items()
    }
