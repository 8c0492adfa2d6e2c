"""That every example in a docstring is run somewhere, and that one which shows something else is noticed."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from types import ModuleType

import pytest

import groups
from builders.examples import (
    all_examples,
    collected_files,
    environment_of,
    examples_in,
    failures_of,
    file_of,
    package_example,
)

pytestmark = pytest.mark.repository

TWICE = '''
"""Doubling.

>>> twice(2)
4
"""

def twice(number):
    """Twice a number.

    >>> twice(3)
    6
    """
    return 2 * number
'''


def module_of(text: str) -> ModuleType:
    module = ModuleType("shop")
    exec(compile(text, "shop.py", "exec"), vars(module))
    return module


def not_run(examples: Mapping[str, int], collected: Mapping[str, str]) -> dict[str, str]:
    """Module with examples → the test file that should run them, where no group has that file."""
    environments = {module: environment_of(module, collected) for module in examples}
    return {
        module: file_of(environment)
        for module, environment in environments.items()
        if collected.get(file_of(environment)) != environment
    }


def test_every_example_is_run() -> None:
    examples = all_examples()
    assert {"gauntlet.data", "gauntlet.evaluation", "gauntlet.features", "gauntlet.testing"} <= examples.keys()
    assert not_run(examples, collected_files()) == {}, "add the file, and its path to tests/groups.toml"


def test_an_example_that_no_file_runs_is_noticed() -> None:
    missing = not_run({"gauntlet.cli.main": 1, "gauntlet.data": 2}, collected_files())
    assert missing == {"gauntlet.cli.main": "tests/unit/examples/test_command.py"}
    elsewhere = {**collected_files(), file_of("data"): "model"}
    assert not_run({"gauntlet.data": 2}, elsewhere) == {"gauntlet.data": "tests/unit/examples/test_data.py"}


@pytest.mark.parametrize(
    ("module", "environment"),
    [
        ("gauntlet.data", "data"),
        ("gauntlet.data.integrity.sql", "data"),
        ("gauntlet.features.history", "model"),
        ("gauntlet.delivery.evidence.pairs", "evaluation"),
        ("gauntlet.delivery.targets.kserve.predictors", "delivery"),
        ("gauntlet.orchestration.engine", "command"),
        ("gauntlet.verdict", "evaluation"),
    ],
)
def test_examples_run_where_the_module_is_tested(module: str, environment: str) -> None:
    assert environment_of(module, collected_files()) == environment


def test_the_files_hold_the_environments_of_their_names() -> None:
    for file, environment in collected_files().items():
        if file.startswith("tests/unit/examples/"):
            assert file == file_of(environment)
            assert f'modules_in("{environment}")' in (groups.ROOT / file).read_text()


def test_true_examples_pass() -> None:
    assert examples_in(ast.parse(TWICE)) == 2
    assert failures_of(module_of(TWICE), 2) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWICE.replace("    6", "    7"), "Expected:\n    7\nGot:\n    6"),
        (TWICE.replace("twice(2)\n4", "twice(2)"), "Expected nothing\nGot:\n    4"),
        (TWICE.replace("return 2 *", "return 1 / 0 *"), "ZeroDivisionError"),
    ],
    ids=["another value", "a value not shown", "an error"],
)
def test_a_wrong_example_is_noticed(text: str, message: str) -> None:
    assert message in failures_of(module_of(text), 2)


def test_an_example_that_is_not_found_is_noticed() -> None:
    hidden = module_of(TWICE)
    hidden.twice.__doc__ = None
    assert "1 examples were run where its source holds 2" in failures_of(hidden, 2)


def examples_of_page(text: str) -> list[str]:
    """The console sessions on a page of the documentation."""
    return [block.partition("\n```")[0] for block in text.split("```pycon\n")[1:]]


def test_the_page_shows_the_examples_of_the_packages() -> None:
    packages = [f"gauntlet.{name}" for name in ("data", "evaluation", "features", "testing")]
    text = (groups.ROOT / "docs" / "library.md").read_text()
    assert examples_of_page(text) == [package_example(package) for package in packages], "copy the docstring's"


def test_a_page_that_shows_something_else_is_noticed() -> None:
    example = package_example("gauntlet.data")
    assert example.startswith(">>> import tempfile\n")
    assert example.endswith("(('car',), 0.35)")
    page = f"# A page\n\n```pycon\n{example}\n```\n\nText.\n"
    assert examples_of_page(page) == [example]
    assert examples_of_page(page.replace("'train': 133", "'train': 134")) != [example]


def test_the_page_names_what_the_packages_offer() -> None:
    rows = [line.split("|") for line in (groups.ROOT / "docs" / "library.md").read_text().split("\n") if "| `" in line]
    for package, names in ((row[1].strip(" `"), row[2].replace("`", "").split(",")) for row in rows):
        assert {name.strip() for name in names} <= set(importlib.import_module(package).__all__), package
