"""The JSON Schema of behavior files, made from the models that read them: an editor completes and checks a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gauntlet.behavior.suite import Suite

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EITHER: Mapping[str, tuple[str, ...]] = {
    "Golden": ("row", "rows"),
    "Swap": ("columns", "column"),
    "Noise": ("sd", "share"),
}
"""Models of which exactly one of two keys is given."""
_SOME: Mapping[str, tuple[str, ...]] = {
    "GoldenExpectation": ("score", "class", "class_column"),
    "ScoreExpectation": ("min", "max", "column"),
    "Stability": ("max_change", "same_decision"),
}
"""Models of which at least one of some keys is given."""


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12). It takes what ``parse_suite`` takes (but for a null in place of a key left out), and
    refuses unknown keys, wrong types and what expects nothing.

    What needs two places of a file at once (names used twice, ``min`` above ``max``) only ``parse_suite`` sees.
    """
    schema = Suite.model_json_schema()
    for word, models in {"oneOf": _EITHER, "anyOf": _SOME}.items():
        for name, keys in models.items():
            schema["$defs"][name][word] = [{"required": [key]} for key in keys]
    schema["anyOf"] = [{"required": [key], "properties": {key: {"minItems": 1}}} for key in Suite.model_fields]
    plain = _plain(schema)
    return {"$schema": DIALECT, "title": "Gauntlet behavior file", **plain}


def json_schema_text() -> str:
    """The published file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """Without titles that repeat keys, and without the null that stands for a key left out."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if "default" in found and found["default"] is None:
        del found["default"]
        options = [one for one in found.pop("anyOf", ()) if one != {"type": "null"}]
        found |= options[0] if len(options) == 1 else {"anyOf": options}
    return found
