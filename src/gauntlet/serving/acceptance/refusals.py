"""Invalid values of each column type, and rows of unique markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gauntlet.serving.contract import Input, InputContract

_TEXT = "mark-qzx-83514"
_NUMBER = 731905.0625
_WHOLE = 731905227
_MOMENT = "1907-03-05T01:02:03"

MARKS = (_TEXT, "731905", "1907-03-05")
"""Markers: every value of a marked row contains one of these."""


@dataclass(frozen=True)
class Fault:
    """Invalid value of a column.

    Attributes:
        name: description of the fault.
        value: JSON.
        datatype: datatype declared in a v2 tensor; ``""`` for the column's own.
    """

    name: str
    value: Any
    datatype: str = ""


def marked(contract: InputContract, row: Mapping[str, Any]) -> dict[str, Any]:
    """Make a row of the right types with unique values; booleans are unchanged."""
    return {
        model_input.name: _MARKED[model_input.kind.name]
        if model_input.kind.name in _MARKED
        else bool(row.get(model_input.name))
        for model_input in contract.inputs
    }


def column_faults(column: Input, protocol: str) -> tuple[Fault, ...]:
    """List the invalid values of a column, one of each kind.

    Args:
        column: the column.
        protocol: v2 tells types apart by the tensor's datatype as well.
    """
    if protocol == "v1":
        return tuple(Fault(name, value) for name, value in _VALUES[column.kind.name].items())
    declared = _DECLARED[column.kind.name]
    wrong = _VALUES[column.kind.name][declared[0]]
    return (Fault(f"{declared[0]} in data", wrong), Fault(f"datatype {declared[1]}", declared[2], declared[1]))


_MARKED: Mapping[str, Any] = {
    "double": _NUMBER,
    "float": _NUMBER,
    "long": _WHOLE,
    "integer": _WHOLE,
    "string": _TEXT,
    "datetime": _MOMENT,
}
_NESTED = {"an array": [_NUMBER], "an object": {"value": _TEXT}}
_NUMBERS = {"a text": _TEXT, "a boolean": True, **_NESTED}
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "double": {**_NUMBERS, "a number beyond 64 bits": int("731905" + "0" * 400)},
    "float": {**_NUMBERS, "a number beyond 32 bits": 7.31905e39},
    "long": {**_NUMBERS, "a fraction": _NUMBER, "an integer beyond 64 bits": 731905 * 10**18},
    "integer": {**_NUMBERS, "a fraction": _NUMBER, "an integer beyond 32 bits": 7319050000},
    "string": {"a number": _NUMBER, "a boolean": True, **_NESTED},
    "boolean": {"a text": _TEXT, "a number": 1, **_NESTED},
    "datetime": {"a text that is no date": _TEXT, "a number": _NUMBER, **_NESTED},
}
_DECLARED: Mapping[str, tuple[str, str, Any]] = {
    "double": ("a text", "BYTES", _TEXT),
    "float": ("a text", "BYTES", _TEXT),
    "long": ("a fraction", "FP64", _NUMBER),
    "integer": ("a fraction", "FP64", _NUMBER),
    "string": ("a number", "FP64", _NUMBER),
    "boolean": ("a text", "BYTES", _TEXT),
    "datetime": ("a text that is no date", "FP64", _NUMBER),
}
"""Type → (a fault of ``_VALUES`` under the right datatype, a wrong datatype, a value that has it)."""
