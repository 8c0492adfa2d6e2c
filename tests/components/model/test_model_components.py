"""The model image's two components, called as the executor calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders.artifacts import artifact, load_component
from builders.mlflow_server import free_port
from builders.training import CONTRACT, ROLES, make_table
from gauntlet.lineage.record import LINEAGE_KEY, parse_chain
from gauntlet.model_digest import digest_model
from gauntlet.prediction.format import Manifest
from gauntlet.storage import absence, write_absent
from snapshots import write_snapshot

RECIPE = {"parameters": {"n_estimators": 5.0, "max_depth": 3.0}, "early_stopping_rounds": 2.0}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('tracking')}/mlflow.db"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("inputs")
    splits = {"train": make_table(400, 0), "validation": make_table(150, 1), "test": make_table(150, 2)}
    snapshot = write_snapshot(folder / "snapshot", splits, ROLES)
    (folder / "schema").mkdir()
    CONTRACT.write(folder / "schema")
    return {
        "snapshot": artifact("Dataset", folder / "snapshot", digest=snapshot.digest),
        "schema": artifact("Artifact", folder / "schema"),
    }


def run_training(inputs: dict[str, Any], folder: Path, **parameters: Any) -> dict[str, Any]:
    outputs = {
        "model": artifact("Model", folder / "model"),
        "metrics": artifact("Metrics", folder / "metrics"),
        "report": artifact("HTML", folder / "report.html"),
    }
    arguments = {"recipe": RECIPE, "seed": 0, "n_seeds": 2, "device": "auto", "experiment": "loans", **parameters}
    load_component("model", "train_model")(**inputs, **outputs, **arguments)
    return outputs


def test_train_then_predict(
    inputs: dict[str, Any], tracking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    outputs = run_training(inputs, tmp_path)
    model = outputs["model"]
    assert model.metadata["digest"] == digest_model(tmp_path / "model")
    assert all(isinstance(value, str | int | float) for value in model.metadata.values())
    assert model.metadata["device"] in ("cpu", "cuda")
    assert outputs["metrics"].metadata["auc"] > 0.6
    page = (tmp_path / "report.html").read_text()
    assert model.metadata["device_reason"] in page
    assert "Over 2 seeds" in page
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "").replace(tracking, "")

    predictions = artifact("Dataset", tmp_path / "predictions")
    load_component("model", "batch_predict")(
        model=model, snapshot=inputs["snapshot"], predictions=predictions, split="test", slice_columns=["region"]
    )
    manifest = Manifest.read(tmp_path / "predictions")
    assert manifest.rows == 150
    assert manifest.model == model.metadata["digest"]
    assert manifest.seed_spread["auc"].seeds == 2
    chain = parse_chain(predictions.metadata[LINEAGE_KEY])
    assert [record.component for record in chain] == ["train_model", "batch_predict"]
    assert chain[1].inputs["model"] == model.metadata["digest"]


def test_an_absent_model_makes_absent_predictions(inputs: dict[str, Any], tmp_path: Path) -> None:
    write_absent(tmp_path / "model", "no champion yet")
    predictions = artifact("Dataset", tmp_path / "predictions")
    load_component("model", "batch_predict")(
        model=artifact("Model", tmp_path / "model"), snapshot=inputs["snapshot"], predictions=predictions
    )
    assert absence(tmp_path / "predictions") == "no champion yet"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({"split": "tset"}, "split: no such split; found 'tset'", id="split"),
        pytest.param({"slice_columns": ["regoin"]}, "slice_columns: no such column in the snapshot", id="slices"),
    ],
)
def test_what_cannot_be_scored_is_found_before_there_is_a_model(
    inputs: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    parameters: dict[str, Any],
    message: str,
) -> None:
    write_absent(tmp_path / "model", "no champion yet")
    predictions = artifact("Dataset", tmp_path / "predictions")
    with pytest.raises(SystemExit) as caught:
        load_component("model", "batch_predict")(
            model=artifact("Model", tmp_path / "model"),
            snapshot=inputs["snapshot"],
            predictions=predictions,
            **parameters,
        )
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "predictions").exists()


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        pytest.param({"recipe": {"max_depth": 3}}, 2, "recipe.max_depth: unknown key", id="unknown key"),
        pytest.param({"device": "gpu"}, 2, "device: no such device", id="unknown device"),
        pytest.param({"experiment": ""}, 2, "experiment: must not be empty", id="no experiment"),
    ],
)
def test_wrong_use_exits_two_and_leaves_nothing(
    inputs: dict[str, Any],
    tracking: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    parameters: dict[str, Any],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    with pytest.raises(SystemExit) as caught:
        run_training(inputs, tmp_path, **parameters)
    assert caught.value.code == code
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_mlflow_stops_before_training(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SystemExit) as caught:
        run_training(inputs, tmp_path)
    assert caught.value.code == 3
    assert "MLflow is unreachable" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_was_truncated_stops_training(
    inputs: dict[str, Any], tracking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    shutil.copytree(inputs["snapshot"].path, tmp_path / "snapshot")
    part = (
        tmp_path
        / "snapshot"
        / json.loads((tmp_path / "snapshot" / "snapshot.json").read_text())["splits"]["train"]["parts"][0]
    )
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(SystemExit) as caught:
        run_training({**inputs, "snapshot": artifact("Dataset", tmp_path / "snapshot")}, tmp_path / "out")
    assert caught.value.code == 3
    assert not (tmp_path / "out").exists()
