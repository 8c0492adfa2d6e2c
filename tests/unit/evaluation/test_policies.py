from __future__ import annotations

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.policies import ChampionPolicy, PerformancePolicy, SlicesPolicy
from gauntlet.settings import Settings, parse


@pytest.mark.parametrize("policy", [PerformancePolicy, SlicesPolicy, ChampionPolicy])
def test_defaults_hold_by_their_own_rules(policy: type[Settings]) -> None:
    parse(policy, None, field="policy")


def test_numbers_may_arrive_as_kfp_sends_them() -> None:
    found = parse(SlicesPolicy, {"min_rows": 200.0, "max_values": 20.0, "bins": {"age": [25.0, 45.0]}}, field="policy")
    assert (found.min_rows, found.max_values) == (200, 20)
    with pytest.raises(ConfigurationError, match=r"policy\.min_rows"):
        parse(SlicesPolicy, {"min_rows": 200.5}, field="policy")


@pytest.mark.parametrize(
    ("policy", "values", "says"),
    [
        (PerformancePolicy, {"metric": {}}, r"policy\.metric: unknown key; found 'metric'. Did you mean 'metrics'"),
        (PerformancePolicy, {"threshold": 0}, r"policy\.threshold.*greater than 0.*found 0"),
        (PerformancePolicy, {"threshold": 1.0}, r"policy\.threshold.*less than 1"),
        (PerformancePolicy, {"confidence": 0.5}, r"policy\.confidence.*greater than 0\.5"),
        (PerformancePolicy, {"metrics": {"auc": {}}}, r"policy\.metrics\.auc: bounds nothing"),
        (PerformancePolicy, {"metrics": {"auc": {"min": 0.9, "max": 0.8}}}, "min 0.9 is above max 0.8"),
        (PerformancePolicy, {"metrics": {"auc": {"min": float("nan")}}}, r"policy\.metrics\.auc\.min"),
        (SlicesPolicy, {"fairness": {"demographic_parity": {}}}, "limits nothing"),
        (SlicesPolicy, {"fairness": {"demographic_parity": {"min_ratio": 1.25}}}, r"demographic_parity\.min_ratio"),
        (SlicesPolicy, {"performance": {"mae": {"max_ratio": 0.8}}}, r"policy\.performance\.mae\.max_ratio"),
        (SlicesPolicy, {"bins": {"age": []}}, "one or more ascending edges"),
        (SlicesPolicy, {"crossings": [["sex", "sex"]]}, "two or more different columns"),
        (SlicesPolicy, {"columns": ["sex", "sex"]}, "columns: names something twice"),
        (ChampionPolicy, {"slices": {"crossings": [["a", "b"], ["a", "b"]]}}, "crossings: names something twice"),
        (SlicesPolicy, {"min_rows": 1}, r"policy\.min_rows"),
        (SlicesPolicy, {"min_support": 1}, r"policy\.min_support.*greater than or equal to 2"),
        (ChampionPolicy, {"slices": {"min_support": 1}}, r"policy\.slices\.min_support"),
        (ChampionPolicy, {"primary": {"margin": 0.1}}, r"policy\.primary\.metric: is required"),
        (ChampionPolicy, {"primary": {"metric": "auc", "margin": 0.1, "relative": 0.1}}, "one of margin and relative"),
        (ChampionPolicy, {"slices": {"minrows": 10}}, r"policy\.slices\.minrows"),
        (ChampionPolicy, {"seed_variance": "maybe"}, r"policy\.seed_variance"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_path(policy: type[Settings], values: dict, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        parse(policy, values, field="policy")


@pytest.mark.parametrize(
    ("policy", "values", "says"),
    [
        # bounds: outside of what the metric can be, and at an end that nothing passes
        (PerformancePolicy, {"metrics": {"auc": {"min": 80}}}, "metrics.auc.min: is outside the range of AUC, 0 to 1"),
        (
            PerformancePolicy,
            {"metrics": {"brier": {"max": 25}}},
            "is outside the range of Brier score, 0 to 1; found 25",
        ),
        (PerformancePolicy, {"metrics": {"rmse": {"max": -1}}}, "root mean squared error, 0 and more; found -1"),
        (PerformancePolicy, {"metrics": {"r2": {"min": 1.5}}}, "metrics.r2.min: is outside the range of R², up to 1"),
        (PerformancePolicy, {"metrics": {"auc": {"min": 0}}}, "limits nothing: AUC is never below 0; found 0"),
        (PerformancePolicy, {"metrics": {"accuracy": {"max": 1}}}, "limits nothing: accuracy is never above 1"),
        (
            PerformancePolicy,
            {"metrics": {"acuracy": {"min": 0.8}}},
            "metrics: unknown metric; found 'acuracy'. Did you",
        ),
        (PerformancePolicy, {"metrics": {"zzz": {"min": 0.8}}}, "Use one of: "),
        # gaps and margins: as large as the range, or larger
        (
            SlicesPolicy,
            {"fairness": {"equal_opportunity": {"max_gap": 10}}},
            "true-positive rate lies in 0 to 1, so no two",
        ),
        (
            SlicesPolicy,
            {"fairness": {"demographic_parity": {"max_gap": 1}}},
            "fairness.demographic_parity.max_gap: limits",
        ),
        (SlicesPolicy, {"performance": {"auc": {"max_gap": 5}}}, "performance.auc.max_gap: limits nothing"),
        (SlicesPolicy, {"performance": {"auc": {"min": 70}}}, "performance.auc.min: is outside the range of AUC"),
        (SlicesPolicy, {"performance": {"calibration_gap": {"max": 2}}}, "calibration gap, -1 to 1; found 2"),
        (
            ChampionPolicy,
            {"primary": {"metric": "auc", "margin": 2}},
            "primary.margin: limits nothing: AUC lies in 0 to 1",
        ),
        (ChampionPolicy, {"guardrails": {"accuracy": {"margin": 5}}}, "guardrails.accuracy.margin: limits nothing"),
        (ChampionPolicy, {"slices": {"metric": "accuracy", "margin": 1}}, "slices.margin: limits nothing"),
        (ChampionPolicy, {"primary": {"metric": "auk", "margin": 0.1}}, "primary.metric: unknown metric; found 'auk'"),
        (ChampionPolicy, {"guardrails": {"logloss": {"margin": 1}}}, "guardrails: unknown metric; found 'logloss'"),
        # what a limit of this kind says nothing of
        (ChampionPolicy, {"primary": {"metric": "bias", "margin": 1}}, "primary.metric: bias is best at zero"),
        (SlicesPolicy, {"fairness": {"calibration": {"min_ratio": 0.8}}}, "ratio says nothing; found 0.8. Use max_gap"),
        (SlicesPolicy, {"performance": {"selection_rate": {"max_gap": 0.1}}}, "not better or worse by a gap"),
        (SlicesPolicy, {"performance": {"auc": {"max_ratio": 1.1}}}, "is not an error that grows"),
    ],
)
def test_a_limit_that_limits_nothing_is_refused_with_the_metrics_range(
    policy: type[Settings], values: dict, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(policy, values, field="policy")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "values"),
    [
        (
            PerformancePolicy,
            {"metrics": {"auc": {"min": 1e-9, "max": 1 - 1e-9}, "rmse": {"max": 1e9}, "r2": {"min": -5}}},
        ),
        (SlicesPolicy, {"fairness": {"equalized_odds": {"max_gap": 0.999}, "calibration": {"max_gap": 50}}}),
        (SlicesPolicy, {"performance": {"log_loss": {"max_gap": 3, "max_ratio": 100}, "mae": {"max_gap": 1e6}}}),
        (ChampionPolicy, {"primary": {"metric": "rmse", "margin": 1000}, "guardrails": {"log_loss": {"margin": 2}}}),
    ],
)
def test_a_limit_that_some_model_breaks_is_one(policy: type[Settings], values: dict) -> None:
    parse(policy, values, field="policy")


def test_a_reference_is_the_value_as_the_column_holds_it() -> None:
    written = {"sex": 2, "urban": True, "band": 2.5, "rate": 2.0, "site": "alpha"}
    found = parse(SlicesPolicy, {"reference": written}, field="policy").reference
    assert found == {"sex": "2", "urban": "true", "band": "2.5", "rate": "2", "site": "alpha"}
