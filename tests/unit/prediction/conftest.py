"""A small snapshot and a model trained on it, shared by all tests here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.training.bundle import save
from gauntlet.training.trainer import train
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def snapshot_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Snapshot]:
    """``snapshot_of(label="binary", change=lambda table: table, roles=ROLES)``."""

    def build(label="binary", change=lambda table: table, roles=ROLES, rows_per_part=1_000_000) -> Snapshot:
        splits = {
            name: change(make_table(rows, seed, label))
            for seed, (name, rows) in enumerate({"train": 300, "validation": 100, "test": 150}.items())
        }
        return write_snapshot(tmp_path_factory.mktemp("snapshot"), splits, roles, rows_per_part)

    return build


@pytest.fixture(scope="session")
def model_of(snapshot_of: Callable[..., Snapshot], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The model folder of a task, trained once."""
    known: dict[str, Path] = {}

    def build(label: str) -> Path:
        if label not in known:
            known[label] = tmp_path_factory.mktemp("models") / label
            trained = train(snapshot_of(label), CONTRACT, recipe_of(), n_seeds=2, device="cpu")
            save(trained, known[label], contract_digest="x")
        return known[label]

    return build
