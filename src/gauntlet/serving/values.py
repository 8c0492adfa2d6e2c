"""Strict conversion of JSON values to MLflow column types; lossy conversions are errors.

| MLflow type | accepts | returns |
|---|---|---|
| ``double``, ``float`` | numbers, integers included; finite, within the type's range | ``float`` |
| ``long``, ``integer`` | integers within the type's range, and whole numbers (``2.0``) | ``int`` |
| ``string`` | strings | ``str`` |
| ``boolean`` | booleans, never numbers | ``bool`` |
| ``datetime`` | ISO 8601 strings; an offset is converted to UTC and dropped; without one, UTC | ``datetime`` |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LARGEST_FLOAT32 = (2 - 2**-23) * 2.0**127
"""The largest finite 32-bit float."""
EARLIEST, LATEST = datetime(1677, 9, 21, 0, 12, 43, 145225), datetime(2262, 4, 11, 23, 47, 16, 854775)
"""The range of 64-bit nanoseconds since 1970, in which models get their times, in whole microseconds."""
_EXACT = 2.0**53  # beyond it a 64-bit float does not represent every integer


class InvalidValue(Exception):
    """A value does not fit a type. The message gives the reason, if any; it never contains the value."""


@dataclass(frozen=True)
class Kind:
    """MLflow column type.

    Attributes:
        name: MLflow's name.
        expected: its description in messages.
        read: JSON value → value; raises ``InvalidValue``. Never called with a missing value.
        datatypes: accepted datatypes of the Open Inference Protocol; the first one is the default.
        as_is: JSON values → whether ``read`` would return every one unchanged. ``False`` may also mean unknown.
    """

    name: str
    expected: str
    read: Callable[[Any], Any]
    datatypes: tuple[str, ...]
    as_is: Callable[[Sequence[Any]], bool]


def all_of(*types: type, fit: Callable[[Sequence[Any]], bool] = lambda values: True) -> Callable[[Sequence[Any]], bool]:
    """Build a fast check of many values at once, without a Python loop.

    Args:
        types: exact types of the values.
        fit: further condition on values of these types.
    """
    allowed = frozenset(types)
    return lambda values: allowed.issuperset(map(type, values)) and fit(values)


def within(least: float, most: float) -> Callable[[Sequence[Any]], bool]:
    """Build a check that numbers, none of them NaN, are in a closed range."""
    return lambda values: not values or (least <= min(values) and max(values) <= most)


def is_missing(value: object) -> bool:
    """Whether a JSON value is missing: ``null``, or ``NaN`` if the parser accepts it."""
    return value is None or (type(value) is float and value != value)


def _double(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise InvalidValue("beyond the range of a 64-bit float") from None
    raise InvalidValue


def _float(value: Any) -> float:
    number = _double(value)
    if abs(number) > LARGEST_FLOAT32:
        raise InvalidValue("beyond the range of a 32-bit float")
    return number


def _whole(bits: int) -> Callable[[Any], int]:
    least, beyond = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def read(value: Any) -> int:
        if type(value) is float:
            if not value.is_integer():
                raise InvalidValue
            if abs(value) >= _EXACT:
                raise InvalidValue("too large to be exact; write it without a fraction or exponent")
            value = int(value)
        elif type(value) is not int:
            raise InvalidValue
        if not least <= value < beyond:
            raise InvalidValue(f"beyond the range of a {bits}-bit integer")
        return int(value)

    return read


def _string(value: Any) -> str:
    if type(value) is not str:
        raise InvalidValue
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can encode and UTF-8 cannot
            raise InvalidValue("not valid Unicode text") from None
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise InvalidValue
    return value


def _datetime(value: Any) -> datetime:
    if type(value) is not str:
        raise InvalidValue
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InvalidValue("not in ISO 8601") from None
    if not EARLIEST <= moment <= LATEST:
        raise InvalidValue("outside 1677-09-21 to 2262-04-11, the range of times in nanoseconds")
    return moment


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
            ("INT32", *(datatype for datatype in _INTEGERS if datatype != "INT32")),
            all_of(int, fit=within(-(2**31), 2**31 - 1)),
        ),
        Kind("string", "a string", _string, ("BYTES",), all_of(str, fit=lambda values: all(map(str.isascii, values)))),
        Kind("boolean", "a boolean", _boolean, ("BOOL",), all_of(bool)),
        Kind("datetime", "a date and time in ISO 8601 (string)", _datetime, ("BYTES",), lambda values: False),
    )
}
"""MLflow's scalar column types that JSON requests support, by name."""
