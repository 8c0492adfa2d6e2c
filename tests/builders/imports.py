"""Which module of a package imports which, read off the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

Graph = Mapping[str, frozenset[str]]
"""Module → the modules of the same package that it imports."""


def syntax_trees(package: Path) -> dict[str, ast.Module]:
    """Dotted name → syntax, of every module in a package's folder; a package goes by its own name, not ``__init__``."""
    trees = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        trees[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text())
    return trees


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The dotted name of everything imported anywhere, and the line; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"line {node.lineno}: a relative import, which the house does not use")
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def import_graph(trees: Mapping[str, ast.Module]) -> Graph:
    """Imports of every kind count: at the top, below ``TYPE_CHECKING`` and in functions."""
    return {
        module: frozenset(_module_of(name, trees) for name, _ in imported_names(tree)) & trees.keys() - {module}
        for module, tree in trees.items()
    }


def _module_of(name: str, trees: Mapping[str, ast.Module]) -> str:
    """The module that is imported: the name itself, or where ``from module import name`` takes it from."""
    return name if name in trees else name.rpartition(".")[0]


def circles(graph: Graph) -> list[list[str]]:
    """The sets of two and more modules each of which reaches every other, sorted: strongly connected components."""
    reachable = {module: _reachable(graph, module) for module in graph}
    groups = {
        frozenset(other for other in reachable[module] if module in reachable[other])
        for module in graph
        if module in reachable[module]
    }
    return sorted(sorted(group) for group in groups)


def _reachable(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(graph[module])
    return reached
