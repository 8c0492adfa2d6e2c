"""Models to serve in ``serving_throughput.py``: one that Gauntlet trained, two as other teams bring them.

Each comes with rows to time, which hold no missing value, so that no server needs to convert anything; and with
rows to compare answers on, which hold everything else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]  # run from a checkout, where nothing is installed

ROWS = 20_000
TIMED = 1_000
TREES = 300
REGIONS = tuple(f"region-{index:02d}" for index in range(20))
PURPOSES = ("car", "house", "debt", "wedding", "Ünal", "x y")
Row = dict[str, Any]

# column → MLflow type; "?" where a value may be missing.
TYPES: Mapping[str, str] = {
    "amount": "double",
    "income": "double?",
    "balance": "double?",
    "rate": "double",
    "term": "double?",
    "tenure": "double?",
    "age": "long",
    "children": "long",
    "region": "string?",
    "purpose": "string",
    "member": "boolean",
    "open": "boolean?",
}
CASES: Mapping[str, Row] = {
    "typical": {},
    **{f"{name} missing": {name: None} for name, kind in TYPES.items() if kind.endswith("?")},
    "everything missing that may be": {name: None for name, kind in TYPES.items() if kind.endswith("?")},
    "integers for doubles": {"amount": 1, "rate": 0},
    "unseen categories": {"region": "atlantis", "purpose": "none of them", "term": 7.0},
    "empty text": {"region": "", "purpose": ""},
    "text beyond ASCII": {"purpose": "Ünal", "region": "日本"},
    "booleans the other way": {"member": False, "open": True},
    "large numbers": {"amount": 1e30, "balance": -1e30, "age": 2**40},
    "small numbers": {"amount": 1e-30, "balance": -0.0, "age": -1},
}


@dataclass(frozen=True)
class Bench:
    """A model and what to ask it.

    Attributes:
        name: of the model.
        folder: its MLflow folder.
        types: column → MLflow type; ``?`` where a value may be missing.
        timed: rows without a missing value.
        cases: what is special → a row.
        trained: whether Gauntlet trained it.
    """

    name: str
    folder: Path
    types: Mapping[str, str]
    timed: Sequence[Row]
    cases: Mapping[str, Row]
    trained: bool = False


def build(scratch: Path) -> list[Bench]:
    """Train them all."""
    table = applications(ROWS)
    makers = {"gauntlet": gauntlet_model, "scikit-learn": sklearn_model, "pandas": pandas_model}
    return [make(table, scratch / name) for name, make in makers.items()]


def applications(rows: int) -> pd.DataFrame:
    """Made-up loan applications, a tenth of the optional values missing; ``late`` depends on most of them."""
    rng = np.random.default_rng(7)
    region, purpose = rng.integers(0, len(REGIONS), rows), rng.integers(0, len(PURPOSES), rows)
    frame = pd.DataFrame(
        {
            "amount": rng.lognormal(9, 0.6, rows),
            "income": rng.lognormal(10, 0.5, rows),
            "balance": rng.normal(0, 3000, rows),
            "rate": rng.uniform(0.01, 0.2, rows),
            "term": rng.choice([12.0, 24.0, 36.0, 60.0], rows),
            "tenure": rng.exponential(6, rows),
            "age": rng.integers(18, 90, rows),
            "children": rng.integers(0, 5, rows),
            "region": np.array(REGIONS, dtype=object)[region],
            "purpose": np.array(PURPOSES, dtype=object)[purpose],
            "member": rng.random(rows) < 0.4,
            "open": (rng.random(rows) < 0.5).astype(object),
        }
    )
    signal = np.log(frame["amount"] / frame["income"]) + 8 * frame["rate"] + 0.1 * (region % 3) - 0.4 * (purpose == 1)
    signal = signal - frame["balance"] / 9000 + 0.02 * frame["age"] * frame["member"] + rng.normal(scale=0.6, size=rows)
    for name, kind in TYPES.items():
        if kind.endswith("?"):
            missing = rng.random(rows) < 0.1
            frame.loc[missing, name] = np.nan if kind == "double?" else None
    return frame.assign(late=signal > signal.median())


def gauntlet_model(table: pd.DataFrame, scratch: Path) -> Bench:
    """300 trees of depth 6 from Gauntlet's own trainer."""
    from gauntlet.data.contract import Column, Contract
    from gauntlet.settings import parse
    from gauntlet.training.bundle import save
    from gauntlet.training.recipe import Recipe
    from gauntlet.training.trainer import train
    from snapshots import write_snapshot

    kinds = {"double": "float", "long": "int", "string": "string", "boolean": "bool"}
    columns = [
        Column(
            name,
            "int" if name == "term" else kinds[kind.rstrip("?")],
            categorical=name in ("region", "purpose", "term"),
            required=not kind.endswith("?"),
        )
        for name, kind in TYPES.items()
    ]
    contract = Contract.of([*columns, Column("late", "bool", serving=False)])
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.set_column(arrow.schema.get_field_index("term"), "term", arrow["term"].cast(pa.int64()))
    cut = int(0.8 * len(table))
    splits = {"train": arrow.slice(0, cut), "validation": arrow.slice(cut)}
    recipe = {"parameters": {"n_estimators": TREES, "max_depth": 6, "learning_rate": 0.05}, "early_stopping_rounds": 0}
    snapshot = write_snapshot(scratch / "snapshot", splits, {"label": "late"})
    trained = train(snapshot, contract, parse(Recipe, recipe, field="recipe"), device="cpu")
    save(trained, scratch / "model", contract_digest="sha256:contract")
    return _bench("gauntlet", scratch / "model", table, TYPES, trained=True)


