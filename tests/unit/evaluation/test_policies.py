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
