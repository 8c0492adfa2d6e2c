from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.testing import assert_learns


def logistic(rate: float, *, shuffled: bool = False, rows: int = 16) -> Callable[[int], list[float]]:
    """Logistic regression on one batch by gradient descent."""
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, 24))
    labels = (features[:, 0] > 0).astype(float)

    def train(steps: int) -> list[float]:
        order, weights, losses = np.random.default_rng(1), np.zeros(24), []
        for _ in range(steps):
            target = order.permutation(labels) if shuffled else labels
            scores = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
            losses.append(float(-np.mean(target * np.log(scores) + (1 - target) * np.log(1 - scores))))
            weights -= rate * features.T @ (scores - target) / rows
        return losses

    return train


def test_a_loop_that_learns_passes() -> None:
    assert_learns(logistic(1.0))


@pytest.mark.parametrize(
    ("train", "words"),
    [
        pytest.param(logistic(0.0), "The loss does not move in 100 steps on one batch: 0.6931 at first", id="no step"),
        pytest.param(logistic(-1.0), "The loss does not go down in 100 steps", id="the wrong way"),
        pytest.param(logistic(1.0, shuffled=True), "The loss does not go down", id="labels of other rows"),
        pytest.param(logistic(0.005), "does not go down in 100 steps on one batch", id="too slow"),
        pytest.param(logistic(0.03), "goes down, but the batch is not learned by heart in 100 steps", id="too small"),
        pytest.param(
            lambda steps: [1.0] * 3 + [math.nan] * (steps - 3), "is nan in step 4 of 100 .1 at first", id="NaN"
        ),
        pytest.param(lambda steps: [math.inf] * steps, "is inf in step 1 of 100 .nothing before", id="infinite"),
        pytest.param(lambda steps: [1.0], r"train\(100\) returned 1 losses. Return the loss of every step", id="one"),
        pytest.param(lambda steps: [1.0] * (steps - 1) + [-3.0], "The loss is -3 at its lowest", id="negative"),
        pytest.param(lambda steps: [0.0] * steps, "The loss is 0 at its lowest and 0 at first", id="nothing to learn"),
    ],
)
def test_a_loop_that_does_not_says_how(train: Callable[[int], list[float]], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        assert_learns(train)


def test_how_far_down_is_up_to_the_test() -> None:
    assert_learns(logistic(0.03), by_heart=None)
    with pytest.raises(AssertionError, match=r"should end below 0.06931"):
        assert_learns(logistic(0.03), by_heart=None, down_to=0.1)
    assert_learns(logistic(0.03), steps=2_000)


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=30))
def test_a_curve_that_ends_above_half_of_its_start_never_passes(losses: list[float]) -> None:
    curve = [*losses, losses[0] * 0.6]
    with pytest.raises(AssertionError):
        assert_learns(lambda steps: curve, steps=len(curve))