def sklearn_model(table: pd.DataFrame, scratch: Path) -> Bench:
    """Imputer, one-hot encoder and logistic regression, logged by MLflow's own flavour."""
    import mlflow.sklearn
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    types = {name: kind for name, kind in TYPES.items() if name != "open"}
    numbers = [name for name, kind in types.items() if kind.startswith(("double", "long"))]
    texts = ["region", "purpose"]
    filled = SimpleImputer(missing_values=None, strategy="constant", fill_value="missing")
    encoder = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", make_pipeline(filled, OneHotEncoder(handle_unknown="ignore")), texts),
            ("flags", "passthrough", ["member"]),
        ]
    )
    model = make_pipeline(encoder, LogisticRegression(max_iter=500)).fit(table[list(types)], table["late"])
    mlflow.sklearn.save_model(
        model,
        str(scratch / "model"),
        serialization_format="cloudpickle",
        pyfunc_predict_fn="predict_proba",
        signature=_signature(types, ("False", "True")),
        pip_requirements=["scikit-learn"],
    )
    return _bench("scikit-learn", scratch / "model", table, types)


def pandas_model(table: pd.DataFrame, scratch: Path) -> Bench:
    """A formula over a frame, as a PythonModel."""
    import mlflow.pyfunc

    class Formula(mlflow.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import numpy

            share = model_input["amount"] / model_input["income"].fillna(30_000.0)
            known = model_input["region"].fillna("").str.startswith("region-").astype(float)
            score = share + 8.0 * model_input["rate"] + 0.1 * known - 0.2 * model_input["member"]
            return (1.0 / (1.0 + numpy.exp(-score.clip(-30, 30)))).to_numpy()

    types = {name: TYPES[name] for name in ("amount", "income", "rate", "age", "region", "member")}
    mlflow.pyfunc.save_model(
        path=str(scratch / "model"),
        python_model=Formula(),
        signature=_signature(types, ("late",)),
        pip_requirements=["pandas"],
    )
    return _bench("pandas", scratch / "model", table, types)


def _signature(types: Mapping[str, str], outputs: Sequence[str]) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec(kind.rstrip("?"), name, required=not kind.endswith("?")) for name, kind in types.items()]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([ColSpec("double", name) for name in outputs]))


def _bench(name: str, folder: Path, table: pd.DataFrame, types: Mapping[str, str], *, trained: bool = False) -> Bench:
    whole = table[list(types)].dropna().head(TIMED)
    timed = [dict(zip(types, row, strict=True)) for row in zip(*(whole[one].tolist() for one in types), strict=True)]
    cases = {
        what: timed[0] | {column: value for column, value in changed.items() if column in types}
        for what, changed in CASES.items()
    }
    return Bench(name, folder, types, timed, cases, trained)
