from gauntlet.mlflow_uri import artifact_root, connection_failure, without_secrets


def test_files_of_a_local_store_lie_beside_its_database(tmp_path):
    expected = (tmp_path / "mlflow-artifacts" / "loans").as_uri()

    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db", "loans") == expected
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db?timeout=5", "loans") == expected


def test_a_server_decides_by_itself():
    assert artifact_root("http://mlflow:5000", "loans") is None


def test_passwords_are_not_shown():
    assert without_secrets("https://me:secret@mlflow.example:5000/x") == "https://mlflow.example:5000/x"
    assert without_secrets("http://mlflow:5000") == "http://mlflow:5000"


def test_a_failed_connection_is_told_in_the_operating_systems_words():
    wrapped = RuntimeError("three sentences about it")
    wrapped.__cause__ = ConnectionRefusedError(111, "Connection refused")

    assert connection_failure(wrapped) == "Connection refused"
    assert connection_failure(TimeoutError("timed out")) == "timed out"


def test_what_is_no_failed_connection_is_not_called_one():
    assert connection_failure(PermissionError(13, "Permission denied")) is None
