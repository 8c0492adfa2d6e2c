"""The direct path and the pyfunc answer alike, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.served_models import to_arrow
from gauntlet.serving.contract import InputContract, Rows, read_contract, rows_from_records
from gauntlet.serving.direct import load_direct
from gauntlet.serving.errors import InvalidRequest
from gauntlet.training.frame import frame_of
from hypothesis_profiles import examples

ModelOf = Callable[[str], Path]

TYPICAL: dict[str, Any] = {
    "amount": 0.3,
    "count": 12,
    "region": "east",
    "code": 2,
    "member": True,
    "open": False,
    "age": 41,
    "grade": -1,
    "rate": -0.7,
    "name": "Ünal",
}
CASES: Mapping[str, dict[str, Any]] = {
    "typical": {},
    "integers for doubles": {"amount": 1, "rate": 0},
    "whole number for a long": {"age": 41.0, "code": 3.0},
    "integer beyond float32's exactness": {"count": 2**24 + 1, "age": 2**53 + 1},
    "largest integers": {"age": 2**63 - 1, "code": -(2**63)},
    "amount near the float32 range": {"amount": 3.4e38},
    "amount below float32's resolution": {"amount": 1e-46},
    "negative zero": {"amount": -0.0, "grade": -0.0},
    **{f"{name} missing": {name: None} for name in ("amount", "count", "region", "open", "grade")},
    "everything optional missing": dict.fromkeys(("amount", "count", "region", "open", "grade")),
    "unseen text": {"region": "atlantis", "name": "nobody"},
    "empty text": {"name": ""},
    "category in another case": {"region": "East"},
    "unseen code": {"code": 99, "grade": 7},
    "grade that is no whole number": {"grade": 0.5},
    "grade beyond exactness": {"grade": 2.0**60},
    "booleans the other way": {"member": False, "open": True},
}


def pyfunc_answer(folder: Path, contract: InputContract, rows: Rows) -> np.ndarray:
    import mlflow.pyfunc

    model = _loaded.setdefault(folder, mlflow.pyfunc.load_model(str(folder)))
    return np.asarray(
        model.predict(frame_of(to_arrow(contract, rows), {column.name: column.kind.name for column in contract.inputs}))
    )


_loaded: dict[Path, Any] = {}


def assert_alike(folder: Path, records: list[dict[str, Any]]) -> None:
    contract = read_contract(folder)
    rows = rows_from_records(contract, records)
    answer, expected = load_direct(folder).predict(rows), pyfunc_answer(folder, contract, rows)
    assert answer.dtype == expected.dtype
    np.testing.assert_array_equal(answer, expected, strict=True)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("case", CASES)
def test_one_row(model_of: ModelOf, task: str, case: str) -> None:
    assert_alike(model_of(task), [TYPICAL | CASES[case]])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_many_rows(model_of: ModelOf, task: str) -> None:
    assert_alike(model_of(task), [TYPICAL | case for case in CASES.values()])


def test_an_absent_optional_column_is_a_missing_one(model_of: ModelOf) -> None:
    import mlflow.pyfunc
    import pandas as pd

    folder = model_of("binary")
    record = {name: value for name, value in TYPICAL.items() if name not in ("amount", "region", "open")}
    answer = load_direct(folder).predict(rows_from_records(read_contract(folder), [record]))
    frame = pd.DataFrame([record]).astype({"count": "float64", "grade": "float64"})
    np.testing.assert_array_equal(answer, mlflow.pyfunc.load_model(str(folder)).predict(frame))


def records() -> st.SearchStrategy[dict[str, Any]]:
    number = st.floats(-3e38, 3e38) | st.integers(-(10**6), 10**6)
    whole = st.integers(-(2**63), 2**63 - 1)
    text = st.text(max_size=4) | st.sampled_from(["north", "south", "east", "west", "Ünal", "Ωmega", "x y"])
    return st.fixed_dictionaries(
        {
            "amount": st.none() | number,
            "count": st.none() | number,
            "region": st.none() | text,
            "code": st.integers(0, 4) | whole,
            "member": st.booleans(),
            "open": st.none() | st.booleans(),
            "age": whole,
            "grade": st.none() | st.integers(-3, 3) | number,
            "rate": number,
            "name": text,
        }
    )


@examples(60)
@given(batch=st.lists(records(), min_size=1, max_size=5), task=st.sampled_from(["binary", "multiclass", "regression"]))
def test_any_rows(model_of: ModelOf, batch: list[dict[str, Any]], task: str) -> None:
    assert_alike(model_of(task), batch)


def test_a_number_beyond_the_models_floats_is_refused_by_name_and_row(model_of: ModelOf) -> None:
    folder = model_of("binary")
    rows = rows_from_records(read_contract(folder), [TYPICAL, TYPICAL | {"amount": -1e39}])
    with pytest.raises(InvalidRequest, match="amount: row 1: beyond") as caught:
        load_direct(folder).predict(rows)
    assert "1e" not in str(caught.value)
