from gauntlet.mlflow_uri import artifact_root, without_secrets


def test_files_of_a_local_store_lie_beside_its_database(tmp_path):
    expected = (tmp_path / "mlflow-artifacts" / "loans").as_uri()

    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db", "loans") == expected
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db?timeout=5", "loans") == expected


def test_a_server_decides_by_itself():
    assert artifact_root("http://mlflow:5000", "loans") is None


def test_passwords_are_not_shown():
    assert without_secrets("https://me:secret@mlflow.example:5000/x") == "https://mlflow.example:5000/x"
    assert without_secrets("http://mlflow:5000") == "http://mlflow:5000"
