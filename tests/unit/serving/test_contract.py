from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import DataError
from gauntlet.serving.contract import (
    InputContract,
    contract_of,
    read_contract,
    rows_from_columns,
    rows_from_records,
)
from gauntlet.serving.errors import InvalidRequest, TooLarge
from gauntlet.serving.values import KINDS, LARGEST_FLOAT32, InvalidValue
from hypothesis_profiles import examples


def contract(outputs: list[str] | None = None, **columns: str) -> InputContract:
    """``age="long"`` is a required column, ``pay="double?"`` an optional one."""
    inputs = [
        {"name": name, "type": kind.rstrip("?"), "required": not kind.endswith("?")} for name, kind in columns.items()
    ]
    named = [{"name": name, "type": "double"} for name in outputs or []]
    return contract_of({"signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(named)}})


PEOPLE = contract(age="long", pay="double?", job="string?", member="boolean")
PERSON = {"age": 40, "pay": 1.5, "job": "clerk", "member": True}


@pytest.mark.parametrize(
    ("kind", "given_value", "read"),
    [
        ("double", 40, 40.0),
        ("double", -0.5, -0.5),
        ("double", 2**60, 2.0**60),
        ("float", LARGEST_FLOAT32, LARGEST_FLOAT32),
        ("long", 2**63 - 1, 2**63 - 1),
        ("long", 3.0, 3),
        ("integer", -(2**31), -(2**31)),
        ("string", "Ünal", "Ünal"),
        ("string", "", ""),
        ("boolean", False, False),
        ("datetime", "2026-02-03", datetime(2026, 2, 3)),
        ("datetime", "2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6)),
        ("datetime", "2026-02-03T04:05:06+02:00", datetime(2026, 2, 3, 2, 5, 6)),
    ],
)
def test_a_value_of_the_type_is_read(kind: str, given_value: Any, read: Any) -> None:
    value = KINDS[kind].read(given_value)
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize("before", [1, 9], ids=["few rows", "many rows"])
@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("double", "1.5", "expected a number (double), found string"),
        ("double", True, "expected a number (double), found boolean"),
        ("double", math.inf, "expected a number (double), found infinity"),
        ("double", 10**400, "expected a number (double), found integer (beyond the range of a 64-bit float)"),
        ("double", [1.0], "expected a number (double), found array"),
        ("double", {"v": 1.0}, "expected a number (double), found object"),
        ("float", 1e39, "expected a number (float), found number (beyond the range of a 32-bit float)"),
        ("long", 1.5, "expected an integer (long), found number"),
        ("long", True, "expected an integer (long), found boolean"),
        ("long", "40", "expected an integer (long), found string"),
        ("long", 2**63, "found integer (beyond the range of a 64-bit integer)"),
        ("long", 2.0**53, "found number (too large to be exact; write it without a fraction or exponent)"),
        ("long", math.inf, "expected an integer (long), found infinity"),
        ("integer", 2**31, "found integer (beyond the range of a 32-bit integer)"),
        ("string", 5, "expected a string, found integer"),
        ("string", "a\ud800", "expected a string, found string (not valid Unicode text)"),
        ("boolean", 1, "expected a boolean, found integer"),
        ("boolean", "true", "expected a boolean, found string"),
        ("datetime", "yesterday", "found string (not in ISO 8601)"),
        ("datetime", 1700000000, "expected a date and time in ISO 8601 (string), found integer"),
        ("long", None, "expected an integer (long), found null"),
        ("double", math.nan, "expected a number (double), found NaN"),
    ],
)
def test_any_other_value_is_refused_by_field_row_and_type(kind: str, value: Any, found: str, before: int) -> None:
    model = contract(x=kind)
    good = {
        "double": 1.0,
        "float": 1.0,
        "long": 1,
        "integer": 1,
        "string": "",
        "boolean": True,
        "datetime": "2026-01-01",
    }
    with pytest.raises(InvalidRequest) as caught:
        rows_from_records(model, [{"x": good[kind]}] * before + [{"x": value}])
    assert str(caught.value).startswith(f"x: row {before}: ")
    assert found in str(caught.value)
    assert (caught.value.field, caught.value.row) == ("x", before)


@pytest.mark.parametrize("missing", [{"pay": None}, {"pay": math.nan}, {}], ids=["null", "NaN", "absent"])
def test_an_optional_value_may_be_missing(missing: dict[str, Any]) -> None:
    person = {name: value for name, value in PERSON.items() if name != "pay"} | missing
    assert rows_from_records(PEOPLE, [person]).columns["pay"] == [None]


def test_rows_become_columns_in_the_models_order() -> None:
    shuffled = {name: PERSON[name] for name in reversed(PERSON)}
    rows = rows_from_records(PEOPLE, [shuffled, [41, None, "smith", False]])
    assert list(rows.columns.items()) == [
        ("age", [40, 41]),
        ("pay", [1.5, None]),
        ("job", ["clerk", "smith"]),
        ("member", [True, False]),
    ]
    assert rows == rows_from_columns(PEOPLE, dict(reversed(rows.columns.items())))


def test_the_only_column_takes_bare_values() -> None:
    assert rows_from_records(contract(x="double"), [1, 2.5]).columns == {"x": [1.0, 2.5]}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (PERSON | {"agee": 3}, "agee: row 0: the model takes no such column. Did you mean 'age'?"),
        (PERSON | {"zzzzzz": 3}, "zzzzzz: row 0: .* The model's columns: age, pay, job, member."),
        ({"pay": 1.0}, "age: row 0: the model needs these columns: age, member"),
        ({"age": 40}, "member: row 0: the model needs this column: member"),
        ([1, 2], "row 0: holds 2 values for 4 columns"),
        ("secret", "row 0: expected an object or an array, found string"),
        (None, "row 0: expected an object or an array, found null"),
        ({}, "age: row 0: the model needs these columns"),
    ],
)
def test_a_row_of_another_form(record: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        rows_from_records(PEOPLE, [record])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": [1, 2], "member": [True]}, "member: has fewer values than other columns"),
        ({"age": [1], "member": [True], "pays": [1]}, "pays: the model takes no such column. Did you mean 'pay'?"),
        ({"age": [1]}, "member: the model needs this column"),
        ({"age": [], "member": []}, "the request holds no rows"),
        ({}, "needs these columns: age, member"),
        ({"age": [1, 1.5], "member": [True, True]}, "age: row 1: expected an integer"),
    ],
)
def test_columns_of_another_form(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        rows_from_columns(PEOPLE, columns)


def test_too_many_rows_and_none() -> None:
    with pytest.raises(TooLarge, match="holds 3 rows; 2 are allowed"):
        rows_from_records(PEOPLE, [PERSON] * 3, most_rows=2)
    with pytest.raises(TooLarge, match="holds 3 rows; 2 are allowed"):
        rows_from_columns(PEOPLE, {"age": [1] * 3, "member": [True] * 3}, most_rows=2)
    with pytest.raises(InvalidRequest, match="holds no rows"):
        rows_from_records(PEOPLE, [])
    assert rows_from_records(PEOPLE, [PERSON] * 2, most_rows=2).count == 2


SECRET = "Mrs. 4111-1111"
WRONG = st.one_of(
    st.just(SECRET), st.just(41111111.5), st.just(41111111), st.just([SECRET]), st.just({SECRET: 1}), st.booleans()
)


@given(person=st.fixed_dictionaries({"age": WRONG, "pay": WRONG, "job": WRONG, "member": WRONG}))
def test_no_message_repeats_a_value(person: dict[str, Any]) -> None:
    try:
        rows_from_records(PEOPLE, [person])
    except InvalidRequest as error:
        text = f"{error} {error.value} {error.__cause__} {error.args}"
        assert "4111" not in text


def test_a_long_or_unprintable_name_is_shortened() -> None:
    with pytest.raises(InvalidRequest) as caught:
        rows_from_records(PEOPLE, [PERSON | {"a\nb" + "x" * 10_000: 1}])
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (None, "no signature"),
        ({"inputs": None}, "no signature"),
        ({"inputs": "[]"}, "no signature"),
        ({"inputs": "{"}, "cannot be read"),
        ({"inputs": "[1]"}, "cannot be read"),
        ({"inputs": '[{"name": "x"}]'}, "cannot be read"),
        ({"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]'}, "holds a tensor"),
        ({"inputs": '[{"type": "double"}]'}, "a column has no name"),
        ({"inputs": '[{"type": "array", "name": "x", "items": {"type": "double"}}]'}, "nested type"),
        ({"inputs": '[{"type": "double", "name": "x"}, {"type": "long", "name": "x"}]'}, "names a column twice"),
    ],
)
def test_a_model_without_a_usable_signature(signature: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        contract_of({"signature": signature})
    assert not isinstance(caught.value, InvalidRequest)


@pytest.mark.parametrize("content", [None, b"\xff", b"a: [", b"", b"- 1"])
def test_an_mlmodel_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(DataError):
        read_contract(tmp_path)


def test_columns_are_required_unless_the_signature_says_otherwise(tmp_path: Path) -> None:
    inputs = [{"name": "x", "type": "double"}, {"name": "y", "type": "long", "required": False}]
    document = {"signature": {"inputs": json.dumps(inputs), "outputs": json.dumps([{"type": "double", "name": "p"}])}}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump(document))
    contract = read_contract(tmp_path)
    assert [(column.name, column.kind.name, column.required) for column in contract.inputs] == [
        ("x", "double", True),
        ("y", "long", False),
    ]
    assert contract.outputs == ("p",)
    unnamed = contract_of({"signature": {"inputs": json.dumps(inputs), "outputs": '[{"type": "double"}]'}})
    assert unnamed.outputs == ()


def test_reading_a_contract_loads_no_machine_learning_library() -> None:
    check = (
        "import sys; from gauntlet.serving import contract, protocol_v1, protocol_v2; "
        "sys.exit(bool({'mlflow', 'xgboost', 'sklearn', 'pandas', 'pyarrow'} & sys.modules.keys()))"
    )
    assert (
        subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": ":".join(sys.path)}, check=False).returncode
        == 0
    )


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3))
def test_a_value_is_read_or_unfit_and_nothing_else(kind: str, value: Any) -> None:
    try:
        read = KINDS[kind].read(value)
    except InvalidValue:
        return
    assert type(read) in (float, int, str, bool, datetime)
    if type(value) in (int, float, bool, str) and kind != "datetime":
        assert read == pytest.approx(value) if kind in ("double", "float") else read == value


