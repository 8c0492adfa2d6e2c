"""Whether what a file of simulations rests on is the same as when it last passed at full counts.

A seeded simulation of the same code gives the same result. ``simulations.json`` keeps, for each file, a digest of all
that it rests on: its own code and that of every module of this repository it imports, directly or through others,
without docstrings and comments; and the versions of the libraries below.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

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
    for lock in LOCKS:
        total.update(lock.read_bytes())
    return total.hexdigest()


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
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
