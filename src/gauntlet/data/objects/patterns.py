"""Folders and patterns in names of objects: storages list by prefix, so what a name means is settled here."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from gauntlet.data.objects.store import visible

_WILDCARD = re.compile(r"[*?\[]")
_SPECIAL = re.compile(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])")
_HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"
_RULES = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def names_one(name: str) -> bool:
    """Whether an object's name means that object alone: it is neither a folder (``…/``) nor a pattern."""
    return not name.endswith("/") and not _WILDCARD.search(name)


def prefix_of(name: str) -> str:
    """What the names of all objects begin with that a folder or pattern can mean."""
    return _WILDCARD.split(name)[0]


def matcher(name: str) -> Callable[[str], bool]:
    """Whether an object is one that a folder or pattern means.

    Args:
        name: ends in ``/``: all that is ``visible`` below it; else a pattern, in which ``*``, ``?`` and ``[…]`` stay
            within one level, and ``**`` does not.
    """
    if name.endswith("/"):
        return lambda candidate: visible(candidate.removeprefix(name))
    try:
        expression = re.compile("".join(_translate(part) for part in _SPECIAL.split(name)))
    except re.error:  # a range that holds no character, such as [z-a]
        return lambda candidate: False
    return lambda candidate: expression.fullmatch(candidate) is not None


def partitions_of(uri: str, source: str) -> dict[str, str]:
    """Columns that a file's folders hold, below the folder or pattern it was found by: ``site=alpha/…``.

    Hive's layout: name=value, in which special characters are written as in URLs.

    Args:
        uri: of the file.
        source: the address it was found by.

    >>> partitions_of("logs/site=alpha/day=2024-01-01/a.csv", "logs/")
    {'site': 'alpha', 'day': '2024-01-01'}
    >>> partitions_of("run=3/a.csv", "run=3/a.csv")
    {}
    """
    root = source if not _WILDCARD.search(source) else prefix_of(source).rpartition("/")[0]
    folders = uri.removeprefix(root).strip("/").split("/")[:-1]
    pairs = (folder.partition("=") for folder in folders)
    return {unquote(name): _value(unquote(value)) for name, equals, value in pairs if name and equals}


def _value(text: str) -> str:
    return "" if text == _HIVE_MISSING else text


def _translate(part: str) -> str:
    """A part of a pattern as a regular expression."""
    if part.startswith("[") and _SPECIAL.fullmatch(part):
        return part.replace("[!", "[^")
    return _RULES.get(part, re.escape(part))
