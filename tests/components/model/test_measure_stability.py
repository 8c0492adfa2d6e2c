"""The stability gate's component, and that what it writes feeds ``compare_champion``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders.artifacts import artifact
from builders.stability import run_stability
from builders.training import CONTRACT, ROLES, make_table
from gauntlet.errors import EXIT_USAGE
from gauntlet.evaluation.training_variance import TrainingVariance
from gauntlet.storage import absence, write_absent
from gauntlet.verdict import Status
from snapshots import write_snapshot

RECIPE = {"parameters": {"n_estimators": 8, "max_depth": 3, "subsample": 0.6}, "early_stopping_rounds": 0}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("inputs")
    splits = {"train": make_table(600, 0), "validation": make_table(150, 1), "test": make_table(400, 2)}
    snapshot = write_snapshot(folder / "snapshot", splits, ROLES)
    (folder / "schema").mkdir()
    CONTRACT.write(folder / "schema")
    return {
        "snapshot": artifact("Dataset", folder / "snapshot", digest=snapshot.digest),
        "schema": artifact("Artifact", folder / "schema"),
    }


def test_it_measures_seeds_and_draws_apart(inputs: dict[str, Any], tmp_path: Path) -> None:
    ran = run_stability(inputs, tmp_path, recipe=RECIPE, runs=3, device="cpu", seed=5)
    assert ran.verdict.gate == "measure_stability"
    assert ran.verdict.status is Status.PASS, ran.verdict.summary
    found = TrainingVariance.read(ran.stability)
    assert (found.runs, found.resamples, found.split) == (3, 3, "test")
    auc = found.metrics["auc"]
    assert 0 < auc.seed.interval[0] < auc.seed.deviation < auc.seed.interval[1]
    assert auc.total is not None
    assert auc.total.deviation > 0
    assert "byte for byte" in ran.verdict.checks[0].reason
    assert "What moves each metric" in ran.page
    assert "seed 8, draw 1" in ran.page


def test_nothing_asked_is_said_and_leaves_an_absent_artifact(inputs: dict[str, Any], tmp_path: Path) -> None:
    ran = run_stability(inputs, tmp_path, recipe=RECIPE)
    assert ran.verdict.status is Status.NOT_ASKED
    assert "No re-trainings were asked for" in ran.verdict.summary
    assert absence(ran.stability) == ran.verdict.summary


def test_a_limit_without_runs_is_an_error(inputs: dict[str, Any], tmp_path: Path) -> None:
    ran = run_stability(inputs, tmp_path, recipe=RECIPE, runs=1, policy={"max_seed_sd": {"auc": 0.01}})
    assert ran.verdict.status is Status.ERROR


def test_absent_predictions_are_none(inputs: dict[str, Any], tmp_path: Path) -> None:
    write_absent(tmp_path / "champion", "No version is champion.")
    given = {**inputs, "champion": artifact("Dataset", tmp_path / "champion")}
    ran = run_stability(given, tmp_path / "out", recipe=RECIPE, runs=2, policy={"resamples": 0}, device="cpu")
    assert ran.verdict.status is Status.PASS
    assert "Candidate − champion" not in ran.page


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param({"split": "train"}, "split: is what the model learns from", id="training rows"),
        pytest.param({"policy": {"max_seed_sd": {"aucc": 0.1}}}, "Did you mean 'auc'", id="metric"),
        pytest.param({"policy": {"max_flip": 0.1}}, "Did you mean 'max_flips'", id="key"),
        pytest.param({"policy": {"max_seconds": 1e-9}}, "policy.max_seconds", id="cost"),
    ],
)
def test_what_cannot_be_used(
    inputs: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_stability(inputs, tmp_path, **{"recipe": RECIPE, "runs": 2, "device": "cpu", **parameters})
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
