"""Values that a column must refuse, by its type, and rows whose values can be recognised in an answer."""

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
"""What to look for in an answer: one of these stands, whole or in part, in every value of a marked row."""


@dataclass(frozen=True)
class Fault:
    """A value that does not belong in a column.

    Attributes:
        name: what is wrong with it, for people.
        value: JSON.
        datatype: what a v2 tensor declares for it; ``""`` for what the column has.
    """

    name: str
    value: Any
    datatype: str = ""


def marked(contract: InputContract, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the right types whose values occur nowhere else; booleans stay as they are, for want of choice."""
    return {
        one.name: _MARKED[one.kind.name] if one.kind.name in _MARKED else bool(row.get(one.name))
        for one in contract.inputs
    }


def column_faults(one: Input, protocol: str) -> tuple[Fault, ...]:
    """What a column has to refuse, a value of each kind.

    Args:
        one: the column.
        protocol: v2 tells types apart by the tensor's datatype as well.
    """
    if protocol == "v1":
        return tuple(Fault(name, value) for name, value in _VALUES[one.kind.name].items())
    declared = _DECLARED[one.kind.name]
    wrong = _VALUES[one.kind.name][declared[0]]
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
