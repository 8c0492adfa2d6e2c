"""Model format on disk: a reproducible MLflow model folder, whose bytes depend on its content alone.

    <model>/MLmodel                         signature, and Gauntlet's metadata under metadata.gauntlet
    <model>/data/gauntlet/encoder.json      task, classes, features with their categories
    <model>/data/gauntlet/booster.ubj       the XGBoost model
    <model>/input_example.json              synthetic row of medians and most frequent values
    <model>/training_rows.npy               hashes of the rows it was trained on (``trained_rows``)

It contains no pickle. MLflow loads it through ``_load_pyfunc``; ``load`` does the same without MLflow. A model of a
team's own trainer is pickled by MLflow's scikit-learn or Python flavor instead.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.digest import digest_tree
from gauntlet.errors import BrokenArtifact, InternalError
from gauntlet.model_digest import MLMODEL_FILE, digest_model
from gauntlet.storage import whole_folder, write_bytes, write_json, write_text
from gauntlet.training.custom import save_custom
from gauntlet.training.encoding import Feature
from gauntlet.training.result import Training
from gauntlet.training.signature import requirements, signature_and_example, xgboost_requirement
from gauntlet.training.target import Task
from gauntlet.training.threads import use_passive_wait
from gauntlet.training.trained_rows import write_trained_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FORMAT = "gauntlet.model/1"
LOADER = "gauntlet.training.bundle"
DATA = "gauntlet"
ENCODER_FILE = "encoder.json"
BOOSTER_FILE = "booster.ubj"


class Bundle:
    """Model loaded for scoring.

    Args:
        task: ``binary | multiclass | regression``.
        classes: the classes, in score order.
        features: its input features.
        pipeline: the fitted scikit-learn Pipeline.
    """

    def __init__(self, task: Task, classes: tuple[str, ...], features: tuple[Feature, ...], pipeline: Any) -> None:
        self.task = task
        self.classes = classes
        self.features = features
        self.pipeline = pipeline

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> np.ndarray:
        """Score rows: probabilities (rows, classes) as of ``predict_proba``, or values (rows,).

        Raises:
            DataError: a required column is absent, or a column's values are of another type.
        """
        from gauntlet.training.pipeline import score

        return score(self.pipeline, self.task, model_input)


def load(folder: Path) -> Bundle:
    """Load a model folder in Gauntlet's own format, or its data folder. Executes no code from it.

    Raises:
        DataError: it is not a model in this format.
    """
    use_passive_wait()
    import xgboost

    from gauntlet.training.pipeline import assemble

    data = folder / "data" / DATA if (folder / MLMODEL_FILE).is_file() else folder
    try:
        document = json.loads((data / ENCODER_FILE).read_text())
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")
        features = tuple(
            Feature(**{**fields, "categories": None if fields["categories"] is None else tuple(fields["categories"])})
            for fields in document["features"]
        )
        booster = xgboost.Booster(model_file=str(data / BOOSTER_FILE))
    except (OSError, ValueError, KeyError, TypeError, xgboost.core.XGBoostError) as error:
        raise BrokenArtifact(
            "is not a model in Gauntlet's format", field=str(folder), value=str(error), mend="Train it again"
        ) from (error)
    pipeline = assemble(features, booster, document["task"])
    return Bundle(document["task"], tuple(document["classes"]), features, pipeline)


def _load_pyfunc(path: str) -> Bundle:
    """MLflow's entry point."""
    return load(Path(path))


def save(training: Training, destination: Path, *, contract_digest: str) -> str:
    """Write a trained model as an MLflow model folder, atomically.

    Args:
        training: the training result.
        destination: the folder to create.
        contract_digest: digest of the schema artifact used for training.

    Returns:
        The model's digest.
    """
    metadata = {"gauntlet": describe(training, contract_digest)}
    with whole_folder(destination) as folder:
        if training.booster is None:
            save_custom(training, folder, metadata)
        else:
            _save_xgboost(training, folder, metadata)
        write_trained_rows(folder, training.snapshot, tuple(training.rows))
        _normalise(folder)
        return digest_model(folder)


def describe(training: Training, contract_digest: str) -> dict[str, Any]:
    """Build ``metadata.gauntlet`` of ``MLmodel``: what is needed to score, compare and trace the model."""
    target = training.plan.target
    return {
        "format": FORMAT,
        "task": target.task,
        "label": target.column,
        "classes": list(target.classes),
        "positive": target.classes[1] if target.task == "binary" else "",
        "features": training.plan.names,
        "seeds": list(training.seeds),
        "seed_spread": training.seed_spread,
        "validation_metrics": dict(training.metrics),
        "rounds": training.rounds,
        "device": training.device.name,
        "xgboost": xgboost_requirement(),
        "snapshot": training.snapshot.digest,
        "schema": contract_digest,
        "recipe": training.recipe_digest,
        "trainer": training.recipe.trainer,
    }


def _save_xgboost(training: Training, folder: Path, metadata: dict[str, Any]) -> None:
    import tempfile

    import mlflow.pyfunc

    plan = training.plan
    signature, example = signature_and_example(training)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / DATA
        document = {
            "format": FORMAT,
            "task": plan.target.task,
            "classes": list(plan.target.classes),
            "features": [asdict(feature) for feature in plan.features],
        }
        write_json(data / ENCODER_FILE, document)
        assert training.booster is not None
        write_bytes(data / BOOSTER_FILE, bytes(training.booster.save_raw("ubj")))
        with _quiet():
            mlflow.pyfunc.save_model(
                path=str(folder),
                loader_module=LOADER,
                data_path=str(data),
                signature=signature,
                input_example=example,
                pip_requirements=requirements(),
                metadata=metadata,
            )


def _normalise(folder: Path) -> None:
    """Remove time-dependent and random fields from ``MLmodel``; derive ``model_uuid`` from the content."""
    import yaml

    path = folder / MLMODEL_FILE
    document = yaml.safe_load(path.read_text())
    if not isinstance(document, dict):
        raise InternalError("MLflow wrote an MLmodel that is not a mapping", field=str(path))
    for name in ("utc_time_created", "run_id", "model_id", "artifact_path", "model_uuid"):
        document.pop(name, None)
    write_text(path, yaml.safe_dump(document, sort_keys=True, allow_unicode=True))
    document["model_uuid"] = digest_tree(folder).removeprefix("sha256:")[:32]
    write_text(path, yaml.safe_dump(document, sort_keys=True, allow_unicode=True))


class _quiet:  # noqa: N801 - used as a context manager function
    """Silences MLflow's INFO and WARNING messages about validating the example and pip's version."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("mlflow")
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
