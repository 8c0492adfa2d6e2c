import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS, check_delivery_settings, check_training_settings
from gauntlet.preflight_rules import Run

DEFAULTS = {"model_name": "loans", "promote": "first", "device": "auto"}
ROLES = {"roles": {"label": "repaid"}}


def test_defaults_everywhere_are_a_valid_run():
    check_training_settings({**{name: {} for name in SETTINGS}, **ROLES}, **DEFAULTS)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "roles"])
def test_a_key_nobody_knows_is_found_in_every_block_by_the_parameters_own_name(name):
    with pytest.raises(ConfigurationError, match=rf"^{name}\.no_such_key: unknown key"):
        check_training_settings({**ROLES, name: {"no_such_key": 1}}, **DEFAULTS)


@pytest.mark.parametrize(
    ("settings", "more", "message"),
    [
        ({"roles": {}}, {}, "roles.label: is required to train"),
        ({"roles": {"lable": "x"}}, {}, "Did you mean 'label'?"),
        ({**ROLES, "slices_policy": {"confidence": 95}}, {}, "slices_policy.confidence"),
        ({**ROLES, "enforcement_policy": {"advisory": ["no_gate"]}}, {}, "enforcement_policy.advisory: no such gate"),
        (ROLES, {"device": "gpu"}, "device: no such device; found 'gpu'. Use one of: auto, cuda, cpu"),
        (ROLES, {"run": Run(n_seeds=0)}, "n_seeds: must be at least 1; found 0. Give 1 or more."),
        (ROLES, {"promote": "maybe"}, "promote"),
        (ROLES, {"model_name": ""}, "model_name"),
    ],
)
def test_what_cannot_be_used_is_named(settings, more, message):
    with pytest.raises(ConfigurationError) as caught:
        check_training_settings(settings, **{**DEFAULTS, **more})

    assert message in str(caught.value)


def test_everything_that_is_wrong_is_said_in_one_go():
    settings = {
        "roles": {"label": "y"},
        "performance_policy": {"metrics": {"auc": {"min": 80}}},
        "champion_policy": {"primary": {"metric": "auc", "margin": 2}},
        "skew_policy": {"number_max_distance": 5, "missing_max_change": 5},
        "slices_policy": {"columns": ["sex"]},
    }
    with pytest.raises(ConfigurationError) as caught:
        check_training_settings(settings, **{**DEFAULTS, "device": "gpu", "run": Run(seed=-1, slice_columns=())})
    said = str(caught.value)
    assert said.startswith("performance_policy.metrics.auc.min: is outside the range of AUC, 0 to 1; found 80. Give a ")
    for number, field in enumerate(
        (
            "champion_policy.primary.margin",
            "skew_policy.number_max_distance",
            "skew_policy.missing_max_change",
            "seed",
            "slices_policy.columns",
            "device",
        ),
        start=2,
    ):
        assert f"({number}) {field}: " in said
    assert "more like this" not in said


PLACES = {"service": "local:production", "staging": "local:staging"}
LABELS = {"uri": "gs://labels/daily/", "wrong": "wrong"}
ASKED = {"metrics": ["errors", "outcomes"]}


def test_defaults_everywhere_are_a_valid_delivery():
    check_delivery_settings({name: {} for name in DELIVERY_SETTINGS}, **PLACES)
    check_delivery_settings({"outcomes": LABELS, "analysis": ASKED}, **PLACES)


@pytest.mark.parametrize("name", DELIVERY_SETTINGS)
def test_a_key_nobody_knows_is_found_in_every_block_of_a_delivery(name):
    with pytest.raises(ConfigurationError, match=rf"^{name}\.no_such_key: unknown key"):
        check_delivery_settings({name: {"no_such_key": 1}}, **PLACES)


@pytest.mark.parametrize(
    ("settings", "places", "message"),
    [
        ({"analysis": ASKED, "outcomes": {}}, {}, "analysis.metrics: names outcomes, and nothing counts them"),
        ({"analysis": {}, "outcomes": LABELS}, {}, "outcomes: labels would be read for nothing"),
        ({"analysis": ASKED, "outcomes": {"uri": "x.csv"}}, {}, "outcomes: give either wrong, or both"),
        ({"analysis": ASKED, "outcomes": {**LABELS, "uri": "s3://x/"}}, {}, "outcomes.uri: is of a kind that is not"),
        ({}, {"staging": "local:production"}, "staging: is the service in production"),
        ({}, {"service": "production"}, "service: is not the address of a service"),
    ],
)
def test_what_cannot_be_delivered_with_is_named(settings, places, message):
    with pytest.raises(ConfigurationError) as caught:
        check_delivery_settings(settings, **{**PLACES, **places})
    assert message in str(caught.value)
