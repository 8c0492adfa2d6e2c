from __future__ import annotations

import time
from pathlib import Path

import pytest

from builders.mlflow_server import free_port
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.tracking import TRACKING_URI, open_experiment, record, tracking_uri


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('tracking')}/mlflow.db"


def test_nowhere_to_record_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACKING_URI, raising=False)
    with pytest.raises(ConfigurationError, match=r"MLFLOW_TRACKING_URI: is not set"):
        tracking_uri()
    monkeypatch.setenv(TRACKING_URI, "sqlite:////tmp/x.db")
    assert tracking_uri() == "sqlite:////tmp/x.db"


def test_a_run_is_recorded_with_its_model(uri: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}")
    experiment = open_experiment(uri, "loans")
    assert open_experiment(uri, "loans") == experiment
    run_id = record(
        experiment,
        parameters={"parameters.max_depth": 3, "long": "x" * 10_000},
        metrics={"validation_auc": 0.7},
        curves={"train_logloss_by_round": tuple(1 / (step + 1) for step in range(1500))},
        tags={"model_digest": "sha256:0123456789"},
        model=tmp_path / "model",
    )
    client = MlflowClient(uri)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["parameters.max_depth"] == "3"
    assert run.data.metrics["validation_auc"] == 0.7
    assert run.data.tags["model_digest"] == "sha256:0123456789"
    assert len(client.get_metric_history(run_id, "train_logloss_by_round")) == 1500
    assert [one.path for one in client.list_artifacts(run_id, "model")] == ["model/MLmodel"]
    # Beside the database, not in whatever folder the task ran in.
    assert Path(uri.removeprefix("sqlite:///")).parent.as_uri() in run.info.artifact_uri


def test_an_unreachable_server_is_found_out_in_seconds() -> None:
    uri = f"http://user:secret@127.0.0.1:{free_port()}"
    start = time.monotonic()
    with pytest.raises(DependencyError, match=r"MLFLOW_TRACKING_URI: MLflow does not answer") as caught:
        open_experiment(uri, "loans")
    assert time.monotonic() - start < 20
    assert caught.value.retryable
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_run_that_cannot_be_finished_is_marked_failed(uri: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    experiment = open_experiment(uri, "broken")
    with pytest.raises(DependencyError):
        record(experiment, parameters={"no\nname": 1}, metrics={}, curves={}, tags={}, model=tmp_path)
    (run,) = MlflowClient(uri).search_runs([experiment.id])
    assert run.info.status == "FAILED"


def test_an_experiment_needs_a_name_and_must_not_be_deleted(uri: str) -> None:
    from mlflow.tracking import MlflowClient

    with pytest.raises(ConfigurationError, match="experiment: must not be empty"):
        open_experiment(uri, " ")
    MlflowClient(uri).delete_experiment(open_experiment(uri, "gone").id)
    with pytest.raises(ConfigurationError, match="experiment: this experiment was deleted"):
        open_experiment(uri, "gone")
