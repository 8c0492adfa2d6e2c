"""The clean demo's data and model, made as `make demo` makes them, without a pipeline around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from gauntlet.data.contract import Column, Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.demo.loans import CLUSTER, generate
from gauntlet.settings import parse
from gauntlet.training.bundle import save
from gauntlet.training.recipe import Recipe
from gauntlet.training.trainer import train
from snapshots import write_snapshot

EXAMPLES = Path(__file__).parents[2] / "examples"
_SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
_CATEGORIES = frozenset({"region", "purpose", "product_code"})


def demo_snapshot(
    folder: Path,
    *,
    span: int = 1,
    rows: int = 20_000,
    seed: int = 7,
    change: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> Snapshot:
    """One quarter of loans, split by applicant; ``change``: what to do to it first."""
    table = change(generate(span, rows, seed))
    time = table.schema.get_field_index("applied_at")
    table = table.set_column(time, "applied_at", table.column(time).cast(pa.timestamp("us", tz="UTC")))
    people, person = np.unique(table.column(CLUSTER).to_numpy(zero_copy_only=False), return_inverse=True)
    part = np.random.default_rng([seed, span]).choice(len(_SHARES), len(people), p=list(_SHARES.values()))[person]
    splits = {name: table.filter(pa.array(part == code)) for code, name in enumerate(_SHARES)}
    return write_snapshot(folder, splits, _parameters()["roles"])


def demo_model(
    snapshot: Snapshot, destination: Path, *, seed: int = 7, recipe: Mapping[str, Any] | None = None
) -> Path:
    """The model that examples/loans.yaml trains, by one seed; ``recipe``: another in place of its recipe."""
    columns = [
        Column(name, snapshot.columns[name], categorical=name in _CATEGORIES, required=name != "history_years")
        for name in snapshot.features
    ]
    others = [
        Column(name, kind, serving=False) for name, kind in snapshot.columns.items() if name not in snapshot.features
    ]
    settings = parse(Recipe, recipe or _parameters()["recipe"], field="recipe")
    trained = train(snapshot, Contract.of([*columns, *others]), settings, seed=seed, n_seeds=1, device="cpu")
    save(trained, destination, contract_digest="x")
    return destination


def _parameters() -> dict[str, Any]:
    return dict(yaml.safe_load((EXAMPLES / "loans.yaml").read_text()))
