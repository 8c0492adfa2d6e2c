"""Reference values are worked by hand in the comments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gauntlet.errors import DataError
from gauntlet.training.metrics import measure, spread
from gauntlet.training.target import Target

BINARY = Target("y", "binary", ("no", "yes"))


def test_binary_by_hand() -> None:
    metrics = measure(BINARY, np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.5, 0.8]), None)
    # Pairs (negative, positive) in order: 0.1<0.5, 0.1<0.8, 0.6>0.5, 0.6<0.8: three of four.
    assert metrics["auc"] == 0.75
    assert metrics["accuracy"] == 0.75
    assert metrics["brier"] == pytest.approx((0.01 + 0.36 + 0.25 + 0.04) / 4)
    assert metrics["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.4) + math.log(0.5) + math.log(0.8)) / 4)


def test_a_weight_of_two_is_a_row_twice() -> None:
    labels, scores = np.array([0, 1, 1, 0]), np.array([0.2, 0.4, 0.9, 0.6])
    twice = np.array([0, 0, 1, 2, 3, 3])
    weighted = measure(BINARY, labels, scores, np.array([2.0, 1, 1, 2]))
    assert weighted == pytest.approx(measure(BINARY, labels[twice], scores[twice], None))


def test_multiclass_and_regression_by_hand() -> None:
    three = Target("y", "multiclass", ("a", "b", "c"))
    probabilities = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]], dtype=np.float32)
    metrics = measure(three, np.array([0, 1]), probabilities, None)
    assert metrics == pytest.approx({"accuracy": 0.5, "log_loss": -(math.log(0.5) + math.log(0.2)) / 2})
    metrics = measure(Target("y", "regression"), np.array([1.0, 2.0]), np.array([1.0, 4.0]), None)
    assert metrics == pytest.approx({"rmse": math.sqrt(2), "mae": 1.0})


def test_one_class_has_no_auc() -> None:
    with pytest.raises(DataError, match="y: the validation split has only one class"):
        measure(BINARY, np.array([1, 1]), np.array([0.5, 0.6]), None)


def test_spread_is_the_sample_standard_deviation() -> None:
    assert spread([{"auc": 0.7}, {"auc": 0.8}]) == {
        "auc": {"standard_deviation": pytest.approx(0.1 / math.sqrt(2)), "seeds": 2}
    }
    assert spread([{"auc": 0.7}]) == {}
    assert spread([]) == {}
