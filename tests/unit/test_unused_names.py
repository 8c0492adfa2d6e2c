"""That the library holds nothing that only its tests use."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[2]
LIBRARY = "src/gauntlet"
READERS = (LIBRARY, "components", "pipelines", "benchmarks", "examples", "containers", "docs")
"""Folders whose Python files may use the library's names. Tests are none of them."""

UNUSED = {
    "gauntlet.evaluation.score_table.tabulate": "merges AUCs of predictions gathered in parts (docs/statistics.md)",
    "gauntlet.evaluation.score_table.quantised": "the same, in bounded memory",
    "gauntlet.reports.page.verdict_page": "the page of a new gate (CONTRIBUTING.md)",
    "gauntlet.testing.plugin.feature_property": "a pytest fixture: teams' tests name it",
}
"""Name → why it stays although nothing in the repository uses it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def mentions(node: ast.AST) -> Counter[str]:
    """How often each identifier is read, imported or written as a string (lazy exports are) in a tree."""
    found: Counter[str] = Counter()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name, ctx=ast.Load()):
                found[name] += 1
            case ast.Attribute(attr=name):
                found[name] += 1
            case ast.ImportFrom(names=names):
                found.update(alias.name for alias in names)
            case ast.Constant(value=str(text)) if text.isidentifier():
                found[text] += 1
    return found


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The names that a module defines at its top, but for dunders, and the statements that do."""
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from ((name, statement) for name in names if not name.startswith("__"))


def unused(library: Mapping[str, ast.Module], readers: Mapping[str, ast.Module]) -> set[str]:
    """Names of the library's modules that no reader mentions outside the names' own definition.

    Two things of one name count as one, so that a name found here is used by nothing.
    """
    everywhere: Counter[str] = Counter()
    for tree in readers.values():
        everywhere.update(mentions(tree))
    return {
        f"{module}.{name}"
        for module, tree in library.items()
        for name, statement in definitions(tree)
        if everywhere[name] <= (mentions(statement)[name] if isinstance(statement, Function | ast.ClassDef) else 0)
    }


def read(folder: str) -> dict[str, ast.Module]:
    """Dotted path → syntax tree of a folder's Python files."""
    return {
        ".".join(path.relative_to(ROOT / "src" if folder == LIBRARY else ROOT).with_suffix("").parts): ast.parse(
            path.read_text()
        )
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def test_everything_is_used_or_says_why_it_is_there():
    readers = {module: tree for folder in READERS for module, tree in read(folder).items()}
    assert unused(read(LIBRARY), readers) == set(UNUSED)


@pytest.mark.parametrize(
    ("library", "reader", "found"),
    [
        ("def f(): ...", "", {"m.f"}),
        ("def f(): return f()", "", {"m.f"}),
        ("LIMIT = 3", "LIMIT = 3", {"m.LIMIT"}),
        ("class A:\n    def copy(self) -> A: ...", "", {"m.A"}),
        ("def f(): ...\ndef g(): return f()", "import m\nm.g()", set()),
        ("def f(): ...", "from m import f as other", set()),
        ("def f(): ...", "lazy({'f': 'm'})", set()),
        ("LIMIT: int = 3\nprint(LIMIT)", "", set()),
    ],
)
def test_what_only_its_own_definition_mentions_is_found(library, reader, found):
    trees = {"m": ast.parse(library)}
    assert unused(trees, {**trees, "reader": ast.parse(reader)}) == found
