from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.evaluation import curves
from gauntlet.evaluation.auc import grouped_auc, rank
from gauntlet.evaluation.sample import sample


def binary(rows: int = 4000, seed: int = 0, weight: np.ndarray | None = None):
    rng = np.random.default_rng(seed)
    score = rng.random(rows)
    return sample(rng.random(rows) < score, score, task="binary", weight=weight)


def test_roc_of_four_rows_by_hand() -> None:
    found = curves.roc(sample([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], task="binary"))
    assert found.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert found.y.tolist() == [0, 0.5, 0.5, 1, 1]
    assert found.threshold.tolist() == [1.0, 0.8, 0.4, 0.35, 0.1]


def test_area_under_the_thinned_curve_is_the_auc() -> None:
    rows = binary(weight=np.random.default_rng(1).random(4000))
    found = curves.roc(rows)
    assert len(found.x) <= curves.MOST_POINTS
    assert (found.x[0], found.y[0], found.x[-1], found.y[-1]) == (0, 0, 1, 1)
    (area,), _ = grouped_auc(rank(rows.label, rows.score, rows.weight), np.zeros(4000, dtype=np.int64), 1)
    assert np.trapezoid(found.y, found.x) == pytest.approx(area, abs=2e-3)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=300))
def test_curves_are_monotone_finite_and_short(rows: list[tuple[bool, float]]) -> None:
    label = np.array([one for one, _ in rows], float)
    label[0], label[-1] = 0, 1
    found = curves.roc(sample(label, [score for _, score in rows], task="binary"))
    assert len(found.x) <= curves.MOST_POINTS
    assert (np.diff(found.x) >= 0).all()
    assert (np.diff(found.y) >= 0).all()
    assert np.isfinite(found.threshold).all()


def test_precision_recall_of_four_rows_by_hand() -> None:
    found = curves.precision_recall(sample([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], task="binary"))
    assert found.x.tolist() == [0, 0.5, 0.5, 1, 1]
    assert found.y.tolist() == pytest.approx([1, 1, 0.5, 2 / 3, 0.5])


def test_a_calibrated_score_lies_on_the_diagonal() -> None:
    found = curves.reliability(binary(40_000))
    assert len(found.predicted) == 10
    assert np.abs(found.observed - found.predicted).max() < 0.03
    assert ((found.low < found.observed) & (found.observed < found.high)).all()
    assert found.rows.sum() == 40_000


def test_equal_scores_stay_in_one_bin() -> None:
    found = curves.reliability(sample([0, 1, 1, 1], [0.5] * 4, task="binary"))
    assert found.observed.tolist() == [0.75]


def test_confusion_counts_weights_at_the_threshold() -> None:
    rows = sample([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.5], task="binary", weight=[1, 2, 3, 4])
    assert curves.confusion(rows).tolist() == [[1, 2], [3, 4]]


def test_confusion_of_classes() -> None:
    scores = [[0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7]]
    rows = sample([0, 1, 2], scores, task="multiclass")
    assert curves.confusion(rows).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_histograms_are_shares() -> None:
    found = curves.scores_by_class(binary(), ("no", "yes"))
    assert [share.sum() for share in found.shares.values()] == pytest.approx([1, 1])
    rng = np.random.default_rng(2)
    value = rng.normal(size=500)
    errors = curves.errors(sample(value, value + rng.normal(size=500), task="regression"))
    assert errors.shares["error"].sum() == pytest.approx(1)
    almost = curves.errors(sample(value, value + 5, task="regression"))
    assert almost.shares["error"].max() == 1
    constant = curves.errors(sample([1.0, 2.0], [1.0, 2.0], task="regression"))
    assert constant.shares["error"].max() == 1
