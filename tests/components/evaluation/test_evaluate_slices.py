from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.gates import run_gate
from builders.loans import loans
from builders.predictions import write_predictions
from gauntlet.errors import EXIT_USAGE
from gauntlet.verdict import Status

PARITY = {"columns": ["sex", "race"], "fairness": {"demographic_parity": {"max_gap": 0.1}}}


def test_a_fair_model_passes(tmp_path: Path) -> None:
    data = loans(8000)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices=data.slices)
    ran = run_gate("evaluate_slices", tmp_path, PARITY, predictions=path)
    assert ran.verdict.status is Status.PASS, ran.verdict.summary
    assert ran.verdict.facts["slices"] == 5


def test_a_biased_model_fails_and_the_sentence_says_who_and_how_much(tmp_path: Path) -> None:
    data = loans(8000)
    women = data.slices["sex"] == "Female"
    path = write_predictions(tmp_path / "p", data.label, data.scores(1, shift=-1.5 * women), slices=data.slices)
    ran = run_gate("evaluate_slices", tmp_path, PARITY, predictions=path)
    assert ran.verdict.status is Status.FAIL
    first = ran.verdict.checks[0]
    assert first.name == "sex=Female: demographic_parity"
    assert "points lower than for the rest" in first.reason
    assert "more than the 10 points allowed" in first.reason
    assert first.reason in ran.page


def test_a_slice_too_small_to_judge_is_named_and_leaves_it_open(tmp_path: Path) -> None:
    data = loans(8000, rare=20)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices=data.slices)
    ran = run_gate("evaluate_slices", tmp_path, PARITY, predictions=path)
    assert ran.verdict.status is Status.INCONCLUSIVE
    (check,) = ran.verdict.with_status(Status.INCONCLUSIVE)
    assert check.reason == "race=Other has 20 rows; fewer than 100 are not judged."
    assert check.rows_needed == 100
    assert "Too small to judge: race=Other." in ran.page


def test_crossings_bins_reference_ratios_and_performance_together(tmp_path: Path) -> None:
    data = loans(8000)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices=data.slices)
    policy = {
        "crossings": [["sex", "race"]],
        "bins": {"age": [30.0, 60.0]},
        "reference": {"sex": "Male"},
        "fairness": {"demographic_parity": {"max_gap": 0.2, "min_ratio": 0.5}, "calibration": {"max_gap": 0.2}},
        "performance": {"auc": {"max_gap": 0.2, "min": 0.5}},
    }
    ran = run_gate("evaluate_slices", tmp_path, policy, predictions=path)
    names = {check.name for check in ran.verdict.checks}
    assert "sex=Female: demographic_parity" in names
    assert "sex=Male: demographic_parity" not in names
    assert "sex=Female, race=Black: demographic_parity (ratio)" in names
    assert "age=30 to under 60: auc" in names
    assert "sex=Male: auc (least)" in names
    assert "than for sex=Male" in next(c.reason for c in ran.verdict.checks if c.name == "sex=Female: calibration")
    assert ran.verdict.status is Status.PASS, ran.verdict.summary


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(tmp_path: Path, task: str) -> None:
    rng = np.random.default_rng(5)
    group = rng.choice(["a", "b", "c"], 3000)
    if task == "regression":
        label = rng.normal(size=3000)
        scores = label + rng.normal(size=3000) * np.where(group == "c", 3.0, 0.5)
    else:
        label = rng.integers(0, 3, 3000).astype(float)
        right = np.where(group == "c", 0.3, 3.0)[:, None] * np.eye(3)[label.astype(int)]
        logits = rng.normal(size=(3000, 3)) + right
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    path = write_predictions(tmp_path / "p", label, scores, task=task, slices={"group": group})
    ran = run_gate("evaluate_slices", tmp_path, predictions=path)
    assert ran.verdict.status is Status.FAIL
    assert ran.verdict.checks[0].name.startswith("group=c")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"columns": ["gender"]}, "carry no such slice column"),
        ({"bins": {"sex": [1, 2]}}, "bins need a numeric column"),
        ({"bins": {"age": [60, 30]}}, "ascending"),
        ({"reference": {"sex": "Man"}}, "no row has this value"),
        ({"fairness": {"parity": {"max_gap": 0.1}}}, "policy.fairness"),
        ({"fairness": {"demographic_parity": {"max_gap": -0.1}}}, "max_gap"),
        ({"fairness": {"calibration": {"min_ratio": 0.8}}}, "Use max_gap"),
        ({"confidence": 1.0}, "policy.confidence"),
        ({"crossings": [["sex"]]}, "two or more"),
        ({"min_row": 50}, "min_rows"),
    ],
)
def test_policies_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: dict, says: str
) -> None:
    data = loans(500)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices=data.slices)
    with pytest.raises(SystemExit) as stopped:
        run_gate("evaluate_slices", tmp_path, policy, predictions=path)
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({"fairness": {"equal_opportunity": {"max_gap": 0.1}}}, Status.ERROR),
        ({"fairness": {"equal_opportunity": {"max_gap": 0.1}}, "columns": []}, Status.NOT_ASKED),
        ({}, Status.NOT_ASKED),
    ],
)
def test_no_slice_columns_is_an_error_where_the_policy_sets_limits(
    tmp_path: Path, policy: dict, status: Status
) -> None:
    data = loans(500)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1))
    assert run_gate("evaluate_slices", tmp_path / "a", policy, predictions=path).verdict.status is status


def test_a_column_with_one_value_cannot_be_compared(tmp_path: Path) -> None:
    data = loans(500)
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices={"country": ["US"] * 500})
    ran = run_gate("evaluate_slices", tmp_path, predictions=path)
    assert ran.verdict.status is Status.ERROR
    assert "Every row has country=US" in ran.verdict.summary


@pytest.mark.parametrize("reference", ["1", 1, "white"])
def test_slices_go_by_the_names_of_their_values(tmp_path: Path, reference: object) -> None:
    data = loans(3000)
    race = (np.asarray(data.slices["sex"]) == "Female").astype(int)
    names = {"race": {"0": "Black", "1": "white"}}
    path = write_predictions(tmp_path / "p", data.label, data.scores(1), slices={"race": race}, names=names)
    policy = {"reference": {"race": reference}, "fairness": {"demographic_parity": {"max_gap": 0.5}}}
    ran = run_gate("evaluate_slices", tmp_path, policy, predictions=path)
    assert [check.subject for check in ran.verdict.checks] == ["race=Black"]
    assert "than for race=white" in ran.page
    assert "race=1" not in ran.page
