from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.features.properties.comparing import EXACT, Tolerance, compare

NUMBERS = st.lists(st.none() | st.floats(allow_nan=False, width=32) | st.just(math.inf), min_size=1, max_size=20)


@given(NUMBERS)
def test_a_table_agrees_with_itself(values: list[float | None]) -> None:
    table = pa.table({"income": pa.array(values, pa.float64())})
    assert compare(table, table, EXACT, types=True) == ()


@given(NUMBERS, st.floats(1e-3, 1e6))
def test_what_differs_one_way_differs_the_other_way(values: list[float | None], step: float) -> None:
    first = pa.table({"income": pa.array(values, pa.float64())})
    second = pa.table({"income": pa.array([None if one is None else one + step for one in values], pa.float64())})
    there, back = compare(first, second, Tolerance()), compare(second, first, Tolerance())
    assert [(one.rows, one.largest, one.nulls) for one in there] == [(one.rows, one.largest, one.nulls) for one in back]


def test_it_says_which_rows_differ_and_by_how_much() -> None:
    first = pa.table({"income": [1.0, 2.0, None, 4.0], "city": ["a", "b", "c", None]})
    second = pa.table({"income": [1.0, 2.5, 3.0, -4.0], "city": ["a", "x", "c", "d"]})
    income, city = sorted(compare(first, second, Tolerance()), key=lambda one: one.feature != "income")
    assert (income.rows, income.nulls, income.largest, income.row) == (3, 1, 8.0, 3)
    assert (income.expected, income.found, income.share) == (4.0, -4.0, 0.75)
    assert (city.rows, city.nulls, city.largest, city.expected, city.found) == (2, 1, None, "b", "x")


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        pytest.param([1.0], [1.0 + 1e-7], True, id="within the relative tolerance"),
        pytest.param([1.0], [1.0 + 1e-5], False, id="beyond it"),
        pytest.param([0.0], [1e-10], True, id="within the absolute tolerance"),
        pytest.param([math.inf], [math.inf], True, id="infinity and itself"),
        pytest.param([math.inf], [-math.inf], False, id="infinity and its opposite"),
        pytest.param([math.inf], [1e300], False, id="infinity and a number"),
        pytest.param([math.nan], [None], True, id="NaN and missing"),
        pytest.param([True], [1], True, id="true and one"),
        pytest.param([1], [1.5], False, id="a whole number and a fraction"),
        pytest.param([None], ["a"], False, id="nothing and text"),
        pytest.param([1.0], ["1.0"], False, id="a number and its text"),
    ],
)
def test_numbers_agree_within_the_tolerance(first: list[object], second: list[object], agree: bool) -> None:
    assert (compare(pa.table({"x": first}), pa.table({"x": second}), Tolerance()) == ()) is agree


def test_types_are_compared_where_asked() -> None:
    whole, real = pa.table({"x": [1]}), pa.table({"x": [1.0]})
    (found,) = compare(whole, real, EXACT, types=True)
    assert (found.what, found.expected, found.found) == ("type", "int64", "double")
    assert compare(whole, real, EXACT) == ()


def test_columns_that_come_and_go_are_differences_of_every_row() -> None:
    found = compare(pa.table({"x": [1, 2], "y": [1, 2]}), pa.table({"y": [1, 2], "z": [1, 2]}), EXACT)
    assert [(one.feature, one.what, one.share) for one in found] == [("x", "absent", 1.0), ("z", "new", 1.0)]


def test_other_numbers_of_rows_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="2 rows cannot be compared with 1"):
        compare(pa.table({"x": [1, 2]}), pa.table({"x": [1]}), EXACT)
