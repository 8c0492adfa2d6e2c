from __future__ import annotations

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.fairness import CRITERIA, DEFAULT_LIMITS, demands
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.settings import parse


def policy(**values: object) -> SlicesPolicy:
    return parse(SlicesPolicy, values, field="policy")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_has_defaults_and_knows_its_criteria(task) -> None:
    written = demands(policy(**DEFAULT_LIMITS[task]), task, 3)
    assert written
    assert [demand.title for demand in demands(policy(), task, 3)] == [demand.title for demand in written]
    for criterion in CRITERIA[task]:
        assert demands(policy(fairness={criterion: {"max_gap": 0.1}}), task, 3)


def test_a_gap_is_limited_on_both_sides_and_a_ratio_both_ways() -> None:
    gap, ratio = demands(policy(fairness={"demographic_parity": {"max_gap": 0.1, "min_ratio": 0.8}}), "binary", 2)
    assert (gap.kind, gap.low, gap.high, gap.two_sided) == ("gap", -0.1, 0.1, True)
    assert (ratio.kind, ratio.low, ratio.high) == ("ratio", 0.8, 1.25)


def test_equalized_odds_are_two_rates() -> None:
    found = demands(policy(fairness={"equalized_odds": {"max_gap": 0.1}}), "binary", 2)
    assert [demand.metric.name for demand in found] == ["true_positive_rate", "false_positive_rate"]


def test_performance_is_limited_on_the_side_that_is_worse() -> None:
    auc, loss = demands(policy(performance={"auc": {"max_gap": 0.05}, "log_loss": {"max_gap": 0.1}}), "binary", 2)
    assert (auc.low, auc.high) == (-0.05, None)
    assert (loss.low, loss.high) == (None, 0.1)


def test_all_names_are_different() -> None:
    limits = {
        "fairness": {name: {"max_gap": 0.1} for name in CRITERIA["binary"]} | {"accuracy": {"min_ratio": 0.8}},
        "performance": {
            "accuracy": {"max_gap": 0.1, "min": 0.5},
            "true_positive_rate": {"max_gap": 0.1},
            "log_loss": {"max_gap": 0.1, "max_ratio": 2, "max": 0.7},
        },
    }
    titles = [demand.title for demand in demands(policy(**limits), "binary", 2)]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("values", "task", "says"),
    [
        ({"fairness": {"demographic_parity": {"max_gap": 0.1}}}, "regression", "means nothing for a regression model"),
        ({"performance": {"rmse": {"max": 1}}}, "binary", "rmse"),
    ],
)
def test_limits_that_cannot_be(values, task, says) -> None:
    with pytest.raises(ConfigurationError, match=says):
        demands(policy(**values), task, 2)
