"""Encodes rows of a snapshot as requests of both protocols, and decodes responses to scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gauntlet.errors import DataError
from gauntlet.prediction.scores import as_scores
from gauntlet.serving.contract import InputContract

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Row = Mapping[str, Any]
"""Column → JSON value."""

_ARROW_TYPES = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "string": "string",
    "boolean": "bool",
    "datetime": "timestamp[us]",
}


def predict_path(protocol: str, model: str) -> str:
    """Path of predictions of a protocol."""
    return f"/v1/models/{model}:predict" if protocol == "v1" else f"/v2/models/{model}/infer"


def json_rows(contract: InputContract, rows: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """Convert rows to JSON values of the signature's types, ``None`` where missing.

    Args:
        contract: the model's input contract.
        rows: with a column for every input; others are ignored.

    Raises:
        DataError: a column is absent, or cannot be cast to the signature's type.
    """
    import pyarrow as pa

    columns = []
    for model_input in contract.inputs:
        if model_input.name not in rows.schema.names:
            raise DataError(
                "the model takes this column and the snapshot lacks it",
                field=model_input.name,
                mend="Give the snapshot that the predictions were made from",
            )
        column = rows.column(model_input.name)
        arrow_type = pa.type_for_alias(_ARROW_TYPES[model_input.kind.name])
        try:
            # As training.frame: a number loses digits where the signature has fewer, an integer never does.
            values = column.cast(arrow_type, safe=not pa.types.is_floating(arrow_type)).to_pylist()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"the signature asks for {model_input.kind.name}, the snapshot holds {column.type}",
                field=model_input.name,
                mend="Give the snapshot that the predictions were made from",
            ) from error
        columns.append([_json_value(value) for value in values])
    return [dict(zip(contract.by_name, row, strict=True)) for row in zip(*columns, strict=True)]


def encode(protocol: str, contract: InputContract, rows: Sequence[Row], **more: Any) -> bytes:
    """Encode a request body.

    Args:
        protocol: ``v1`` or ``v2``.
        contract: the model's input contract.
        rows: JSON values; columns that no row has are omitted.
        more: further keys of the body.
    """
    if protocol == "v1":
        return dumps({"instances": list(rows), **more})
    return dumps({**more, "inputs": tensors(contract, rows)})


def tensors(contract: InputContract, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Make one tensor per column, for columns that some row has."""
    return [
        {
            "name": model_input.name,
            "shape": [len(rows)],
            "datatype": model_input.kind.datatypes[0],
            "data": [row.get(model_input.name) for row in rows],
        }
        for model_input in contract.inputs
        if any(model_input.name in row for row in rows)
    ]


def dumps(value: Any) -> bytes:
    """Serialize compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def decode(protocol: str, answer: Any, *, task: str, classes: tuple[str, ...], rows: int) -> np.ndarray:
    """Decode the scores of a response, by the rules of ``prediction.scores``.

    Args:
        protocol: its protocol.
        answer: the body, parsed.
        task: ``binary | multiclass | regression``.
        classes: class names in score order.
        rows: rows requested.

    Returns:
        float64: (rows,) for binary and regression, (rows, classes) for multiclass.

    Raises:
        DataError: it does not hold scores for so many rows.
    """
    import numpy as np

    try:
        if protocol == "v1":
            scores = answer["predictions"]
            names = list(scores[0]) if scores and isinstance(scores[0], dict) else []
            columns = [[row[name] for row in scores] for name in names]
        else:
            names = [output["name"] for output in answer["outputs"]]
            columns = [output["data"] for output in answer["outputs"]]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError("is no answer of the protocol", field=protocol, mend="Mend the server") from error
    if classes and set(classes) <= set(names):
        columns = [columns[names.index(name)] for name in classes]
    if columns:
        scores = columns[0] if len(columns) == 1 else _stacked(columns)
    return np.asarray(as_scores(scores, task=task, classes=classes, rows=rows))


def _stacked(columns: list[list[Any]]) -> list[list[Any]]:
    if len({len(column) for column in columns}) > 1:
        raise DataError("gives columns of different lengths", field="outputs", mend="Mend the server")
    return [list(row) for row in zip(*columns, strict=True)]


def _json_value(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
