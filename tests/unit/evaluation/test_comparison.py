from __future__ import annotations

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.comparison import ChampionResult, compare, no_champion
from gauntlet.evaluation.policies import ChampionPolicy
from gauntlet.settings import parse
from gauntlet.verdict import Status


def judge(challenger, champion, **policy) -> ChampionResult:
    return compare(challenger, champion, parse(ChampionPolicy, policy, field="policy"))


@pytest.fixture(scope="module")
def pair():
    data = loans(3000)
    slices = {"sex": data.slices["sex"]}
    return tuple(scored(data.label, data.scores(seed), slices=slices) for seed in (1, 2))


def test_the_error_rate_is_shared_out_only_where_it_has_to_be(pair) -> None:
    everything = judge(*pair, guardrails={"log_loss": {"margin": 0.01}})
    assert {one.confidence for one in everything.slices} == {0.975}
    assert {one.confidence for one in judge(*pair).slices} == {0.95}
    assert {one.confidence for one in everything.overall} == {0.95}


def test_swapping_the_models_turns_every_difference_around(pair) -> None:
    there, back = judge(*pair), judge(pair[1], pair[0])
    for one, other in zip(there.overall, back.overall, strict=True):
        assert one.value == pytest.approx(-other.value)
        assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]), abs=1e-9)


def test_decisions_add_up(pair) -> None:
    found = judge(*pair).decisions
    assert found is not None
    assert found.counts.rows == 3000
    right = [((one.scores >= 0.5) == one.labels).sum() for one in pair]
    assert found.counts.both + found.counts.first_only == right[0]
    assert found.counts.both + found.counts.second_only == right[1]
    assert found.p_value is not None
    assert 0 <= found.p_value <= 1


def test_weighted_rows_have_no_exact_test(pair) -> None:
    weight = np.random.default_rng(0).random(3000)
    weighted = [scored(one.labels, one.scores, weights=weight) for one in pair]
    found = judge(*weighted).decisions
    assert found is not None
    assert found.p_value is None


def test_a_relative_margin_is_a_share_of_the_champion_s_value(pair) -> None:
    found = judge(*pair, primary={"metric": "log_loss", "relative": 0.1})
    loss = next(one for one in found.overall if one.metric.name == "log_loss")
    assert found.verdict.checks[0].bound == pytest.approx(0.1 * loss.champion)


def test_small_slices_are_named_and_do_not_block() -> None:
    data = loans(3000, rare=20)
    slices = {"race": data.slices["race"]}
    models = [scored(data.label, data.scores(seed), slices=slices) for seed in (1, 2)]
    found = judge(*models, primary={"metric": "auc", "margin": 0.05})
    assert [one.name for one in found.not_compared] == ["race=Other"]
    assert found.verdict.status is Status.PASS


def test_a_slice_where_the_metric_is_undefined_is_named() -> None:
    data = loans(3000)
    label = np.where(data.slices["race"] == "Asian", 0.0, data.label)
    models = [scored(label, data.scores(seed), slices={"race": data.slices["race"]}) for seed in (1, 2)]
    assert [one.name for one in judge(*models).not_compared] == ["race=Asian"]


def test_a_mistake_in_the_policy_shows_before_there_is_a_champion(pair) -> None:
    with pytest.raises(ConfigurationError, match="log_loss"):
        no_champion(pair[0], parse(ChampionPolicy, {"guardrails": {"logloss": {"margin": 1}}}, field="policy"), "none")


def test_slices_may_have_a_metric_and_a_margin_of_their_own(pair) -> None:
    found = judge(*pair, slices={"metric": "accuracy", "margin": 0.02})
    assert {one.metric.name for one in found.slices} == {"accuracy"}
    assert found.verdict.checks[-1].bound == -0.02


def test_slices_with_too_few_positives_are_named_and_not_compared_by_what_is_a_mean_over_them() -> None:
    rng = np.random.default_rng(5)
    region = np.repeat(["west", "east"], [300, 2700])
    label = np.concatenate([np.arange(300) < 19, rng.random(2700) < 0.3]).astype(float)
    good = np.where(label == 1, 0.8, 0.2)
    bad = np.where((region == "west") & (label == 1), 0.1, good)
    models = [scored(label, score, slices={"region": region}) for score in (bad, good)]
    by_recall = {"primary": {"metric": "accuracy", "margin": 0.02}, "guardrails": {}}
    slices = {"metric": "true_positive_rate", "margin": 0.05}
    found = judge(*models, **by_recall, slices=slices)
    assert [slice_.name for slice_ in found.not_compared] == ["region=west"]
    assert found.verdict.facts["slices_not_compared"] == 1
    assert found.verdict.enforceable is Status.PASS
    assert judge(*models, **by_recall, slices={**slices, "min_support": 19}).verdict.status is Status.FAIL
