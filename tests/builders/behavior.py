"""A small model made of a formula, rows for it, and behavior files about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from gauntlet.behavior.sources import parse_suite
from gauntlet.behavior.subject import Subject, decision_threshold
from gauntlet.behavior.suite import Suite
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.prediction.model import Scorer
from gauntlet.training.target import Target

COLUMNS = {"income": "float", "late": "int", "region": "string", "member": "bool", "sex": "string", "year": "int"}
INPUTS = ("income", "late", "region", "member")
CLASSES = {"binary": ("no", "yes"), "multiclass": ("gold", "silver", "bronze"), "regression": ()}

Formula = Callable[[Mapping[str, np.ndarray]], np.ndarray]


def rows(count: int = 200, seed: int = 0) -> pa.Table:
    """Rows of every kind of column; a tenth of the regions is missing."""
    rng = np.random.default_rng(seed)
    regions = np.array(["north", "south east", "west"])[rng.integers(0, 3, count)]
    return pa.table(
        {
            EXAMPLE_ID: [f"row-{number}" for number in range(count)],
            "income": np.round(np.exp(rng.normal(7.8, 0.4, count)), 2),
            "late": rng.integers(0, 4, count),
            "region": pa.array(regions, mask=rng.random(count) < 0.1),
            "member": rng.random(count) < 0.4,
            "sex": rng.choice(["female", "male"], count),
            "year": rng.integers(2020, 2024, count),
        }
    )


def logistic(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """A sound model: more income helps, late payments hurt, nothing else is looked at."""
    odds = 1.2 * np.log(columns["income"] / 2400) - 0.8 * columns["late"] + 0.6
    return np.asarray(1 / (1 + np.exp(-odds)))


def subject_of(formula: Formula = logistic, task: str = "binary", threshold: float | None = None) -> Subject:
    """The formula as a model under test. It gets NumPy columns, text as objects."""

    def score(batch: pa.RecordBatch) -> np.ndarray:
        return formula({name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names})

    target = Target("repaid", task, CLASSES[task])
    return Subject(Scorer("sha256:0", {}, INPUTS, score), target, INPUTS, COLUMNS, decision_threshold(task, threshold))


def suite_of(text: str) -> Suite:
    """A suite from YAML."""
    return parse_suite(text, "suite.yaml")[0]


def rule_of(kind: str = "invariance", **values: Any) -> Any:
    """One rule."""
    import json

    expect = {"max_change": 0.01} if kind == "invariance" else {"score": "not_increases"}
    document = {kind: [{"name": "a rule", "expect": expect, **values}]}
    return getattr(suite_of(json.dumps(document)), kind)[0]
