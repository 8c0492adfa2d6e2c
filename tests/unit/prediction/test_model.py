"""Models that a team brings: any MLflow pyfunc, with or without a signature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.prediction.batch import predict_split
from gauntlet.prediction.format import read_rows

SnapshotOf = Callable[..., Snapshot]


def save(folder: Path, function: Callable[[pd.DataFrame], Any], inputs: dict[str, str] | None) -> Path:
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    class Brought(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return function(model_input)

    signature = inputs and ModelSignature(inputs=Schema([ColSpec(kind, name) for name, kind in inputs.items()]))
    mlflow.pyfunc.save_model(path=str(folder), python_model=Brought(), signature=signature, pip_requirements=["mlflow"])
    return folder


def squashed(frame: pd.DataFrame) -> Any:
    return 1 / (1 + np.exp(-frame["amount"].fillna(0.0)))


@pytest.mark.parametrize("inputs", [{"amount": "double", "code": "long"}, None], ids=["signature", "no signature"])
def test_any_pyfunc_is_scored(snapshot_of: SnapshotOf, tmp_path: Path, inputs: dict[str, str] | None) -> None:
    snapshot = snapshot_of()
    manifest = predict_split(save(tmp_path / "model", squashed, inputs), snapshot, tmp_path / "out")
    rows = read_rows(tmp_path / "out")
    amounts = snapshot.table("test")["amount"].to_pandas()
    np.testing.assert_allclose(rows["score"].to_numpy(), squashed(pd.DataFrame({"amount": amounts})))
    assert manifest.task == "binary"
    assert manifest.classes == ("late", "paid")
    assert manifest.seed_spread == {}


@pytest.mark.parametrize(
    ("function", "inputs", "message"),
    [
        pytest.param(
            squashed, {"amount": "double", "income": "double"}, "income: the model needs this column", id="lacks"
        ),
        pytest.param(squashed, {"region": "double"}, "region: the model's signature requires double", id="type"),
        pytest.param(squashed, {"count": "long"}, r"count: .*requires long.*values are missing", id="nulls in long"),
        pytest.param(lambda frame: frame["amount"], {"amount": "double"}, "NaN or infinite", id="NaN scores"),
        pytest.param(
            lambda frame: frame["gone"], {"amount": "double"}, "the model failed to score.*KeyError", id="fails"
        ),
    ],
)
def test_a_brought_model_that_does_not_work(
    snapshot_of: SnapshotOf,
    tmp_path: Path,
    function: Callable[[pd.DataFrame], Any],
    inputs: dict[str, str],
    message: str,
) -> None:
    model = save(tmp_path / "model", function, inputs)
    with pytest.raises(DataError, match=message):
        predict_split(model, snapshot_of(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["flavors: {}", "nonsense", ""])
def test_an_mlmodel_without_a_python_function(snapshot_of: SnapshotOf, tmp_path: Path, content: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text(content)
    with pytest.raises(DataError, match="python_function flavor"):
        predict_split(tmp_path / "model", snapshot_of(), tmp_path / "out")
