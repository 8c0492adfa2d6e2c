"""Models to serve: of ours with every kind of column, and such as a team brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.contract import Column, Contract
from gauntlet.serving.contract import InputContract, Rows
from snapshots import write_snapshot

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


def train_one(task: str, scratch: Path) -> Path:
    """A model folder as ``train_model`` writes it."""
    from gauntlet.training.bundle import save
    from gauntlet.training.trainer import train

    splits = {
        name: with_every_type(make_table(rows, seed, task))
        for seed, (name, rows) in enumerate({"train": 400, "validation": 100}.items())
    }
    snapshot = write_snapshot(scratch / "snapshot", splits, ROLES)
    trained = train(snapshot, EVERY_TYPE, recipe_of(parameters={"n_estimators": 40}), device="cpu")
    save(trained, scratch / "model", contract_digest="sha256:contract")
    return scratch / "model"


COLUMNS = {"amount": "double", "code": "long", "region": "string?", "member": "boolean", "since": "datetime?"}


def brought(folder: Path, function: Callable[[Any], Any], columns: Any = COLUMNS, example: Any = None) -> Path:
    """A team's own pyfunc, pickled."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    class Brought(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return function(model_input)

    specs = [ColSpec(kind.rstrip("?"), name, required=not kind.endswith("?")) for name, kind in (columns or {}).items()]
    mlflow.pyfunc.save_model(
        path=str(folder),
        python_model=Brought(),
        signature=ModelSignature(inputs=Schema(specs)) if specs else None,
        input_example=example,
        pip_requirements=["mlflow"],
    )
    return folder


def to_arrow(contract: InputContract, rows: Rows) -> Any:
    """Checked rows as a record batch, the form in which batch scoring meets the same rows."""
    import pyarrow as pa

    types = {
        "double": pa.float64(),
        "float": pa.float32(),
        "long": pa.int64(),
        "integer": pa.int32(),
        "string": pa.string(),
        "boolean": pa.bool_(),
        "datetime": pa.timestamp("us"),
    }
    return pa.RecordBatch.from_pydict(
        {one.name: pa.array(rows.columns[one.name], types[one.kind.name]) for one in contract.inputs}
    )
