"""That no two modules need each other: each can be read, tested and moved without the other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from builders.imports import circles, import_graph, syntax_trees

pytestmark = pytest.mark.repository

PACKAGE = Path(__file__).parents[2] / "src" / "gauntlet"


def circles_in(**texts: str) -> list[list[str]]:
    """Circles in a package ``p`` of modules with these texts; ``__init__`` is the package itself."""
    trees = {"p" if name == "__init__" else f"p.{name}": ast.parse(text) for name, text in texts.items()}
    return circles(import_graph(trees))


def test_no_modules_of_the_library_import_each_other():
    graph = import_graph(syntax_trees(PACKAGE))
    assert "gauntlet.errors" in graph["gauntlet.settings"], "imports are not found"
    assert circles(graph) == []


@pytest.mark.parametrize(
    "text",
    [
        "from p.b import f",
        "from p import b",
        "import p.b",
        "import json, p.b as other",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import f",
        "def g():\n    from p.b import f",
    ],
    ids=["a name", "a module", "a dotted module", "another name", "for types only", "in a function"],
)
def test_an_import_of_any_kind_closes_a_circle(text):
    assert circles_in(a=text, b="from p.c import f", c="import p.a") == [["p.a", "p.b", "p.c"]]
    assert circles_in(a=text, b="from p.c import f", c="import json") == []


def test_a_package_and_a_module_of_it_can_form_one():
    assert circles_in(__init__="from p.a import f", a="from p import g") == [["p", "p.a"]]
    assert circles_in(__init__="from p.a import f", a="") == []


def test_two_circles_are_told_apart():
    texts = {"a": "import p.b", "b": "import p.a", "c": "import p.d, p.a", "d": "import p.c"}
    assert circles_in(**texts) == [["p.a", "p.b"], ["p.c", "p.d"]]


def test_a_relative_import_is_refused():
    with pytest.raises(ValueError, match="relative"):
        circles_in(a="from . import b")
