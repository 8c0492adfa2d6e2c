"""That every example in a docstring is run somewhere, and that one which shows something else is noticed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import ModuleType

import pytest

import groups
from builders.examples import all_examples, collected_files, environment_of, examples_in, failures_of, file_of

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
