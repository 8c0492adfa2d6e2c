"""Real models for the gate: trained by us, and strangers logged through MLflow."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.training.bundle import save
from gauntlet.training.trainer import train
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Snapshot]]:
    """``trained(task, clustered=True)``: a model folder and its snapshot, made once."""
    known: dict[Any, tuple[Path, Snapshot]] = {}

    def build(task: str = "binary", clustered: bool = True) -> tuple[Path, Snapshot]:
        if (task, clustered) not in known:
            folder = tmp_path_factory.mktemp(task)
            splits = {name: make_table(rows, seed, task) for seed, (name, rows) in enumerate(_SIZES.items())}
            roles = {key: value for key, value in ROLES.items() if clustered or key != "cluster"}
            if not clustered:
                roles["exclude"] = ["person"]
            snapshot = write_snapshot(folder / "snapshot", splits, roles)
            save(train(snapshot, CONTRACT, recipe_of(), device="cpu"), folder / "model", contract_digest="x")
            known[task, clustered] = folder / "model", snapshot
        return known[task, clustered]

    return build


_SIZES = {"train": 600, "validation": 200, "test": 900}
