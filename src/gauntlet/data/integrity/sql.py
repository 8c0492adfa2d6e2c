"""Names and values written into a query so that they can be nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

ROWS = "rows"
SPLIT = '"__gauntlet_split__"'


def identifier(name: str) -> str:
    """A column's or table's name."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Several names, with commas."""
    return ", ".join(map(identifier, names))


def text(value: str) -> str:
    """A piece of text."""
    return "'" + value.replace("'", "''") + "'"


def value(found: str | int | float | bool | datetime) -> str:
    """A value as DuckDB handed it out."""
    if isinstance(found, str):
        return text(found)
    return str(found).lower() if isinstance(found, bool) else repr(found)


def reference_name(table: str) -> str:
    """What a reference table is called inside DuckDB; no name a person gives collides with ours."""
    return "t_" + table.encode().hex()


def reference(table: str) -> str:
    """A reference table in a query."""
    return identifier(reference_name(table))


def present(names: Iterable[str], prefix: str = "") -> str:
    """All of them have a value."""
    return " AND ".join(f"{prefix}{identifier(name)} IS NOT NULL" for name in names)


def micros(name: str, kind: str) -> str:
    """A moment as microseconds since 1970, whatever column holds it; numbers are epoch seconds."""
    return f"epoch_us({identifier(name)})" if kind == "timestamp" else f"{identifier(name)} * 1e6"


def written(names: Iterable[str], kinds: Iterable[str], prefix: str = "") -> str:
    """Values of several columns as one piece of text, as a person reads a key."""
    parts = []
    for name, kind in zip(names, kinds, strict=True):
        column = f"{prefix}{identifier(name)}"
        # strftime of a time with a zone would need the zone's tables; this is UTC already.
        moment = f"strftime(make_timestamp(epoch_us({column})), '%Y-%m-%d %H:%M:%S')"
        parts.append(f"coalesce({moment if kind == 'timestamp' else f'{column}::VARCHAR'}, 'missing')")
    return " || ' | ' || ".join(parts)
