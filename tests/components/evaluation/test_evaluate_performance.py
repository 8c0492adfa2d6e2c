from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from builders.gates import run_gate
from builders.loans import loans
from builders.predictions import write_predictions
from gauntlet.errors import EXIT_BROKEN, EXIT_USAGE
from gauntlet.verdict import Status


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    data = loans()
    return write_predictions(tmp_path / "predictions", data.label, data.scores(1), slices=data.slices)


def test_a_binary_model_gets_a_verdict_metrics_curves_and_a_page(tmp_path: Path, predictions: Path) -> None:
    ran = run_gate("evaluate_performance", tmp_path, {"metrics": {"auc": {"min": 0.7}}}, predictions=predictions)
    assert ran.verdict.status is Status.PASS
    assert ran.outputs.metrics.metadata["auc"] > 0.7
    roc = ran.outputs.curves.metadata["confidenceMetrics"]
    assert 10 < len(roc) <= 100
    assert all(math.isfinite(value) for point in roc for value in point.values())
    assert ran.outputs.curves.metadata["confusionMatrix"]["annotationSpecs"] == [
        {"displayName": "no"},
        {"displayName": "yes"},
    ]
    for heading in ("Metrics", "Ranking", "Probabilities", "Class by class", "What is taken for what"):
        assert f"<h2>{heading}</h2>" in ran.page
    assert ran.verdict.checks[0].reason in ran.page


def test_a_gate_that_fails_still_writes_its_report(tmp_path: Path, predictions: Path) -> None:
    ran = run_gate("evaluate_performance", tmp_path, {"metrics": {"auc": {"min": 0.95}}}, predictions=predictions)
    assert ran.verdict.status is Status.FAIL
    assert "below the required 0.95" in ran.page


def test_multiclass(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    label = rng.integers(0, 3, 3000)
    logits = rng.normal(size=(3000, 3)) + 2 * np.eye(3)[label]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    path = write_predictions(tmp_path / "p", label, scores, task="multiclass", classes=("red", "green", "blue"))
    ran = run_gate("evaluate_performance", tmp_path, predictions=path)
    assert ran.verdict.status is Status.PASS
    assert "always answering the overall shares of the classes" in ran.verdict.summary
    assert "green decided as blue: " in ran.page
    assert "confidenceMetrics" not in ran.outputs.curves.metadata


def test_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    value = rng.normal(100, 20, 3000)
    path = write_predictions(tmp_path / "p", value, value + rng.normal(0, 8, 3000), task="regression")
    ran = run_gate("evaluate_performance", tmp_path, {"metrics": {"rmse": {"max": 10}}}, predictions=path)
    assert ran.verdict.status is Status.PASS
    assert ran.outputs.curves.metadata == {}
    assert "<h2>Errors</h2>" in ran.page


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"metrics": {"auk": {"min": 0.8}}}, "auc"),
        ({"metrics": {"rmse": {"max": 1}}}, "rmse"),
        ({"metric": {"auc": {"min": 0.8}}}, "Did you mean 'metrics'"),
        ({"threshold": 1.5}, "policy.threshold"),
        ({"metrics": {"auc": {"min": 80}}}, "policy.metrics.auc.min"),
        ({"metrics": {"auc": {}}}, "give min or max"),
    ],
)
def test_a_policy_that_cannot_be_used_is_wrong_use(
    tmp_path: Path, predictions: Path, capsys: pytest.CaptureFixture[str], policy: dict, says: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_gate("evaluate_performance", tmp_path, policy, predictions=predictions)
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err
    assert not (tmp_path / "verdict").exists()
    assert not (tmp_path / "report").exists()


def _truncate(folder: Path) -> None:
    part = folder / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("label", "without", "says"),
    [
        ([0.0, 1.0, np.nan, 1.0], (), "label: 1 of 4 values are missing or not finite, the first in row 2"),
        ([1.0, 1.0, 1.0, 1.0], (), "all 4 rows have the same label"),
        ([0.0, 1.0, 2.0, 1.0], (), "is no class number from 0 to 1"),
        ([0.0, 1.0, 0.0, 1.0], ("score",), "score: is not in the predictions"),
        ([0.0, 1.0, 0.0, 1.0], ("label",), "label: is not in the predictions"),
    ],
    ids=["nan label", "one class", "unknown class", "no scores", "no labels"],
)
def test_data_that_cannot_be_judged_breaks_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], label: list[float], without: tuple[str, ...], says: str
) -> None:
    path = write_predictions(tmp_path / "p", label, np.array([0.2, 0.7, 0.4, 0.6]), without=without)
    with pytest.raises(SystemExit) as stopped:
        run_gate("evaluate_performance", tmp_path, predictions=path)
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err
    assert not (tmp_path / "verdict").exists()


def test_truncated_parquet(tmp_path: Path, predictions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _truncate(predictions)
    with pytest.raises(SystemExit) as stopped:
        run_gate("evaluate_performance", tmp_path, predictions=predictions)
    assert stopped.value.code == EXIT_BROKEN
    assert "cannot be read as Parquet" in capsys.readouterr().err


def test_no_predictions_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stopped:
        run_gate("evaluate_performance", tmp_path, predictions=tmp_path / "empty")
    assert stopped.value.code == EXIT_BROKEN
    assert "are not predictions" in capsys.readouterr().err
