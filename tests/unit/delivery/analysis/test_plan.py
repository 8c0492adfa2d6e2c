import pytest

from gauntlet.delivery.analysis.plan import BUILT_IN, AnalysisPlan, KeptPlan
from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse


def plan(**values):
    return parse(AnalysisPlan, values, field="analysis")


def test_the_margins_are_those_of_the_documentation():
    found = plan()
    assert found.metrics == ("errors", "latency", "scores")
    assert (found.errors.ratio, found.errors.harm, found.errors.promotion) == (1, 0.002, 0.005)
    assert (found.latency.ratio, found.latency.harm) == (1.1, 0.001)
    assert found.scores.harm == 0.05
    assert [found.metric(name).weight for name in BUILT_IN] == [2, 1, 1, 1, 1]
    assert [name for name in BUILT_IN if isinstance(one := found.metric(name), KeptPlan) and one.required] == [
        "errors",
        "latency",
    ]


def test_a_dry_run_has_no_say():
    assert plan(dry_run=["latency"]).with_a_say == ("errors", "scores")


OWN = {"name": "revenue", "query": "sum(x)", "limit": 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alpha": 0.7}, "analysis.alpha"),
        ({"phi": 0.5}, "analysis.phi"),
        ({"phi": "guess"}, "analysis.phi"),
        ({"metrics": ["errors", "beauty"]}, "analysis.metrics.1"),
        ({"metrics": ["errors", "errors"]}, "errors names two metrics"),
        ({"metrics": ["errors"], "dry_run": ["errors"]}, "at least one of metrics must have a say"),
        ({"dry_run": ["slices"]}, "dry_run names slices, which is no metric of this plan"),
        ({"custom": [OWN, OWN]}, "revenue names two metrics"),
        ({"custom": [{**OWN, "name": "scores"}], "metrics": ["errors"]}, "scores names two metrics"),
        ({"custom": [{**OWN, "name": "Revenue{}"}]}, "analysis.custom.0.name"),
        ({"errors": {"detectable_effect": 0.002}}, "must lie beyond what is allowed"),
        ({"latency": {"detectable_ratio": 1.0}}, "must lie beyond what is allowed"),
        ({"latency": {"objective_seconds": 0}}, "analysis.latency.objective_seconds"),
        ({"outcomes": {"required": True}}, "required"),
        ({"metrics": ["outcomes"]}, "another metric must have a say"),
        ({"metrics": ["errors", "outcomes"], "dry_run": ["errors"]}, "another metric must have a say"),
        ({"weigth": 3}, "unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values, message):
    with pytest.raises(ConfigurationError, match=message):
        plan(**values)
