"""What queries are written with: names of ours, and values quoted so that they can be nothing else.

No name of a person's ever stands in a query. DuckDB's identifiers ignore case even in quotes, and a column beats an
alias of the same name, so a column called ``Hours`` could be read as ``hours``, and one called ``n`` as a count.
Columns are bound to names of ours by their position where a table is opened (``tables``); nothing here could quote
another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NewType

Name = NewType("Name", str)
"""A column's name in queries, ``c0``, ``c1``, …: ours. Aliases of our own never are a ``c`` and a number."""

ROWS = "rows"
ID = Name("row_id")
"""The column of ``example_id``."""
SPLIT = Name("split_name")
"""The column that says which split a row is of."""


def numbered(count: int) -> list[Name]:
    """Names for so many columns of one table."""
    return [Name(f"c{position}") for position in range(count)]


def listed(names: Iterable[Name]) -> str:
    """Several names, with commas."""
    return ", ".join(names)


def text(value: str) -> str:
    """A piece of text."""
    # The parser takes a query to end at its first zero character.
    return " || chr(0) || ".join("'" + piece.replace("'", "''") + "'" for piece in value.split("\0"))


def value(found: str | int | float | bool | datetime) -> str:
    """A value as DuckDB handed it out."""
    if isinstance(found, str):
        return f"({text(found)})"
    return str(found).lower() if isinstance(found, bool) else repr(found)


def present(names: Iterable[Name]) -> str:
    """All of them have a value."""
    return " AND ".join(f"{name} IS NOT NULL" for name in names)


def micros(name: Name, kind: str) -> str:
    """A moment as microseconds since 1970, whatever column holds it; numbers are epoch seconds."""
    return f"epoch_us({name})" if kind == "timestamp" else f"{name} * 1e6"


def written(names: Iterable[Name], kinds: Iterable[str]) -> str:
    """Values of several columns as one piece of text, as a person reads a key."""
    parts = []
    for name, kind in zip(names, kinds, strict=True):
        # strftime of a time with a zone would need the zone's tables; this is UTC already.
        moment = f"strftime(make_timestamp(epoch_us({name})), '%Y-%m-%d %H:%M:%S')"
        parts.append(f"coalesce({moment if kind == 'timestamp' else f'{name}::VARCHAR'}, 'missing')")
    return " || ' | ' || ".join(parts)
