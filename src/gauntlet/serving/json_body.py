"""Parses the JSON of a request: refused by size before any object is built, and with every key once.

Parsing holds the interpreter, so its duration bounds how long a large body delays other requests. Bytes and values are
limited, and both are counted in the raw body: a few megabytes of brackets take a hundred times as long to parse as a
comparison of their number with what the rows allowed could need.
"""

from __future__ import annotations

import json
from typing import Any

from gauntlet.serving.errors import InvalidRequest, TooLarge

SMALL_BYTES = 64 * 1024
"""Up to this size parsing takes a few milliseconds whatever the body holds."""
_FEW_COMMAS, _FEW_BRACKETS = 100_000, 250_000
"""So many of them in a body take some 20 ms to parse, whatever the rows allowed."""
_MOST_DIGITS = 400
"""Digits of an integer in a large body; a 64-bit float has 309 at most, and long ones take long to parse."""
_SPARE = 100
"""Rows' worth of values that a request may have beside its rows: names, shapes, parameters."""


def parse_body(body: bytes, *, most_bytes: int, most_rows: int, columns: int) -> Any:
    """Parse a request's body.

    Args:
        body: the bytes.
        most_bytes: limit of bytes.
        most_rows: limit of rows, which bounds the number of values here.
        columns: columns of the model.

    Raises:
        TooLarge: more bytes than allowed, or more values than rows of the model can have.
        InvalidRequest: not JSON in UTF-8, nested too deeply, a key given twice, or an integer too long.
    """
    if len(body) > most_bytes:
        raise too_long(len(body), most_bytes)
    small = len(body) <= SMALL_BYTES
    if not small and _holds_more(body, 2 * (most_rows + _SPARE) * (columns + 1)):
        raise TooLarge(
            f"holds more values than {most_rows} rows of {columns} columns, the most allowed",
            field="request body",
            mend="Split it, or score in a batch",
        )
    try:
        text = body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_json(f"is not JSON in UTF-8, from byte {error.start} on") from None
    try:
        return _decoded(text, _SMALL if small else _LARGE)
    except _GivenTwice:
        raise _given_twice(_decoded(text, _MARKING)) from None


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(f"is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _not_json("is nested too deeply") from None
    except ValueError:  # the interpreter's limit, or ours
        raise _not_json("is not JSON that can be read: it holds an integer of hundreds of digits") from None


def too_long(count: int, most_bytes: int) -> TooLarge:
    """The error for a body of too many bytes."""
    return TooLarge(f"has {count} bytes; {most_bytes} are allowed", field="request body", mend="Split it")


def _not_json(problem: str) -> InvalidRequest:
    return InvalidRequest(problem, field="request body", mend="Send JSON")


def _holds_more(body: bytes, values: int) -> bool:
    """Whether a body has more commas or opening brackets outside of strings, without a look at each byte in turn.

    Args:
        body: JSON.
        values: twice the values of the rows allowed: each may stand in an array of its own.
    """
    commas, brackets = max(_FEW_COMMAS, values), max(_FEW_BRACKETS, values)

    def holds_more(text: bytes) -> bool:
        return text.count(b",") > commas or text.count(b"[") + text.count(b"{") > brackets

    if not holds_more(body):
        return False
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 2 * max(2 * _FEW_COMMAS, values):  # of a name and a value for each comma, two quotes each
        return True
    return holds_more(b"".join(plain.split(b'"')[::2]))


class _GivenTwice(Exception):
    """An object has a key twice."""


class _Doubled(dict[str, Any]):
    """An object that had a key twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _GivenTwice
    return found


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = _Doubled(pairs)
    if len(found) == len(pairs):
        return dict(found)
    seen: set[str] = set()
    found.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError
    return int(digits)


_SMALL = json.JSONDecoder(object_pairs_hook=_object)
_LARGE = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
_MARKING = json.JSONDecoder(object_pairs_hook=_marked)


def _given_twice(payload: Any) -> InvalidRequest:
    """Find the key, and the row or tensor whose it is."""
    if isinstance(payload, _Doubled):
        return _twice(payload.key)
    for name, values in payload.items() if isinstance(payload, dict) else ():
        for index, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, _Doubled):
                is_tensor = "datatype" in value
                return _twice(f"{name}[{index}].{value.key}") if is_tensor else _twice(value.key, index)
        if isinstance(values, _Doubled):
            return _twice(values.key)
    return InvalidRequest("has a key twice", field="request body", mend=_ONCE)


def _twice(field: str, row: int | None = None) -> InvalidRequest:
    return InvalidRequest("is given twice", field=field, row=row, mend=_ONCE)


_ONCE = "Give every key once"
