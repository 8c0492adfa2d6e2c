"""What the stability gate says of runs made up for it: every check passing, failing, undecided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from builders.stability import reruns
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse
from gauntlet.stability.gate import StabilityResult, judge_stability, not_asked
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.verdict import Check, Status

DATA = loans(3000)


def policy(**values: Any) -> StabilityPolicy:
    return parse(StabilityPolicy, values, field="policy")


def runs(noise: float, k: int = 6, first: int = 0) -> list[np.ndarray]:
    """Models of one signal, each with a little of its own."""
    return [DATA.scores(first + i, noise=noise) for i in range(k)]


def named(result: StabilityResult, name: str) -> Check:
    return next(check for check in result.verdict.checks if check.name == name)


def test_without_limits_it_measures_and_passes() -> None:
    result = judge_stability(reruns(DATA.label, runs(0.1), resamples=runs(0.3, first=50)), policy())
    assert result.verdict.status is Status.PASS
    assert [check.name for check in result.verdict.checks] == ["same seed", "auc: seed", "flips", "scores"]
    reason = named(result, "auc: seed").reason
    assert reason.startswith("AUC: another seed moves it by 0.0")
    assert "; no cap is declared. Another draw of the training rows adds 0.0" in reason
    assert result.stability is not None
    auc = result.stability.metrics["auc"]
    assert auc.total is not None
    assert auc.resample is not None
    assert auc.total.deviation > auc.seed.deviation
    assert (result.stability.runs, result.stability.resamples) == (6, 6)


def test_a_recipe_that_draws_nothing_says_so_and_not_zero_give_or_take_zero() -> None:
    same = [DATA.scores(0, noise=0.1)] * 4
    reason = named(judge_stability(reruns(DATA.label, same), policy()), "auc: seed").reason
    assert reason == "AUC: 4 seeds give the same; no cap is declared."


@pytest.mark.parametrize(
    ("cap", "status", "says"),
    [
        (0.49, Status.PASS, "within the declared cap"),
        (1e-6, Status.FAIL, "beyond the declared cap"),
        ("found", Status.INCONCLUSIVE, "too uncertain to tell whether it keeps the declared cap"),
    ],
)
def test_a_cap_is_held_by_the_interval(cap: Any, status: Status, says: str) -> None:
    found = reruns(DATA.label, runs(0.3))
    if cap == "found":
        measured = judge_stability(found, policy()).stability
        assert measured is not None
        cap = 1.2 * measured.metrics["auc"].seed.deviation
    check = named(judge_stability(found, policy(max_seed_sd={"auc": cap})), "auc: seed")
    assert check.status is status
    assert says in check.reason
    if status is Status.INCONCLUSIVE:
        assert "runs would tell" in check.reason


@pytest.mark.parametrize(
    ("limit", "status"), [(0.5, Status.PASS), (0.001, Status.FAIL), ("found", Status.INCONCLUSIVE)]
)
def test_flips_are_held_by_their_exact_interval(limit: Any, status: Status) -> None:
    found = reruns(DATA.label, runs(0.3, k=3))
    if limit == "found":
        limit = judge_stability(found, policy()).pairs[0].flips
    check = named(judge_stability(found, policy(max_flips=limit)), "flips")
    assert check.status is status
    assert check.sample_size == 3000
    assert (check.rows_needed is None) or status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("limit", "status"), [(0.5, Status.PASS), (1e-4, Status.FAIL)])
def test_scores_that_move_too_far(limit: float, status: Status) -> None:
    check = named(judge_stability(reruns(DATA.label, runs(0.3, k=3)), policy(max_median_change=limit)), "scores")
    assert check.status is status


def test_one_seed_that_gives_two_models_fails_unless_it_is_only_reported() -> None:
    found = reruns(DATA.label, runs(0.1), repeat=DATA.scores(99, noise=0.1))
    check = named(judge_stability(found, policy()), "same seed")
    assert check.status is Status.FAIL
    assert "of decisions flip" in check.reason
    assert named(judge_stability(found, policy(same_seed="report")), "same seed").status is Status.PASS


def test_bytes_may_differ_where_answers_do_not() -> None:
    first = DATA.scores(1)
    check = named(judge_stability(reruns(DATA.label, [first, *runs(0.1)], repeat=first.copy()), policy()), "same seed")
    assert check.status is Status.PASS
    assert "though its bytes differ" in check.reason


def test_a_candidate_that_does_not_come_out_again_fails() -> None:
    seeds = runs(0.1)
    same = judge_stability(reruns(DATA.label, seeds), policy(), challenger=scored(DATA.label, seeds[0]))
    assert named(same, "candidate reproduced").status is Status.PASS
    other = judge_stability(reruns(DATA.label, seeds), policy(), challenger=scored(DATA.label, seeds[1]))
    assert named(other, "candidate reproduced").status is Status.FAIL
    assert "does not come out" in other.verdict.summary


def test_the_difference_of_two_models_is_set_beside_the_spread_of_one() -> None:
    seeds = runs(0.1)
    champion = scored(DATA.label, DATA.scores(70, noise=2.0))
    result = judge_stability(
        reruns(DATA.label, seeds), policy(), challenger=scored(DATA.label, seeds[0]), champion=champion
    )
    assert result.champion_gap is not None
    value, (low, high) = result.champion_gap.differences["auc"]
    assert low < value < high
    assert (result.champion_gap.agreement.flips or 0) > (result.pairs[0].flips or 0)


def test_predictions_of_other_rows_are_refused() -> None:
    seeds = runs(0.1)
    with pytest.raises(DataError, match=r"challenger.snapshot"):
        judge_stability(
            reruns(DATA.label, seeds, snapshot="sha256:other"), policy(), challenger=scored(DATA.label, seeds[0])
        )
    with pytest.raises(DataError, match=r"challenger.rows"):
        judge_stability(reruns(DATA.label, seeds), policy(), challenger=scored(DATA.label[:-1], seeds[0][:-1]))


def test_a_metric_nobody_knows_and_one_that_is_not_defined() -> None:
    found = reruns(DATA.label, runs(0.1))
    with pytest.raises(ConfigurationError, match="log_loss"):
        judge_stability(found, policy(max_seed_sd={"logloss": 0.1}))
    never = reruns(DATA.label, [np.full(3000, 0.1)] * 3)
    with pytest.raises(DataError, match=r"policy.max_seed_sd.precision"):
        judge_stability(never, policy(max_seed_sd={"precision": 0.1}))


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task: str) -> None:
    rng = np.random.default_rng(3)
    if task == "regression":
        labels = rng.normal(100, 20, 500)
        seeds = [labels + rng.normal(0, 5, 500) for _ in range(4)]
        classes: tuple[str, ...] = ()
    else:
        labels, classes = rng.integers(0, 3, 500).astype(float), ("a", "b", "c")
        logits = [rng.normal(size=(500, 3)) + 3 * np.eye(3)[labels.astype(int)] for _ in range(4)]
        seeds = [np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in logits]
    result = judge_stability(reruns(labels, seeds, task=task, classes=classes), policy())
    assert result.verdict.status is Status.PASS
    names = [check.name for check in result.verdict.checks]
    assert ("flips" in names) is (task == "multiclass")


def test_a_regression_cannot_be_limited_in_flips() -> None:
    labels = np.arange(50.0)
    result = judge_stability(reruns(labels, [labels, labels + 1], task="regression"), policy(max_flips=0.1))
    assert named(result, "max_flips").status is Status.ERROR


def test_nothing_asked_is_said_and_a_limit_without_runs_an_error() -> None:
    assert not_asked(0, policy()).verdict.status is Status.NOT_ASKED
    limited = not_asked(1, policy(max_flips=0.1, max_seed_sd={"auc": 0.01})).verdict
    assert [check.status for check in limited.checks] == [Status.ERROR, Status.ERROR]
    assert "runs is 1" in limited.summary


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"max_seed_sd": {"auc": 5}},
            "max_seed_sd.auc: limits nothing: AUC lies in 0 to 1, so its standard deviation is 0.5",
        ),
        ({"max_seed_sd": {"aucc": 0.1}}, "max_seed_sd: unknown metric; found 'aucc'. Did you mean 'auc'"),
        ({"max_flips": 1}, "max_flips: input should be less than 1"),
    ],
)
def test_a_cap_that_no_spread_could_reach_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        policy(**given)
    assert says in str(caught.value)
