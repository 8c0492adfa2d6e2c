from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.predictions import write_predictions
from gauntlet.errors import DataError
from gauntlet.evaluation.inputs import read_predictions, require_both_classes

LABELS = np.array([0.0, 1.0, 1.0, 0.0])
SCORES = np.array([0.1, 0.8, 0.6, 0.4])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = read_predictions(
        write_predictions(
            tmp_path / "p",
            LABELS,
            SCORES,
            slices={"sex": ["f", "m", None, "f"]},
            weights=np.array([1.0, 2.0, 0.0, 1.0]),
            clusters=["b", "a", "b", "c"],
        )
    )
    assert found.labels.tolist() == LABELS.tolist()
    assert found.scores.tolist() == SCORES.tolist()
    assert found.weights is not None
    assert found.weights.tolist() == [1, 2, 0, 1]
    assert found.clusters is not None
    assert found.clusters.tolist() == [0, 1, 0, 2]
    assert found.columns["sex"].to_pylist() == ["f", "m", None, "f"]


def test_weights_of_one_are_no_weights(tmp_path: Path) -> None:
    assert read_predictions(write_predictions(tmp_path / "p", LABELS, SCORES)).weights is None


def test_several_classes_have_a_score_each(tmp_path: Path) -> None:
    scores = np.array([[0.2, 0.3, 0.5], [0.1, 0.9, 0.0]])
    found = read_predictions(write_predictions(tmp_path / "p", [2.0, 1.0], scores, task="multiclass"))
    assert found.scores.tolist() == scores.tolist()


def test_a_probability_a_hair_outside_is_put_back(tmp_path: Path) -> None:
    found = read_predictions(write_predictions(tmp_path / "p", [0.0, 1.0], np.array([-1e-9, 1 + 1e-9])))
    assert found.scores.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("scores", "more", "says"),
    [
        (np.array([0.1, np.nan, 0.2, 0.3]), {}, "score: 1 of 4 values are missing or not finite, the first in row 1"),
        (np.array([0.1, np.inf, 0.2, 0.3]), {}, "score: 1 of 4"),
        (np.array([0.1, 1.5, 0.2, 0.3]), {}, "score: 1 values are no probabilities; found 1.5"),
        (SCORES, {"weights": np.array([1, -1, 1, 1.0])}, "weight: is negative; found -1"),
        (SCORES, {"weights": np.zeros(4)}, "weight: is 0 in every row"),
        (SCORES, {"clusters": ["a", None, "b", "c"]}, "cluster: 1 rows have none"),
        (SCORES, {"slices": {"sex": list("fmfm")}, "without": ("slice:sex",)}, "slice:sex: is not in the predictions"),
        (SCORES, {"without": ("example_id",)}, "example_id: is not in the predictions"),
    ],
)
def test_numbers_that_cannot_be_used(tmp_path: Path, scores: np.ndarray, more: dict, says: str) -> None:
    path = write_predictions(tmp_path / "p", LABELS, scores, **more)
    with pytest.raises(DataError, match=says):
        read_predictions(path)


def test_probabilities_that_do_not_add_up(tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p", [0.0, 1.0], np.array([[0.5, 0.5], [0.5, 0.2]]), task="multiclass")
    with pytest.raises(DataError, match=r"the probabilities of row 1 do not add up to 1; found 0\.7"):
        read_predictions(path)


def test_a_manifest_that_counts_other_rows(tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p", LABELS, SCORES)
    manifest = json.loads((path / "predictions.json").read_text())
    (path / "predictions.json").write_text(json.dumps(manifest | {"rows": 5}))
    with pytest.raises(DataError, match="hold 4 rows where the manifest says 5"):
        read_predictions(path)


def test_one_class_is_named(tmp_path: Path) -> None:
    found = read_predictions(write_predictions(tmp_path / "p", np.ones(4), SCORES))
    with pytest.raises(DataError, match=r"label: all 4 rows have the same label.*found 'yes'"):
        require_both_classes(found)
    numbers = read_predictions(write_predictions(tmp_path / "r", np.ones(4), SCORES, task="regression"))
    require_both_classes(numbers)
