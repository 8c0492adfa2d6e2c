"""Writes docs/settings.md from the settings models: ``make docs``. A test fails when the page is not up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS
from gauntlet.settings import Settings

PAGE = Path(__file__).with_name("settings.md")
INTRODUCTION = """# Settings

Every block of settings that `continuous_training` takes, by the name of its parameter, then those of a delivery. A key
that is not listed here is refused in the first second of a run. This page is written by `make docs` from the settings
models, whose modules are in brackets.
"""

MODELS: dict[str, type[Settings]] = {**SETTINGS, **DELIVERY_SETTINGS}


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(_section(name) for name in MODELS)])


def _section(name: str) -> str:
    schema = MODELS[name].model_json_schema()
    summary = (MODELS[name].__doc__ or "").strip().splitlines()[0]
    lines = [
        f"## `{name}`",
        "",
        f"{summary.replace('``', '`')} (`{MODELS[name].__module__}.{MODELS[name].__name__}`)",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *_rows(schema, schema, prefix=""), ""])


def _rows(root: dict[str, Any], node: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, field in node.get("properties", {}).items():
        default = "" if key in node.get("required", ()) else f"`{json.dumps(field.get('default'))}`"
        default = default if len(default) < 80 else "a block"
        meaning = field.get("description", "").replace("``", "`").replace("|", "\\|")
        yield f"| `{prefix}{key}` | {_type(root, field)} | {default} | {meaning} |"
        for nested, place in _nested(root, field):
            yield from _rows(root, nested, f"{prefix}{key}.{place}")


def _nested(root: dict[str, Any], field: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Settings models inside a field, and what stands between: nothing, or the user's own key."""
    for option in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
        if "$ref" in option:
            yield _follow(root, option), ""
        if "$ref" in option.get("items", {}):
            yield _follow(root, option["items"]), "<n>."
        values = option.get("additionalProperties")
        if isinstance(values, dict) and "$ref" in values:
            yield _follow(root, values), "<name>."


def _type(root: dict[str, Any], field: dict[str, Any]) -> str:
    if "$ref" in field:
        return _type(root, _follow(root, field))
    if "anyOf" in field:
        return " or ".join(_type(root, option) for option in field["anyOf"] if option.get("type") != "null")
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = str(field.get("type", "any"))
    if kind == "array" and "items" in field:
        return f"list of {_type(root, field['items'])}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"mapping to {_type(root, field['additionalProperties'])}"
    return {"object": "block"}.get(kind, kind)


def _follow(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
