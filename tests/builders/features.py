"""A team's features, a store of them, and a model: for tests of what compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gauntlet.data.snapshot import Snapshot
from gauntlet.demo.loans import generate
from snapshots import write_snapshot

Features = Callable[[pd.DataFrame], pd.DataFrame]

KEY = "application_id"
MEAN, DEVIATION = 2612.5, 1083.25
ROLES = {"label": "repaid", "positive": 1, "key": [KEY], "time": "applied_at"}

CODE = f"""
import pandas as pd


def before(rows):
    return pd.DataFrame({{
        "income": rows["income"],
        "debt_ratio": rows["debt_ratio"],
        "late_payments": rows["late_payments"],
        "history_years": rows["history_years"],
        "purpose": rows["purpose"],
    }})


def after(rows):
    return before(rows).assign(income=lambda frame: (frame["income"] - {MEAN}) / {DEVIATION})
"""
MODULE = "team_features"


def team_code(folder: Path) -> Any:
    """The module ``team_features`` with ``before`` (raw income) and ``after`` (normalized), importable."""
    import importlib

    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{MODULE}.py").write_text(CODE)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    sys.modules.pop(MODULE, None)
    return importlib.import_module(MODULE)


@dataclass(frozen=True)
class World:
    """Raw history (spans q1 and q2), raw new rows (split test), and a store of all of them."""

    history: Snapshot
    snapshot: Snapshot
    stored: Snapshot


def raw(span: int, rows: int) -> pa.Table:
    """Loan applications of one span, as a snapshot holds them."""
    table = generate(span, rows, 11)
    at = table.schema.get_field_index("applied_at")
    return table.set_column(at, "applied_at", table.column(at).cast(pa.timestamp("us", tz="UTC")))


def world(
    folder: Path,
    past: Features,
    now: Features,
    *,
    rows: int = 2_000,
    shuffle: bool = False,
    keys: bool = True,
    cluster: str | None = None,
    edit: Callable[[pd.DataFrame, str], pd.DataFrame] | None = None,
) -> World:
    """Write a world in which the past was stored by ``past`` and the new rows by ``now``.

    Args:
        folder: where.
        past, now: feature code over frames.
        rows: rows a span.
        shuffle: the store is in another order than the data.
        keys: the store can be joined.
        cluster: the column of the history whose rows belong together.
        edit: changes the stored features of a split.
    """
    spans = {"q1": raw(1, rows), "q2": raw(2, rows), "test": raw(3, rows)}
    stored = {}
    for name, table in spans.items():
        frame = table.to_pandas()
        features = (now if name == "test" else past)(frame).assign(
            **{KEY: frame[KEY], "applied_at": frame["applied_at"]}
        )
        features = edit(features, name) if edit is not None else features
        if shuffle:
            features = features.sample(frac=1.0, random_state=5).reset_index(drop=True)
        stored[name] = normal(pa.Table.from_pandas(features, preserve_index=False))
    roles = {"key": [KEY], "time": "applied_at"} if keys else {}
    return World(
        write_snapshot(folder / "history", {name: spans[name] for name in ("q1", "q2")}, ROLES | {"cluster": cluster}),
        write_snapshot(folder / "snapshot", {"test": spans["test"]}, ROLES),
        write_snapshot(folder / "stored", stored, roles),
    )


def normal(table: pa.Table) -> pa.Table:
    """A table in a snapshot's types."""

    def kind(found: pa.DataType) -> pa.DataType:
        if pa.types.is_timestamp(found):
            return pa.timestamp("us", tz="UTC")
        return pa.string() if pa.types.is_large_string(found) or pa.types.is_null(found) else found

    types = {field.name: kind(field.type) for field in table.schema}
    return table.cast(pa.schema([pa.field(name, kind) for name, kind in types.items()]))


def save_model(folder: Path, features: Features, rows: pa.Table, facts: Mapping[str, Any] | None = None) -> Path:
    """A logistic regression on the numeric features, logged as a team would; it takes the features as its columns."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    frame = features(rows.to_pandas()).select_dtypes("number")
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=2000))
    pipeline.fit(frame.to_numpy(dtype=float), np.asarray(rows.column("repaid")))
    return log_pipeline(folder, pipeline, list(frame.columns), facts)


def log_pipeline(folder: Path, pipeline: Any, inputs: list[str], facts: Mapping[str, Any] | None = None) -> Path:
    """Write a fitted scikit-learn model as an MLflow folder that says what it predicts."""
    import mlflow.sklearn
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    known = {"task": "binary", "label": "repaid", "classes": ["0", "1"], **(facts or {})}
    signature = ModelSignature(Schema([ColSpec("double", name) for name in inputs]), Schema([ColSpec("double")]))
    mlflow.sklearn.save_model(
        pipeline,
        str(folder),
        signature=signature,
        pip_requirements=[],
        metadata={"gauntlet": known},
        serialization_format="cloudpickle",
        pyfunc_predict_fn="predict_proba",
    )
    return folder
