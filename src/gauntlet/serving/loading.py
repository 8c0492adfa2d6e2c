"""Loads a model for serving: copies the folder, verifies the digest, loads the copy, and warms up.

The order matters: unpickling executes code from the model's files, even if loading fails afterwards. So the folder is
copied to a private place, the copy's digest is compared with the expected one, and only the copy is loaded.
"""

from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.model_digest import MLMODEL_FILE, copy_model, verify_model
from gauntlet.serving.answer import Answer, answer_of
from gauntlet.serving.contract import InputContract, Rows, contract_of, rows_from_records
from gauntlet.serving.errors import InvalidRequest
from gauntlet.serving.scorers import Scorer, load_scorer


@dataclass(frozen=True)
class ServedModel:
    """Loaded model that has passed its warm-up.

    Attributes:
        digest: its verified content digest.
        contract: its input contract.
        facts: ``metadata.gauntlet`` of its ``MLmodel``; empty for a model not trained by Gauntlet.
        scorer: the model.
    """

    digest: str
    contract: InputContract
    facts: Mapping[str, Any]
    scorer: Scorer

    def answer(self, rows: Rows) -> Answer:
        """Score validated rows.

        Raises:
            InvalidRequest: the model rejects a value.
            DataError: the model failed, or returned an invalid output.
        """
        return answer_of(self.scorer.predict(rows), rows=rows.count, names=self.contract.outputs)


@contextmanager
def open_served(folder: Path, expected: str) -> Iterator[ServedModel]:
    """Load a verified copy of a model for serving; the copy lives as long as the context.

    Within the context the objects alive at its start are exempt from garbage collection (``gc.freeze``): a full
    collection over a loaded model's objects pauses for 100 ms and more.

    Args:
        folder: an MLflow model folder.
        expected: the digest it must have.

    Raises:
        ConfigurationError: no digest is given; a server never loads an unverified model.
        DataError: no model, another digest, no contract, or loading or the warm-up fails.
    """
    if not expected:
        raise ConfigurationError(
            "no digest to verify the model against", field="digest", mend="Use the digest of its registry version"
        )
    with tempfile.TemporaryDirectory(prefix="gauntlet-served-") as scratch:
        copy = Path(scratch) / "model"
        copy_model(folder, copy)
        verify_model(copy, expected)
        model = _load(copy, expected)
        gc.collect()
        gc.freeze()
        try:
            yield model
        finally:
            gc.unfreeze()


def warm_up_rows(folder: Path, contract: InputContract, document: Mapping[str, Any]) -> Rows:
    """Warm-up rows: the model's input example; without one, a row of nulls where allowed and zeros elsewhere.

    Args:
        folder: the model folder.
        contract: the model's input contract.
        document: its ``MLmodel``.

    Raises:
        DataError: the example cannot be read, or does not fit the signature.
    """
    info = document.get("saved_input_example_info")
    if not info:
        return Rows(
            {column.name: [None if not column.required else _ZEROS[column.kind.name]] for column in contract.inputs}, 1
        )
    try:
        example = json.loads((folder / str(info["artifact_path"])).read_text())
        records = (
            [dict(zip(example["columns"], row, strict=True)) for row in example["data"]]
            if isinstance(example, dict) and {"columns", "data"} <= example.keys()
            else example
        )
        return rows_from_records(contract, records if isinstance(records, list) else [records])
    except (OSError, ValueError, KeyError, TypeError, InvalidRequest) as error:
        raise DataError(
            "its input example does not fit its signature",
            field="model",
            value=str(error) if isinstance(error, InvalidRequest) else type(error).__name__,
            mend="Log the model with a DataFrame as input example",
        ) from error


def _load(folder: Path, digest: str) -> ServedModel:
    document = _document(folder)
    contract = contract_of(document)
    try:
        loader = str(document["flavors"]["python_function"]["loader_module"])
        facts = (document.get("metadata") or {}).get("gauntlet") or {}
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(
            "its MLmodel has no python_function flavor",
            field="model",
            mend="Save the model with its pyfunc flavor",
        ) from error
    model = ServedModel(digest, contract, facts, load_scorer(folder, loader, contract))
    rows = warm_up_rows(folder, contract, document)
    try:
        model.answer(rows)
    except DataError as error:
        raise DataError(
            "the model was loaded, but cannot score its own input example",
            field="model",
            value=str(error),
            mend="Try the model by hand; log it with an input example that it can score",
        ) from error
    return model


def _document(folder: Path) -> Mapping[str, Any]:
    import yaml

    try:
        document = yaml.safe_load((folder / MLMODEL_FILE).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError("its MLmodel cannot be read", field="model", mend="Save the model again") from error
    return document if isinstance(document, dict) else {}


_ZEROS: Mapping[str, Any] = {
    "double": 0.0,
    "float": 0.0,
    "long": 0,
    "integer": 0,
    "string": "",
    "boolean": False,
    "datetime": datetime(1970, 1, 1),
}
