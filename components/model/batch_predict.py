"""Component: batch predictions of a model on a snapshot."""

from kfp.dsl import Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def batch_predict(
    model: Input[Model],
    snapshot: Input[Dataset],
    predictions: Output[Dataset],
    split: str = "test",
    slice_columns: list = [],
):
    """Score a split of a snapshot with any MLflow model, in bounded memory.

    Args:
        model: The model; if absent (no champion yet), the predictions are absent too.
        snapshot: The data.
        split: The split to score.
        slice_columns: Columns to keep with the scores, for the gates that compare slices.
        predictions: One row per row of the split: label, score, weight and slice columns.
    """
    from pathlib import Path

    from gauntlet.data.snapshot import Snapshot
    from gauntlet.prediction.batch import predict_split, require_scorable
    from gauntlet.storage import absence, write_absent

    data = Snapshot.open(Path(snapshot.path))
    require_scorable(data, split=split, slice_columns=slice_columns)  # even without a champion, to fail before training
    reason = absence(Path(model.path))
    if reason is not None:
        write_absent(Path(predictions.path), reason)
        return
    manifest = predict_split(
        Path(model.path),
        data,
        Path(predictions.path),
        split=split,
        slice_columns=slice_columns,
        expected=str(model.metadata.get("digest", "")),
    )
    predictions.metadata.update(rows=manifest.rows, task=manifest.task, split=split)
