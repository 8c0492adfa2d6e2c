"""Splits a trained model into its feature steps and its estimator.

The feature steps of a scikit-learn Pipeline, as a team's own trainer returns it, are all steps but the last. Gauntlet's
own models and any other pyfunc read raw columns: their transform is the identity over their inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.snapshot import Snapshot
from gauntlet.digest import digest_bytes
from gauntlet.errors import DataError
from gauntlet.features.transform import Transform, frame, identity
from gauntlet.prediction.model import Scorer, load_scorer, verified_copy

if TYPE_CHECKING:
    import pyarrow as pa

INSIDE = "the model's own feature steps"


@dataclass(frozen=True)
class FittedModel:
    """Model split into feature steps and estimator.

    Attributes:
        scorer: the whole model.
        transform: raw rows → the features its estimator takes.
        score_features: features as ``transform`` gives them → what the whole model would return.
        is_identity: whether the model has no feature code of its own.
    """

    scorer: Scorer
    transform: Transform
    score_features: Callable[[pa.Table], Any]
    is_identity: bool

    @property
    def facts(self) -> Mapping[str, Any]:
        """Metadata of the model; see ``Scorer.facts``."""
        return self.scorer.facts


@contextmanager
def open_fitted(folder: Path, snapshot: Snapshot, expected: str = "") -> Iterator[FittedModel]:
    """Open a model from a verified copy, split into feature steps and estimator.

    Args:
        folder: an MLflow model folder.
        snapshot: raw rows, for the inputs of a model that declares none.
        expected: the digest it must have; empty if unknown.

    Raises:
        DataError: no model there, another one than expected, or it cannot be loaded.
    """
    with verified_copy(folder, expected) as (copy, digest):
        scorer = load_scorer(copy, digest)
        pipeline = _pipeline(copy)
        inputs = scorer.inputs if scorer.inputs is not None else snapshot.features
        if pipeline is None or len(pipeline) < 2:
            yield FittedModel(scorer, identity(inputs), lambda rows: scorer.score(_batch(rows)), True)
        else:
            yield _halves(pipeline, scorer, inputs)


def _pipeline(folder: Path) -> Any:
    """Load the scikit-learn Pipeline of a model folder; ``None`` for any other model."""
    import yaml

    from gauntlet.model_digest import MLMODEL_FILE

    flavours = yaml.safe_load((folder / MLMODEL_FILE).read_text()).get("flavors") or {}
    if "sklearn" not in flavours:
        return None
    import mlflow.sklearn
    from sklearn.pipeline import Pipeline

    model = mlflow.sklearn.load_model(str(folder))
    return model if isinstance(model, Pipeline) else None


def _halves(pipeline: Any, scorer: Scorer, inputs: tuple[str, ...]) -> FittedModel:
    import cloudpickle

    steps, estimator = pipeline[:-1], pipeline.steps[-1][1]
    names: list[str] = []
    fitted_names = getattr(estimator, "feature_names_in_", None)

    def apply(rows: pa.Table) -> Any:
        import pandas as pd

        output = steps.transform(frame(rows))
        if hasattr(output, "toarray"):
            output = output.toarray()
        if not names:
            names.extend(_names(steps, output, inputs))
        return output.set_axis(names, axis=1) if hasattr(output, "set_axis") else pd.DataFrame(output, columns=names)

    def score(features: pa.Table) -> Any:
        values = features.select(names).to_pandas()
        if fitted_names is not None:
            values.columns = list(fitted_names)
        matrix = values if fitted_names is not None else values.to_numpy(dtype=float)
        if hasattr(estimator, "predict_proba") and scorer.facts.get("task", "") != "regression":
            return estimator.predict_proba(matrix)
        return estimator.predict(matrix)

    digest = digest_bytes(cloudpickle.dumps(steps))
    return FittedModel(scorer, Transform(INSIDE, digest, apply, inputs), score, False)


def _names(steps: Any, output: Any, inputs: tuple[str, ...]) -> list[str]:
    """Names of the features: without the step's prefix where they stay unique, positions where the steps have none.

    Raises:
        DataError: the steps name another number of features than they give.
    """
    width = output.shape[1]
    try:
        names = [str(name) for name in steps.get_feature_names_out()]
    except (AttributeError, ValueError):  # a custom step without feature names
        names = [str(name) for name in output.columns] if hasattr(output, "columns") else []
    if not names:
        names = list(inputs) if width == len(inputs) else [f"feature_{position}" for position in range(width)]
    if len(names) != width:
        raise DataError(
            f"the model's steps name {len(names)} features and give {width}",
            field="model",
            mend="Mend get_feature_names_out of the team's own steps",
        )
    bare = [_bare(name, inputs) for name in names]
    return bare if len(set(bare)) == len(bare) else names


def _bare(name: str, inputs: Sequence[str]) -> str:
    """A feature's name without the steps' own, ``numbers__wind__max`` of the column ``wind__max`` being that column.

    What follows some ``__`` is a column, or a column and an underscore, as encoders write categories. Otherwise it is
    what follows the last.
    """
    parts = name.split("__")
    endings = ["__".join(parts[start:]) for start in range(len(parts))]
    for ending in endings:
        if ending in inputs:
            return ending
    for ending in reversed(endings):
        if any(ending.startswith(f"{column}_") for column in inputs):
            return ending
    return parts[-1]


def _batch(rows: pa.Table) -> pa.RecordBatch:
    return rows.combine_chunks().to_batches()[0]
