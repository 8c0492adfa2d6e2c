"""Reads the YAML and JSON that people write: as written, and no key twice.

YAML 1.1 would read ``no`` and ``on`` as booleans, ``1e-3`` as text and ``12:30`` as a number; plain values are read by
YAML 1.2's core schema instead. Both formats keep the last of two equal keys without a word, so that a limit somebody
reads in a file is not the one that holds; here both lines are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from gauntlet.errors import ConfigurationError

_INTEGER = r"[-+]?[0-9]+"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_TAG = "tag:yaml.org,2002:"
_MOST_VALUES = 1_000_000
"""Values of a document, each counted wherever an alias repeats it: a few lines of YAML can name a billion."""
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[\[\]{},]')


@cache
def core_loader() -> Any:
    """PyYAML's loader with the implicit types of YAML 1.2's core schema."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str | None, Any] = {}

    # An underscore is part of a number in YAML 1.1 alone, a colon and a leading zero mean another base there.
    Loader.add_constructor(f"{_TAG}int", lambda _, node: int(node.value))
    for kind, written, starts in (
        ("null", "~|null|Null|NULL|", [*"~nN", ""]),
        ("bool", "true|True|TRUE|false|False|FALSE", [*"tTfF"]),
        ("int", _INTEGER, [*"-+0123456789"]),
        ("float", _FLOAT, [*"-+.0123456789"]),
    ):
        Loader.add_implicit_resolver(f"{_TAG}{kind}", re.compile(f"^(?:{written})$"), starts)
    return Loader


@cache
def _settings_loader() -> Any:
    """The same with merged mappings (``<<: *shared``), which settings of several runs are written with."""

    class Loader(core_loader()):  # type: ignore[misc]  # a class made at run time
        yaml_implicit_resolvers = {key: list(known) for key, known in core_loader().yaml_implicit_resolvers.items()}

    Loader.add_implicit_resolver(f"{_TAG}merge", re.compile("^<<$"), ["<"])
    return Loader


def read_settings_text(text: str, name: str) -> Any:
    """Read a file of settings, YAML or JSON.

    JSON is read as JSON: to YAML an escaped surrogate pair is two characters, and a tab is none.

    Args:
        text: the file's content.
        name: the file, for messages.

    Raises:
        ConfigurationError: a key is given twice in one mapping; names both lines.
        ValueError: it is neither, in words.
    """
    import yaml

    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
        except ValueError:
            pass  # a YAML flow mapping begins with a brace as well
        else:
            _refuse_repeated(_json_keys(text), name)
            return value
    try:
        loader = _settings_loader()(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_repeated(_yaml_keys(node), name)
        if (values := _values(node, {})) > _MOST_VALUES:
            raise ValueError(f"its aliases repeat so much that it holds {values:.0e} values")
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


Key = tuple[object, tuple[str, ...], int]
"""Mapping it stands in, path from the file's root, and line, counted from 1."""


def _refuse_repeated(keys: Iterator[Key], name: str) -> None:
    lines: dict[tuple[object, str], int] = {}
    for mapping, path, line in keys:
        place = (mapping, path[-1])
        if place in lines:
            raise ConfigurationError(
                f"is given twice, first on line {lines[place]}",
                field=f"{name}, line {line}: {'.'.join(path)}",
                mend="Keep one of them",
            )
        lines[place] = line


def _values(node: Any, known: dict[int, int]) -> int:
    """How many values a node holds, each counted wherever an alias repeats it."""
    if id(node) not in known:
        known[id(node)] = 1  # of a node inside itself
        parts = node.value if isinstance(node.value, list) else []
        below = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = 1 + sum(_values(one, known) for one in below)
    return known[id(node)]


def _yaml_keys(node: Any, path: tuple[str, ...] = (), seen: set[int] | None = None) -> Iterator[Key]:
    """Every key of a document, each mapping once, wherever aliases repeat it."""
    import yaml

    seen = set() if seen is None else seen
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, part in enumerate(node.value):
            yield from _yaml_keys(part, (*path, str(position)), seen)
        return
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != f"{_TAG}merge":
            yield id(node), (*path, str(key.value)), key.start_mark.line + 1
            yield from _yaml_keys(value, (*path, str(key.value)), seen)
        else:
            yield from _yaml_keys(value, path, seen)


def _json_keys(text: str) -> Iterator[Key]:
    """Every key of a text that is JSON."""
    inside: list[tuple[int, bool]] = []  # where each open bracket stands, and whether it is a mapping's
    path: list[str] = []
    for token in _JSON_TOKEN.finditer(text):
        found = token.group()
        if found in "{[":
            inside.append((token.start(), found == "{"))
            path.append("0")
        elif found in "}]":
            inside.pop()
            path.pop()
        elif found == ",":
            if inside and not inside[-1][1]:
                path[-1] = str(int(path[-1]) + 1)
        elif token.group(1):
            path[-1] = json.loads(found[: -len(token.group(1))])
            yield inside[-1][0], tuple(path), text.count("\n", 0, token.start()) + 1
