from __future__ import annotations

import http.server
import json
import threading
import time
from pathlib import Path

import pytest

from builders.mlflow_server import free_port
from gauntlet.errors import ConfigurationError, DependencyError, GauntletError
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
        recipe={"monotone": {"temp (C)": 1}},
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
    assert [artifact.path for artifact in client.list_artifacts(run_id, "model")] == ["model/MLmodel"]
    kept = client.download_artifacts(run_id, "recipe.json", str(tmp_path))
    assert json.loads(Path(kept).read_text()) == {"monotone": {"temp (C)": 1}}
    # Beside the database, not in whatever folder the task ran in.
    assert Path(uri.removeprefix("sqlite:///")).parent.as_uri() in run.info.artifact_uri


def test_an_unreachable_server_is_found_out_in_seconds() -> None:
    uri = f"http://user:secret@127.0.0.1:{free_port()}"
    start = time.monotonic()
    with pytest.raises(DependencyError, match=r"MLFLOW_TRACKING_URI: MLflow is unreachable") as caught:
        open_experiment(uri, "loans")
    assert time.monotonic() - start < 20
    assert caught.value.retryable
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_run_that_cannot_be_finished_is_marked_failed(uri: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    experiment = open_experiment(uri, "broken")
    with pytest.raises(DependencyError, match="MLflow fails at"):
        record(experiment, parameters={}, recipe={}, metrics={}, curves={}, tags={}, model=tmp_path)
    (run,) = MlflowClient(uri).search_runs([experiment.id])
    assert run.info.status == "FAILED"


def test_what_mlflow_does_not_take_costs_neither_the_run_nor_the_rest(
    uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from mlflow.tracking import MlflowClient

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}")
    run = record(
        open_experiment(uri, "strange"),
        parameters={"monotone.temp (C)": 1, "seeds": "0", "x" * 251: 2},
        recipe={},
        metrics={"validation_auc": 0.7, "auc [%]": 70.0},
        curves={"<auc>": (0.1, 0.2), "auc": (0.1, 0.2)},
        tags={"model_digest": "sha256:0123456789", "device?": "cpu"},
        model=tmp_path / "model",
    )
    recorded = MlflowClient(uri).get_run(run)
    assert recorded.info.status == "FINISHED"
    assert recorded.data.params == {"seeds": "0"}
    assert recorded.data.metrics == {"validation_auc": 0.7, "auc": 0.2}
    assert recorded.data.tags["model_digest"] == "sha256:0123456789"
    assert recorded.data.tags["mlflow.runName"] == "train_01234567"
    assert [artifact.path for artifact in MlflowClient(uri).list_artifacts(run, "model")] == ["model/MLmodel"]
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "gauntlet.training.tracking")
    for name in ("monotone.temp (C)", "xxx", "auc [%]", "<auc>", "device?"):
        assert name in logged
    assert "validation_auc" not in logged


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers, and does nothing of what it is asked."""

    status, body = 403, b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}'

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


class Elsewhere(Refusing):
    """A server that is not MLflow."""

    status, body = 404, b"<html>no such page</html>"


class Failing(Refusing):
    status, body = 501, b'{"error_code": "INTERNAL_ERROR", "message": "out of sorts"}'


@pytest.mark.parametrize(
    ("handler", "error", "says", "retryable"),
    [
        pytest.param(Refusing, DependencyError, "MLflow denies this account at .*not yours", False, id="account"),
        pytest.param(Elsewhere, ConfigurationError, "experiment: MLflow rejects it: .*404", False, id="not MLflow"),
        pytest.param(Failing, DependencyError, "MLflow fails at .*out of sorts", True, id="server fails"),
    ],
)
def test_a_server_that_answers_is_not_said_to_be_silent(
    handler: type[Refusing], error: type[GauntletError], says: str, retryable: bool
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(error, match=says) as caught:
            open_experiment(f"http://127.0.0.1:{server.server_port}", "loans")
        server.shutdown()
    assert "does not answer" not in str(caught.value)
    assert getattr(caught.value, "retryable", False) is retryable


def test_an_experiments_name_that_mlflow_refuses_is_a_wrong_setting(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"experiment: MLflow rejects it: .*exceeds.*Use another name"):
        open_experiment(uri, "x" * 501)


def test_an_experiment_needs_a_name_and_must_not_be_deleted(uri: str) -> None:
    from mlflow.tracking import MlflowClient

    with pytest.raises(ConfigurationError, match="experiment: must not be empty"):
        open_experiment(uri, " ")
    MlflowClient(uri).delete_experiment(open_experiment(uri, "gone").id)
    with pytest.raises(ConfigurationError, match="experiment: this experiment was deleted"):
        open_experiment(uri, "gone")
