"""Scorers of validated rows: direct for Gauntlet's own models, MLflow pyfunc for any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gauntlet.errors import DataError
from gauntlet.prediction.model import load_pyfunc
from gauntlet.serving.contract import InputContract, Rows
from gauntlet.serving.dataframe import frame_of_rows

_TYPE_HINTED = ("is_signature_from_type_hint", "type_hint_from_example")
"""Keys in the ``MLmodel`` of a model that converts its input by type hints, for which it reads the signature."""


class Scorer(Protocol):
    """Loaded model. ``predict`` may be called from several threads."""

    def predict(self, rows: Rows) -> Any:
        """Score rows.

        Args:
            rows: rows validated against the model's contract.

        Returns:
            The model's raw output: array, DataFrame, Series or list.

        Raises:
            InvalidRequest: the model rejects a value.
            DataError: the model failed; the message contains no row data.
        """
        ...


class Pyfunc:
    """Scorer of any MLflow model with a DataFrame of its signature's types, as in batch scoring.

    MLflow would validate every DataFrame against the signature once more, column by column, which for one row takes as
    long as many models. The contract has validated the rows, and ``frame_of_rows`` produces MLflow's types, so the
    inputs are removed from the loaded model's signature.

    Args:
        model: an ``mlflow.pyfunc.PyFuncModel``; its signature is changed.
        contract: its input.
    """

    def __init__(self, model: Any, contract: InputContract) -> None:
        self._model = model
        self._types = {column.name: column.kind.name for column in contract.inputs}
        _remove_inputs(model)

    def predict(self, rows: Rows) -> Any:
        """As ``Scorer.predict``."""
        frame = frame_of_rows(rows, self._types)
        try:
            return self._model.predict(frame)
        except Exception as error:  # a foreign model may raise anything while it scores
            # Its message and those of its causes may contain row data: only the type is reported.
            raise DataError(
                "the model failed to score",
                field="model",
                value=type(error).__name__,
                mend="Try the model on such a request by hand",
            ) from None


def _remove_inputs(model: Any) -> None:
    """Remove the inputs from a loaded model's signature; parameters and their defaults stay."""
    from mlflow.models import ModelSignature

    signature, described = model.metadata.signature, model.metadata.to_dict()
    if signature is None or any(described.get(mark) for mark in _TYPE_HINTED):
        return
    kept = {"outputs": signature.outputs, "params": signature.params}
    # MLflow rejects an empty signature; None means the same.
    model.metadata.signature = ModelSignature(**kept) if any(kept.values()) else None


def load_scorer(folder: Path, loader: str, contract: InputContract) -> Scorer:
    """Load a model folder. **This executes code from the folder: verify its digest first.**

    Args:
        folder: an MLflow model folder.
        loader: the loader module in its ``MLmodel``.
        contract: its input contract.

    Raises:
        DataError: it cannot be loaded here.
    """
    from gauntlet.serving.direct import is_direct, load_direct

    if is_direct(loader):
        return load_direct(folder)
    return Pyfunc(load_pyfunc(folder), contract)
