from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from builders.training import CONTRACT, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.model_digest import digest_model, verify_model
from gauntlet.training import bundle
from gauntlet.training.encoding import Feature
from gauntlet.training.frame import frame_of, mlflow_type, mlflow_types
from gauntlet.training.pipeline import score
from gauntlet.training.result import Training
from gauntlet.training.trainer import train


def edge_cases(trained: Training, snapshot: Snapshot) -> dict[str, pd.DataFrame]:
    whole = frame_of(next(snapshot.batches("test")), mlflow_types(trained.plan.features))
    return {
        "many rows": whole,
        "one row": whole.iloc[:1],
        "no value": whole.iloc[:3].assign(amount=np.nan, region=None),
        "unseen category": whole.iloc[:3].assign(region="atlantis", code=99),
    }


@pytest.mark.parametrize("case", ["many rows", "one row", "no value", "unseen category"])
def test_the_saved_model_scores_as_the_one_in_memory(
    trained: Training, snapshot: Snapshot, model_folder: Path, case: str
) -> None:
    import mlflow.pyfunc

    frame = edge_cases(trained, snapshot)[case]
    expected = score(trained.estimator, trained.plan.target.task, frame)
    np.testing.assert_array_equal(bundle.load(model_folder).predict(frame), expected)
    np.testing.assert_array_equal(mlflow.pyfunc.load_model(str(model_folder)).predict(frame), expected)


def test_an_optional_column_may_be_absent_and_a_required_one_may_not(
    trained: Training, snapshot: Snapshot, model_folder: Path
) -> None:
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    frame = edge_cases(trained, snapshot)["many rows"]
    model = mlflow.pyfunc.load_model(str(model_folder))
    np.testing.assert_array_equal(model.predict(frame.drop(columns="region")), model.predict(frame.assign(region=None)))
    with pytest.raises(MlflowException, match="code"):
        model.predict(frame.drop(columns="code"))
    with pytest.raises(DataError, match="code: the model needs this column"):
        bundle.load(model_folder).predict(frame.drop(columns="code"))


def test_the_same_seed_gives_the_same_bytes(snapshot: Snapshot, model_folder: Path, tmp_path: Path) -> None:
    again = train(snapshot, CONTRACT, recipe_of(), seed=5, n_seeds=2, device="cpu")
    digest = bundle.save(again, tmp_path / "again", contract_digest="sha256:contract")
    assert digest == digest_model(model_folder) == digest_model(tmp_path / "again")
    for path in model_folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(model_folder)).read_bytes()
    other = train(snapshot, CONTRACT, recipe_of(), seed=6, n_seeds=2, device="cpu")
    assert bundle.save(other, tmp_path / "other", contract_digest="sha256:contract") != digest


def test_nothing_in_the_folder_is_pickled_or_dated(model_folder: Path) -> None:
    names = {path.name for path in model_folder.rglob("*") if path.is_file()}
    assert names == {
        *("MLmodel", "encoder.json", "booster.ubj", "input_example.json", "serving_input_example.json"),
        *("requirements.txt", "conda.yaml", "python_env.yaml", "training_rows.npy"),
    }
    document = yaml.safe_load((model_folder / "MLmodel").read_text())
    assert not {"utc_time_created", "run_id", "model_id"} & document.keys()
    assert len(document["model_uuid"]) == 32


def test_mlmodel_says_what_scoring_and_lineage_need(trained: Training, model_folder: Path) -> None:
    facts = yaml.safe_load((model_folder / "MLmodel").read_text())["metadata"]["gauntlet"]
    target = trained.plan.target
    assert facts["task"] == target.task
    assert facts["classes"] == list(target.classes)
    assert facts["features"] == trained.plan.names
    assert facts["seeds"] == [5, 6]
    assert facts["seed_spread"] == trained.seed_spread
    assert facts["snapshot"] == trained.snapshot.digest
    assert facts["schema"] == "sha256:contract"
    assert facts["device"] == "cpu"


def test_requirements_are_exact(model_folder: Path) -> None:
    lines = (model_folder / "requirements.txt").read_text().split()
    assert all("==" in line for line in lines)
    names = {line.partition("==")[0] for line in lines}
    assert {"mlflow", "scikit-learn", "pandas", "kfp-gauntlet"} < names
    assert len(names & {"xgboost", "xgboost-cpu"}) == 1


def test_the_input_example_fits_the_signature_and_is_nobodys_row(model_folder: Path, snapshot: Snapshot) -> None:
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(str(model_folder))
    example = model.input_example
    assert len(example) == 1
    assert np.isfinite(np.asarray(model.predict(example))).all()


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (Feature("n", "int"), "double"),
        (Feature("n", "int", required=True), "long"),
        (Feature("n", "int", ("1",)), "double"),
        (Feature("n", "float", required=True), "double"),
        (Feature("n", "bool"), "boolean"),
        (Feature("n", "string", ("a",)), "string"),
    ],
)
def test_signature_types(feature: Feature, expected: str) -> None:
    assert mlflow_type(feature) == expected


def test_a_changed_model_is_noticed_before_it_is_loaded(model_folder: Path, tmp_path: Path) -> None:
    digest = digest_model(model_folder)
    copy = tmp_path / "copy"
    shutil.copytree(model_folder, copy)
    (copy / "registered_model_meta").write_text("model_version: 3")
    verify_model(copy, digest)
    mlmodel = (copy / "MLmodel").read_text()
    (copy / "MLmodel").write_text(mlmodel.replace(bundle.LOADER, "antigravity"))
    with pytest.raises(DataError, match="another model than expected"):
        verify_model(copy, digest)
    with pytest.raises(DataError, match="is not an MLflow model"):
        digest_model(tmp_path)


@pytest.mark.parametrize("damage", ["encoder.json", "booster.ubj"])
def test_a_damaged_model_is_no_model(model_folder: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(model_folder, copy)
    path = copy / "data" / bundle.DATA / damage
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match="is not a model in Gauntlet's format"):
        bundle.load(copy)


def test_a_failure_while_saving_leaves_nothing(
    trained: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(bundle, "_normalise", fail)
    with pytest.raises(OSError, match="disk full"):
        bundle.save(trained, tmp_path / "model", contract_digest="x")
    assert list(tmp_path.iterdir()) == []
