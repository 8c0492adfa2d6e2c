"""The one call from arrays to verdicts: what the gates say of the same rows on disk, and what is no input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation import ChampionPolicy, compare, evaluate, predictions_of
from gauntlet.evaluation.performance import judge_performance
from gauntlet.evaluation.policies import PerformancePolicy, SlicesPolicy
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.settings import parse
from gauntlet.verdict import Status

PERFORMANCE = {"metrics": {"auc": {"min": 0.6}}}
SLICES = {"fairness": {"demographic_parity": {"max_gap": 0.1}}, "min_rows": 50}


def test_it_says_what_the_two_gates_say() -> None:
    data = loans(2000)
    score = data.scores(1)
    result = evaluate(data.label, score, slices=data.slices, performance_policy=PERFORMANCE, slices_policy=SLICES)
    rows = scored(data.label, score, slices=data.slices)
    by_gates = (
        judge_performance(rows, parse(PerformancePolicy, PERFORMANCE, field="policy")).verdict,
        judge_slices(rows, parse(SlicesPolicy, SLICES, field="policy")).verdict,
    )
    assert result.verdicts == by_gates
    assert result.status is max((verdict.status for verdict in by_gates), key=lambda status: status.severity)


def test_weights_and_clusters_count() -> None:
    data = loans(1000)
    score, weight, cluster = data.scores(1), np.tile([1.0, 3.0], 500), np.repeat(np.arange(250), 4)
    auc = {}
    for name, options in {"plain": {}, "weighted": {"weight": weight}, "clustered": {"cluster": cluster}}.items():
        estimates = evaluate(data.label, score, **options).performance.estimates
        auc[name] = next(estimate for estimate in estimates if estimate.metric.name == "auc")
    assert auc["weighted"].value != auc["plain"].value
    assert auc["clustered"].value == auc["plain"].value
    assert auc["clustered"].interval != auc["plain"].interval


def test_without_slices_only_the_model_is_judged() -> None:
    data = loans(1000)
    result = evaluate(data.label, data.scores(1))
    assert result.slices is None
    assert [verdict.gate for verdict in result.verdicts] == ["evaluate_performance"]
    with pytest.raises(ConfigurationError, match="slices_policy: there is no column to slice by"):
        evaluate(data.label, data.scores(1), slices_policy=SLICES)


def test_other_tasks_are_judged_by_their_own_metrics() -> None:
    rng = np.random.default_rng(0)
    value = rng.standard_normal(500)
    assert evaluate(value, value + 0.1 * rng.standard_normal(500), task="regression").status is Status.PASS
    label = rng.integers(0, 3, 500)
    score = np.full((500, 3), 0.1) + 0.7 * np.eye(3)[label]
    assert evaluate(label, score, task="multiclass").status is Status.PASS
    assert predictions_of(label, score, task="multiclass", classes="abc").manifest.classes == ("a", "b", "c")
    with pytest.raises(ConfigurationError, match="classes: must name 3 classes"):
        predictions_of(label, score, task="multiclass", classes="ab")


@pytest.mark.parametrize(
    "values",
    [
        ["a", None] * 50,
        np.array(["a", None] * 50, dtype=object),
        pa.array(["a", None] * 50),
        pa.chunked_array([["a", None] * 20, ["a", None] * 30]),
        pa.array(["a", None] * 50, pa.large_string()),
        pa.array(["a", None] * 50).dictionary_encode(),
    ],
    ids=["list", "array", "arrow", "chunks", "large", "dictionary"],
)
def test_a_slice_column_may_be_anything_with_values(values: Any) -> None:
    column = predictions_of([0, 1] * 50, [0.5] * 100, slices={"plan": values}).columns["plan"]
    assert column.type == pa.string()
    assert column.to_pylist() == ["a", None] * 50


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["a", 1] * 5, "slices.plan: cannot be sliced by"),
        (["a"] * 9, r"slices.plan: has another length than label \(10\); found 9"),
        ([["a"]] * 10, "slices.plan: nested columns"),
        (3, "slices.plan: cannot be sliced by"),
    ],
    ids=["mixed", "short", "nested", "a number"],
)
def test_what_is_no_slice_column_is_refused(column: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        predictions_of([0, 1] * 5, [0.5] * 10, slices={"plan": column})


def test_what_is_no_label_or_score_is_refused_by_its_name() -> None:
    with pytest.raises(DataError, match="label: must be a class index from 0 to 1; found 2"):
        evaluate([0, 1, 2], [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match=r"score: must be a probability; found 1\.5"):
        evaluate([0, 1], [0.1, 1.5])
    with pytest.raises(ConfigurationError, match=r"performance_policy.metric: unknown key"):
        evaluate([0, 1], [0.1, 0.5], performance_policy={"metric": {}})


def test_two_models_are_compared_row_by_row() -> None:
    data = loans(1000)
    better, worse = (predictions_of(data.label, data.scores(seed)) for seed in (1, 2))
    policy = ChampionPolicy.model_validate({})
    assert compare(better, better, policy).same
    assert compare(better, worse, policy).verdict == compare(
        scored(data.label, data.scores(1)), scored(data.label, data.scores(2)), policy
    ).verdict  # fmt: skip
    with pytest.raises(DataError, match="predictions of different rows"):
        compare(better, predictions_of(data.label[:-1], data.scores(2)[:-1]), policy)
