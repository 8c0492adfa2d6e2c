"""The two roads from checked rows to a model's output: the direct one, and the one any MLflow pyfunc takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gauntlet.errors import DataError
from gauntlet.prediction.model import load_pyfunc
from gauntlet.serving.contract import InputContract, Rows
from gauntlet.serving.framed import frame_of_rows

_TYPE_HINTED = ("is_signature_from_type_hint", "type_hint_from_example")
"""Marks in an ``MLmodel`` of a model that converts its input itself, by type hints, and reads the signature for it."""


class Scorer(Protocol):
    """A loaded model. ``predict`` may be called from several threads."""

    def predict(self, rows: Rows) -> Any:
        """Score rows.

        Args:
            rows: checked against the model's contract.

        Returns:
            What the model returns: array, frame, series or list.

        Raises:
            InvalidRequest: a value that only the model knows to be unusable.
            DataError: the model failed; the message holds no row data.
        """
        ...


class Pyfunc:
    """Any MLflow model, by way of the frame its signature asks for: slow, and the same as in batch scoring.

    MLflow would hold every frame against the signature once more, column by column, which for one row takes as long as
    many a model. The contract has done that, and ``frame_of_rows`` makes what MLflow would leave, so the loaded model
    is told no inputs any longer.

    Args:
        model: an ``mlflow.pyfunc.PyFuncModel``; its signature is changed.
        contract: its input.
    """

    def __init__(self, model: Any, contract: InputContract) -> None:
        self._model = model
        self._types = {one.name: one.kind.name for one in contract.inputs}
        _forget_inputs(model)

    def predict(self, rows: Rows) -> Any:
        """As ``Scorer.predict``."""
        frame = frame_of_rows(rows, self._types)
        try:
            return self._model.predict(frame)
        except Exception as error:  # whatever a stranger's model raises while it scores
            # Its message, and those of what caused it, may quote the rows: only the type goes on.
            raise DataError(
                "the model failed to score",
                field="model",
                value=type(error).__name__,
                mend="Try the model on such a request by hand",
            ) from None


def _forget_inputs(model: Any) -> None:
    """Take the inputs out of a loaded model's signature; its parameters and their defaults stay."""
    from mlflow.models import ModelSignature

    signature, described = model.metadata.signature, model.metadata.to_dict()
    if signature is None or any(described.get(mark) for mark in _TYPE_HINTED):
        return
    kept = {"outputs": signature.outputs, "params": signature.params}
    # A signature of nothing is refused; none at all means the same.
    model.metadata.signature = ModelSignature(**kept) if any(kept.values()) else None


def load_scorer(folder: Path, loader: str, contract: InputContract) -> Scorer:
    """Load a model folder. **This runs code that the folder chooses: verify its digest first.**

    Args:
        folder: an MLflow model folder.
        loader: the loader module its ``MLmodel`` names.
        contract: its input.

    Raises:
        DataError: it cannot be loaded here.
    """
    from gauntlet.serving.direct import is_direct, load_direct

    if is_direct(loader):
        return load_direct(folder)
    return Pyfunc(load_pyfunc(folder), contract)
