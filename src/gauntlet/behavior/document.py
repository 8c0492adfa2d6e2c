"""Reads YAML as plain values with their line numbers.

The values are those of YAML 1.2's core schema: ``no`` and ``on`` are text, ``1e-6`` is a number, a date is text.
Ambiguous input is refused: duplicate keys, aliases, tags, several documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from gauntlet.documents import core_loader
from gauntlet.errors import ConfigurationError, DataError

ROOT = "suite"
"""Paths in the file begin with the name of the parameter that names the file."""
MOST_CHARACTERS = 1_000_000
"""Longer files are data, and belong in Parquet."""


@dataclass(frozen=True)
class Document:
    """Parsed YAML file.

    Attributes:
        name: the file, for messages.
        value: its content: mappings, lists, text, numbers, booleans, ``None``.
        lines: path of keys and positions → line, counted from 1.
    """

    name: str
    value: Any
    lines: dict[tuple[str, ...], int]

    def line(self, path: str) -> int:
        """Line of a dotted path such as ``suite.golden.0.row.income``, or of its nearest parent."""
        parts = tuple(path.split("."))[1:]
        return next(self.lines[parts[:end]] for end in range(len(parts), -1, -1) if parts[:end] in self.lines)

    @contextmanager
    def located(self) -> Iterator[None]:
        """Add the file's name and the line to errors of the block whose fields are paths in the file."""
        try:
            yield
        except (ConfigurationError, DataError) as error:
            if (error.field or "").split(".")[0] != ROOT:
                raise
            field = f"{self.name}, line {self.line(str(error.field))}: {error.field}"
            raise type(error)(error.message, field=field, value=error.value, mend=error.mend) from error


def read_document(text: str, name: str) -> Document:
    """Read YAML.

    Args:
        text: the file's content.
        name: the file, for messages.

    Raises:
        ConfigurationError: it is empty, too long, not YAML, or has a duplicate key; names the line.
    """
    import yaml

    if len(text) > MOST_CHARACTERS:
        mend = "Keep bulk rows in a Parquet file and name it with rows: {uri, sha256}"
        raise ConfigurationError(f"has more than {MOST_CHARACTERS:,} characters", field=name, mend=mend)
    lines: dict[tuple[str, ...], int] = {}
    try:
        loader = _loader()(text)
        root = loader.get_single_node()
        if root is None:
            raise ConfigurationError(
                "is empty", field=name, mend="Write at least one of golden, invariance, directional"
            )
        value = _value(loader, root, (), lines, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}, line {mark.line + 1}" if mark else name
        reason = "is not YAML that can be read"
        raise ConfigurationError(reason, field=place, value=error.problem, mend="Correct it there") from error
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError("is not YAML", field=name, value=reason, mend="Save it as UTF-8 text") from error
    except RecursionError as error:
        raise ConfigurationError("is nested too deep", field=name, mend="Write it flat") from error
    return Document(name, value, lines)


def _value(loader: Any, node: Any, path: tuple[str, ...], lines: dict[tuple[str, ...], int], name: str) -> Any:
    import yaml

    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(loader, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, element, (*path, str(index)), lines, name) for index, element in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key that is not plain text", key_node.start_mark)
        _scalar(loader, key_node)
        key = str(key_node.value)
        place = (*path, key)
        if key in mapping:
            raise ConfigurationError(
                f"is given twice, first on line {lines[place]}",
                field=f"{name}, line {key_node.start_mark.line + 1}: {'.'.join((ROOT, *place))}",
                mend="Keep one of them",
            )
        lines[place] = key_node.start_mark.line + 1
        mapping[key] = _value(loader, value_node, place, lines, name)
    return mapping


def _scalar(loader: Any, node: Any) -> Any:
    import yaml

    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return {"true": True, "false": False}[node.value.lower()]
            case "int":
                return int(node.value)
            case "float":
                return float(re.sub(r"\.(?=inf|nan)", "", node.value.lower()))
            case "str":
                node.value.encode()
                return node.value
    except (ValueError, KeyError) as error:
        problem = f"{node.value[:40]!a} cannot be read as {kind}"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error
    raise yaml.constructor.ConstructorError(None, None, f"the tag {node.tag}", node.start_mark)


@cache
def _loader() -> Any:
    """Loader without aliases."""
    import yaml

    class Loader(core_loader()):  # type: ignore[misc]  # a class made at run time
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(None, None, "an alias: write the value again", mark)
            return super().compose_node(parent, index)

    return Loader
