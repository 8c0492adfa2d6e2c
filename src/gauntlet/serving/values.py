"""JSON values as values of an MLflow column type, strictly: what would lose or invent something is refused.

| MLflow type | takes | gives |
|---|---|---|
| ``double``, ``float`` | numbers, integers included; finite, within the type's range | ``float`` |
| ``long``, ``integer`` | integers within the type's range, and numbers that are whole (``2.0``) | ``int`` |
| ``string`` | strings | ``str`` |
| ``boolean`` | booleans, never numbers | ``bool`` |
| ``datetime`` | ISO 8601 strings; an offset is converted to UTC and dropped, none is taken as UTC | ``datetime`` |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LARGEST_FLOAT32 = (2 - 2**-23) * 2.0**127
"""The largest finite 32-bit float."""
_EXACT = 2.0**53  # from here on a 64-bit float no longer tells neighbouring integers apart


class Unfit(Exception):
    """A value is not of a type. Its message says why where the type alone does not; it never holds the value."""


@dataclass(frozen=True)
class Kind:
    """One MLflow column type.

    Attributes:
        name: MLflow's name.
        expected: the name for people.
        read: JSON value → value; raises ``Unfit``. Never called with a missing value.
        datatypes: those of the Open Inference Protocol that a tensor of it may have; the first is the natural one.
        as_is: JSON values → whether ``read`` would return every one of them as it is. ``False`` may also mean that it
            is not known.
    """

    name: str
    expected: str
    read: Callable[[Any], Any]
    datatypes: tuple[str, ...]
    as_is: Callable[[Sequence[Any]], bool]


def all_of(*types: type, fit: Callable[[Sequence[Any]], bool] = lambda values: True) -> Callable[[Sequence[Any]], bool]:
    """A check of many values at once, whose loops are not Python's: most columns hold values of one type that fit.

    Args:
        types: what each value must be, exactly.
        fit: what else must hold of values of these types.
    """
    wanted = frozenset(types)
    return lambda values: wanted.issuperset(map(type, values)) and fit(values)


def within(least: float, most: float) -> Callable[[Sequence[Any]], bool]:
    """A check whether numbers, none of them NaN, lie in a closed range."""
    return lambda values: not values or (least <= min(values) and max(values) <= most)


def is_missing(value: object) -> bool:
    """Whether a JSON value stands for a missing one: ``null``, or ``NaN`` where the parser lets that through."""
    return value is None or (type(value) is float and value != value)


def _double(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise Unfit("beyond the range of a 64-bit float") from None
    raise Unfit


def _float(value: Any) -> float:
    number = _double(value)
    if abs(number) > LARGEST_FLOAT32:
        raise Unfit("beyond the range of a 32-bit float")
    return number


def _whole(bits: int) -> Callable[[Any], int]:
    least, beyond = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def read(value: Any) -> int:
        if type(value) is float:
            if not value.is_integer():
                raise Unfit
            if abs(value) >= _EXACT:
                raise Unfit("too large to be exact; write it without a fraction or exponent")
            value = int(value)
        elif type(value) is not int:
            raise Unfit
        if not least <= value < beyond:
            raise Unfit(f"beyond the range of a {bits}-bit integer")
        return int(value)

    return read


def _string(value: Any) -> str:
    if type(value) is not str:
        raise Unfit
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can spell and UTF-8 cannot
            raise Unfit("no valid Unicode text") from None
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Unfit
    return value


def _datetime(value: Any) -> datetime:
    if type(value) is not str:
        raise Unfit
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Unfit("not in ISO 8601") from None


def _finite(values: Sequence[Any]) -> bool:
    return all(map(math.isfinite, values))


_narrow = within(-LARGEST_FLOAT32, LARGEST_FLOAT32)
_INTEGERS = ("INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8")
_FLOATS = ("FP64", "FP32", "FP16")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("double", "a number (double)", _double, (*_FLOATS, *_INTEGERS), all_of(float, fit=_finite)),
        Kind(
            "float",
            "a number (float)",
            _float,
            ("FP32", "FP64", "FP16", *_INTEGERS),
            all_of(float, fit=lambda values: _finite(values) and _narrow(values)),
        ),
        Kind("long", "an integer (long)", _whole(64), _INTEGERS, all_of(int, fit=within(-(2**63), 2**63 - 1))),
        Kind(
            "integer",
            "an integer (integer)",
            _whole(32),
            ("INT32", *(one for one in _INTEGERS if one != "INT32")),
            all_of(int, fit=within(-(2**31), 2**31 - 1)),
        ),
        Kind("string", "a string", _string, ("BYTES",), all_of(str, fit=lambda values: all(map(str.isascii, values)))),
        Kind("boolean", "a boolean", _boolean, ("BOOL",), all_of(bool)),
        Kind("datetime", "a date and time in ISO 8601 (string)", _datetime, ("BYTES",), lambda values: False),
    )
}
"""MLflow's scalar column types that a JSON request can carry, by name."""
