"""Whether what a file of simulations rests on is the same as when it last passed at full counts.

A seeded simulation of the same code gives the same result. ``simulations.json`` keeps, for each file, a digest of all
that it rests on: its own code; the functions, classes and constants of this repository that it names, with what these
name, and so on; of a class, the methods whose names occur as attributes anywhere in that code; what the modules that
hold them do when they are imported; and the versions of the libraries in the environment it runs in. Docstrings and
comments are left out, and so is what only a type checker imports.

Names are followed as they are written. What is reached in another way (``getattr`` with a name made at run time) counts
only if something names it.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import groups
from groups import ROOT

RECORD = Path(__file__).with_name("simulations.json")
SOURCES = (ROOT / "src", ROOT / "tests", ROOT)
"""Where modules of this repository are imported from."""
LOCKS = sorted((ROOT / "containers").glob("*/*.lock"))
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ALL = "*"
_PLAIN = {"property", "cached_property", "staticmethod", "classmethod"}
"""Decorators that leave it to the name who runs a method."""


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
    for module, name in sorted(closure(file)):
        if code := _module(module).code(name):
            total.update(f"{_named(module)}\n{name}\n{code}\n".encode())
    for lock in _locks(file):
        total.update(lock.read_bytes())
    return total.hexdigest()


def closure(file: Path) -> set[tuple[Path, str]]:
    """(module, name) of all that a file names, directly or through others; an empty name is what an import runs."""
    reached: set[tuple[Path, str]] = set()
    called: set[str] = set()
    methods: set[tuple[Path, str]] = set()
    waiting = [(file.resolve(), _ALL)]
    while waiting:
        path, name = waiting.pop()
        module = _module(path)
        for own in ("", *(module.top_level if name == _ALL else [name] if name in module.defined else [])):
            if (path, own) not in reached:
                reached.add((path, own))
                waiting.extend(_named_by(module, own))
                called.update(_attributes(module, own))
                methods.update((path, method) for method in module.methods.get(own, ()))
        if name and name != _ALL and name not in module.defined:
            waiting.extend(_exported(module, name))
        if not waiting:
            waiting = [one for one in methods - reached if one[1].rpartition(".")[2] in called]
    return reached


@dataclass(frozen=True)
class _Module:
    """A module of this repository.

    Attributes:
        path: its file.
        defined: name → the statements that define it; a method that only a call by its name runs as ``Class.method``,
            and the class without it.
        methods: class → those methods.
        run: every other statement, but imports.
        imported: name → (module or package, name in it or empty for itself), of imports that are executed.
        lazy: name → module, of what it offers through ``gauntlet.lazy``.
    """

    path: Path
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    methods: dict[str, list[str]] = field(default_factory=dict)
    run: list[ast.stmt] = field(default_factory=list)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    lazy: dict[str, str] = field(default_factory=dict)

    @property
    def top_level(self) -> list[str]:
        own = {method for methods in self.methods.values() for method in methods}
        return [name for name in self.defined if name not in own]

    def statements(self, name: str) -> list[ast.stmt]:
        return self.defined[name] if name else self.run

    def code(self, name: str) -> str:
        return "\n".join(ast.dump(statement) for statement in self.statements(name))


@cache
def _module(path: Path) -> _Module:
    module = _Module(path)
    for statement in _without_docstrings(ast.parse(path.read_text())).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module.imported.update(_bound(statement))
        elif isinstance(statement, ast.ClassDef):
            apart = [one for one in statement.body if _is_called_by_name(one)]
            statement.body = [one for one in statement.body if one not in apart]
            module.defined.setdefault(statement.name, []).append(statement)
            for method in apart:
                module.defined.setdefault(f"{statement.name}.{method.name}", []).append(method)
                module.methods.setdefault(statement.name, []).append(f"{statement.name}.{method.name}")
        elif isinstance(statement, _DEFINITIONS):
            module.defined.setdefault(statement.name, []).append(statement)
        elif names := _assigned(statement):
            for name in names:
                module.defined.setdefault(name, []).append(statement)
        else:
            for node in _executed(statement):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    module.imported.update(_bound(node))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazy_exports":
                    module.lazy.update(ast.literal_eval(node.args[1]))
            module.run.append(statement)
    return module


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or the text below a constant or an attribute that says what it is."""
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant and isinstance(statement.value.value, str)


