"""What a column is called means nothing to XGBoost, MLflow and the server: from a recipe to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from builders.names import CATEGORICAL, LABEL, NAMES, NUMERIC, ROLES, columns
from builders.training import CONTRACT, recipe_of
from gauntlet.behavior.gate import judge_behavior
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sources import parse_suite
from gauntlet.data.contract import Column, Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.prediction.batch import predict_split
from gauntlet.prediction.format import read_rows
from gauntlet.serving import protocol_v1, protocol_v2
from gauntlet.serving.direct import load_direct
from gauntlet.serving.loading import open_served
from gauntlet.settings import parse
from gauntlet.training import bundle
from gauntlet.training.frame import frame_of, mlflow_types
from gauntlet.training.pipeline import score
from gauntlet.training.publish import Published, flat_parameters, publish
from gauntlet.training.result import Training
from gauntlet.training.tracking import open_experiment
from gauntlet.training.trainer import train
from snapshots import write_snapshot

MONOTONE = dict.fromkeys(NUMERIC, 1)
STRANGE = Contract.of(
    [
        *(Column(name, "string" if name in CATEGORICAL else "float", name in CATEGORICAL) for name in NAMES),
        *(Column(name, "float", serving=False) for name in (LABEL, *ROLES["key"], ROLES["weight"])),
    ]
)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot in which every column's name means something else to some library."""
    splits = {name: pa.table(columns(rows, seed)) for seed, (name, rows) in enumerate(SIZES.items(), start=1)}
    return write_snapshot(tmp_path_factory.mktemp("strange"), splits, ROLES)


SIZES = {"train": 500, "validation": 200, "test": 100}


@pytest.fixture(scope="module")
def training(strange: Snapshot) -> Training:
    return train(strange, STRANGE, recipe_of(monotone=MONOTONE, parameters={"n_estimators": 40}), device="cpu")


@pytest.fixture(scope="module")
def published(training: Training, tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, Path, str]:
    folder = tmp_path_factory.mktemp("published")
    uri = f"sqlite:///{folder}/mlflow.db"
    STRANGE.write(folder)
    experiment = open_experiment(uri, "wear & tear [%]")
    return publish(training, folder / "model", experiment, schema=folder / "columns.json"), folder / "model", uri


def test_importance_speaks_of_columns_as_people_call_them(training: Training) -> None:
    assert set(training.importance) <= set(NAMES)
    assert len(training.importance) > len(NAMES) / 2
    assert training.booster is not None
    assert training.booster.feature_names is None


def test_each_constraint_holds_for_its_own_column(training: Training, strange: Snapshot) -> None:
    """More of what may only raise the score never lowers it; XGBoost takes constraints in the matrix's order."""
    rows = frame_of(next(strange.batches("test")), mlflow_types(training.plan.features))
    before = score(training.estimator, "binary", rows)[:, 1]
    for name in NUMERIC:
        after = score(training.estimator, "binary", rows.assign(**{name: rows[name] + 2.0}))[:, 1]
        assert (after >= before).all(), name


@pytest.mark.parametrize("sign", [1, -1])
def test_a_constraint_binds_the_column_it_names_alone(snapshot_of: Callable[..., Snapshot], sign: int) -> None:
    """Against the data's own trend nothing is left of it, so a constraint on another column is noticed."""
    snapshot = snapshot_of()
    fitted = train(snapshot, CONTRACT, recipe_of(monotone={"amount": sign}), device="cpu")
    rows = frame_of(next(snapshot.batches("test")), mlflow_types(fitted.plan.features)).dropna(subset=["amount"])
    low, high = (score(fitted.estimator, "binary", rows.assign(amount=value))[:, 1] for value in (-1.0, 1.0))
    assert ((high - low) * sign >= 0).all()
    assert (low != high).any() == (sign == 1)  # the score rises with the amount in these data


def test_mlflow_records_constraints_and_options_whatever_they_are_about(
    published: tuple[Published, Path, str], training: Training
) -> None:
    from mlflow import MlflowClient

    publication, _, uri = published
    run = MlflowClient(uri).get_run(publication.run)
    assert run.info.status == "FINISHED"
    assert json.loads(run.data.params["monotone"]) == MONOTONE
    assert run.data.params["parameters.max_depth"] == "3"
    assert set(run.data.params) == set(flat_parameters(training))
    assert {artifact.path for artifact in MlflowClient(uri).list_artifacts(publication.run)} == {"model", "recipe.json"}


def test_more_options_than_mlflow_takes_parameters_are_one(snapshot_of: Callable[..., Snapshot]) -> None:
    fitted = train(snapshot_of(), CONTRACT, recipe_of(), device="cpu")
    options = {f"option {number}": {"a/../b": number} for number in range(150)}
    flat = flat_parameters(replace(fitted, recipe=recipe_of(trainer="team:train", options=options)))
    assert len(flat) < 100
    assert json.loads(flat["options"]) == options


