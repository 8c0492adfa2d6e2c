"""Times in order, within their span, split after split, and never falling within a group."""

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.integrity import QUIET, checks, examine, statuses
from hypothesis_profiles import examples

START = datetime(2024, 1, 1, tzinfo=UTC)


def moments(days):
    values = [None if day is None else START + timedelta(days=day) for day in days]
    return pa.array(values, pa.timestamp("us", tz="UTC"))


DAYS = st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 5))] * 2), min_size=1, max_size=25)


@examples(30)
@given(pairs=DAYS, strict=st.booleans())
def test_what_comes_first_comes_first(pairs, strict):
    table = pa.table({"applied": moments([a for a, _ in pairs]), "decided": moments([b for _, b in pairs])})
    policy = {**QUIET, "order": [{"earlier": "applied", "later": "decided", "strict": strict}]}
    with tempfile.TemporaryDirectory() as folder:
        (check,) = examine(Path(folder), {"train": table}, policy).verdict.checks
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    broken = sum(a > b or (strict and a == b) for a, b in known)
    if not known:
        assert check.status == "error"
    else:
        assert check.measured == pytest.approx(broken / len(known))
        assert check.status == ("fail" if broken else "pass")


@pytest.mark.parametrize("kind", ["timestamp", "int", "float"])
def test_moments_outside_a_span_are_counted(tmp_path, kind):
    days = [-1, 0, 5, 10, 11, None]
    seconds = [None if day is None else int((START + timedelta(days=day)).timestamp()) for day in days]
    column = moments(days) if kind == "timestamp" else pa.array(seconds, pa.int64() if kind == "int" else pa.float64())
    rule = {"not_before": "2024-01-01", "not_after": (START + timedelta(days=10)).timestamp()}
    found = examine(tmp_path, {"train": pa.table({"t": column})}, {**QUIET, "period": [rule]}, roles={"time": "t"})
    (check,) = found.verdict.checks
    assert check.status == "fail"
    assert check.reason == (
        "2 of 5 rows (40.0%) have `t` before 2024-01-01 00:00:00 or after 2024-01-11 00:00:00; allowed: none."
    )
    rule = {"not_before": "2023-12-31"}
    found = examine(tmp_path, {"train": pa.table({"t": column})}, {**QUIET, "period": [rule]}, roles={"time": "t"})
    assert statuses(found) == {"period: t": "pass"}


def test_no_row_may_be_later_than_the_next_split_begins(tmp_path):
    splits = {
        "train": {"t": moments([0, 1, 2, 5])},
        "validation": {"t": moments([3, 4, None])},
        "test": {"t": moments([6, 7])},
    }
    found = checks(examine(tmp_path, splits, {**QUIET, "splits_in_time": True}, roles={"time": "t"}))
    assert {name: check.status for name, check in found.items()} == {
        "splits in time: train, validation": "fail",
        "splits in time: validation, test": "pass",
    }
    assert "1 of 4 rows (25.0%) of train are later than validation begins (2024-01-04 00:00:00)" in (
        found["splits in time: train, validation"].reason
    )


def test_a_split_without_a_time_cannot_be_compared(tmp_path):
    splits = {"train": {"t": moments([0])}, "test": {"t": moments([None])}}
    found = examine(tmp_path, splits, {**QUIET, "splits_in_time": True}, roles={"time": "t"})
    assert statuses(found) == {"splits in time: train, test": "error"}


EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), min_size=2, max_size=25)


@examples(30)
@given(events=EVENTS)
def test_a_sequence_does_not_fall_within_its_group(events):
    table = pa.table(
        {
            "who": [who for who, _ in events],
            "number": list(range(len(events))),
            "t": moments([day for _, day in events]),
        }
    )
    policy = {**QUIET, "sequence": [{"column": "t", "along": "number", "within": ["who"]}]}
    with tempfile.TemporaryDirectory() as folder:
        (check,) = examine(Path(folder), {"train": table}, policy).verdict.checks
    pairs = []
    for group in "ab":
        days = [day for who, day in events if who == group]
        pairs += itertools.pairwise(days)
    if not pairs:
        assert check.status == "error"
    else:
        assert check.measured == pytest.approx(sum(after < before for before, after in pairs) / len(pairs))
