"""That every setting is read: a key that no code looks at promises what nothing does.

In a copy of the library every field of a settings model becomes a deprecated property, and mypy, which knows the type
of what stands before a dot, reports every place that reads one.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[3]
SOURCES = ("src", "components")
BASE = ("gauntlet.settings", "Settings")
OTHERWISE = {
    "gauntlet.training.recipe.Parameters": "is handed to XGBoost as a mapping",
    "gauntlet.behavior.changes.Change": "is asked which of its fields is set",
    "gauntlet.delivery.analysis.plan.AnalysisPlan.errors": "is read by the name of its metric, with the other blocks",
    "gauntlet.delivery.analysis.plan.AnalysisPlan.slices": "is read by the name of its metric, with the other blocks",
}
"""Models and fields that are read, but not by name, and how."""

DEPRECATED = "from typing_extensions import deprecated as _deprecated"
PROPERTY = '@property\n@_deprecated("READ {model}.{name};")\ndef {name}(self) -> {type}: ...'
VALIDATORS = ("model_validator", "field_validator")


@dataclass(frozen=True)
class Model:
    """A settings model: its module, its name and its own fields."""

    module: str
    name: str
    fields: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.module}.{self.name}"


def unread(root: Path, otherwise: dict[str, str]) -> list[str]:
    """Settings that nothing reads, as ``module.Model.field``; the files below the root are changed on the way.

    A field counts as read if mypy reports a place; or if it is the only one of its name and somebody reads that name,
    by an attribute of whatever or by a text; or if a model of the same module has a field of the same name that is
    read, because mypy names one member of a union only. What a model's own validators read does not count.
    """
    trees = {path: ast.parse(path.read_text()) for source in SOURCES for path in (root / source).rglob("*.py")}
    models = _models(root, trees)
    mentioned = _mentioned(trees, models)
    known = {(model.module, model.name): model for model in models}
    for path, tree in trees.items():
        if _make_properties(tree, _module(root, path), known):
            path.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--enable-error-code=deprecated"]
    done = subprocess.run(
        [*command, "--check-untyped-defs", "--explicit-package-bases", *SOURCES],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": "src", "PATH": ""},
    )
    read = set(re.findall(r"READ ([\w.]+);", done.stdout))
    assert read, done.stdout + done.stderr
    count = Counter(field for model in models for field in model.fields)
    siblings = {(model.module, field) for model in models for field in model.fields if f"{model.title}.{field}" in read}
    return [
        f"{model.title}.{field}"
        for model in models
        for field in model.fields
        if not {model.title, f"{model.title}.{field}"} & otherwise.keys()
        and f"{model.title}.{field}" not in read
        and (model.module, field) not in siblings
        and not (count[field] == 1 and field in mentioned)
    ]


def _models(root: Path, trees: dict[Path, ast.Module]) -> list[Model]:
    """Every class that comes from ``Settings``, in whatever module."""
    classes = {}
    for path, tree in trees.items():
        module = _module(root, path)
        imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
                classes[module, node.name] = (node, [imported.get(base, (module, base)) for base in bases])
    found = {BASE}
    while more := {name for name, (_, bases) in classes.items() if found & set(bases)} - found:
        found |= more
    return [Model(*name, tuple(_fields(classes[name][0]))) for name in sorted(found - {BASE})]


def _fields(node: ast.ClassDef) -> list[str]:
    return [
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign)
        and isinstance(part.target, ast.Name)
        and not ast.unparse(part.annotation).startswith("ClassVar")
    ]


def _mentioned(trees: dict[Path, ast.Module], models: list[Model]) -> set[str]:
    """Names that some code reads as an attribute, or has as a text."""
    names = {field for model in models for field in model.fields}
    found = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found & names


def _make_properties(tree: ast.Module, module: str, known: dict[tuple[str, str], Model]) -> bool:
    changed = False
    for node in tree.body:
        model = known.get((module, node.name)) if isinstance(node, ast.ClassDef) else None
        if isinstance(node, ast.ClassDef) and model is not None:
            node.body = [_property(part, model) for part in node.body if not _validates(part)] or [ast.Pass()]
            changed = True
    if changed:
        after = [place for place, node in enumerate(tree.body) if getattr(node, "module", "") == "__future__"]
        tree.body.insert(after[-1] + 1 if after else 0, ast.parse(DEPRECATED).body[0])
    return changed


def _property(part: ast.stmt, model: Model) -> ast.stmt:
    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id in model.fields:
        text = PROPERTY.format(model=model.title, name=part.target.id, type=ast.unparse(part.annotation))
        return ast.parse(text).body[0]
    return part


def _validates(part: ast.stmt) -> bool:
    return isinstance(part, ast.FunctionDef) and any(
        ast.unparse(decorator).startswith(VALIDATORS) for decorator in part.decorator_list
    )


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part not in ("src", "__init__"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_setting_is_read_and_one_that_is_not_is_found(copy):
    recipe = copy / "src" / "gauntlet" / "training" / "recipe.py"
    text = recipe.read_text()
    planted = text.replace("class Recipe(Settings):\n", "class Recipe(Settings):\n    name: str = 'xgboost'\n", 1)
    assert planted != text
    recipe.write_text(planted)
    assert unread(copy, OTHERWISE) == ["gauntlet.training.recipe.Recipe.name"]


def test_what_is_read_otherwise_is_there(copy):
    trees = {path: ast.parse(path.read_text()) for path in (copy / "src").rglob("*.py")}
    models = _models(copy, trees)
    titles = {model.title for model in models} | {
        f"{model.title}.{field}" for model in models for field in model.fields
    }
    assert OTHERWISE.keys() <= titles
