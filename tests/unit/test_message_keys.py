"""Messages and pages name keys that can be written: ``reader.decimal`` is one, ``reader.decimals`` would be none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS

ROOT = Path(__file__).parents[2]
MODELS = {**DELIVERY_SETTINGS, **SETTINGS}
MODULES = {f"{path.parent.name}.{path.stem}" for path in (ROOT / "src").rglob("*.py")}
SOURCES = sorted([*(ROOT / "src" / "gauntlet").rglob("*.py"), *(ROOT / "components").rglob("*.py")])
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "settings.md"})
WITHIN = {"outcomes": "analysis"}
"""What is a parameter, and a block of another as well: pages speak of that without its parameter."""
PATH = re.compile(rf"(?<![\w./\-{{])({'|'.join(MODELS)})((?:\.(?:[a-z_]+|<\w+>|\{{\}})|\[\w*\])+)(?![\w(/])")
FILLED = re.compile(r"\{[^{}]*\}")
FILES = {"py", "yaml", "csv", "md", "json", "parquet", "pbtxt"}


def literals(tree: ast.Module) -> Iterator[str]:
    """Texts in code, but docstrings; what is filled into an f-string is {}."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inside:
            yield node.value


@cache
def schema_of(name: str) -> dict[str, Any]:
    """JSON schema of a parameter's settings."""
    return MODELS[name].model_json_schema()


def written(name: str, path: str) -> bool:
    """Whether a path can be written below a parameter."""
    schema = schema_of(name)
    if name in WITHIN and written(WITHIN[name], f"{name}.{path}"):
        return True
    nodes = [schema]
    for part in re.findall(r"\[\w*\]|[^.\[\]]+", path):
        below = [next_ for node in nodes for next_ in _below(schema, node, part)]
        if part in ("{}", "<name>") and not below:
            return True  # filled in: anything that the code puts there
        if not below:
            return False
        nodes = below
    return True


def _below(schema: dict[str, Any], node: dict[str, Any], part: str) -> Iterator[dict[str, Any]]:
    for option in _options(schema, node):
        if part in option.get("properties", {}):
            yield option["properties"][part]
        elif isinstance(option.get("additionalProperties"), dict):
            yield option["additionalProperties"]
        elif option.get("type") == "object" and "properties" not in option:
            yield {}  # a team's own options
        elif "items" in option and part.startswith(("[", "<")):
            yield option["items"]


def _options(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    yield node
    for option in (*node.get("anyOf", ()), *node.get("allOf", ())):
        yield from _options(schema, option)


def wrong(text: str) -> list[str]:
    """Paths in a text that cannot be written."""
    return [
        found.group()
        for found in PATH.finditer(text)
        if found[2].rsplit(".", 1)[-1] not in FILES
        and found.group() not in MODULES
        and not written(found[1], found[2].lstrip("."))
    ]


def test_messages_name_keys_that_exist():
    found = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in SOURCES
        if PATH.search(FILLED.sub("{}", path.read_text()))
        for text in literals(ast.parse(path.read_text()))
        for key in wrong(text)
    }
    assert found == set()


def test_pages_name_keys_that_exist():
    assert {f"{path.name}: {key}" for path in PAGES for key in wrong(path.read_text())} == set()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("set reader.delimiter, or reader.types.income", []),
        ("roles.key, slices_policy.fairness.accuracy.max_gap; integrity_policy.keys[0].columns", []),
        ("reader.values.{}, and integrity_policy.references[{}].table", []),
        ("recipe.options.anything", []),
        ("see recipe.py and reader.read()", []),
        ("set reader.decimals", ["reader.decimals"]),
        ("slices_policy.fairness.accuracy.max_gaps", ["slices_policy.fairness.accuracy.max_gaps"]),
        ("integrity_policy.keys[0].column is wrong", ["integrity_policy.keys[0].column"]),
    ],
)
def test_a_key_that_does_not_exist_is_found(text, keys):
    assert wrong(text) == keys
