"""The small-scale model test's component."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders.artifacts import artifact, load_component
from builders.trainers import SOURCE
from builders.training import CONTRACT, ROLES, make_table
from gauntlet.errors import EXIT_USAGE
from gauntlet.verdict import Status, Verdict
from snapshots import write_snapshot

SEPARATE = {**{name: value for name, value in ROLES.items() if name != "cluster"}, "exclude": ["person"]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("inputs")
    splits = {"train": make_table(1200, 0), "validation": make_table(300, 1), "test": make_table(800, 2)}
    snapshot = write_snapshot(folder / "snapshot", splits, SEPARATE)
    (folder / "schema").mkdir()
    CONTRACT.write(folder / "schema")
    return {
        "snapshot": artifact("Dataset", folder / "snapshot", digest=snapshot.digest),
        "schema": artifact("Artifact", folder / "schema"),
    }


@pytest.fixture
def team(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "component_team.py").write_text(SOURCE)
    sys.path.insert(0, str(tmp_path))
    yield "component_team"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("component_team", None)


def run_trial(inputs: dict[str, Any], out: Path, **parameters: Any) -> SimpleNamespace:
    outputs = {"verdict": artifact("Artifact", out / "verdict"), "report": artifact("HTML", out / "report")}
    load_component("model", "check_training")(**inputs, **outputs, device="cpu", **parameters)
    return SimpleNamespace(verdict=Verdict.read(out / "verdict"), page=(out / "report").read_text())


def test_a_sound_recipe_passes(inputs: dict[str, Any], tmp_path: Path) -> None:
    ran = run_trial(inputs, tmp_path, policy={"floor": {"auc": {"min": 0.6}}, "rounds": 20.0})
    assert ran.verdict.gate == "check_training"
    assert ran.verdict.status is Status.PASS, ran.verdict.summary
    assert "passes all 9 small-scale checks" in ran.verdict.summary
    assert "How learning went" in ran.page


def test_a_faulty_trainer_is_stopped_in_seconds(inputs: dict[str, Any], tmp_path: Path, team: str) -> None:
    ran = run_trial(inputs, tmp_path / "out", recipe={"trainer": f"{team}:batchwise"})
    assert ran.verdict.status is Status.FAIL
    assert "asked one row at a time, is not the one in memory" in ran.verdict.summary


def test_nothing_asked_trains_nothing(inputs: dict[str, Any], tmp_path: Path) -> None:
    questions = ("baseline", "overfit", "loss_goes_down", "saved_model", "same_seed", "shuffled_labels")
    ran = run_trial(inputs, tmp_path, policy=dict.fromkeys(questions, False))
    assert ran.verdict.status is Status.NOT_ASKED
    assert "Nothing was asked" in ran.page


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param({"policy": {"row": 1000}}, "Did you mean 'rows'", id="key"),
        pytest.param({"policy": {"rows": 10}}, "policy.rows", id="too few rows"),
        pytest.param({"policy": {"floor": {"aucc": {"min": 0.5}}}}, "Did you mean 'auc'", id="metric"),
        pytest.param({"policy": {"seconds": 1e-9}}, "policy.seconds", id="time"),
        pytest.param({"split": "train"}, "split: is not held out", id="split"),
    ],
)
def test_what_cannot_be_used(
    inputs: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_trial(inputs, tmp_path, **parameters)
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
