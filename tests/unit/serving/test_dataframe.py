"""The frame for a stranger's model: what MLflow's own enforcement leaves of the same rows, type by type."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.served_models import brought, to_arrow
from gauntlet.errors import DataError
from gauntlet.prediction.model import load_pyfunc
from gauntlet.serving.contract import Input, InputContract, Rows, read_contract
from gauntlet.serving.dataframe import frame_of_rows
from gauntlet.serving.scorers import Pyfunc
from gauntlet.serving.values import KINDS
from gauntlet.training.frame import frame_of

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "long": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
    "boolean": st.booleans(),
    "datetime": st.datetimes(datetime(1678, 1, 1), datetime(2262, 1, 1)),
}
NEVER_MISSING = ("long", "integer")


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(1, 6))
    columns = {
        kind: draw(st.lists(values if kind in NEVER_MISSING else st.none() | values, min_size=count, max_size=count))
        for kind, values in VALUES.items()
    }
    return Rows(columns, count)


KIND_OF = {kind: kind for kind in VALUES}
CONTRACT = InputContract(tuple(Input(kind, KINDS[kind], kind in NEVER_MISSING) for kind in VALUES))


@given(tables())
def test_the_frame_is_that_of_batch_scoring(rows: Rows) -> None:
    through_arrow = frame_of(to_arrow(CONTRACT, rows), KIND_OF)
    through_arrow["datetime"] = through_arrow["datetime"].astype("datetime64[ns]")  # as MLflow does afterwards
    pd.testing.assert_frame_equal(frame_of_rows(rows, KIND_OF), through_arrow)


def test_a_model_sees_what_mlflow_would_show_it(tmp_path: Path) -> None:
    """The signature is enforced by nobody any more: so the frame must be what enforcement would have left."""
    seen: list[pd.DataFrame] = []

    columns = {kind: kind if kind in NEVER_MISSING else f"{kind}?" for kind in VALUES}
    folder = brought(tmp_path / "model", len, columns)
    ours, theirs = load_pyfunc(folder), load_pyfunc(folder)
    for model in (ours, theirs):
        model._predict_fn = seen.append
    scorer = Pyfunc(ours, read_contract(folder))
    full = {"double": 1.5, "float": 0.5, "long": 2, "integer": 3, "string": "é", "boolean": True}
    full["datetime"] = datetime(2026, 1, 2, 3)
    for row in (full, *({**full, kind: None} for kind in VALUES if kind not in NEVER_MISSING)):
        for rows in (Rows({kind: [value] for kind, value in row.items()}, 1), _below(row, full)):
            seen.clear()
            scorer.predict(rows)
            theirs.predict(frame_of(to_arrow(CONTRACT, rows), KIND_OF))
            pd.testing.assert_frame_equal(*seen)


def _below(row: dict[str, Any], other: dict[str, Any]) -> Rows:
    return Rows({kind: [row[kind], other[kind]] for kind in row}, 2)


def test_parameters_keep_their_defaults(tmp_path: Path) -> None:
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    class Shifted(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input["amount"] + params["shift"]

    signature = ModelSignature(
        Schema([ColSpec("double", "amount")]), params=ParamSchema([ParamSpec("shift", "double", 2.0)])
    )
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"), python_model=Shifted(), signature=signature, pip_requirements=["mlflow"]
    )
    scorer = Pyfunc(load_pyfunc(tmp_path / "model"), read_contract(tmp_path / "model"))
    assert list(scorer.predict(Rows({"amount": [1.0]}, 1))) == [3.0]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("long", None, id="a missing integer"),
        pytest.param("datetime", datetime(1500, 1, 1), id="a time beyond nanoseconds"),
    ],
)
def test_what_a_frame_cannot_hold_is_named_without_its_value(kind: str, value: Any) -> None:
    with pytest.raises(DataError, match=kind) as caught:
        frame_of_rows(Rows({"x": [value]}, 1), {"x": kind})
    assert "1500" not in str(caught.value)


def test_missing_values() -> None:
    rows = Rows({"double": [None], "string": [None], "boolean": [None], "datetime": [None]}, 1)
    frame = frame_of_rows(rows, {kind: kind for kind in rows.columns})
    assert math.isnan(frame["double"][0])
    assert frame["datetime"][0] is pd.NaT
    assert frame["string"][0] is None
    assert frame["boolean"][0] is None
    assert frame["boolean"].dtype == np.dtype(object)
