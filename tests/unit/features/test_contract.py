from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import DataError
from gauntlet.features.contract import FeatureContract, Terms, contract_of_model, contract_of_rows, to_json
from gauntlet.storage import write_json, write_text

SIGNATURE = [
    {"type": "double", "name": "amount", "required": False},
    {"type": "long", "name": "code", "required": True},
    {"type": "string", "name": "city"},
    {"type": "datetime", "name": "when", "required": True},
]


def test_rows_show_types_missing_values_and_categories() -> None:
    batches = [
        pa.table({"income": [1.0, None], "city": ["Bern", None], "count": [1, 2], "late": pa.nulls(2)}),
        pa.table({"income": [float("nan"), 2.0], "city": ["Oslo", "Bern"], "count": [1.5, 2], "late": [True, None]}),
    ]
    contract = contract_of_rows(batches, "the store", "sha256:1")
    assert (contract.owner, contract.side, contract.state) == ("the store", "gives", "sha256:1")
    assert list(contract.terms.values()) == [
        Terms("income", "float", None, 4, 2),
        Terms("city", "string", None, 4, 1, {"Bern": 2, "Oslo": 1}),
        Terms("count", "float", None, 4, 0),
        Terms("late", "bool", None, 4, 3),
    ]


def test_text_with_too_many_values_has_no_domain() -> None:
    names = pa.table({"name": [f"n{number}" for number in range(1_001)]})
    assert contract_of_rows([names], "the store").terms["name"].categories is None
    halves = [names.slice(0, 600), names.slice(600)]
    assert contract_of_rows(halves, "the store").terms["name"].categories is None
    assert contract_of_rows([names, names.slice(0, 1)], "the store").terms["name"].categories is None


@given(st.lists(st.none() | st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 29))
def test_batches_do_not_change_what_is_seen(values: list[str | None], cut: int) -> None:
    table = pa.table({"x": pa.array(values, pa.string())})
    pieces = [table.slice(0, cut), table.slice(cut)]
    assert contract_of_rows(pieces, "it") == contract_of_rows([table], "it")


def test_columns_and_types_may_not_change_between_batches() -> None:
    with pytest.raises(DataError, match="the store gives other columns in some rows"):
        contract_of_rows([pa.table({"x": [1]}), pa.table({"y": [1]})], "the store")
    with pytest.raises(DataError, match="x: is int in some rows and string in others"):
        contract_of_rows([pa.table({"x": [1]}), pa.table({"x": ["a"]})], "the store")


def test_a_signature_declares_what_a_model_reads(tmp_path: Path) -> None:
    write_text(tmp_path / "MLmodel", json.dumps({"signature": {"inputs": json.dumps(SIGNATURE)}}))
    contract = contract_of_model(tmp_path, "the champion")
    assert contract.side == "reads"
    assert list(contract.terms.values()) == [
        Terms("amount", "float", False),
        Terms("code", "int", True),
        Terms("city", "string", True),
        Terms("when", "timestamp", True),
    ]


def test_our_own_encoder_says_more_than_a_signature(tmp_path: Path) -> None:
    features = [
        {"name": "amount", "type": "int", "categories": None, "required": False},
        {"name": "city", "type": "string", "categories": ["Bern", "Oslo"], "required": True},
    ]
    write_json(tmp_path / "data" / "gauntlet" / "encoder.json", {"features": features})
    contract = contract_of_model(tmp_path, "the candidate")
    assert contract.terms["amount"] == Terms("amount", "int", False)
    assert list(contract.terms["city"].categories or ()) == ["Bern", "Oslo"]
    features[1]["categories"] = ["Oslo", "Bern"]
    write_json(tmp_path / "data" / "gauntlet" / "encoder.json", {"features": features})
    assert contract_of_model(tmp_path, "the candidate").state != contract.state


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("flavors: {}", id="no signature"),
        pytest.param('signature: {inputs: \'[{"type": "tensor"}]\'}', id="no names"),
        pytest.param("signature: {inputs: '['}", id="no JSON"),
        pytest.param("[", id="no YAML"),
        pytest.param(None, id="no file"),
    ],
)
def test_a_model_that_declares_nothing_is_an_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        write_text(tmp_path / "MLmodel", content)
    with pytest.raises(DataError, match="the candidate does not declare the columns it reads") as caught:
        contract_of_model(tmp_path, "the candidate")
    assert "Log the model with a signature" in str(caught.value)


def test_a_contract_is_json() -> None:
    contract = FeatureContract("the store", "gives", {"city": Terms("city", "string", None, 2, 1, {"Bern": 1})})
    assert json.loads(json.dumps(to_json(contract)))["terms"] == [
        {"name": "city", "type": "string", "required": None, "rows": 2, "missing": 1, "categories": {"Bern": 1}}
    ]
