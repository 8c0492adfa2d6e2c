"""The Open Inference Protocol (KServe's second), REST: ``POST /v2/models/NAME/infer``.

One tensor a column, of shape [rows] or [rows, 1]; or, where one datatype suits every column, one tensor of shape [rows,
columns] in the signature's order. Data is JSON, flat or nested as the shape says; ``null`` is a missing value.
The binary data extension is not spoken. Answers hold a tensor of shape [rows] for each output column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import MOST_ROWS, Input, InputContract, Rows, rows_from_columns
from gauntlet.serving.errors import InvalidRequest, found, nearest
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
    """A checked request.

    Attributes:
        id: the caller's name for it, or ``""``.
        rows: its rows.
        outputs: the output columns asked for; () asks for all.
    """

    id: str
    rows: Rows
    outputs: tuple[str, ...] = ()


def parse(payload: Any, contract: InputContract, *, most_rows: int = MOST_ROWS) -> Request:
    """Check a request.

    Args:
        payload: its body, parsed from JSON.
        contract: what the model takes.
        most_rows: how many rows it may hold.

    Raises:
        InvalidRequest: it is not of the protocol, a tensor's data is not what its datatype and shape say, or the rows
            do not fit the model.
        TooLarge: more rows than allowed.
    """
    _require_object(payload, "request body", _KEYS)
    identity = payload.get("id")
    if identity is not None and (not isinstance(identity, str) or len(identity) > _LONGEST_ID):
        raise InvalidRequest(
            f"expected a string of at most {_LONGEST_ID} characters, found {found(identity)}", field="id"
        )
    if identity and any("\ud800" <= sign <= "\udfff" for sign in identity):  # JSON can say it, UTF-8 cannot
        raise InvalidRequest("holds half a character (a lone surrogate)", field="id", mend="Send whole ones")
    tensors = payload.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise InvalidRequest("expected an array of tensors", field="inputs", mend="Give one tensor a column")
    for index, tensor in enumerate(tensors):
        _check_tensor(tensor, f"inputs[{index}]")
    columns = _matrix(tensors[0], contract) if _is_matrix(tensors, contract) else _columns(tensors, contract)
    outputs = _outputs(payload.get("outputs"), contract)
    return Request(identity or "", rows_from_columns(contract, columns, most_rows=most_rows), outputs)


def respond(answer: Answer, request: Request, *, model: str, version: str = "") -> dict[str, Any]:
    """The body of a response.

    Args:
        answer: what the model said.
        request: what it was asked.
        model: the served model's name.
        version: its version, if it has one.

    Raises:
        InvalidRequest: an output was asked for that the model does not give; found here where its signature names none.
    """
    for name in request.outputs:
        if name not in answer.names:
            raise _no_such_output(name, answer.names)
    head = {"model_name": model} | ({"model_version": version} if version else {})
    head |= {"id": request.id} if request.id else {}
    asked = request.outputs or answer.names
    tensors = zip(answer.names, answer.columns, strict=True)
    return {**head, "outputs": [_tensor(name, column) for name, column in tensors if name in asked]}


def metadata(contract: InputContract, *, model: str, version: str = "") -> dict[str, Any]:
    """The body of ``GET /v2/models/NAME``; -1 stands for any number of rows. Outputs are announced as FP64, as their
    signature does; each response says the datatype it has.
    """
    return {
        "name": model,
        **({"versions": [version]} if version else {}),
        "platform": "mlflow",
        "inputs": [{"name": one.name, "datatype": one.kind.datatypes[0], "shape": [-1]} for one in contract.inputs],
        "outputs": [{"name": name, "datatype": "FP64", "shape": [-1]} for name in contract.outputs],
    }


def _require_object(value: Any, field: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"expected an object, found {found(value)}", field=field)
    for key in value:
        if key not in keys:
            raise InvalidRequest(f"{field} has no such key", field=key, mend=nearest(key, keys, "keys"))


def _check_tensor(tensor: Any, where: str) -> None:
    """Make sure of a tensor's own consistency: name, datatype, shape and data."""
    _require_object(tensor, where, _TENSOR_KEYS)
    name, shape = tensor.get("name"), tensor.get("shape")
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"expected a name, found {found(name)}", field=f"{where}.name")
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in _CHECKS:
        raise InvalidRequest("has no datatype of the protocol", field=name, mend=f"Use one of {', '.join(_CHECKS)}")
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        raise InvalidRequest("its shape is no array of sizes", field=name, mend="Give [rows]")
    parameters = tensor.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidRequest(f"expected an object of parameters, found {found(parameters)}", field=name)
    if parameters and "binary_data_size" in parameters:
        raise InvalidRequest("holds binary data, which this server does not read", field=name, mend="Send JSON data")
    if not isinstance(tensor.get("data"), list):
        raise InvalidRequest(f"expected an array of data, found {found(tensor.get('data'))}", field=name)


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
    for one in contract.inputs:
        _check_datatype(tensor, one)
    return {one.name: data[index::width] for index, one in enumerate(contract.inputs)}


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


def _check_datatype(tensor: Mapping[str, Any], one: Input) -> None:
    if tensor["datatype"] not in one.kind.datatypes:
        raise InvalidRequest(
            f"expected {one.kind.expected}, found {tensor['datatype']}",
            field=one.name,
            mend=f"Use one of {', '.join(one.kind.datatypes)}",
        )


def _flat(tensor: Mapping[str, Any], shape: tuple[int, int]) -> list[Any]:
    """The data row after row, flat; each value ``null`` or what the datatype says."""
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
            f"declared {tensor['datatype']}, found {found(data[index])} that is none", field=name, row=index // width
        )
    return list(data)


def _misshaped(name: str, shape: tuple[int, int]) -> InvalidRequest:
    return InvalidRequest(
        f"its data does not have the shape declared, {shape[0]} rows of {shape[1]}",
        field=name,
        mend="Correct the shape",
    )


def _outputs(asked: Any, contract: InputContract) -> tuple[str, ...]:
    if asked is None:
        return ()
    if not isinstance(asked, list) or not all(
        isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in asked
    ):
        raise InvalidRequest("expected an array of objects with a name", field="outputs")
    names = tuple(one["name"] for one in asked)
    for name in names:
        if contract.outputs and name not in contract.outputs:
            raise _no_such_output(name, contract.outputs)
    return names


def _no_such_output(name: str, known: tuple[str, ...]) -> InvalidRequest:
    return InvalidRequest("the model gives no such output", field=name, mend=nearest(name, known, "outputs"))


def _tensor(name: str, column: np.ndarray) -> dict[str, Any]:
    values = Answer((name,), (column,), "column").rows()
    return {
        "name": name,
        "shape": [len(values)],
        "datatype": _DATATYPES.get(column.dtype.str[1:], "BYTES"),
        "data": values,
    }