VALUES = {
    "double": st.floats() | st.integers(),
    "float": st.floats(width=32) | st.floats(),
    "long": st.integers(-(2**63), 2**63 - 1) | st.integers() | st.floats(),
    "integer": st.integers(-(2**31), 2**31 - 1) | st.integers(),
    "string": st.text() | st.just("a\ud800"),
    "boolean": st.booleans() | st.integers(0, 1),
    "datetime": st.datetimes().map(datetime.isoformat) | st.text(max_size=3),
}


@pytest.mark.parametrize("required", ["", "?"], ids=["required", "optional"])
@pytest.mark.parametrize("kind", KINDS)
@examples(60)
@given(data=st.data())
def test_many_values_are_read_as_each_alone_would_be(kind: str, required: str, data: st.DataObject) -> None:
    some = st.lists(VALUES[kind], min_size=1, max_size=12) | st.lists(VALUES[kind] | st.none(), min_size=5, max_size=12)
    values, model = data.draw(some), contract(x=kind + required)

    def read(given_values: list[Any]) -> list[Any] | None:
        try:
            return list(rows_from_columns(model, {"x": given_values}).columns["x"])
        except InvalidRequest:
            return None

    alone = [read([value]) for value in values]
    together = read(values)
    if None in alone:
        assert together is None
    else:
        assert together is not None
        assert [(type(one), one) for one in together] == [(type(one[0]), one[0]) for one in alone if one]
