from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.feature_code import raw_rows
from gauntlet.errors import ConfigurationError
from gauntlet.testing import assert_matches_stored, assert_same_features
from hypothesis_profiles import examples

RAW = raw_rows(300)


def build(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"income": rows["income"], "term": rows["term"], "city": rows["city"]})


def changed(**columns: Any) -> Any:
    """The code with some columns computed otherwise."""

    def other(rows: pd.DataFrame) -> pd.DataFrame:
        return build(rows).assign(**columns)

    return other


STORED = RAW.select(["id", "income", "term", "city"])


def failing(code: Any, stored: Any = STORED, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_matches_stored(code, RAW, stored, **{"key": "id", **options})
    return str(caught.value)


def test_the_same_features_match_in_any_order() -> None:
    assert_matches_stored(build, RAW, STORED, key="id")
    assert_matches_stored(build, RAW, STORED)
    assert_matches_stored(build, RAW, STORED.take(pa.array(range(299, -1, -1))), key=["id"])
    assert_matches_stored(build, RAW.slice(0, 10), STORED, key="id")


def test_a_normalization_is_named_with_its_constants() -> None:
    income = np.asarray(RAW["income"])
    message = failing(changed(income=lambda frame: (frame["income"] - income.mean()) / income.std()))
    assert message.startswith(
        "other does not reproduce the stored features of 300 rows:\n  - income: normalization change (new = "
    )
    slope, intercept = re.findall(r"new = ([\d.e−]+) × stored − ([\d.]+)", message)[0]
    assert float(slope.replace("−", "-")) == pytest.approx(1 / income.std(), rel=0.01)
    assert float(intercept) == pytest.approx(income.mean() / income.std(), rel=0.01)
    assert "100% of 300 values differ (A" in message


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        pytest.param({"income": lambda f: f["income"] * 1000}, "income: unit change (×1,000)", id="unit"),
        pytest.param({"income": lambda f: np.log(f["income"])}, "income: monotone re-encoding (log)", id="log"),
        pytest.param({"city": lambda f: f["city"].str.upper()}, "city: relabelled categories, one to one", id="labels"),
        pytest.param(
            {"city": lambda f: f["city"].fillna("none")}, "city: 13% of 300 values were missing (A", id="filled"
        ),
        pytest.param(
            {"term": lambda f: f["term"].where(f["term"] > 20)}, "% of 300 values are missing now (A", id="missing"
        ),
    ],
)
def test_other_changes_are_named_as_well(columns: dict[str, Any], words: str) -> None:
    message = failing(changed(**columns))
    assert words in message
    assert message.count("\n  - ") == 1


def test_a_single_wrong_row_is_shown_by_its_key() -> None:
    wrong = changed(term=lambda frame: frame["term"].where(frame.index != 17, 99))
    message = failing(wrong)
    term = RAW["term"][17].as_py()
    assert (
        f"1 (0.3%) of 300 values differ (A17: stored {term}, now 99)" in message
        or f"A17: stored {term}, now 99" in message
    )
    assert_matches_stored(wrong, RAW, STORED, key="id", max_share=0.01)
    assert_matches_stored(wrong, RAW, STORED, key="id", exclude=["term"])
    assert "row 17: stored" in failing(wrong, key=())


def test_columns_that_come_and_go_are_said() -> None:
    gone = failing(build, STORED.append_column("age", [pa.array([1] * 300)]))
    assert "`age` is stored, but build does not compute it." in gone
    assert_matches_stored(build, RAW, STORED.append_column("age", [pa.array([1] * 300)]), key="id", ignore=["age"])
    assert_matches_stored(changed(more=1), RAW, STORED, key="id")
    renamed = STORED.rename_columns(["id", "INCOME", "term", "city"])
    assert_matches_stored(build, RAW, renamed, key="id", names={"income": "INCOME"})


def test_rows_have_to_be_found() -> None:
    assert "1 of 300 rows are not stored, for example A0." in failing(build, STORED.slice(1))
    assert "The key A0 is stored twice." in failing(build, pa.concat_tables([STORED.slice(0, 1), STORED]))
    assert "There are 300 raw rows and 299 stored ones." in failing(build, STORED.slice(1), key=())
    with pytest.raises(ConfigurationError, match="key: no such column in raw; found 'name'"):
        assert_matches_stored(build, RAW, STORED, key="name")
    with pytest.raises(ConfigurationError, match="none of its columns is a feature of build"):
        assert_matches_stored(build, RAW, pa.table({"id": RAW["id"], "score": RAW["income"]}), key="id")


def test_two_pieces_of_code_agree_or_say_how_they_do_not() -> None:
    assert_same_features(build, build, RAW)
    with pytest.raises(AssertionError) as caught:
        assert_same_features(changed(income=lambda frame: frame["income"] / 1000, more=1.0), build, RAW)
    message = str(caught.value)
    assert message.startswith("other does not reproduce the features of build for 300 rows:")
    assert "`more` is computed by other only." in message
    assert "income: unit change (×0.001); 100% of 300 values differ (row " in message
    with pytest.raises(AssertionError, match="`more` is computed by other only"):
        assert_same_features(build, changed(more=1.0), RAW)


def test_many_differences_are_cut_short() -> None:
    many = {f"x{number}": 1.0 for number in range(8)}
    with pytest.raises(AssertionError, match=r"(?s)\n  - and 3 more$"):
        assert_same_features(changed(**many), build, RAW)


@examples(20)  # each runs the code twice through pandas
@given(st.permutations(range(20)), st.sets(st.integers(0, 19), min_size=1))
def test_whatever_the_order_the_wrong_rows_are_counted(order: list[int], wrong: set[int]) -> None:
    raw = RAW.slice(0, 20)
    stored = STORED.slice(0, 20).take(pa.array(order))
    assert_matches_stored(build, raw, stored, key="id")

    def other(rows: pd.DataFrame) -> pd.DataFrame:
        return build(rows).assign(term=lambda frame: frame["term"] + frame.index.isin(wrong))

    with pytest.raises(AssertionError, match=r" of 20 values differ \(A\d+: ") as caught:
        assert_matches_stored(other, raw, stored, key="id")
    share = f"{100 * len(wrong) / 20:.1f}".removesuffix(".0")
    assert f"{share}% of 20 values differ" in str(caught.value)
