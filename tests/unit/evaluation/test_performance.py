from __future__ import annotations

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.evaluation.baseline import trivial
from gauntlet.evaluation.performance import judge_performance, to_sample
from gauntlet.evaluation.policies import PerformancePolicy
from gauntlet.settings import parse
from gauntlet.verdict import Status


def judge(rows, **policy):
    return judge_performance(rows, parse(PerformancePolicy, policy, field="policy"))


def test_an_informed_model_beats_the_trivial_one_and_a_blind_one_does_not() -> None:
    data = loans(4000)
    assert judge(scored(data.label, data.scores(1))).verdict.status is Status.PASS
    share = np.full(4000, data.label.mean())
    assert judge(scored(data.label, share)).verdict.status is Status.FAIL, "as good as trivial is not better"
    blind = np.random.default_rng(1).random(4000)
    assert judge(scored(data.label, blind)).verdict.status is Status.FAIL


@pytest.mark.parametrize("noise", [0.05, 0.25])
def test_a_model_that_is_nearly_perfect_is_asked_how_and_stops_nothing(noise) -> None:
    rng = np.random.default_rng(4)
    label = (rng.random(500) < 0.4).astype(float)
    rows = scored(label, np.clip(0.2 + 0.6 * label + noise * rng.normal(size=500), 0.01, 0.99))
    found = judge(rows).verdict
    asked = [check for check in found.checks if check.code == "evaluate_performance.near_perfect"]
    assert found.enforceable is Status.PASS
    assert judge(rows, near_perfect="accept").verdict.status is Status.PASS
    if noise > 0.1:
        assert not asked
    else:
        assert found.status is Status.INCONCLUSIVE
        assert "known only after the outcome" in asked[0].reason


def test_few_rows_decide_nothing_and_say_how_many_would() -> None:
    data = loans(150)
    found = judge(scored(data.label, data.scores(1)), metrics={"auc": {"min": 0.82}})
    assert found.verdict.status is Status.INCONCLUSIVE
    check = found.verdict.checks[0]
    assert check.rows_needed is not None
    assert check.rows_needed > 150
    assert "rows would tell" in check.reason


def test_errors_whose_tail_has_no_mean_are_inconclusive_and_say_what_else_to_bound() -> None:
    rng = np.random.default_rng(3)
    label = rng.normal(size=400)
    rows = scored(label, label + np.exp(1.5 * rng.normal(size=400)), task="regression")
    check = judge(rows, metrics={"rmse": {"max": 1000.0}}).verdict.checks[0]
    assert check.status is Status.INCONCLUSIVE
    assert check.rows_needed is None
    assert "bound the mean absolute error" in check.reason
    assert "unbounded" in check.reason


def test_a_bound_on_each_side_is_a_check_each() -> None:
    data = loans(4000)
    found = judge(scored(data.label, data.scores(1)), metrics={"calibration_gap": {"min": -0.05, "max": 0.05}})
    assert [check.direction for check in found.verdict.checks if check.code.endswith("bound")] == ["min", "max"]
    assert found.verdict.summary.startswith("Both demands are met")


def test_clusters_count_as_units_and_widen_the_interval() -> None:
    """Every row four times over is no more evidence than once, when the cluster says so."""
    data = loans(500)
    score = data.scores(1)
    once = judge(scored(data.label, score), metrics={"auc": {"min": 0.5}}).verdict
    label, scores, cluster = (np.repeat(one, 4) for one in (data.label, score, np.arange(500)))
    copied = judge(scored(label, scores, clusters=cluster), metrics={"auc": {"min": 0.5}}).verdict
    naive = judge(scored(label, scores), metrics={"auc": {"min": 0.5}}).verdict
    assert copied.checks[0].sample_size == 500
    width = [high - low for low, high in (one.checks[0].interval for one in (once, copied, naive))]
    assert width[1] == pytest.approx(width[0], rel=0.02)
    assert width[2] < 0.6 * width[0]


def test_the_trivial_model_is_weighted() -> None:
    rows = scored(np.array([0.0, 1.0]), np.array([0.2, 0.9]), weights=np.array([3.0, 1.0]))
    assert trivial(to_sample(rows, 0.5)).score.tolist() == [0.25, 0.25]
