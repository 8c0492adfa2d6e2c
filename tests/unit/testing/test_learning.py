from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gauntlet.errors import ConfigurationError
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
        pytest.param(logistic(0.03), "goes down, but the batch is not memorized in 100 steps", id="too small"),
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
    with pytest.raises(AssertionError, match=r"should end at 0.06931 or below"):
        assert_learns(logistic(0.03), by_heart=None, down_to=0.1)
    assert_learns(logistic(0.03), steps=2_000)


@pytest.mark.parametrize("share", [50, 1.0, -0.1, math.nan])
@pytest.mark.parametrize("name", ["down_to", "by_heart"])
def test_a_share_that_no_curve_could_fail_is_refused(name: str, share: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name}: must be a share of the first loss"):
        assert_learns(logistic(1.0), **{name: share})


def test_one_lucky_step_at_the_end_is_no_learning() -> None:
    curve = [10.0] * 29 + [0.5]
    with pytest.raises(AssertionError, match="goes down and comes up again in 30 steps"):
        assert_learns(lambda steps: curve, steps=30)


losses = st.floats(0.01, 100)
shares = st.floats(0, 0.99)


@given(before=st.lists(losses, min_size=1, max_size=30), share=shares, above=st.floats(1e-6, 10))
@example(before=[10.0] + [1.0] * 18, share=0.5, above=0.1)  # the mean of the last tenth, 3.5, is below half
def test_a_curve_that_ends_above_its_share_of_the_start_never_passes(
    before: list[float], share: float, above: float
) -> None:
    curve = [*before, before[0] * (share + above)]
    with pytest.raises(AssertionError):
        assert_learns(lambda steps: curve, steps=len(curve), down_to=share, by_heart=None)


@given(
    before=st.lists(losses, min_size=1, max_size=30),
    share=shares,
    ends=st.lists(st.floats(0, 1), min_size=4, max_size=9),  # more than the last tenth
)
@example(before=[1.0], share=0.5, ends=[1.0] * 4)
def test_a_curve_that_stays_below_its_share_of_the_start_always_passes(
    before: list[float], share: float, ends: list[float]
) -> None:
    limit = before[0] * share
    curve = [*before, *(limit * share_of_limit for share_of_limit in ends)]
    assert_learns(lambda steps: curve, steps=len(curve), down_to=share, by_heart=share)
