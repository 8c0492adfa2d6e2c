from __future__ import annotations

from typing import Any

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse
from gauntlet.training.recipe import Recipe


def read(values: dict[str, Any]) -> Recipe:
    return parse(Recipe, values, field="recipe")


def test_numbers_that_a_pipeline_backend_made_floats_are_whole_again() -> None:
    recipe = read({"parameters": {"max_depth": 4.0, "n_estimators": 50.0}, "monotone": {"age": -1.0}})
    assert recipe.parameters.max_depth == 4
    assert isinstance(recipe.parameters.n_estimators, int)
    assert recipe.monotone == {"age": -1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"paramters": {}}, r"recipe.paramters: unknown key.*'parameters'", id="misspelt block"),
        pytest.param(
            {"parameters": {"max_dept": 3}}, r"recipe.parameters.max_dept: unknown key.*'max_depth'", id="typo"
        ),
        pytest.param({"parameters": {"max_depth": 3.5}}, r"recipe.parameters.max_depth: .*found 3.5", id="fraction"),
        pytest.param({"parameters": {"subsample": 0}}, r"recipe.parameters.subsample: .*greater than 0", id="range"),
        pytest.param({"task": "ranking"}, r"recipe.task: .*'binary'", id="task"),
        pytest.param({"monotone": {"age": 2}}, r"recipe.monotone.age: ", id="monotone"),
        pytest.param({"trainer": "my_module"}, r"recipe.trainer: ", id="trainer without function"),
        pytest.param({"options": {"a": 1}}, r"options belong to a custom trainer", id="options without trainer"),
        pytest.param({"validation_split": "train"}, r"must differ", id="judged on training rows"),
        pytest.param({"features": {"include": ["a"], "exclude": ["a"]}}, r"both name 'a'", id="included and excluded"),
        pytest.param({"parameters": {"max_depth": 0}}, r"needs parameters.grow_policy lossguide", id="unlimited depth"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(values)


def test_the_defaults_are_random_enough_for_a_spread_over_seeds() -> None:
    assert read({}).parameters.random
    assert not read({"parameters": {"subsample": 1, "colsample_bytree": 1}}).parameters.random
