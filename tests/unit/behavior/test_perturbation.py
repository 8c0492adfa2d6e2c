"""What changes do to rows, and what they never do."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.behavior import rows, rule_of
from gauntlet.behavior.perturbation import as_arrow_value, differing, perturb
from gauntlet.errors import ConfigurationError, DataError


def changed(table: pa.Table, *changes: dict[str, Any], seed: int = 0) -> pa.Table:
    return perturb(table, rule_of(change=list(changes)).change, np.random.default_rng(seed))


_FLOATS = st.none() | st.floats(-1e6, 1e6)
_INTS = st.none() | st.integers(-(10**6), 10**6)
_TEXTS = st.none() | st.text(max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Two columns of each kind that changes work on, with missing values, and a group."""
    count = draw(st.integers(1, 30))

    def column(values: st.SearchStrategy[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(draw(st.lists(values, min_size=count, max_size=count)), kind)

    return pa.table(
        {
            "f": column(_FLOATS, pa.float64()),
            "g": column(_FLOATS, pa.float64()),
            "i": column(_INTS, pa.int64()),
            "t": column(_TEXTS, pa.string()),
            "b": column(st.none() | st.booleans(), pa.bool_()),
            "group": column(st.none() | st.sampled_from(["x", "y", "z"]), pa.string()),
        }
    )


ANY_CHANGE = st.sampled_from(
    [
        {"set": {"column": "f", "to": 3}},
        {"set": {"column": "b", "to": None}},
        {"swap": {"columns": ["f", "g"]}},
        {"swap": {"column": "t"}},
        {"add": {"column": "i", "by": -2, "min": 0}},
        {"add": {"column": "f", "by": 0.5, "max": 10}},
        {"scale": {"column": "i", "by": 1.5}},
        {"scale": {"column": "f", "by": -1}},
        {"noise": {"column": "f", "sd": 2}},
        {"noise": {"column": "i", "share": 0.1, "min": 0, "max": 50}},
        {"shuffle": {"columns": ["i", "t"], "within": ["group"]}},
        {"shuffle": {"columns": ["b"], "within": ["group", "i"]}},
        {"case": {"column": "t", "to": "swap"}},
        {"whitespace": {"column": "t"}},
        {"typo": {"column": "t", "slips": 2}},
    ]
)


@given(tables(), st.lists(ANY_CHANGE, min_size=1, max_size=3), st.integers(0, 9))
def test_shape_types_other_columns_and_the_seed(table, changes, seed):
    rule = rule_of(change=changes)
    after = changed(table, *changes, seed=seed)
    assert after.schema == table.schema
    assert after.num_rows == table.num_rows
    for name in table.column_names:
        if name not in rule.changed:
            assert after.column(name) == table.column(name)
    assert after == changed(table, *changes, seed=seed)


@given(tables(), st.integers(0, 9))
def test_a_shuffle_keeps_every_group_its_rows_and_rows_together(table, seed):
    after = changed(table, {"shuffle": {"columns": ["f", "t"], "within": ["group"]}}, seed=seed)

    def groups(one: pa.Table) -> dict[Any, Counter[Any]]:
        found: dict[Any, Counter[Any]] = defaultdict(Counter)
        for group, pair in zip(
            one.column("group").to_pylist(),
            zip(one.column("f").to_pylist(), one.column("t").to_pylist(), strict=True),
            strict=True,
        ):
            found[group][pair] += 1
        return found

    assert groups(after) == groups(table)


@given(tables(), st.integers(0, 9))
def test_changes_that_undo_themselves(table, seed):
    for change in ({"swap": {"columns": ["f", "g"]}}, {"swap": {"column": "i"}}):
        assert changed(changed(table, change, seed=seed), change, seed=seed) == table
    minus = {"scale": {"column": "f", "by": -1}}
    assert not differing(changed(changed(table, minus), minus), table, ["f"]).any()
    up, down = {"add": {"column": "i", "by": 7}}, {"add": {"column": "i", "by": -7}}
    assert changed(changed(table, up), down) == table


@given(tables())
def test_missing_stays_missing(table):
    for change in (
        {"add": {"column": "f", "by": 1}},
        {"scale": {"column": "i", "by": 2}},
        {"noise": {"column": "i", "sd": 1}},
        {"case": {"column": "t", "to": "upper"}},
        {"whitespace": {"column": "t"}},
        {"typo": {"column": "t"}},
    ):
        after = changed(table, change)
        name = next(iter(change.values()))["column"]
        assert after.column(name).is_null() == table.column(name).is_null()


@given(tables())
def test_a_range_holds_what_was_within_it_and_leaves_the_rest(table):
    after = changed(table, {"noise": {"column": "f", "sd": 50, "min": -10, "max": 10}})
    for old, new in zip(table.column("f").to_pylist(), after.column("f").to_pylist(), strict=True):
        if old is not None:
            assert min(old, -10) <= new <= max(old, 10)


def test_a_value_beyond_the_range_does_not_come_back():
    table = pa.table({"late": [1, 12, 20]})
    after = changed(table, {"add": {"column": "late", "by": 1, "max": 12}})
    assert after.column("late").to_pylist() == [2, 12, 20]


def test_whole_numbers_stay_exact():
    big = 2**60 + 1
    after = changed(pa.table({"i": [big]}), {"add": {"column": "i", "by": 2}})
    assert after.column("i").to_pylist() == [big + 2]
    assert changed(pa.table({"i": [3, 5]}), {"scale": {"column": "i", "by": 1.1}}).column("i").to_pylist() == [3, 6]


@pytest.mark.parametrize(
    ("values", "change"),
    [
        pytest.param([2**63 - 1], {"add": {"column": "x", "by": 1}}, id="an integer beyond 64 bits"),
        pytest.param([2**62], {"scale": {"column": "x", "by": 1.5}}, id="an integer beyond a double's digits"),
        pytest.param([1e308], {"scale": {"column": "x", "by": 10}}, id="a float beyond its range"),
    ],
)
def test_numbers_that_leave_their_range_are_an_error(values, change):
    with pytest.raises(DataError, match="x: the change leads out of the range of numbers"):
        changed(pa.table({"x": values}), change)


def test_changes_follow_one_another():
    table = pa.table({"late": [1, 2]})
    after = changed(table, {"set": {"column": "late", "to": 0}}, {"add": {"column": "late", "by": 3}})
    assert after.column("late").to_pylist() == [3, 3]


def test_differing_counts_nulls_as_values():
    one = pa.table({"x": pa.array([1.0, None, None, 2.0]), "y": ["a", "b", "c", "d"]})
    other = pa.table({"x": pa.array([1.0, None, 3.0, None]), "y": ["a", "b", "c", "x"]})
    assert differing(one, other, ["x"]).tolist() == [False, False, True, True]
    assert differing(one, other, ["y"]).tolist() == [False, False, False, True]
    assert not differing(one, other, []).any()


def test_noise_has_the_spread_it_was_given():
    table = pa.table({"income": np.full(20_000, 1000.0)})
    for change, spread in (({"sd": 5}, 5), ({"share": 0.02}, 20)):
        moved = changed(table, {"noise": {"column": "income", **change}}).column("income").to_numpy() - 1000
        assert abs(moved.mean()) < 4 * spread / np.sqrt(20_000)
        assert moved.std() == pytest.approx(spread, rel=0.03)


def test_rows_of_another_table_are_left_alone():
    table = rows(50)
    before = table.to_pydict()
    changed(table, {"typo": {"column": "region"}}, {"add": {"column": "income", "by": 1}})
    assert table.to_pydict() == before


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("5", pa.int64()),
        (5, pa.string()),
        (0.5, pa.int64()),
        (True, pa.int64()),
        (True, pa.float64()),
        (2, pa.bool_()),
        ("soon", pa.timestamp("us", tz="UTC")),
        (10**30, pa.int64()),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises(ConfigurationError, match="field: is not of the column's type"):
        as_arrow_value(value, kind, "field")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (5, pa.float64(), 5.0),
        (5.0, pa.int64(), 5),
        (1, pa.bool_(), True),
        (None, pa.string(), None),
        ("no", pa.string(), "no"),
    ],
)
def test_a_value_that_fits_is_taken(value, kind, expected):
    assert as_arrow_value(value, kind, "field").as_py() == expected
