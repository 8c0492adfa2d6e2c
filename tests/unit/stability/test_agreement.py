from __future__ import annotations

import numpy as np
import pytest

from gauntlet.evaluation.shares import clopper_pearson
from gauntlet.stability.agreement import EvaluationRows, agreement, decisions, pairwise

PLAIN = EvaluationRows("binary", 0.5, None, None)


def test_a_model_agrees_with_itself() -> None:
    scores = np.random.default_rng(0).random(50)
    same = agreement(("a", "b"), scores, scores, PLAIN, 0.95)
    assert (same.identical, same.largest, same.moved, same.flips) == (True, 0.0, 0.0, 0.0)
    # No flips in n rows: the rule of three, 1 - (alpha / 2)^(1 / n).
    assert same.interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 50)))


def test_flips_are_counted_with_the_exact_interval() -> None:
    first = np.full(100, 0.4)
    second = np.where(np.arange(100) < 7, 0.6, 0.41)
    found = agreement(("a", "b"), first, second, PLAIN, 0.95)
    assert found.flips == pytest.approx(0.07)
    assert found.interval == pytest.approx(tuple(float(end) for end in clopper_pearson(0.07, 100)))
    assert found.median == pytest.approx(0.01)
    assert found.largest == pytest.approx(0.2)
    assert found.moved == 1.0
    assert not found.identical


def test_a_threshold_belongs_to_the_positives() -> None:
    assert decisions(np.array([0.2, 0.3, 0.4]), EvaluationRows("binary", 0.3, None, None)).tolist() == [0, 1, 1]


def test_classes_flip_where_the_most_probable_one_changes() -> None:
    first = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    second = np.array([[0.3, 0.5, 0.2], [0.2, 0.7, 0.1]])
    found = agreement(("a", "b"), first, second, EvaluationRows("multiclass", 0.5, None, None), 0.95)
    assert found.flips == 0.5
    assert found.largest == pytest.approx(0.2)


def test_a_regression_decides_nothing() -> None:
    found = agreement(("a", "b"), np.zeros(3), np.ones(3), EvaluationRows("regression", 0.5, None, None), 0.95)
    assert found.flips is None
    assert found.median == 1.0


def test_rows_that_flip_together_count_as_one() -> None:
    """Forty people with ten rows each, who flip as people do: the interval is that of forty, not of four hundred."""
    person = np.repeat(np.arange(40), 10)
    first = np.full(400, 0.4)
    second = np.where(person < 8, 0.6, 0.4)
    plain = agreement(("a", "b"), first, second, PLAIN, 0.95)
    clustered = agreement(("a", "b"), first, second, EvaluationRows("binary", 0.5, None, person), 0.95)
    assert plain.flips == clustered.flips == pytest.approx(0.2)
    assert clustered.rows == pytest.approx(39, abs=1)
    assert clustered.interval[1] - clustered.interval[0] > 2.5 * (plain.interval[1] - plain.interval[0])
    still = agreement(("a", "b"), first, first, EvaluationRows("binary", 0.5, None, person), 0.95)
    assert still.rows == 40


def test_weights_count_and_widen() -> None:
    weights = np.r_[np.full(50, 3.0), np.full(50, 1.0)]
    second = np.where(np.arange(100) < 10, 0.6, 0.4)
    found = agreement(("a", "b"), np.full(100, 0.4), second, EvaluationRows("binary", 0.5, weights, None), 0.95)
    assert found.flips == pytest.approx(30 / 200)
    assert found.rows < 100


def test_all_pairs_hold_together_worst_first() -> None:
    rng = np.random.default_rng(1)
    scores = [np.clip(0.5 + 0.1 * rng.normal(size=200) + shift, 0, 1) for shift in (0.0, 0.0, 0.3)]
    pairs = pairwise(["a", "b", "c"], scores, PLAIN, 0.95)
    assert len(pairs) == 3
    assert [pair.flips for pair in pairs] == sorted([pair.flips or 0 for pair in pairs], reverse=True)
    alone = agreement(pairs[0].names, scores[0], scores[0], PLAIN, 0.95)
    assert pairs[0].interval != alone.interval
    narrow = clopper_pearson(pairs[0].flips, 200, 0.95)
    assert pairs[0].interval[0] < narrow[0]
    assert pairs[0].interval[1] > narrow[1]
