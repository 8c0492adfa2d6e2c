from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gauntlet.errors import DataError
from gauntlet.prediction.scores import as_scores

BINARY = ("late", "paid")
THREE = ("a", "b", "c")


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(np.array([0.25, 1.0]), id="one column"),
        pytest.param(np.array([[0.25], [1.0]], dtype=np.float32), id="one column, two dimensions"),
        pytest.param(np.array([[0.75, 0.25], [0.0, 1.0]]), id="two columns"),
        pytest.param([[0.75, 0.25], [0.0, 1.0]], id="nested lists"),
        pytest.param([0.25, 1.0], id="list"),
        pytest.param(pd.Series([0.25, 1.0], index=[7, 3]), id="series"),
        pytest.param(pd.DataFrame({"score": [0.25, 1.0]}), id="frame of one column"),
        pytest.param(pd.DataFrame({"paid": [0.25, 1.0], "late": [0.75, 0.0]}), id="columns by name"),
        pytest.param(pd.DataFrame({0: [0.75, 0.0], 1: [0.25, 1.0]}), id="columns by position"),
        pytest.param(pd.Series([0.25, 1.0], dtype=object), id="floats as objects"),
    ],
)
def test_probabilities_of_two_classes(output: Any) -> None:
    scores = as_scores(output, task="binary", classes=BINARY, rows=2)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, [0.25, 1.0])


@pytest.mark.parametrize(
    ("output", "classes"),
    [
        pytest.param(["late", "paid"], BINARY, id="labels"),
        pytest.param(np.array([0, 1]), BINARY, id="codes"),
        pytest.param(np.array([False, True]), BINARY, id="booleans as codes"),
        pytest.param(np.array([False, True]), ("false", "true"), id="booleans as labels"),
        pytest.param(np.array([1, 2]), ("1", "2"), id="integers that are labels"),
    ],
)
def test_a_model_that_decides_gives_zero_and_one(output: Any, classes: tuple[str, ...]) -> None:
    assert as_scores(output, task="binary", classes=classes, rows=2).tolist() == [0.0, 1.0]


def test_three_classes() -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(as_scores(probabilities, task="multiclass", classes=THREE, rows=2), probabilities)
    shuffled = pd.DataFrame(probabilities[:, [2, 0, 1]], columns=["c", "a", "b"])
    np.testing.assert_array_equal(as_scores(shuffled, task="multiclass", classes=THREE, rows=2), probabilities)
    decided = as_scores(["c", "a"], task="multiclass", classes=THREE, rows=2)
    assert decided.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_regression() -> None:
    assert as_scores(np.array([[-3], [7]]), task="regression", classes=(), rows=2).tolist() == [-3.0, 7.0]


@pytest.mark.parametrize(
    ("output", "task", "message"),
    [
        pytest.param([0.5, np.nan], "binary", "1 of 2 rows, a score that is NaN", id="NaN"),
        pytest.param([[np.inf, 0], [0, 1]], "binary", "1 of 2 rows, a score that is NaN or infinite", id="infinite"),
        pytest.param([-2.0, 0.5], "binary", r"probabilities outside 0 to 1; found -2.*not margins", id="margins"),
        pytest.param([[0.9, 0.9], [0, 1]], "binary", "do not add up to one", id="no distribution"),
        pytest.param([0.5], "binary", r"2 rows gave an output of shape \(1,\)", id="too few"),
        pytest.param(
            [[1, 0, 0], [0, 1, 0]], "binary", r"3 columns for 2 classes \(late, paid\)", id="too many classes"
        ),
        pytest.param(["late", "Paid"], "binary", "neither a score nor one of the classes .*found 'Paid'", id="label"),
        pytest.param(np.array([0, 2]), "binary", "neither a score nor one of the classes .*found '2'", id="code"),
        pytest.param([0.1, 0.2], "multiclass", "one float a row for a multiclass task", id="one float, many classes"),
        pytest.param([[1.0, 2.0], [1.0, 2.0]], "regression", "2 columns for a regression task", id="two values"),
        pytest.param(["x", "y"], "regression", "scores that are not numbers", id="text"),
        pytest.param({"predictions": [1, 2]}, "binary", "returned a dict", id="dict"),
        pytest.param(None, "binary", "returned a NoneType", id="nothing"),
        pytest.param([[1.0], [1.0, 2.0]], "binary", "different lengths", id="ragged"),
    ],
)
def test_what_is_no_score(output: Any, task: str, message: str) -> None:
    classes = {"binary": BINARY, "multiclass": THREE}.get(task, ())
    with pytest.raises(DataError, match=message):
        as_scores(output, task=task, classes=classes, rows=2)
