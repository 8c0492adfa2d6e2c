"""Opening a model for scoring: copy, verify, and only then load the copy.

Our own models are loaded directly and take Arrow rows; every other MLflow model is loaded as a pyfunc and takes the
frame its signature asks for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError
from gauntlet.model_digest import MLMODEL_FILE, digest_model, verify_model
from gauntlet.training import bundle
from gauntlet.training.encoding import encode
from gauntlet.training.frame import frame_of
from gauntlet.training.threads import wait_asleep

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Scorer:
    """A model, ready.

    Attributes:
        digest: its content digest.
        facts: what its ``MLmodel`` says under ``metadata.gauntlet``; empty for a model not trained here.
        inputs: the columns it needs; ``None`` when it has no signature and takes every feature there is.
        score: Arrow rows → whatever the model returns.
    """

    digest: str
    facts: Mapping[str, Any]
    inputs: tuple[str, ...] | None
    score: Callable[[pa.RecordBatch], Any]


@contextmanager
def open_model(folder: Path, expected: str = "") -> Iterator[Scorer]:
    """Load a model; the copy it is loaded from lives as long as the block.

    Args:
        folder: an MLflow model folder.
        expected: the digest it must have; empty when nobody knows, and then what is loaded is trusted as found.

    Raises:
        DataError: no model there, another one than expected, or it cannot be loaded.
    """
    with verified_copy(folder, expected) as (copy, digest):
        yield load_scorer(copy, digest)


@contextmanager
def verified_copy(folder: Path, expected: str = "") -> Iterator[tuple[Path, str]]:
    """A copy of a model folder that nobody else can change, and its digest; arguments and errors as ``open_model``."""
    with tempfile.TemporaryDirectory(prefix="gauntlet-model-") as scratch:
        copy = Path(scratch) / "model"
        if not folder.is_dir():
            raise DataError(
                "is not an MLflow model", field=str(folder), mend="Give a folder that holds an MLmodel file"
            )
        shutil.copytree(folder, copy)
        if expected:
            verify_model(copy, expected)
        yield copy, expected or digest_model(copy)


def load_scorer(copy: Path, digest: str) -> Scorer:
    """Load a model from a verified copy.

    Raises:
        DataError: it cannot be loaded.
    """
    facts, loader = _description(copy)
    return (_own if loader == bundle.LOADER else _pyfunc)(copy, digest, facts)


def _own(folder: Path, digest: str, facts: Mapping[str, Any]) -> Scorer:
    from gauntlet.training.pipeline import score_encoded

    model = bundle.load(folder)

    def score(rows: pa.RecordBatch) -> Any:
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        return score_encoded(model.pipeline, model.task, encode(model.features, columns, rows.num_rows))

    return Scorer(digest, facts, tuple(feature.name for feature in model.features), score)


def load_pyfunc(folder: Path) -> Any:
    """Load a model folder as an MLflow pyfunc. **This runs code that the folder chooses: verify its digest first.**

    Raises:
        DataError: it cannot be loaded here.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    wait_asleep()
    import mlflow.pyfunc

    try:
        return mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # whatever a stranger's model raises while it is unpickled
        raise DataError(
            "the model cannot be loaded in this image",
            field="model",
            value=f"{type(error).__name__}: {error}",
            mend="Install what its requirements.txt names into this image",
        ) from error


def _pyfunc(folder: Path, digest: str, facts: Mapping[str, Any]) -> Scorer:
    model = load_pyfunc(folder)
    schema = model.metadata.get_input_schema()
    if schema is not None and not schema.has_input_names():
        raise DataError("the model's signature names no columns", field="model", mend="Log it with a DataFrame example")
    types = None if schema is None else {column.name: column.type.name for column in schema.inputs}

    def score(rows: pa.RecordBatch) -> Any:
        frame = frame_of(rows, types if types is not None else _as_they_are(rows))
        try:
            return model.predict(frame)
        except Exception as error:  # whatever a stranger's model raises while it scores
            raise DataError(
                "the model failed to score",
                field="model",
                value=f"{type(error).__name__}: {error}",
                mend="Try the model on a few rows of the snapshot by hand",
            ) from error

    return Scorer(digest, facts, None if types is None else tuple(types), score)


def _as_they_are(rows: pa.RecordBatch) -> dict[str, str]:
    """MLflow types of the rows' own columns, for a model that declares none."""
    import pyarrow as pa

    def kind(one: pa.DataType) -> str:
        if pa.types.is_boolean(one):
            return "boolean"
        if pa.types.is_timestamp(one):
            return "datetime"
        return "string" if pa.types.is_string(one) else "double"

    return {field.name: kind(field.type) for field in rows.schema}


def _description(folder: Path) -> tuple[Mapping[str, Any], str]:
    """``metadata.gauntlet`` and the name of the module that loads the model."""
    import yaml

    try:
        document = yaml.safe_load((folder / MLMODEL_FILE).read_text())
        facts = (document.get("metadata") or {}).get("gauntlet") or {}
        loader = document["flavors"]["python_function"]["loader_module"]
    except (OSError, AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(
            "its MLmodel names no Python function to score with",
            field="model",
            value=str(error),
            mend="Save the model with its pyfunc flavour",
        ) from error
    return facts, str(loader)
