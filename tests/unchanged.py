"""Whether what a file of simulations rests on is the same as when it last passed at full counts.

A seeded simulation of the same code gives the same result. ``simulations.json`` keeps, for each file, a digest of all
that it rests on: its own code and that of every module of this repository it imports, directly or through others,
without docstrings and comments; and the versions of the libraries in the environment it runs in.

What only a type checker imports is left out, and so is what a package offers lazily (``gauntlet.lazy``) and the file
does not name: else every simulation would rest on nearly every module.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import groups
from groups import ROOT

RECORD = Path(__file__).with_name("simulations.json")
SOURCES = (ROOT / "src", ROOT / "tests", ROOT)
"""Where modules of this repository are imported from."""
LOCKS = sorted((ROOT / "containers").glob("*/*.lock"))


def held(files: Collection[Path]) -> set[Path]:
    """Those of the files whose record is of the code as it is."""
    if not RECORD.exists():
        return set()
    recorded = json.loads(RECORD.read_text())
    return {file for file in files if recorded.get(_named(file), {}).get("digest") == digest(file)}


def record(passed: Mapping[Path, Mapping[str, object]]) -> None:
    """Write down that these files passed at full counts, each with what is worth keeping of its run."""
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for file, run in passed.items():
        recorded[_named(file)] = {"digest": digest(file), **run}
    kept = {name: entry for name, entry in sorted(recorded.items()) if (ROOT / name).exists()}
    RECORD.write_text(json.dumps(kept, indent=2) + "\n")


def digest(file: Path) -> str:
    """Of everything that the tests of a file rest on."""
    total = hashlib.sha256()
    for module in sorted(closure(file)):
        total.update(f"{_named(module)}\n{_code(module)}\n".encode())
    for lock in _locks(file):
        total.update(lock.read_bytes())
    return total.hexdigest()


def _locks(file: Path) -> list[Path]:
    """Those of the environment that the file runs in; all where no group has it."""
    environments = {group.environment for group in groups.read() if _named(file) in group.files()}
    return [lock for lock in LOCKS if not environments or lock.parent.name in environments]


def closure(file: Path) -> set[Path]:
    """The file, the modules of this repository that it imports, theirs, and so on; with the packages they lie in."""
    reached: set[Path] = set()
    waiting = [file.resolve(), (ROOT / "tests" / "conftest.py")]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(_imported(module))
    return reached


@cache
def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


@cache
def _code(module: Path) -> str:
    tree = _tree(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.dump(tree)


@cache
def _imported(module: Path) -> tuple[Path, ...]:
    return tuple(path for name in _names(module) for path in _files(name))


def _names(module: Path) -> Iterator[str]:
    """Modules that running this one may import, and what it takes from them, which may be modules too."""
    for node in _executed(_tree(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                yield from _lazy_exports(alias.name).values()  # any of them may be read as an attribute
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            exports = _lazy_exports(node.module)
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
                if alias.name in exports:
                    yield exports[alias.name]


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, without what stands under ``if TYPE_CHECKING``."""
    yield node
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(node, ast.If) and child in node.body and _is_type_checking(node.test)
        if not typing_only:
            yield from _executed(child)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


@cache
def _lazy_exports(package: str) -> Mapping[str, str]:
    """Name → defining module of what a package offers through ``gauntlet.lazy``; empty where it offers nothing so."""
    for path in _files(package):
        if path.name == "__init__.py" and path.parent.name == package.rpartition(".")[2]:
            for node in ast.walk(_tree(path)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazy_exports":
                    exports: Mapping[str, str] = ast.literal_eval(node.args[1])
                    return exports
    return {}


def _files(name: str) -> Iterator[Path]:
    """The file of a module and those of the packages around it; none if it is not of this repository."""
    parts = name.split(".")
    for source in SOURCES:
        for depth in range(1, len(parts) + 1):
            place = source.joinpath(*parts[:depth])
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if path.is_file():
                    yield path.resolve()


def _named(file: Path) -> str:
    here, root = file.resolve(), ROOT.resolve()
    return str(here.relative_to(root)) if here.is_relative_to(root) else str(here)
