from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.grouping import by_column, cross, partitions, units, without_small
from gauntlet.evaluation.policies import Slicing
from gauntlet.evaluation.slices import Partition
from gauntlet.settings import parse


def column(*values: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


def named(partition: Partition) -> list[str]:
    return [partition.levels[code] for code in partition.codes]


def test_values_are_slices_the_commonest_first_and_the_missing_last() -> None:
    found = by_column("sex", column("f", "m", None, "m", "x"))
    assert found.levels == ("m", "f", "x", "(missing)")
    assert named(found) == ["f", "m", "(missing)", "m", "x"]


def test_rare_values_share_a_slice_that_says_how_many_they_are() -> None:
    found = by_column("city", column("a", "a", "a", "b", "b", "c", "d"), max_values=3)
    assert found.levels == ("a", "b", "(2 rarer values)")
    assert named(found)[-2:] == ["(2 rarer values)"] * 2


def test_numbers_are_cut_at_edges_that_belong_to_the_upper_bin() -> None:
    found = by_column("age", column(24, 25, 44, 45, None, 100), edges=[25, 45])
    assert named(found) == [
        "under 25",
        "25 to under 45",
        "25 to under 45",
        "45 and over",
        "(missing)",
        "45 and over",
    ]


def test_bins_without_rows_do_not_appear() -> None:
    assert by_column("age", column(1, 2), edges=[10, 20]).levels == ("under 10",)


def test_numbers_without_edges_are_cut_at_their_quartiles() -> None:
    found = by_column("income", pa.chunked_array([pa.array(np.arange(1000.0))]))
    assert np.bincount(found.codes).tolist() == [250, 250, 250, 250]


def test_nan_is_missing_and_nothing_but_missing_is_one_slice() -> None:
    assert by_column("x", column(float("nan"), None)).levels == ("(missing)",)
    assert named(by_column("x", column(1.5, float("nan")), edges=[1.0])) == ["1 and over", "(missing)"]


def test_few_integers_are_codes_booleans_are_values_and_times_are_days() -> None:
    assert by_column("doors", column(2, 4, 4, 5)).levels == ("4", "2", "5")
    assert by_column("new", column(True, False, True)).levels == ("true", "false")
    moment = dt.datetime(2026, 3, 1, 14, tzinfo=dt.UTC)
    assert by_column("day", column(moment, moment + dt.timedelta(hours=1))).levels == ("2026-03-01",)


def test_bins_of_words_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.bins\.sex: bins need a numeric column"):
        by_column("sex", column("f"), edges=[1.0])


def test_a_crossing_holds_the_combinations_that_occur() -> None:
    crossed = cross([by_column("sex", column("f", "m", "f")), by_column("race", column("a", "b", "a"))])
    assert crossed.name == "sex × race"
    assert sorted(crossed.levels) == ["f, a", "m, b"]
    assert named(crossed) == ["f, a", "m, b", "f, a"]


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1), st.integers(2, 4))
def test_every_row_is_in_exactly_one_slice(values: list[str | None], most: int) -> None:
    found = by_column("x", pa.chunked_array([pa.array(values, pa.string())]), max_values=most)
    assert len(found.codes) == len(values)
    counts = np.bincount(found.codes, minlength=len(found.levels))
    assert (counts > 0).all()
    assert counts.sum() == len(values)


def test_a_policy_names_columns_crossings_and_bins_that_must_be_there() -> None:
    columns = {"sex": column("f", "m"), "age": column(20, 40)}
    built = partitions(columns, parse(Slicing, {"crossings": [["sex", "age"]], "bins": {"age": [30]}}, field="policy"))
    assert [partition.name for partition in built] == ["sex", "age", "sex × age"]
    for values in ({"columns": ["x"]}, {"crossings": [["sex", "x"]]}, {"bins": {"x": [1]}}):
        with pytest.raises(ConfigurationError, match=r"Name it in slice_columns, or use .* sex, age"):
            partitions(columns, parse(Slicing, values, field="policy"))


def test_units_are_rows_or_the_clusters_that_have_a_row_there() -> None:
    partition = Partition("sex", np.array([0, 0, 1, 1, -1]), ("f", "m"))
    assert units(partition, None).tolist() == [2, 2]
    assert units(partition, np.array([7, 7, 7, 8, 9])).tolist() == [1, 2]


def test_small_slices_lose_their_code() -> None:
    partition = Partition("race", np.array([0, 1, 1, 2, 2]), ("a", "b", "c"))
    kept = without_small(partition, np.array([1, 2, 2]), 2)
    assert kept.levels == ("b", "c")
    assert kept.codes.tolist() == [-1, 0, 0, 1, 1]


def test_a_value_called_like_a_slice_of_ours_is_a_slice_of_its_own() -> None:
    values = column("(missing)", None, "a", "a", "(2 rarer values)", "b", "c", "(missing)", "(2 rarer values)")
    found = by_column("city", values, max_values=4)
    assert found.levels == ("(2 rarer values)", "(missing)", "a", "(2 rarer values) (2)", "(missing) (2)")
    assert named(found)[:2] == ["(missing)", "(missing) (2)"]


def test_crossings_of_values_with_commas_are_told_apart() -> None:
    crossed = cross([by_column("x", column("a", "a, b")), by_column("y", column("b, c", "c"))])
    assert crossed.levels == ("a, b, c", "a, b, c (2)")
