from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders.served_models import brought
from builders.training import ROLES
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.model_digest import digest_model
from gauntlet.prediction import batch
from gauntlet.prediction.batch import predict_split
from gauntlet.prediction.format import Manifest, Overlap, read_rows
from gauntlet.training.bundle import load
from gauntlet.training.frame import frame_of, mlflow_types

SnapshotOf = Callable[..., Snapshot]
ModelOf = Callable[[str], Path]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_split_is_scored_in_its_order(snapshot_of: SnapshotOf, model_of: ModelOf, tmp_path: Path, task: str) -> None:
    snapshot, folder = snapshot_of(task), model_of(task)
    manifest = predict_split(folder, snapshot, tmp_path / "out", slice_columns=["region", "member"])
    rows = read_rows(tmp_path / "out")
    assert Manifest.read(tmp_path / "out") == manifest
    assert manifest.task == task
    assert manifest.rows == rows.num_rows == 150
    assert manifest.model == digest_model(folder)
    assert manifest.snapshot == snapshot.digest
    assert manifest.clustered
    assert manifest.trained_on == Overlap(150, 0)
    assert predict_split(folder, snapshot, tmp_path / "learned", split="train").trained_on == Overlap(300, 300)
    assert manifest.seed_spread[{"regression": "rmse"}.get(task, "accuracy")].seeds == 2

    source = snapshot.table("test")
    model = load(folder)
    expected = model.predict(frame_of(source.to_batches()[0], mlflow_types(model.features)))
    assert rows["example_id"] == source["example_id"]
    assert rows["slice:region"] == source["region"]
    assert rows["slice:member"].type == pa.bool_()
    assert rows["cluster"].to_pylist() == [str(person) for person in source["person"].to_pylist()]
    np.testing.assert_array_equal(rows["weight"].to_numpy(), source["weight"].to_numpy())
    if task == "multiclass":
        names = [f"score:{name}" for name in manifest.classes]
        np.testing.assert_array_equal(np.column_stack([rows[name].to_numpy() for name in names]), expected)
        assert [manifest.classes[code] for code in rows["label"].to_pylist()] == source["outcome"].to_pylist()
    else:
        np.testing.assert_array_equal(rows["score"].to_numpy(), expected if task == "regression" else expected[:, 1])


def test_parts_and_batches_do_not_change_the_rows(
    snapshot_of: SnapshotOf, model_of: ModelOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict_split(model_of("binary"), snapshot_of(), tmp_path / "whole")
    monkeypatch.setattr(batch, "ROWS_PER_PART", 50)
    predict_split(model_of("binary"), snapshot_of(rows_per_part=20), tmp_path / "parts")
    assert len(list((tmp_path / "parts").glob("part-*.parquet"))) == 4
    assert read_rows(tmp_path / "parts").equals(read_rows(tmp_path / "whole"))


def test_a_model_that_was_changed_is_not_loaded(snapshot_of: SnapshotOf, model_of: ModelOf, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_of("binary"), folder)
    digest = digest_model(folder)
    trap = tmp_path / "sprung"
    (folder / "trap.py").write_text(f"open({str(trap)!r}, 'w')\n")
    mlmodel = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(
        mlmodel.replace("loader_module: gauntlet.training.bundle", "loader_module: trap").replace(
            "code: null", "code: ."
        )
    )
    with pytest.raises(DataError, match="another model than expected"):
        predict_split(folder, snapshot_of(), tmp_path / "out", expected=digest)
    assert not trap.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        pytest.param({"split": "holdout"}, ConfigurationError, "split: no such split", id="split"),
        pytest.param({"slice_columns": ["race"]}, ConfigurationError, "slice_columns: no such column", id="slice"),
    ],
)
def test_what_was_asked_for_must_be_there(
    snapshot_of: SnapshotOf,
    model_of: ModelOf,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        predict_split(model_of("binary"), snapshot_of(), tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def drop(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns([name])


def fill(name: str, value: Any, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.schema.get_field_index(name), name, pa.array([value] * table.num_rows, kind))

    return change


@pytest.mark.parametrize(
    ("change", "roles", "message"),
    [
        pytest.param(drop("region"), ROLES, "region: the model needs this column", id="column missing"),
        pytest.param(fill("amount", "1", pa.string()), ROLES, "amount: holds string, but", id="column of another type"),
        pytest.param(fill("outcome", "lost", pa.string()), ROLES, "not among the classes late, paid", id="new label"),
        pytest.param(fill("outcome", None, pa.string()), ROLES, "150 rows of split test have no label", id="no label"),
        pytest.param(fill("person", None, pa.int64()), ROLES, "person: 150 rows have no cluster", id="no cluster"),
        pytest.param(fill("weight", -1.0, pa.float64()), ROLES, "weight: 150 rows have a weight", id="bad weight"),
        pytest.param(lambda table: table, {"label": "region"}, "the model predicts another label", id="other label"),
        pytest.param(
            lambda table: table,
            {**ROLES, "positive": "late"},
            "roles.positive: the model's positive",
            id="other positive",
        ),
    ],
)
def test_data_that_does_not_fit_the_model(
    snapshot_of: SnapshotOf,
    model_of: ModelOf,
    tmp_path: Path,
    change: Callable[[pa.Table], pa.Table],
    roles: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(DataError, match=message):
        predict_split(model_of("binary"), snapshot_of(change=change, roles=roles), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_without_a_label_are_scored_alike(snapshot_of: SnapshotOf, model_of: ModelOf, tmp_path: Path) -> None:
    predict_split(model_of("binary"), snapshot_of(), tmp_path / "labelled")
    predict_split(model_of("binary"), snapshot_of(change=drop("outcome")), tmp_path / "served")
    labelled, served = read_rows(tmp_path / "labelled"), read_rows(tmp_path / "served")
    assert "label" not in served.column_names
    assert served["score"].equals(labelled["score"])


def test_a_model_that_does_not_say_what_it_predicts_needs_a_label(snapshot_of: SnapshotOf, tmp_path: Path) -> None:
    model = brought(tmp_path / "model", lambda frame: frame["amount"].to_numpy() * 0.0, {"amount": "double?"})
    with pytest.raises(
        ConfigurationError, match=r"roles.label: the snapshot has no label, and the model does not declare"
    ):
        predict_split(model, snapshot_of(roles={}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_model_is_named(snapshot_of: SnapshotOf, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(DataError, match="is not an MLflow model"):
            predict_split(folder, snapshot_of(), tmp_path / "out")
