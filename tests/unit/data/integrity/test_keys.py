"""Keys and rows that splits share, beside what pandas counts row by row."""

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.integrity import QUIET, checks, examine, statuses
from hypothesis_profiles import examples

VALUES = st.one_of(st.none(), st.integers(0, 4))
ROWS = st.lists(st.tuples(VALUES, st.sampled_from(["a", "b", "'", '"', None])), min_size=1, max_size=30)


def two(rows):
    return pa.table({"k": pa.array([k for k, _ in rows], pa.int64()), "l": pa.array([n for _, n in rows], pa.string())})


@examples(30)
@given(rows=ROWS)
def test_repetitions_and_gaps_are_counted_exactly(rows):
    with tempfile.TemporaryDirectory() as folder:
        found = examine(Path(folder), {"train": two(rows)}, {**QUIET, "keys": [{"columns": ["k", "l"]}]})
    check = checks(found)["key: k, l"]
    there = Counter(row for row in rows if None not in row)
    missing = sum(None in row for row in rows)
    surplus = sum(count - 1 for count in there.values())
    assert check.measured == pytest.approx((surplus + missing) / len(rows))
    assert (check.status == "pass") == (surplus + missing == 0)
    assert (f"{surplus:,} rows too many" in check.reason) == (surplus > 0)
    assert (f"{missing:,} of {len(rows):,} rows have no" in check.reason) == (missing > 0)


@examples(30)
@given(train=ROWS, test=ROWS)
def test_rows_of_two_splits_are_matched_exactly(train, test):
    with tempfile.TemporaryDirectory() as folder:
        splits = {"train": two(train), "test": two(test)}
        found = examine(Path(folder), splits, {**QUIET, "across_splits": [{}, {"columns": ["l"], "max_share": 0.5}]})
    shared = sum(row in set(train) for row in test) / len(test)
    names = sum(row[1] in {one[1] for one in train} for row in test) / len(test)
    assert checks(found)["across splits: test, features"].measured == pytest.approx(shared)
    assert checks(found)["across splits: test, l"].measured == pytest.approx(names)
    assert statuses(found) == {
        "across splits: test, features": "fail" if shared else "pass",
        "across splits: test, l": "fail" if names > 0.5 else "pass",
    }


def test_the_roles_key_is_checked_without_being_asked_and_quotes_no_more_than_told(tmp_path):
    columns = {"id": [f"k{n // 2}" for n in range(40)], "secret": ["hidden"] * 40}
    found = examine(tmp_path, columns, {**QUIET, "examples": 2}, roles={"key": ["id"]})
    (check,) = found.verdict.checks
    assert check.name == "key: id"
    assert check.status == "fail"
    assert "20 values of `id` occur more than once, in 20 rows too many: `k0 (2 times)`, `k1 (2 times)` and others" in (
        check.reason
    )
    assert "k2" not in check.reason
    assert "hidden" not in check.reason


def test_no_key_is_quoted_where_none_may_be(tmp_path):
    found = examine(tmp_path, {"id": ["k1", "k1"]}, {**QUIET, "examples": 0}, roles={"key": ["id"]})
    assert "k1" not in found.verdict.checks[0].reason


def test_false_turns_keys_off(tmp_path):
    found = examine(tmp_path, {"id": [1, 1]}, {**QUIET, "keys": False}, roles={"key": ["id"]})
    assert statuses(found) == {"integrity": "not_asked"}
    assert "asks for nothing" in found.verdict.summary


def test_the_key_of_a_reference_table(tmp_path):
    policy = {**QUIET, "keys": [{"columns": ["id"], "table": "people"}]}
    found = examine(tmp_path, {"x": [1]}, policy, people={"id": [1, 1, 2]})
    assert statuses(found) == {"key: people: id": "fail"}


def test_splits_cannot_share_rows_where_there_is_one(tmp_path):
    assert statuses(examine(tmp_path, {"x": [1]}, {**QUIET, "across_splits": [{}]})) == {
        "across splits: features": "error"
    }
