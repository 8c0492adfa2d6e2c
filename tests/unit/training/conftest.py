"""Snapshots of the small data set, and the models trained on them once a session."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.training.result import Training
from gauntlet.training.trainer import train
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def snapshot_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Snapshot]:
    """Write a snapshot: ``snapshot_of(label, change)``; ``change`` applies to the table of every split."""

    def build(
        label: str = "binary", change: Any = lambda table: table, roles: Any = ROLES, rows: int = 600
    ) -> Snapshot:
        splits = {
            name: change(make_table(rows // share, seed, label))
            for seed, (name, share) in enumerate({"train": 1, "validation": 3, "test": 3}.items())
        }
        return write_snapshot(tmp_path_factory.mktemp("snapshot"), splits, roles)

    return build


@pytest.fixture(scope="session", params=["binary", "multiclass", "regression"])
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def snapshot(snapshot_of: Callable[..., Snapshot], task: str) -> Snapshot:
    return snapshot_of(task)


@pytest.fixture(scope="session")
def trained(snapshot: Snapshot) -> Training:
    return train(snapshot, CONTRACT, recipe_of(), seed=5, n_seeds=2, device="cpu")


@pytest.fixture(scope="session")
def model_folder(trained: Training, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gauntlet.training.bundle import save

    folder = tmp_path_factory.mktemp("models") / "model"
    save(trained, folder, contract_digest="sha256:contract")
    return folder
