"""One small data set with every kind of column and missing values, its schema, and a recipe quick enough for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gauntlet.data.contract import Column, Contract
from gauntlet.settings import parse
from gauntlet.training.recipe import Recipe

CATEGORIES = np.array(["north", "south", "east", "west"])


def make_table(rows: int, seed: int, label: str = "binary") -> pa.Table:
    """Rows whose label depends on amount, region and member; a tenth of amount and of region is missing."""
    rng = np.random.default_rng(seed)
    amount, region = rng.normal(size=rows), rng.integers(0, 4, rows)
    code, member = rng.integers(1, 4, rows), rng.random(rows) < 0.4
    signal = 1.5 * amount + (region == 2) + 0.8 * member + rng.normal(scale=0.7, size=rows)
    labels = {
        "binary": pa.array(np.where(signal > 0.5, "paid", "late")),
        "multiclass": pa.array(np.array(["high", "low", "mid"])[np.digitize(signal, [-0.5, 1.0])]),
        "regression": pa.array(signal),
    }[label]
    return pa.table(
        {
            "amount": pa.array(amount, mask=rng.random(rows) < 0.1),
            "count": pa.array(rng.integers(0, 50, rows), mask=rng.random(rows) < 0.2),
            "region": pa.array(CATEGORIES[region], mask=rng.random(rows) < 0.1),
            "code": pa.array(code),
            "member": pa.array(member),
            "weight": pa.array(rng.uniform(0.5, 2.0, rows)),
            "person": pa.array(rng.integers(0, rows // 2, rows)),
            "outcome": labels,
        }
    )


CONTRACT = Contract.of(
    [
        Column("amount", "float"),
        Column("count", "int"),
        Column("region", "string", categorical=True),
        Column("code", "int", categorical=True, required=True),
        Column("member", "bool", required=True),
        Column("weight", "float", serving=False),
        Column("person", "int", serving=False),
        Column("outcome", "string", serving=False),
    ]
)

ROLES = {"label": "outcome", "weight": "weight", "cluster": "person"}


def recipe_of(**values: Any) -> Recipe:
    """A small recipe; ``parameters`` are merged into ten quick rounds."""
    values["parameters"] = {"n_estimators": 10, "learning_rate": 0.3, "max_depth": 3, **values.get("parameters", {})}
    return parse(Recipe, values, field="recipe")
