"""JSON Schema of behavior files, generated from their models, for completion and checks in editors."""

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
"""Models that take exactly one of two keys."""
_SOME: Mapping[str, tuple[str, ...]] = {
    "GoldenExpectation": ("score", "class", "class_column"),
    "ScoreExpectation": ("min", "max", "column"),
    "Stability": ("max_change", "same_decision"),
}
"""Models that need at least one of some keys."""


def json_schema() -> dict[str, Any]:
    """Make the schema (draft 2020-12). It takes what ``parse_suite`` does (but for nulls in place of omitted keys) and
    refuses unknown keys, wrong types and empty expectations.

    Constraints over several values (duplicate names, ``min`` above ``max``) only ``parse_suite`` checks.
    """
    schema = Suite.model_json_schema()
    for word, models in {"oneOf": _EITHER, "anyOf": _SOME}.items():
        for name, keys in models.items():
            schema["$defs"][name][word] = [{"required": [key]} for key in keys]
    schema["anyOf"] = [{"required": [key], "properties": {key: {"minItems": 1}}} for key in Suite.model_fields]
    plain = _plain(schema)
    return {"$schema": DIALECT, "title": "Gauntlet behavior file", **plain}


def json_schema_text() -> str:
    """Serialize the schema as it is published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """Remove titles that repeat keys, and nulls that stand for omitted keys."""
    if isinstance(node, list):
        return [_plain(element) for element in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if "default" in plain and plain["default"] is None:
        del plain["default"]
        options = [option for option in plain.pop("anyOf", ()) if option != {"type": "null"}]
        plain |= options[0] if len(options) == 1 else {"anyOf": options}
    return plain
