"""A lucky seed, from data to verdict: a gain within the noise of re-training is no improvement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders.artifacts import artifact, load_component
from builders.gates import run_gate
from builders.stability import run_stability
from gauntlet.data.contract import Column, Contract
from gauntlet.data.importing import import_snapshot
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import parse_pinned
from gauntlet.data.split import SplitOptions
from gauntlet.demo.loans import generate, write_csv
from gauntlet.digest import digest_file
from gauntlet.settings import parse
from gauntlet.verdict import Status

ROLES = {
    "label": "repaid",
    "key": ["application_id"],
    "cluster": "applicant_id",
    "time": "applied_at",
    "exclude": ["sex", "age", "community"],
    "categorical": ["product_code"],
}
JITTERY = {
    "parameters": {
        "n_estimators": 12,
        "learning_rate": 0.5,
        "max_depth": 2,
        "subsample": 0.1,
        "colsample_bytree": 0.25,
    },
    "early_stopping_rounds": 0,
}
CHAMPION_SEED, LUCKY_SEED = 7, 12
POLICY = {"primary": {"metric": "auc", "margin": 0.02}, "require_improvement": True}


def import_loans(folder: Path, span: int) -> Snapshot:
    data = folder / f"loans-{span}.csv"
    write_csv(generate(span, 20_000, 20), str(data))
    return import_snapshot(
        parse_pinned([{"uri": str(data), "version": digest_file(data), "size": data.stat().st_size}]),
        folder / f"snapshot-{span}",
        roles=parse(Roles, ROLES, field="roles"),
        reader=parse(ReaderOptions, {}, field="reader"),
        split=parse(SplitOptions, {}, field="split"),
    )


def train(inputs: dict[str, Any], out: Path, seed: int) -> Any:
    model = artifact("Model", out / "model")
    load_component("model", "train_model")(
        **inputs,
        model=model,
        metrics=artifact("Metrics", out / "metrics"),
        report=artifact("HTML", out / "report.html"),
        recipe=JITTERY,
        seed=seed,
        n_seeds=3,
        device="cpu",
    )
    return model


def predict(model: Any, snapshot: Any, out: Path) -> Any:
    predictions = artifact("Dataset", out)
    load_component("model", "batch_predict")(model=model, snapshot=snapshot, predictions=predictions)
    return predictions


def test_a_lucky_seed_is_blocked_by_the_comparison_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    quarters = {span: import_loans(tmp_path, span) for span in (1, 2)}
    columns = [
        Column(name, kind, categorical=kind == "string" or name == "product_code", serving=name != "repaid")
        for name, kind in quarters[1].columns.items()
    ]
    (tmp_path / "schema").mkdir()
    Contract.of(columns).write(tmp_path / "schema")
    inputs = {
        span: {
            "snapshot": artifact("Dataset", snapshot.path, digest=snapshot.digest),
            "schema": artifact("Artifact", tmp_path / "schema"),
        }
        for span, snapshot in quarters.items()
    }
    champion = train(inputs[1], tmp_path / "champion", CHAMPION_SEED)
    candidate = train(inputs[2], tmp_path / "candidate", LUCKY_SEED)
    theirs = predict(champion, inputs[2]["snapshot"], tmp_path / "theirs")
    ours = predict(candidate, inputs[2]["snapshot"], tmp_path / "ours")
    measured = run_stability(
        {**inputs[2], "challenger": ours, "champion": theirs},
        tmp_path / "stability",
        recipe=JITTERY,
        seed=LUCKY_SEED,
        runs=5,
        device="cpu",
    )
    assert measured.verdict.status is Status.PASS, measured.verdict.summary
    assert "within what chance in training brings" in measured.page
    bounds = {"metrics": {"auc": {"min": 0.7}}}
    good = run_gate("evaluate_performance", tmp_path / "performance", bounds, predictions=tmp_path / "ours")
    assert good.verdict.status is Status.PASS, "by itself it is good enough"
    compared = run_gate(
        "compare_champion",
        tmp_path / "compared",
        POLICY,
        challenger=tmp_path / "ours",
        champion=tmp_path / "theirs",
        stability=measured.stability,
    )
    assert compared.verdict.status is Status.FAIL
    assert "AUC is 0.010 better than the champion's" in compared.verdict.summary
    assert "but re-training alone moves it by ±" in compared.verdict.summary
