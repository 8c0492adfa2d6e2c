"""What is particular to MLflow: where it is, how it fails, and that MLflow itself understands what we store."""

import http.server
import os
import threading
import time
from pathlib import Path

import pytest

from builders.mlflow_server import free_port
from builders.submission import make_submission
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.registry.aliases import Promote
from gauntlet.registry.enforcement import EnforcementPolicy
from gauntlet.registry.mlflow_store import EXPERIMENT, MlflowStore, open_store
from gauntlet.registry.registration import register
from gauntlet.settings import parse

SECONDS_TO_GIVE_UP = 15
"""Two retries with one and two seconds between, and room for a slow machine."""


def test_without_a_tracking_uri_nothing_is_guessed(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigurationError, match="MLFLOW_TRACKING_URI: is not set"):
        open_store()


def test_the_environment_names_the_store_and_the_registry_may_be_elsewhere(monkeypatch, sqlite_uri, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    assert open_store()._registry == sqlite_uri
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path}/other.db")
    assert open_store()._registry == f"sqlite:///{tmp_path}/other.db"


def test_two_first_runs_in_a_fresh_folder_do_not_break_each_others_tables(tmp_path):
    uri, children = f"sqlite:///{tmp_path}/mlflow.db", []
    MlflowStore("http://127.0.0.1:9", "http://127.0.0.1:9")  # everything is imported before the race begins
    for _ in range(2):
        children.append(os.fork())
        if not children[-1]:
            try:
                MlflowStore(uri, uri)._experiment()
                os._exit(0)
            except BaseException:
                os._exit(1)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]


def test_a_server_that_is_down_is_a_quick_retryable_error():
    uri = f"http://127.0.0.1:{free_port()}"
    started = time.monotonic()
    with pytest.raises(DependencyError, match="MLflow failed while reading aliases") as caught:
        MlflowStore(uri, uri).aliases("loans")
    assert time.monotonic() - started < SECONDS_TO_GIVE_UP
    assert caught.value.retryable
    assert caught.value.field == uri
    assert caught.value.value == "Connection refused"
    assert "MLFLOW_TRACKING_URI" in str(caught.value.mend)


def test_an_address_that_mlflow_has_no_store_for_is_wrong_use():
    with pytest.raises(ConfigurationError, match="MLFLOW_TRACKING_URI: is no address that MLflow knows") as caught:
        MlflowStore("htp://me:hunter2@tracking", "htp://me:hunter2@tracking")
    assert caught.value.value == "htp://tracking"


def test_a_password_in_the_address_is_not_told(monkeypatch):
    uri = f"http://gauntlet:hunter2@127.0.0.1:{free_port()}"
    with pytest.raises(DependencyError) as caught:
        MlflowStore(uri, uri).aliases("loans")
    assert "hunter2" not in str(caught.value)


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}'
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_an_account_without_permission_is_told_so_and_not_to_wait():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(
            DependencyError, match=r"MLflow refused what was asked while reading aliases.*not yours"
        ) as caught:
            MlflowStore(uri, uri).aliases("loans")
        server.shutdown()
    assert not caught.value.retryable


def test_a_database_that_cannot_be_opened_is_a_dependency_error(tmp_path):
    (tmp_path / "file").write_text("")
    uri = f"sqlite:///{tmp_path}/file/mlflow.db"
    with pytest.raises(DependencyError, match="MLflow failed"):
        MlflowStore(uri, uri).aliases("loans")


def test_files_of_a_local_store_lie_beside_its_database(sqlite_uri, name, parts):
    from mlflow import MlflowClient

    store = MlflowStore(sqlite_uri, sqlite_uri)
    store.create(name, parts, {"gauntlet.model_digest": "sha256:x"}, "")
    beside = sqlite_uri.removeprefix("sqlite:///").rpartition("/")[0]
    source = MlflowClient(sqlite_uri, sqlite_uri).get_model_version(name, "1").source
    assert source.removeprefix("file://").startswith(f"{beside}/mlflow-artifacts/{EXPERIMENT}/")


def test_mlflow_itself_finds_the_model_by_its_alias_and_its_evidence_in_the_versions_run(server_uri, name, tmp_path):
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts, list_artifacts

    submission = make_submission(tmp_path, model_name=name)
    store = MlflowStore(server_uri, server_uri)
    register(store, submission, Promote.FIRST, parse(EnforcementPolicy, {}, field="policy"))
    version = MlflowClient(server_uri, server_uri).get_model_version_by_alias(name, "champion")
    assert "It read snapshot" in version.description
    beside = {found.path for found in list_artifacts(run_id=version.run_id, tracking_uri=server_uri)}
    assert beside == {"model", "lineage", "statistics", "schema"}
    folder = download_artifacts(f"{version.source}/MLmodel", dst_path=str(tmp_path), tracking_uri=server_uri)
    assert "python_function" in Path(folder).read_text()


def test_an_upload_that_fails_leaves_no_version_and_a_failed_run(server_uri, name, tmp_path, parts):
    from mlflow import MlflowClient

    client = MlflowClient(server_uri, server_uri)
    store = MlflowStore(server_uri, server_uri)
    (parts["statistics"] / "dangling").symlink_to(tmp_path / "nothing here")
    with pytest.raises(DependencyError, match="registering"):
        store.create(name, parts, {"gauntlet.model_digest": "sha256:x"}, "")
    assert store.get(name, 1) is None
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], f"tags.`gauntlet.registered_model` = '{name}'")
    assert run.info.status == "FAILED"
