"""A model must be shown to beat a constant: by its loss, or in a second way where the loss cannot show it."""

from __future__ import annotations

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.evaluation.performance import judge_performance
from gauntlet.evaluation.policies import PerformancePolicy
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
from gauntlet.settings import parse
from gauntlet.verdict import Status

DATA = loans(3000)
RNG = np.random.default_rng(5)


def baseline(rows, **policy):
    verdict = judge_performance(rows, parse(PerformancePolicy, policy, field="policy")).verdict
    found = [check for check in verdict.checks if check.code == "evaluate_performance.baseline"]
    return found[0] if found else None


def heavy(rows: int):
    label = np.exp(2 * RNG.normal(size=rows))
    return label, label * np.exp(0.3 * RNG.normal(size=rows))


def test_scores_that_are_no_probabilities_win_by_their_ranks() -> None:
    score = DATA.scores(1)
    odds = 30 * score / (1 - score)  # as of a model whose positives weigh thirty times
    check = baseline(scored(DATA.label, odds / (1 + odds)))
    assert check.status is Status.PASS
    assert check.subject == "auc"
    assert "no better. But AUC is" in check.reason
    assert baseline(scored(DATA.label, score)).subject == "log_loss"


def test_values_with_a_heavy_tail_win_by_the_rows_they_are_nearer_to() -> None:
    label, score = heavy(300)
    check = baseline(scored(label, score, task="regression"))
    assert (check.status, check.subject) == (Status.PASS, "nearer")
    assert "of the rows it is nearer than the median is" in check.reason
    plain = baseline(scored(np.log(label), np.log(score), task="regression"))
    assert (plain.status, plain.subject) == (Status.PASS, "mse")


def test_classes_that_are_overstated_win_by_their_decisions() -> None:
    label = RNG.integers(0, 3, 900)
    sure = np.eye(3)[np.where(RNG.random(900) < 0.6, label, RNG.integers(0, 3, 900))]
    check = baseline(scored(label, 0.999999 * sure + 0.000001 / 3, task="multiclass"))
    assert (check.status, check.subject) == (Status.PASS, "accuracy")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_noise_wins_in_neither_way(task: str) -> None:
    label = {"binary": DATA.label, "multiclass": RNG.integers(0, 3, 3000), "regression": heavy(3000)[0]}[task]
    noise = RNG.dirichlet(np.ones(3), 3000) if task == "multiclass" else RNG.random(3000)
    assert baseline(scored(label, noise, task=task)).status is not Status.PASS


def test_bounds_do_not_take_its_place_and_a_policy_can() -> None:
    rows = scored(DATA.label, RNG.random(3000))
    assert baseline(rows, metrics={"accuracy": {"min": 0.01}}).status is not Status.PASS
    assert baseline(rows, metrics={"accuracy": {"min": 0.01}}, baseline="ignore") is None


@pytest.mark.parametrize("default", [{}, {"default": "warn"}])
def test_what_is_not_shown_to_beat_a_constant_is_not_registered(default: dict[str, str]) -> None:
    few = loans(60)
    blind = scored(few.label, 0.5 + 0.01 * np.random.default_rng(0).random(60))
    verdict = judge_performance(blind, parse(PerformancePolicy, {}, field="policy")).verdict
    assert verdict.status is Status.INCONCLUSIVE
    usual = parse(EnforcementPolicy, {"inconclusive": default}, field="policy")
    assert decide_stage("s", [verdict], usual).blocking == (verdict,)
    by_name = parse(EnforcementPolicy, {"inconclusive": {"evaluate_performance": "warn"}}, field="policy")
    assert decide_stage("s", [verdict], by_name).warnings == (verdict,)
