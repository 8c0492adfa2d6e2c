"""Loads a model for scoring: copies it, verifies the digest, and loads the copy.

Gauntlet's own models are loaded directly and score Arrow rows; every other MLflow model is loaded as a pyfunc and
scores a DataFrame of its signature's types.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError
from gauntlet.model_digest import MLMODEL_FILE, copy_model, digest_model, verify_model
from gauntlet.training import bundle
from gauntlet.training.encoding import encode
from gauntlet.training.frame import frame_of
from gauntlet.training.threads import use_passive_wait
from gauntlet.training.trained_rows import TrainedRows, read_trained_rows

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Scorer:
    """Model loaded for scoring.

    Attributes:
        digest: its content digest.
        facts: ``metadata.gauntlet`` of its ``MLmodel``; empty for a model not trained by Gauntlet.
        inputs: its input columns; ``None`` without a signature, and then it receives every feature.
        score: Arrow rows → the model's raw output.
        trained_rows: the rows it was trained on; ``None`` where it does not say.
    """

    digest: str
    facts: Mapping[str, Any]
    inputs: tuple[str, ...] | None
    score: Callable[[pa.RecordBatch], Any]
    trained_rows: TrainedRows | None = None


@contextmanager
def open_model(folder: Path, expected: str = "") -> Iterator[Scorer]:
    """Load a verified copy of a model; the copy lives as long as the context.

    Args:
        folder: an MLflow model folder.
        expected: the digest it must have; empty if unknown, and then the model is loaded without verification.

    Raises:
        DataError: there is no model, its digest differs, or it cannot be loaded.
    """
    with verified_copy(folder, expected) as (copy, digest):
        yield load_scorer(copy, digest)


@contextmanager
def verified_copy(folder: Path, expected: str = "") -> Iterator[tuple[Path, str]]:
    """Copy a model folder privately and verify its digest; arguments and errors as ``open_model``."""
    with tempfile.TemporaryDirectory(prefix="gauntlet-model-") as scratch:
        copy = Path(scratch) / "model"
        copy_model(folder, copy)
        if expected:
            verify_model(copy, expected)
        yield copy, expected or digest_model(copy)


def load_scorer(copy: Path, digest: str) -> Scorer:
    """Load a model from a verified copy.

    Raises:
        DataError: it cannot be loaded.
    """
    facts, loader = _description(copy)
    scorer = (_load_bundle if loader == bundle.LOADER else _load_pyfunc)(copy, digest, facts)
    return replace(scorer, trained_rows=read_trained_rows(copy))


def _load_bundle(folder: Path, digest: str, facts: Mapping[str, Any]) -> Scorer:
    from gauntlet.training.pipeline import score_encoded

    model = bundle.load(folder)

    def score(rows: pa.RecordBatch) -> Any:
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        return score_encoded(model.pipeline, model.task, encode(model.features, columns, rows.num_rows))

    return Scorer(digest, facts, tuple(feature.name for feature in model.features), score)


def load_pyfunc(folder: Path) -> Any:
    """Load a model folder as an MLflow pyfunc. **This executes code from the folder: verify its digest first.**

    Raises:
        DataError: it cannot be loaded here.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    use_passive_wait()
    import mlflow.pyfunc

    try:
        return mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # a foreign model may raise anything while it is unpickled
        raise DataError(
            "the model cannot be loaded in this image",
            field="model",
            value=f"{type(error).__name__}: {error}",
            mend="Install its requirements.txt into this image",
        ) from error


def _load_pyfunc(folder: Path, digest: str, facts: Mapping[str, Any]) -> Scorer:
    model = load_pyfunc(folder)
    schema = model.metadata.get_input_schema()
    if schema is not None and not schema.has_input_names():
        raise DataError(
            "the model's signature has no column names", field="model", mend="Log it with a DataFrame example"
        )
    types = None if schema is None else {column.name: column.type.name for column in schema.inputs}

    def score(rows: pa.RecordBatch) -> Any:
        frame = frame_of(rows, types if types is not None else _types_of(rows))
        try:
            return model.predict(frame)
        except Exception as error:  # a foreign model may raise anything while it scores
            raise DataError(
                "the model failed to score",
                field="model",
                value=f"{type(error).__name__}: {error}",
                mend="Try the model on a few rows of the snapshot by hand",
            ) from error

    return Scorer(digest, facts, None if types is None else tuple(types), score)


def _types_of(rows: pa.RecordBatch) -> dict[str, str]:
    """MLflow types of the rows' columns, for a model without a signature."""
    import pyarrow as pa

    def kind(arrow_type: pa.DataType) -> str:
        if pa.types.is_boolean(arrow_type):
            return "boolean"
        if pa.types.is_timestamp(arrow_type):
            return "datetime"
        return "string" if pa.types.is_string(arrow_type) else "double"

    return {field.name: kind(field.type) for field in rows.schema}


def _description(folder: Path) -> tuple[Mapping[str, Any], str]:
    """Read ``metadata.gauntlet`` and the loader module from ``MLmodel``."""
    import yaml

    try:
        document = yaml.safe_load((folder / MLMODEL_FILE).read_text())
        facts = (document.get("metadata") or {}).get("gauntlet") or {}
        loader = document["flavors"]["python_function"]["loader_module"]
    except (OSError, AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(
            "its MLmodel has no python_function flavor",
            field="model",
            value=str(error),
            mend="Save the model with its pyfunc flavor",
        ) from error
    return facts, str(loader)
