"""Open Inference Protocol (KServe V2), REST: ``POST /v2/models/NAME/infer``.

One tensor per column, of shape [rows] or [rows, 1]; or, if all columns have one datatype, one tensor of shape [rows,
columns] in the signature's order. Data is JSON, flat or nested as of the shape; ``null`` is a missing value. The binary
data extension is not supported. Responses have a tensor of shape [rows] for each output column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import MOST_ROWS, Input, InputContract, Rows, rows_from_columns
from gauntlet.serving.errors import InvalidRequest, json_type, nearest
from gauntlet.serving.values import all_of, within

if TYPE_CHECKING:
    import numpy as np

_KEYS = ("id", "parameters", "inputs", "outputs")
_TENSOR_KEYS = ("name", "shape", "datatype", "parameters", "data")
_LONGEST_ID = 256


_CHECKS: Mapping[str, Callable[[Sequence[Any]], bool]] = {
    "BOOL": all_of(bool),
    "BYTES": all_of(str),
    **{f"INT{bits}": all_of(int, fit=within(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": all_of(int, fit=within(0, 2**bits - 1)) for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": all_of(int, float) for bits in (16, 32, 64)},
}
_DATATYPES = {"f2": "FP16", "f4": "FP32", "f8": "FP64", "b1": "BOOL"} | {
    f"{kind}{bits // 8}": f"{'U' if kind == 'u' else ''}INT{bits}" for kind in "iu" for bits in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class Request:
    """Validated request.

    Attributes:
        id: the client's request id, or ``""``.
        rows: its rows.
        outputs: requested output columns; () requests all.
    """

    id: str
    rows: Rows
    outputs: tuple[str, ...] = ()


def parse(payload: Any, contract: InputContract, *, most_rows: int = MOST_ROWS) -> Request:
    """Parse and validate a request.

    Args:
        payload: its body, parsed from JSON.
        contract: the model's input contract.
        most_rows: limit of rows.

    Raises:
        InvalidRequest: it violates the protocol, a tensor's data does not match its datatype or shape, or the rows
            violate the contract.
        TooLarge: more rows than allowed.
    """
    _require_object(payload, "request body", _KEYS)
    identity = payload.get("id")
    if identity is not None and (not isinstance(identity, str) or len(identity) > _LONGEST_ID):
        raise InvalidRequest(
            f"expected a string of at most {_LONGEST_ID} characters, found {json_type(identity)}", field="id"
        )
    if identity and any("\ud800" <= sign <= "\udfff" for sign in identity):  # JSON can encode it, UTF-8 cannot
        raise InvalidRequest("contains a lone surrogate", field="id", mend="Send valid Unicode")
    tensors = payload.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise InvalidRequest("expected an array of tensors", field="inputs", mend="Give one tensor a column")
    for index, tensor in enumerate(tensors):
        _check_tensor(tensor, f"inputs[{index}]")
    columns = _matrix(tensors[0], contract) if _is_matrix(tensors, contract) else _columns(tensors, contract)
    outputs = _outputs(payload.get("outputs"), contract)
    return Request(identity or "", rows_from_columns(contract, columns, most_rows=most_rows), outputs)


def respond(answer: Answer, request: Request, *, model: str, version: str = "") -> dict[str, Any]:
    """Build the body of a response.

    Args:
        answer: the model's output.
        request: the request.
        model: the served model's name.
        version: its version, if it has one.

    Raises:
        InvalidRequest: a requested output does not exist; checked here if the signature names no outputs.
    """
    for name in request.outputs:
        if name not in answer.names:
            raise _no_such_output(name, answer.names)
    head = {"model_name": model} | ({"model_version": version} if version else {})
    head |= {"id": request.id} if request.id else {}
    requested = request.outputs or answer.names
    tensors = zip(answer.names, answer.columns, strict=True)
    return {**head, "outputs": [_tensor(name, column) for name, column in tensors if name in requested]}


def metadata(contract: InputContract, *, model: str, version: str = "") -> dict[str, Any]:
    """Build the body of ``GET /v2/models/NAME``.

    -1 stands for any number of rows. Outputs are declared as FP64, as in the signature; each response has its own
    datatype.
    """
    return {
        "name": model,
        **({"versions": [version]} if version else {}),
        "platform": "mlflow",
        "inputs": [
            {"name": column.name, "datatype": column.kind.datatypes[0], "shape": [-1]} for column in contract.inputs
        ],
        "outputs": [{"name": name, "datatype": "FP64", "shape": [-1]} for name in contract.outputs],
    }


def _require_object(value: Any, field: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"expected an object, found {json_type(value)}", field=field)
    for key in value:
        if key not in keys:
            raise InvalidRequest(f"{field} has no such key", field=key, mend=nearest(key, keys, "keys"))


def _check_tensor(tensor: Any, where: str) -> None:
    """Check a tensor's name, datatype, shape and data."""
    _require_object(tensor, where, _TENSOR_KEYS)
    name, shape = tensor.get("name"), tensor.get("shape")
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"expected a name, found {json_type(name)}", field=f"{where}.name")
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in _CHECKS:
        raise InvalidRequest("has no datatype of the protocol", field=name, mend=f"Use one of {', '.join(_CHECKS)}")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise InvalidRequest("its shape is not an array of sizes", field=name, mend="Give [rows]")
    parameters = tensor.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidRequest(f"expected an object of parameters, found {json_type(parameters)}", field=name)
    if parameters and "binary_data_size" in parameters:
        raise InvalidRequest("has binary data, which this server does not support", field=name, mend="Send JSON data")
    if not isinstance(tensor.get("data"), list):
        raise InvalidRequest(f"expected an array of data, found {json_type(tensor.get('data'))}", field=name)


