import pytest

from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse


def test_the_defaults_are_a_plan():
    assert RolloutPlan().steps[-1] == 100


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": [10, 5, 100]}, "steps must ascend"),
        ({"steps": [5, 5, 100]}, "steps must ascend"),
        ({"steps": [5, 50]}, "end with 100"),
        ({"steps": []}, "end with 100"),
        ({"steps": [0, 100]}, r"plan\.steps\.0"),
        ({"approve_before": [30]}, "approve_before names 30"),
        ({"interval_seconds": 0}, r"plan\.interval_seconds"),
        ({"budgets": {"failure": 1}}, "Did you mean 'failures'"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_by_name(values, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(RolloutPlan, values, field="plan")
