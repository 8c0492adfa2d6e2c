import threading

import pytest

from gauntlet.mlflow_uri import (
    artifact_root,
    connection_failure,
    one_at_a_time,
    refusal,
    refuses_account,
)


def test_files_of_a_local_store_lie_beside_its_database(tmp_path):
    expected = (tmp_path / "mlflow-artifacts" / "loans").as_uri()

    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db", "loans") == expected
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db?timeout=5", "loans") == expected


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", "é" * 200, "a\0b"])
def test_an_experiment_that_no_folder_can_be_called_after_gets_one_of_its_own(tmp_path, name):
    root, other = (artifact_root(f"sqlite:///{tmp_path}/mlflow.db", one) for one in (name, name + "x"))
    assert root.rpartition("/")[0] == other.rpartition("/")[0] == (tmp_path / "mlflow-artifacts").as_uri()
    assert root != other
    assert len(root.rpartition("/")[2]) <= 255


def test_a_server_decides_by_itself():
    assert artifact_root("http://mlflow:5000", "loans") is None


def test_a_failed_connection_is_told_in_the_operating_systems_words():
    wrapped = RuntimeError("three sentences about it")
    wrapped.__cause__ = ConnectionRefusedError(111, "Connection refused")

    assert connection_failure(wrapped) == "Connection refused"
    assert connection_failure(TimeoutError("timed out")) == "timed out"


def test_what_is_no_failed_connection_is_not_called_one():
    assert connection_failure(PermissionError(13, "Permission denied")) is None


class Said(Exception):
    """As MLflow's exceptions are."""

    def __init__(self, error_code):
        super().__init__("Invalid value\n 'temp (C)'")
        self.error_code = error_code


@pytest.mark.parametrize("code", ["INVALID_PARAMETER_VALUE", "BAD_REQUEST", "PERMISSION_DENIED", "ENDPOINT_NOT_FOUND"])
def test_a_refusal_is_told_in_mlflows_words(code):
    assert refusal(Said(code)) == "Invalid value 'temp (C)'"
    assert refuses_account(Said(code)) is (code == "PERMISSION_DENIED")


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"])
def test_a_failure_is_no_refusal_and_nor_is_a_connection_that_broke(code):
    assert refusal(Said(code)) is None
    broken = Said("INVALID_PARAMETER_VALUE")
    broken.__cause__ = ConnectionResetError(104, "Connection reset by peer")
    assert refusal(broken) is None
    assert refusal(OSError("no space left")) is None


def test_a_database_file_is_opened_by_one_at_a_time(tmp_path):
    uri, order = f"sqlite:///{tmp_path}/mlflow.db?timeout=5", []

    def second():
        with one_at_a_time(uri):
            order.append("second")

    with one_at_a_time(uri):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


@pytest.mark.parametrize("uri", ["http://mlflow:5000", "sqlite:////no/such/folder/mlflow.db", "sqlite://", ""])
def test_what_is_no_file_or_cannot_be_locked_is_opened_at_once(uri):
    with one_at_a_time(uri), one_at_a_time(uri):
        pass
