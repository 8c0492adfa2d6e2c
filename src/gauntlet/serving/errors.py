"""Errors of requests, whose messages never contain values of the request.

Requests contain personal data, and messages end up in logs, dashboards and tickets. So a message names the field, the
row, the expected type and the actual type, never a value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

from gauntlet.errors import DataError

_LONGEST_NAME = 60
_NAMES_LISTED = 8


class InvalidRequest(DataError):
    """Invalid request; the client has to correct it (HTTP 400).

    Args:
        message: the problem; without values of the request.
        field: the column, tensor or key; shortened, since the client chose it.
        row: its row, counted from 0.
        mend: how to correct it.
    """

    def __init__(
        self, message: str, *, field: str | None = None, row: int | None = None, mend: str | None = None
    ) -> None:
        self.row = row
        short_field = None if field is None else shortened(field)
        super().__init__(message if row is None else f"row {row}: {message}", field=short_field, mend=mend)


class TooLarge(InvalidRequest):
    """Request beyond a limit of the server (HTTP 413)."""


def shortened(name: str) -> str:
    """Make a name printable and of bounded length."""
    text = name if name.isprintable() else repr(name)[1:-1]
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"


def listed(names: Iterable[str]) -> str:
    """Join names for a message; of many the first few and a count."""
    every = [shortened(name) for name in names]
    more = f" and {len(every) - _NAMES_LISTED} more" if len(every) > _NAMES_LISTED else ""
    return ", ".join(every[:_NAMES_LISTED]) + more


def nearest(name: str, known: Iterable[str], kind: str) -> str:
    """Suggest a correction of an unknown name: the most similar known name, or a list of them.

    Args:
        name: the unknown name.
        known: the known names.
        kind: what they name, for example ``columns``.
    """
    names = list(known)
    close = difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"The model's {kind}: {listed(names)}"


def json_type(value: object) -> str:
    """JSON type of a value, the only thing that a message may contain of it."""
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
