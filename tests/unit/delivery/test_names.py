"""Variables of delivery say what they hold."""

import ast
from pathlib import Path

import pytest

DELIVERY = Path(__file__).parents[3] / "src" / "gauntlet" / "delivery"
EMPTY = {"found", "item", "one", "own", "said", "seen", "told"}
"""Names that may hold anything."""


def empty_names(tree):
    """The variables and parameters of a module whose names say nothing."""
    variables = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    parameters = (node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    return sorted(EMPTY & {*variables, *parameters})


def test_no_variable_has_a_name_that_may_hold_anything():
    names = {
        str(path.relative_to(DELIVERY)): empty_names(ast.parse(path.read_text())) for path in DELIVERY.rglob("*.py")
    }
    assert {module: found for module, found in names.items() if found} == {}


@pytest.mark.parametrize(
    "line",
    ["said = ask()", "[one for one in pods]", "def f(told): ...", "lambda one: one.at", "for item in (1, 2): ..."],
)
def test_such_a_name_is_found(line):
    assert empty_names(ast.parse(line))


@pytest.mark.parametrize("line", ["pods = found(1)", "f(one=1)", "state.seen", "owner = own.owner"])
def test_other_uses_of_these_words_are_not(line):
    assert not empty_names(ast.parse(line))
