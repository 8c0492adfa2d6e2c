"""Requests in, responses out, in both protocols."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import DataError
from gauntlet.serving import protocol_v1, protocol_v2
from gauntlet.serving.answer import answer_of
from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.errors import InvalidRequest, TooLarge

TYPES = {"age": "long", "pay": "double", "job": "string", "member": "boolean"}
OPTIONAL = ("pay", "job")
PEOPLE = contract_of(
    {
        "signature": {
            "inputs": json.dumps([{"name": n, "type": t, "required": n not in OPTIONAL} for n, t in TYPES.items()]),
            "outputs": json.dumps([{"name": "late", "type": "double"}, {"name": "paid", "type": "double"}]),
        }
    }
)
PLAIN = contract_of({"signature": {"inputs": json.dumps([{"name": n, "type": "double"} for n in "ab"])}})

ONE = contract_of({"signature": {"inputs": json.dumps([{"name": "a", "type": "double"}])}})

PERSON = st.fixed_dictionaries(
    {
        "age": st.integers(-(2**63), 2**63 - 1),
        "pay": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "job": st.none() | st.text(),
        "member": st.booleans(),
    }
)


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}


def people(rows: int = 2) -> list[dict[str, Any]]:
    return [tensor("age", "INT64", [40] * rows), tensor("member", "BOOL", [True] * rows)]


@given(persons=st.lists(PERSON, min_size=1, max_size=6))
def test_every_way_of_writing_rows_gives_the_same_rows(persons: list[dict[str, Any]]) -> None:
    columns = {name: [person[name] for person in persons] for name in TYPES}
    datatypes = {"age": "INT64", "pay": "FP64", "job": "BYTES", "member": "BOOL"}
    flat = [tensor(name, datatypes[name], values) for name, values in columns.items()]
    nested = [one | {"shape": [len(persons), 1], "data": [[value] for value in one["data"]]} for one in flat]
    read = [
        protocol_v1.parse(through_json({"instances": persons}), PEOPLE),
        protocol_v1.parse(
            through_json({"instances": [[person[name] for name in TYPES] for person in persons]}), PEOPLE
        ),
        protocol_v1.parse(through_json({"inputs": persons}), PEOPLE),
        protocol_v1.parse(through_json({"inputs": columns}), PEOPLE),
        protocol_v2.parse(through_json({"inputs": flat}), PEOPLE).rows,
        protocol_v2.parse(through_json({"inputs": nested[::-1]}), PEOPLE).rows,
    ]
    assert all(one == Rows(columns, len(persons)) for one in read)


@given(data=st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2), min_size=1, max_size=5))
def test_one_tensor_of_all_columns(data: list[tuple[float, float]]) -> None:
    expected = Rows({"a": [one for one, _ in data], "b": [two for _, two in data]}, len(data))
    for values in ([value for row in data for value in row], [list(row) for row in data]):
        request = {"inputs": [tensor("input-0", "FP64", values, [len(data), 2])]}
        assert protocol_v2.parse(request, PLAIN).rows == expected


@given(
    scores=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_answers_survive_both_protocols_exactly(scores: list[float], dtype: str) -> None:
    output = np.stack([1 - np.array(scores, dtype), np.array(scores, dtype)], axis=1)
    answer = answer_of(output, rows=len(scores), names=PEOPLE.outputs)
    v1 = through_json(protocol_v1.respond(answer))["predictions"]
    np.testing.assert_array_equal(np.array(v1, dtype), output)
    request = protocol_v2.Request("r1", Rows({}, len(scores)))
    v2 = through_json(protocol_v2.respond(answer, request, model="m", version="3"))
    assert {key: v2[key] for key in ("model_name", "model_version", "id")} == {
        "model_name": "m",
        "model_version": "3",
        "id": "r1",
    }
    assert [tensor["name"] for tensor in v2["outputs"]] == ["late", "paid"]
    for one, column in zip(v2["outputs"], output.T, strict=True):
        assert (one["shape"], one["datatype"]) == ([len(scores)], {"float32": "FP32", "float64": "FP64"}[dtype])
        np.testing.assert_array_equal(np.array(one["data"], dtype), column)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ([], "request body: expected an object, found array"),
        ({}, "request body: has neither instances nor inputs"),
        ({"instances": [], "inputs": []}, "request body: has both"),
        ({"instances": [{}], "signature_name": "x"}, "signature_name: the protocol has no such key"),
        ({"instance": [{}]}, "instance: the protocol has no such key. Did you mean 'instances'?"),
        ({"instances": {"age": [1]}}, "instances: expected an array of rows, found object"),
        ({"instances": "secret"}, "instances: expected an array of rows, found string"),
        ({"instances": None}, "instances: expected an array of rows, found null"),
        ({"instances": []}, "holds no rows"),
        ({"inputs": {"age": 4, "member": [True]}}, "age: expected an array of values, found integer"),
        ({"instances": [{"age": 4.5, "member": True}]}, "age: row 0: expected an integer"),
    ],
)
def test_what_version_1_refuses(payload: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        protocol_v1.parse(payload, PEOPLE)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ([], "request body: expected an object, found array"),
        ({}, "inputs: expected an array of tensors"),
        ({"inputs": []}, "inputs: expected an array of tensors"),
        ({"inputs": [3]}, r"inputs\[0\]: expected an object, found integer"),
        ({"instances": []}, "instances: request body has no such key"),
        ({"inputs": people(), "id": 7}, "id: expected a string of at most 256 characters, found integer"),
        ({"inputs": people(), "id": "x" * 257}, "id: expected a string of at most"),
        ({"inputs": people(), "id": "\ud83d"}, "id: contains a lone surrogate"),
        ({"inputs": [{"name": 4}]}, r"inputs\[0\].name: expected a name, found integer"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"dat": 1}]}, "dat: .*Did you mean 'data'"),
        ({"inputs": [tensor("age", "INT65", [1])]}, "age: has no datatype of the protocol"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"datatype": ["INT64"]}]}, "age: has no datatype of the protocol"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"shape": [True]}]}, "age: its shape is not an array of sizes"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"shape": 1}]}, "age: its shape is not an array of sizes"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"data": None}]}, "age: expected an array of data, found null"),
        ({"inputs": [tensor("age", "INT64", [1]) | {"parameters": []}]}, "age: expected an object of parameters"),
        (
            {"inputs": [tensor("age", "INT64", [1]) | {"parameters": {"binary_data_size": 8}}]},
            "age: has binary data",
        ),
        ({"inputs": [tensor("agee", "INT64", [1])]}, "agee: .*Did you mean 'age'"),
        ({"inputs": [*people(), tensor("age", "INT64", [1])]}, "age: is given twice"),
        ({"inputs": [tensor("age", "FP64", [1.0])]}, "age: expected an integer .long., found FP64"),
        ({"inputs": [tensor("age", "INT64", [1.5])]}, "age: row 0: declared INT64, found number"),
        ({"inputs": [tensor("age", "INT8", [128])]}, "age: row 0: declared INT8, found integer"),
        ({"inputs": [tensor("age", "UINT8", [-1])]}, "age: row 0: declared UINT8, found integer"),
        ({"inputs": [tensor("age", "UINT64", [2**63]), tensor("member", "BOOL", [True])]}, "age: row 0: .*64-bit"),
        ({"inputs": [tensor("age", "INT64", [True])]}, "age: row 0: declared INT64, found boolean"),
        (
            {"inputs": [tensor("age", "INT64", [1, 2], [3])]},
            "age: its data does not have the shape declared, 3 rows of 1",
        ),
        ({"inputs": [tensor("age", "INT64", [[1, 2]], [1, 1])]}, "age: its data does not have the shape"),
        ({"inputs": [tensor("age", "INT64", [1, 2], [1, 2])]}, "age: its shape is not that of one value a row"),
        ({"inputs": [tensor("age", "INT64", [1], [1, 1, 1])]}, "age: its shape is not that of"),
        ({"inputs": [*people(2)[:1], *people(3)[1:]]}, "age: has fewer values than other columns"),
        ({"inputs": people()[:1]}, "member: the model needs this column"),
        ({"inputs": [tensor("age", "INT64", [None]), tensor("member", "BOOL", [True])]}, "age: row 0: .*found null"),
        ({"inputs": people(), "outputs": "paid"}, "outputs: expected an array of objects with a name"),
        ({"inputs": people(), "outputs": [{"name": "pade"}]}, "pade: .*Did you mean 'paid'"),
    ],
)
def test_what_version_2_refuses(payload: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        protocol_v2.parse(payload, PEOPLE)


def test_limits_hold_in_both() -> None:
    with pytest.raises(TooLarge):
        protocol_v1.parse({"instances": [{}] * 5}, PEOPLE, most_rows=4)
    with pytest.raises(TooLarge):
        protocol_v2.parse({"inputs": people(5)}, PEOPLE, most_rows=4)


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2) | st.sampled_from(["INT64", "BOOL"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["instances", "inputs", "age", "member", "name", "shape", "datatype", "data", "id", "outputs"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_rows_or_an_invalid_request(payload: Any) -> None:
    for protocol in (protocol_v1, protocol_v2):
        try:
            protocol.parse(payload, PEOPLE)
        except InvalidRequest:
            continue


def test_only_the_outputs_asked_for_come_back() -> None:
    request = protocol_v2.parse({"inputs": people(), "outputs": [{"name": "paid"}]}, PEOPLE)
    response = protocol_v2.respond(answer_of(np.zeros((2, 2)), rows=2, names=PEOPLE.outputs), request, model="m")
    assert [tensor["name"] for tensor in response["outputs"]] == ["paid"]
    assert response.keys() == {"model_name", "outputs"}


def test_an_output_that_the_model_does_not_give_is_refused_where_its_signature_names_none() -> None:
    asked = protocol_v2.parse({"inputs": [tensor("a", "FP64", [1.0])], "outputs": [{"name": "paid"}]}, ONE)
    with pytest.raises(InvalidRequest, match="paid: the model has no such output"):
        protocol_v2.respond(answer_of(np.zeros(1), rows=1), asked, model="m")


@pytest.mark.parametrize(
    ("output", "v1", "v2"),
    [
        (np.array([1, 2]), [1, 2], [("prediction", "INT64")]),
        (np.array([True, False]), [True, False], [("prediction", "BOOL")]),
        (np.array(["a", "b"]), ["a", "b"], [("prediction", "BYTES")]),
        (np.array(["a", None], object), ["a", None], [("prediction", "BYTES")]),
        ([0.5, 0.25], [0.5, 0.25], [("prediction", "FP64")]),
        (pd.Series([0.5, 0.25]), [0.5, 0.25], [("prediction", "FP64")]),
        (np.array([[1.0], [2.0]], "f4"), [[1.0], [2.0]], [("prediction", "FP32")]),
        (np.zeros((2, 2)), [[0.0, 0.0]] * 2, [("prediction-0", "FP64"), ("prediction-1", "FP64")]),
        (
            pd.DataFrame({"label": ["x", "y"], "score": [0.5, 1.0]}),
            [{"label": "x", "score": 0.5}, {"label": "y", "score": 1.0}],
            [("label", "BYTES"), ("score", "FP64")],
        ),
    ],
    ids=["ints", "bools", "text", "objects", "list", "series", "one column", "matrix", "frame"],
)
def test_whatever_a_model_returns(output: Any, v1: list[Any], v2: list[tuple[str, str]]) -> None:
    answer = answer_of(output, rows=2)
    assert through_json(protocol_v1.respond(answer)) == {"predictions": v1}
    tensors = through_json(protocol_v2.respond(answer, protocol_v2.Request("", Rows({}, 2)), model="m"))["outputs"]
    assert [(tensor["name"], tensor["datatype"]) for tensor in tensors] == v2


@pytest.mark.parametrize(
    "output",
    [
        np.zeros(3),
        np.zeros((2, 2, 2)),
        {"a": [1, 2]},
        np.array([1.0, np.nan]),
        3.0,
        [[1], [1, 2]],
        pd.DataFrame(),
        None,
    ],
    ids=["rows", "dimensions", "dict", "NaN", "scalar", "ragged", "no column", "none"],
)
def test_what_is_no_answer(output: Any) -> None:
    with pytest.raises(DataError):
        answer_of(output, rows=2)


def test_metadata_names_inputs_and_outputs() -> None:
    document = protocol_v2.metadata(PEOPLE, model="m", version="3")
    assert document["versions"] == ["3"]
    assert [(tensor["name"], tensor["datatype"]) for tensor in document["inputs"]] == [
        ("age", "INT64"),
        ("pay", "FP64"),
        ("job", "BYTES"),
        ("member", "BOOL"),
    ]
    assert [tensor["name"] for tensor in document["outputs"]] == ["late", "paid"]


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))
