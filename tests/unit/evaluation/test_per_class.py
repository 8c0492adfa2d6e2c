"""Precision, recall and calibration class by class, by hand and against what the metrics of two classes say."""

from __future__ import annotations

import numpy as np
import pytest

from gauntlet.evaluation.per_class import calibration_by_class, per_class
from gauntlet.evaluation.sample import sample


def three(label, decided, **more):
    return sample(label, np.eye(3)[list(decided)] * 0.7 + 0.1, task="multiclass", **more)


def test_three_classes_by_hand() -> None:
    found = per_class(three([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0]))
    assert found.actual.tolist() == [3, 2, 1]
    assert found.decided.tolist() == [4, 2, 0]
    assert found.recall.tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert found.precision[:2].tolist() == [1 / 2, 1 / 2]
    assert np.isnan(found.precision[2]), "nothing was decided as it"


def test_intervals_hold_the_share_and_shrink_with_rows() -> None:
    few = per_class(three([0, 0, 1, 2] * 5, [0, 1, 1, 2] * 5))
    many = per_class(three([0, 0, 1, 2] * 500, [0, 1, 1, 2] * 500))
    for found in (few, many):
        assert (found.recall_ends[0] <= found.recall).all()
        assert (found.recall <= found.recall_ends[1]).all()
    assert (np.diff(many.recall_ends, axis=0) < np.diff(few.recall_ends, axis=0)).all()


def test_weights_count_as_rows_and_widen_intervals_where_they_are_uneven() -> None:
    label, decided = [0, 0, 1, 1], [0, 1, 1, 1]
    doubled = per_class(three(label, decided, weight=[2, 2, 2, 2]))
    assert doubled.actual.tolist() == [4, 4, 0]
    assert doubled.recall_ends == pytest.approx(per_class(three(label, decided)).recall_ends)
    even = per_class(three([0] * 200, [0, 1] * 100))
    uneven = per_class(three([0] * 200, [0, 1] * 100, weight=[9] * 100 + [1] * 100))
    assert uneven.recall[0] == even.recall[0] == 0.5
    assert np.diff(uneven.recall_ends, axis=0)[0, 0] > 1.2 * np.diff(even.recall_ends, axis=0)[0, 0]


def test_clustered_rows_have_no_interval_that_takes_them_as_independent() -> None:
    found = per_class(three([0, 1, 2], [0, 1, 2], cluster=["a", "a", "b"]))
    assert found.recall_ends is None
    assert found.precision_ends is None


def test_two_classes_are_decided_at_the_threshold() -> None:
    rows = sample([0, 0, 1, 1], [0.1, 0.5, 0.4, 0.9], task="binary", threshold=0.3)
    assert per_class(rows).recall.tolist() == [0.5, 1.0]
    assert per_class(rows).precision.tolist() == [1.0, 2 / 3]


def test_probabilities_that_are_right_lie_on_the_diagonal_for_every_class() -> None:
    rng = np.random.default_rng(2)
    score = rng.dirichlet([1, 1, 1], 20_000)
    label = (rng.random((20_000, 1)) > score.cumsum(axis=1)).sum(axis=1)
    found = calibration_by_class(sample(label, score, task="multiclass"))
    assert len(found) == 3
    for curve in found:
        assert np.abs(curve.predicted - curve.observed).max() < 0.04
        assert curve.rows.sum() == 20_000
