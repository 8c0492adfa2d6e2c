"""Errors of a regression by tenths of its predictions, and the rows drawn of it."""

from __future__ import annotations

import numpy as np
import pytest

from gauntlet.evaluation.error_pictures import errors_by_tenths, predicted_and_actual
from gauntlet.evaluation.sample import sample

RNG = np.random.default_rng(4)


def test_two_groups_by_hand() -> None:
    found = errors_by_tenths(sample([1.0, 2.0, 10.0, 20.0], [2.0, 2.0, 11.0, 15.0], task="regression"), groups=2)
    assert (found.low.tolist(), found.high.tolist(), found.rows.tolist()) == ([2, 11], [2, 15], [2, 2])
    assert found.bias.tolist() == [0.5, -2.0]
    assert found.absolute.tolist() == [0.5, 3.0]
    assert found.root.tolist() == pytest.approx([np.sqrt(0.5), np.sqrt(13)])


def test_a_bias_that_grows_with_the_prediction_is_seen_with_its_sign() -> None:
    score = RNG.uniform(0, 100, 5000)
    found = errors_by_tenths(sample(score * 0.9 + RNG.normal(size=5000), score, task="regression"))
    assert len(found.rows) == 10
    assert found.bias == pytest.approx(np.arange(0.5, 10), abs=0.3)
    assert ((found.bias_ends[0] < found.bias) & (found.bias < found.bias_ends[1])).all()


def test_equal_predictions_stay_together_and_clusters_have_no_interval() -> None:
    found = errors_by_tenths(sample([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], task="regression", cluster=["a", "a", "b"]))
    assert found.rows.tolist() == [3]
    assert found.bias_ends is None


def test_weights_count_as_rows() -> None:
    found = errors_by_tenths(sample([0.0, 4.0], [1.0, 1.0], task="regression", weight=[3.0, 1.0]))
    assert found.bias.tolist() == [0.0]
    assert found.absolute.tolist() == [1.5]


@pytest.mark.parametrize("rows", [1, 600, 601, 5000])
def test_rows_drawn_are_few_and_hold_both_ends(rows: int) -> None:
    score = RNG.permutation(rows).astype(float)
    predicted, actual = predicted_and_actual(sample(score + 1, score, task="regression"))
    assert len(predicted) == min(rows, 600)
    assert (predicted[0], predicted[-1]) == (0, rows - 1)
    assert (actual == predicted + 1).all()
