from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.data.roles import Roles
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training.column_profile import Profile
from gauntlet.training.target import MOST_CLASSES, Target, infer_target


def target(
    kind: str, values: list[str] | None, task: str = "auto", *, positive: object = None, categorical: bool = False
):
    profile = Profile(rows=9, missing=0, values=None if values is None else dict.fromkeys(values, 1), typical=0.0)
    roles = Roles(label="y", positive=positive)
    return infer_target("y", kind, profile, task=task, roles=roles, categorical=categorical)


@pytest.mark.parametrize(
    ("kind", "values", "categorical", "task", "classes"),
    [
        pytest.param("string", ["b", "a"], False, "binary", ("a", "b"), id="two strings"),
        pytest.param("bool", ["true", "false"], False, "binary", ("false", "true"), id="booleans"),
        pytest.param("int", ["10", "9"], False, "binary", ("9", "10"), id="two integers in numeric order"),
        pytest.param("float", ["1", "0"], False, "binary", ("0", "1"), id="whole floats"),
        pytest.param("float", ["1.5", "0"], False, "regression", (), id="two fractions"),
        pytest.param("string", ["c", "b", "a"], False, "multiclass", ("a", "b", "c"), id="strings"),
        pytest.param("int", ["10", "9", "-1"], True, "multiclass", ("-1", "9", "10"), id="codes"),
        pytest.param("int", ["3", "2", "1"], False, "regression", (), id="counts"),
        pytest.param("float", None, False, "regression", (), id="many numbers"),
    ],
)
def test_auto(kind: str, values: list[str] | None, categorical: bool, task: str, classes: tuple[str, ...]) -> None:
    inferred = target(kind, values, categorical=categorical)
    assert (inferred.task, inferred.classes) == (task, classes)


@pytest.mark.parametrize(("positive", "last"), [(False, "false"), (True, "true"), ("false", "false")])
def test_a_boolean_positive_class(positive: object, last: str) -> None:
    assert target("bool", ["true", "false"], positive=positive).classes[-1] == last


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param(("string", ["a", "b"], "regression"), ConfigurationError, "regression needs numbers", id="text"),
        pytest.param(("string", ["a", "b", "c"], "binary"), ConfigurationError, "y has 3", id="three for binary"),
        pytest.param(("float", ["0.5", "1"], "binary"), ConfigurationError, "fractional", id="fractions as classes"),
        pytest.param(("timestamp", None), ConfigurationError, "timestamp", id="timestamp"),
        pytest.param(("string", None), DataError, f"more than {MOST_CLASSES}", id="too many classes"),
        pytest.param(("string", ["a"]), DataError, "the same label; found 'a'", id="one class"),
    ],
)
def test_labels_that_do_not_fit(arguments: tuple[object, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        target(*arguments)  # type: ignore[arg-type]  # cases of both lengths


def test_labels_become_codes() -> None:
    two = Target("y", "binary", ("no", "yes"))
    assert two.encode(pa.array(["yes", "no"]), where="split x").tolist() == [1, 0]
    whole = Target("y", "binary", ("0", "1"))
    assert whole.encode(pa.array([1.0, 0.0]), where="split x").tolist() == [1, 0]
    assert Target("y", "regression").encode(pa.array([3]), where="split x").dtype == np.float64


@pytest.mark.parametrize(
    ("one", "values", "message"),
    [
        pytest.param(Target("y", "binary", ("a", "b")), ["a", None], "1 rows of split x have no label", id="missing"),
        pytest.param(
            Target("y", "binary", ("a", "b")), ["a", "a."], r"not among the classes a, b; found 'a\.'", id="new"
        ),
        pytest.param(Target("y", "regression"), [1.0, float("inf")], "not a finite number", id="infinite"),
    ],
)
def test_bad_labels_name_the_rows_they_are_in(one: Target, values: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        one.encode(pa.array(values), where="split x")