def _is_called_by_name(statement: ast.stmt) -> bool:
    """A method that runs only where its name is read: not one of Python's own, nor one that a decorator hands on."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) or statement.name.startswith("__"):
        return False
    return all(isinstance(one, ast.Name) and one.id in _PLAIN for one in statement.decorator_list)


def _assigned(statement: ast.stmt) -> list[str]:
    """The names that a plain assignment gives a value; empty for any other statement."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    parts = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [part.id for part in parts if isinstance(part, ast.Name)] if parts else []


def _bound(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, str]]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, (statement.module or "", alias.name)
        elif alias.asname:
            yield alias.asname, (alias.name, "")
        else:
            yield alias.name.partition(".")[0], (alias.name, "")


def _named_by(module: _Module, name: str) -> Iterator[tuple[Path, str]]:
    """What a definition of a module names, in it and in others; of the module itself, what importing it runs."""
    nodes = [node for statement in module.statements(name) for node in _executed(statement)]
    imported = dict(module.imported)
    if not name:
        yield from (found for source in imported.values() for found in _imports(*source))
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported.update(_bound(node))
            yield from (found for _, source in _bound(node) for found in _taken(*source, whole=False))
    attributes: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            first, *rest = _dotted(node) or [""]
            if rest:
                attributes.setdefault(first, set()).add(".".join(rest))
    for used in {node.id for node in nodes if isinstance(node, ast.Name)}:
        if used in module.defined and used != name:
            yield module.path, used
        elif used in imported:
            source, part = imported[used]
            yield from _taken(source, part, whole=used not in attributes)
            for path in attributes.get(used, ()):
                yield from _attribute(f"{source}.{part}".rstrip("."), path)


def _imports(module: str, name: str) -> Iterator[tuple[Path, str]]:
    """What importing a module, or a name from it, runs: the module, and the packages around it."""
    yield from ((path, "") for path in (_files(f"{module}.{name}") if name else ()) or _files(module))


def _attributes(module: _Module, name: str) -> set[str]:
    """Names of all attributes that a definition reads, of whatever object."""
    nodes = (node for statement in module.statements(name) for node in _executed(statement))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _taken(module: str, name: str, *, whole: bool) -> Iterator[tuple[Path, str]]:
    """A name of a module, with what importing the module and the packages around it runs.

    Args:
        module: its dotted name.
        name: what is taken from it; a module of the package, or empty for the module itself.
        whole: everything in a module that is taken as such may be read from it.
    """
    *around, file = (None, *_files(module))
    yield from ((path, "") for path in around if path)
    if name and (inner := _files(f"{module}.{name}")) and inner[-1] != file:
        yield from ((path, "") for path in inner)
        if whole:
            yield inner[-1], _ALL
    elif file is not None:
        yield file, name or (_ALL if whole else "")


def _attribute(module: str, path: str) -> Iterator[tuple[Path, str]]:
    """What ``module.path`` reads: a name of the module, or of one below it."""
    parts = path.split(".")
    for depth in range(len(parts)):
        files = _files(".".join([module, *parts[:depth]]))
        if not files:
            return
        yield files[-1], parts[depth]


def _exported(module: _Module, name: str) -> Iterator[tuple[Path, str]]:
    """Where a name comes from that a module does not define: an import of its own, or one that is lazy."""
    if name in module.lazy:
        yield from _taken(module.lazy[name], name, whole=True)
    elif name in module.imported:
        yield from _taken(*module.imported[name], whole=True)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, without what stands under ``if TYPE_CHECKING``."""
    yield node
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(node, ast.If) and child in node.body and _is_type_checking(node.test)
        if not typing_only:
            yield from _executed(child)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _dotted(node: ast.expr) -> list[str]:
    """``a.b.c`` as its parts; empty if it does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    before = _dotted(node.value) if isinstance(node, ast.Attribute) else []
    return [*before, node.attr] if before and isinstance(node, ast.Attribute) else []


@cache
def _files(name: str) -> tuple[Path, ...]:
    """The files of the packages around a module, outermost first, and of the module; empty if it is not ours."""
    parts = name.split(".")
    for source in SOURCES:
        place = source.joinpath(*parts)
        file = next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
        if file is not None:
            around = [source.joinpath(*parts[:depth]) / "__init__.py" for depth in range(1, len(parts))]
            return (*(path.resolve() for path in around if path.is_file()), file.resolve())
    return ()


def _locks(file: Path) -> list[Path]:
    """Those of the environment that the file runs in; all where no group has it."""
    environments = {group.environment for group in groups.read() if _named(file) in group.files()}
    return [lock for lock in LOCKS if not environments or lock.parent.name in environments]


def _named(file: Path) -> str:
    here, root = file.resolve(), ROOT.resolve()
    return str(here.relative_to(root)) if here.is_relative_to(root) else str(here)
