from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import DataError
from gauntlet.training.encoding import Feature, as_text, encode

REGION = Feature("region", "string", ("east", "north"))
CODE = Feature("code", "int", ("1", "10", "2"))
AMOUNT = Feature("amount", "float")
MEMBER = Feature("member", "bool")


def one(feature: Feature, values: object) -> list[float]:
    rows = len(values)  # type: ignore[arg-type]  # every case has a length
    return encode([feature], {feature.name: values}, rows)[:, 0].tolist()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pa.array(["north", None, "mars", "east"]), id="arrow"),
        pytest.param(pa.chunked_array([["north", None], ["mars", "east"]]), id="arrow chunks"),
        pytest.param(pa.array(["north", None, "mars", "east"]).dictionary_encode(), id="arrow dictionary"),
        pytest.param(pd.Series(["north", None, "mars", "east"]), id="pandas None"),
        pytest.param(pd.Series(["north", np.nan, "mars", "east"]), id="pandas NaN"),
        pytest.param(pd.Series(["north", pd.NA, "mars", "east"]), id="pandas NA"),
        pytest.param(pd.Series(["north", pd.NA, "mars", "east"], dtype="string"), id="pandas string type"),
        pytest.param(pd.Series(["north", None, "mars", "east"], dtype="category"), id="pandas category"),
        pytest.param(["north", None, "mars", "east"], id="list"),
    ],
)
def test_missing_and_unseen_categories_are_nan_however_they_arrive(values: object) -> None:
    np.testing.assert_array_equal(one(REGION, values), [1, np.nan, np.nan, 0])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pa.array([2, None, 10, 7]), id="integers"),
        pytest.param(pd.Series([2.0, np.nan, 10.0, 7.0]), id="floats after pandas"),
        pytest.param(pd.Series([2, None, 10, 7], dtype="Int64"), id="nullable integers"),
        pytest.param(pa.array(["2", None, "10", "7"]), id="text"),
    ],
)
def test_integer_codes_are_categories_whatever_carries_them(values: object) -> None:
    np.testing.assert_array_equal(one(CODE, values), [2, np.nan, 1, np.nan])


def test_a_fraction_is_no_integer_code() -> None:
    np.testing.assert_array_equal(one(CODE, pd.Series([1.5, 1.0])), [np.nan, 0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(pa.array([1.5, None]), [1.5, np.nan], id="arrow"),
        pytest.param(pd.Series([1, pd.NA], dtype="Int64"), [1, np.nan], id="nullable integers"),
        pytest.param([None, None], [np.nan, np.nan], id="nothing but missing"),
        pytest.param(pa.array([None, None], pa.null()), [np.nan, np.nan], id="null column"),
        pytest.param(np.array([3, 4]), [3, 4], id="numpy integers"),
        pytest.param([], [], id="no rows"),
    ],
)
def test_numbers_pass_and_missing_ones_are_nan(values: object, expected: list[float]) -> None:
    np.testing.assert_array_equal(one(AMOUNT, values), expected)


def test_booleans_are_zero_and_one() -> None:
    np.testing.assert_array_equal(one(MEMBER, pd.Series([True, None, False], dtype=object)), [1, np.nan, 0])


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_a_number_that_32_bits_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"amount: .*beyond"):
        one(AMOUNT, [1.0, value])


def test_text_is_no_number() -> None:
    with pytest.raises(DataError, match="amount: holds string, but the model was trained on float"):
        one(AMOUNT, ["12"])


def test_mixed_types_name_the_column() -> None:
    with pytest.raises(DataError, match="region: mixes types"):
        one(REGION, pd.Series(["north", 3, True]))


def test_an_absent_optional_column_is_all_missing_and_an_absent_required_one_is_refused() -> None:
    assert np.isnan(encode([AMOUNT], {}, 3)).all()
    with pytest.raises(DataError, match="amount: the model needs this column"):
        encode([Feature("amount", "float", required=True)], {}, 3)


@given(st.lists(st.one_of(st.none(), st.sampled_from(["east", "north", "", "nan", "None", "east "]))))
def test_a_batch_is_encoded_as_its_rows_are_one_by_one(values: list[str | None]) -> None:
    whole = encode([REGION], {"region": pa.array(values, pa.string())}, len(values))
    single = [encode([REGION], {"region": pa.array([value], pa.string())}, 1)[0] for value in values]
    np.testing.assert_array_equal(whole, np.array(single).reshape(-1, 1))


def test_as_text_reads_whole_floats_as_integers() -> None:
    assert as_text(pa.array([1.0, 2.5, None, -3.0])).to_pylist() == ["1", None, None, "-3"]