def test_predictions_keep_slices_apart_from_their_own_columns(
    published: tuple[Published, Path, str], strange: Snapshot, tmp_path: Path
) -> None:
    publication, model, _ = published
    manifest = predict_split(model, strange, tmp_path / "p", slice_columns=NAMES, expected=publication.digest)
    rows, raw = read_rows(tmp_path / "p"), strange.table("test")
    assert manifest.slice_columns == NAMES
    assert rows.column("label").to_pylist() == raw.column(LABEL).to_pylist()
    assert set(rows.column("score").to_pylist()).isdisjoint(raw.column("score").to_pylist())
    for name in NAMES:
        assert rows.column(f"slice:{name}").equals(raw.column(name)), name


def test_batch_pyfunc_and_both_protocols_give_one_answer(
    published: tuple[Published, Path, str], strange: Snapshot, tmp_path: Path
) -> None:
    publication, model, _ = published
    predict_split(model, strange, tmp_path / "p", expected=publication.digest)
    expected = read_rows(tmp_path / "p").column("score").to_pylist()
    held = {name: strange.table("test").column(name).to_pylist() for name in NAMES}
    records = [dict(zip(held, values, strict=True)) for values in zip(*held.values(), strict=True)]
    tensors = [
        {"name": name, "datatype": "BYTES" if name in CATEGORICAL else "FP64", "shape": [len(values)], "data": values}
        for name, values in held.items()
    ]
    with open_served(model, publication.digest) as served:
        request = {
            "instances": protocol_v1.parse({"instances": records}, served.contract),
            "inputs": protocol_v1.parse({"inputs": held}, served.contract),
            "v2": protocol_v2.parse({"inputs": tensors}, served.contract).rows,
        }
        answers = {form: served.answer(rows).columns[1].tolist() for form, rows in request.items()}
        assert [tensor["name"] for tensor in protocol_v2.metadata(served.contract, model="m")["inputs"]] == list(NAMES)
    for answer in answers.values():
        np.testing.assert_allclose(answer, expected, atol=1e-7)
    frame = pd.DataFrame(held)
    np.testing.assert_allclose(mlflow.pyfunc.load_model(str(model)).predict(frame)[:, 1], expected, atol=1e-7)


def test_a_model_whose_booster_knows_names_still_loads_and_scores_alike(
    snapshot_of: Callable[..., Snapshot], tmp_path: Path
) -> None:
    """As 0.1 wrote them."""
    snapshot = snapshot_of()
    fitted = train(snapshot, CONTRACT, recipe_of(), device="cpu")
    bundle.save(fitted, tmp_path / "new", contract_digest="sha256:c")
    assert fitted.booster is not None
    fitted.booster.feature_names = fitted.plan.names
    bundle.save(fitted, tmp_path / "old", contract_digest="sha256:c")
    rows = frame_of(next(snapshot.batches("test")), mlflow_types(fitted.plan.features))
    old, new = (bundle.load(tmp_path / name) for name in ("old", "new"))
    assert old.pipeline.steps[-1][1].get_booster().feature_names == fitted.plan.names
    np.testing.assert_array_equal(old.predict(rows), new.predict(rows))
    assert load_direct(tmp_path / "old").categories == load_direct(tmp_path / "new").categories


def test_behavior_is_asked_of_columns_by_their_names(published: tuple[Published, Path, str], strange: Snapshot) -> None:
    _, model, _ = published
    rules = {
        "golden": [
            {"name": "the example", "row": {NUMERIC[0]: 0.5}, "fill": "example", "expect": {"score": {"min": 1e-6}}},
            {"name": "a row", "row": dict.fromkeys(NAMES), "expect": {"score": {"max": 0.999999}}},
        ],
        "invariance": [
            {
                "name": name[:100],
                "change": [{"whitespace": {"column": name}}, {"noise": {"column": NUMERIC[0], "sd": 0.001}}],
                "expect": {"max_change": 0.999},
            }
            for name in CATEGORICAL
        ],
        "directional": [
            {
                "name": name[:100],
                "change": [{"add": {"column": name, "by": 1}}],
                "expect": {"score": "not_decreases", "tolerance": 1e-6},
            }
            for name in NUMERIC
        ],
    }
    suite, document = parse_suite(json.dumps(rules, ensure_ascii=False), "suite.yaml")
    policy = parse(BehaviorPolicy, {"max_failures": 0.05}, field="policy")
    verdict = judge_behavior(model, strange, suite, document, policy).verdict
    assert len(verdict.checks) == 2 + len(NAMES)
    assert {check.status.value for check in verdict.checks} == {"pass"}, verdict.summary