def _is_matrix(tensors: list[Any], contract: InputContract) -> bool:
    shape = tensors[0]["shape"]
    return (
        len(tensors) == 1
        and tensors[0]["name"] not in contract.by_name
        and len(shape) == 2
        and shape[1] == len(contract.inputs)
    )


def _matrix(tensor: Mapping[str, Any], contract: InputContract) -> dict[str, list[Any]]:
    rows, width = tensor["shape"]
    data = _flat(tensor, (rows, width))
    for column in contract.inputs:
        _check_datatype(tensor, column)
    return {column.name: data[index::width] for index, column in enumerate(contract.inputs)}


def _columns(tensors: list[Any], contract: InputContract) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        name, shape = tensor["name"], tensor["shape"]
        if name not in contract.by_name:
            raise InvalidRequest(
                "the model takes no such column", field=name, mend=nearest(name, contract.by_name, "columns")
            )
        if name in columns:
            raise InvalidRequest("is given twice", field=name)
        if len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
            raise InvalidRequest(
                "its shape is not that of one value a row",
                field=name,
                mend="Give a column the shape [rows] or [rows, 1]",
            )
        _check_datatype(tensor, contract.by_name[name])
        columns[name] = _flat(tensor, (shape[0], 1))
    return columns


def _check_datatype(tensor: Mapping[str, Any], column: Input) -> None:
    if tensor["datatype"] not in column.kind.datatypes:
        raise InvalidRequest(
            f"expected {column.kind.expected}, found {tensor['datatype']}",
            field=column.name,
            mend=f"Use one of {', '.join(column.kind.datatypes)}",
        )


def _flat(tensor: Mapping[str, Any], shape: tuple[int, int]) -> list[Any]:
    """Flatten a tensor's data by row, and check each value against the datatype; ``null`` is allowed."""
    (rows, width), name, data = shape, tensor["name"], tensor["data"]
    nested = bool(data) and isinstance(data[0], list)
    if nested:
        if len(data) != rows or not all(isinstance(row, list) and len(row) == width for row in data):
            raise _misshaped(name, shape)
        data = [value for row in data for value in row]
    if len(data) != rows * width:
        raise _misshaped(name, shape)
    fit = _CHECKS[tensor["datatype"]]
    if not fit([value for value in data if value is not None]):
        index = next(index for index, value in enumerate(data) if value is not None and not fit([value]))
        raise InvalidRequest(
            f"declared {tensor['datatype']}, found {json_type(data[index])} that does not fit",
            field=name,
            row=index // width,
        )
    return list(data)


def _misshaped(name: str, shape: tuple[int, int]) -> InvalidRequest:
    return InvalidRequest(
        f"its data does not have the shape declared, {shape[0]} rows of {shape[1]}",
        field=name,
        mend="Correct the shape",
    )


def _outputs(requested: Any, contract: InputContract) -> tuple[str, ...]:
    if requested is None:
        return ()
    if not isinstance(requested, list) or not all(
        isinstance(output, Mapping) and isinstance(output.get("name"), str) for output in requested
    ):
        raise InvalidRequest("expected an array of objects with a name", field="outputs")
    names = tuple(output["name"] for output in requested)
    for name in names:
        if contract.outputs and name not in contract.outputs:
            raise _no_such_output(name, contract.outputs)
    return names


def _no_such_output(name: str, known: tuple[str, ...]) -> InvalidRequest:
    return InvalidRequest("the model has no such output", field=name, mend=nearest(name, known, "outputs"))


def _tensor(name: str, column: np.ndarray) -> dict[str, Any]:
    values = Answer((name,), (column,), "column").rows()
    return {
        "name": name,
        "shape": [len(values)],
        "datatype": _DATATYPES.get(column.dtype.str[1:], "BYTES"),
        "data": values,
    }
