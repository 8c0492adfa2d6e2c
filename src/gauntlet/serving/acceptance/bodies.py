"""Rows of a snapshot as requests of both protocols, and their answers as scores."""

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
    """Where a protocol takes predictions."""
    return f"/v1/models/{model}:predict" if protocol == "v1" else f"/v2/models/{model}/infer"


def json_rows(contract: InputContract, rows: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """Rows as a caller would send them: the types of the signature, ``None`` where missing.

    Args:
        contract: what the model takes.
        rows: with a column for every input; others are ignored.

    Raises:
        DataError: a column is absent, or is not of a type that the signature's can be had from.
    """
    import pyarrow as pa

    columns = []
    for one in contract.inputs:
        if one.name not in rows.schema.names:
            raise DataError(
                "the model takes this column and the snapshot lacks it",
                field=one.name,
                mend="Give the snapshot that the predictions were made from",
            )
        found = rows.column(one.name)
        wanted = pa.type_for_alias(_ARROW_TYPES[one.kind.name])
        try:
            # As training.frame: a number loses digits where the signature has fewer, an integer never does.
            values = found.cast(wanted, safe=not pa.types.is_floating(wanted)).to_pylist()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"the signature asks for {one.kind.name}, the snapshot holds {found.type}",
                field=one.name,
                mend="Give the snapshot that the predictions were made from",
            ) from error
        columns.append([_json_value(value) for value in values])
    return [dict(zip(contract.by_name, row, strict=True)) for row in zip(*columns, strict=True)]


def encode(protocol: str, contract: InputContract, rows: Sequence[Row], **more: Any) -> bytes:
    """A request body.

    Args:
        protocol: ``v1`` or ``v2``.
        contract: what the model takes.
        rows: JSON values; a column that no row has is left out.
        more: further keys of the body.
    """
    if protocol == "v1":
        return dumps({"instances": list(rows), **more})
    return dumps({**more, "inputs": tensors(contract, rows)})


def tensors(contract: InputContract, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as one tensor a column, for the columns that some row has."""
    return [
        {
            "name": one.name,
            "shape": [len(rows)],
            "datatype": one.kind.datatypes[0],
            "data": [row.get(one.name) for row in rows],
        }
        for one in contract.inputs
        if any(one.name in row for row in rows)
    ]


def dumps(value: Any) -> bytes:
    """JSON, as short as it gets."""
    return json.dumps(value, separators=(",", ":")).encode()


def decode(protocol: str, answer: Any, *, task: str, classes: tuple[str, ...], rows: int) -> np.ndarray:
    """The scores in an answer, by the rules of ``prediction.scores``.

    Args:
        protocol: whose answer.
        answer: the body, parsed.
        task: ``binary | multiclass | regression``.
        classes: class names in score order.
        rows: rows asked for.

    Returns:
        float64: (rows,) for binary and regression, (rows, classes) for multiclass.

    Raises:
        DataError: it holds no scores for so many rows.
    """
    import numpy as np

    try:
        if protocol == "v1":
            given = answer["predictions"]
            names = list(given[0]) if given and isinstance(given[0], dict) else []
            columns = [[row[name] for row in given] for name in names]
        else:
            names = [one["name"] for one in answer["outputs"]]
            columns = [one["data"] for one in answer["outputs"]]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError("is no answer of the protocol", field=protocol, mend="Mend the server") from error
    if classes and set(classes) <= set(names):
        columns = [columns[names.index(name)] for name in classes]
    if columns:
        given = columns[0] if len(columns) == 1 else _stacked(columns)
    return np.asarray(as_scores(given, task=task, classes=classes, rows=rows))


def _stacked(columns: list[list[Any]]) -> list[list[Any]]:
    if len({len(column) for column in columns}) > 1:
        raise DataError("gives columns of different lengths", field="outputs", mend="Mend the server")
    return [list(row) for row in zip(*columns, strict=True)]


def _json_value(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
