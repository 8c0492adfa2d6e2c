"""A model of each task with every kind of column, trained once, and models that a team brings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.contract import Column, Contract
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

TASKS = ("binary", "multiclass", "regression")

# As CONTRACT, with the types it lacks: a boolean that may be missing, an integer that may not, a nullable integer code.
EVERY_TYPE = Contract.of(
    [
        *CONTRACT.columns.values(),
        Column("open", "bool"),
        Column("age", "int", required=True),
        Column("grade", "int", categorical=True),
        Column("rate", "float", required=True),
        Column("name", "string", categorical=True, required=True),
    ]
)


def with_every_type(table: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    rng, rows = np.random.default_rng(table.num_rows), table.num_rows
    names = np.array(["Ünal", "Ωmega", "", "x y"])
    for name, column in {
        "open": pa.array(rng.random(rows) < 0.5, mask=rng.random(rows) < 0.3),
        "age": pa.array(rng.integers(18, 90, rows)),
        "grade": pa.array(rng.integers(-2, 3, rows), mask=rng.random(rows) < 0.2),
        "rate": pa.array(rng.normal(size=rows)),
        "name": pa.array(names[rng.integers(0, 4, rows)]),
    }.items():
        table = table.append_column(name, column)
    return table


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``model_of("binary")``: a model folder as ``train_model`` writes it."""
    from gauntlet.training.bundle import save
    from gauntlet.training.trainer import train

    known: dict[str, Path] = {}

    def build(task: str) -> Path:
        if task not in known:
            splits = {
                name: with_every_type(make_table(rows, seed, task))
                for seed, (name, rows) in enumerate({"train": 400, "validation": 100}.items())
            }
            snapshot = write_snapshot(tmp_path_factory.mktemp("snapshot"), splits, ROLES)
            known[task] = tmp_path_factory.mktemp("models") / task
            trained = train(snapshot, EVERY_TYPE, recipe_of(parameters={"n_estimators": 40}), device="cpu")
            save(trained, known[task], contract_digest="sha256:contract")
        return known[task]

    return build
