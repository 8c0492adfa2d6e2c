"""What is wrong with a request, told without repeating what the request holds.

Requests hold people's data, and messages end in logs, dashboards and tickets. So a message names the field, the row,
the type wanted and the type found, and never a value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

from gauntlet.errors import DataError

_LONGEST_NAME = 60
_NAMES_LISTED = 8


class InvalidRequest(DataError):
    """A request that does not fit the model's input; the caller has to mend it (HTTP 400).

    Args:
        message: what is wrong; holds no value of the request.
        field: the column, tensor or key concerned; shortened, since the caller chose it.
        row: its row, counted from 0.
        mend: what to do about it.
    """

    def __init__(
        self, message: str, *, field: str | None = None, row: int | None = None, mend: str | None = None
    ) -> None:
        self.row = row
        shown = None if field is None else shortened(field)
        super().__init__(message if row is None else f"row {row}: {message}", field=shown, mend=mend)


class TooLarge(InvalidRequest):
    """A request beyond a limit of the server (HTTP 413)."""


def shortened(name: str) -> str:
    """A name for display: printable, and of bounded length."""
    text = name if name.isprintable() else repr(name)[1:-1]
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"


def listed(names: Iterable[str]) -> str:
    """Some names for a message; of many the first few and a count."""
    every = [shortened(name) for name in names]
    more = f" and {len(every) - _NAMES_LISTED} more" if len(every) > _NAMES_LISTED else ""
    return ", ".join(every[:_NAMES_LISTED]) + more


def nearest(name: str, known: Iterable[str], what: str) -> str:
    """The mend for an unknown name: the known one it resembles, or a list of them.

    Args:
        name: the unknown one.
        known: what there is.
        what: what it is called, for example ``columns``.
    """
    names = list(known)
    close = difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"The model's {what}: {listed(names)}"


def found(value: object) -> str:
    """The JSON type of a value, the only thing a message may say about it."""
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity"
    return _JSON_TYPES.get(type(value), type(value).__name__)


_JSON_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}
