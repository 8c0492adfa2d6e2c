"""A row's side depends on the row and on nothing else."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.identity import groups_of, key_digests
from gauntlet.data.split import (
    SplitOptions,
    assign_by_hash,
    assign_by_time,
    hash_boundaries,
    in_order,
    sample_by_hash,
    time_boundaries,
)
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse

TEN_DAYS = {"train": "2024-01-05", "validation": "2024-01-08", "test": None}


def options(**values):
    return parse(SplitOptions, values, field="split")


def test_shares_of_many_groups_are_as_asked():
    boundaries = hash_boundaries({"train": 0.7, "validation": 0.15, "test": 0.15})
    groups = np.random.default_rng(0).integers(0, 2**64, 200_000, dtype=np.uint64)
    shares = np.bincount(assign_by_hash(groups, boundaries)) / len(groups)
    assert [name for name, _ in boundaries] == ["train", "validation", "test"]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.005)


def test_a_sample_is_independent_of_the_split():
    groups = np.random.default_rng(3).integers(0, 2**64, 40_000, dtype=np.uint64)
    kept = sample_by_hash(groups, 0.1)
    assert abs(kept.mean() - 0.1) < 0.01
    split = assign_by_hash(groups, [("train", 0.7), ("test", 1.0)])
    assert abs(kept[split == 0].mean() - kept[split == 1].mean()) < 0.01
    assert sample_by_hash(groups, 1.0).all()


def test_the_ends_of_the_interval_belong_somewhere():
    chosen = assign_by_hash(np.array([0, 2**64 - 1], dtype=np.uint64), hash_boundaries({"train": 0.5, "test": 0.5}))
    assert chosen.tolist() == [0, 1]


@pytest.mark.parametrize("shares", [{"train": 1.0}, {"train": 1.0, "test": 0.0}])
def test_one_split_takes_all(shares):
    groups = np.array([0, 5, 2**64 - 1], dtype=np.uint64)
    assert assign_by_hash(groups, hash_boundaries(shares)).tolist() == [0, 0, 0]


@given(st.integers(0, 2**64 - 1), st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_growing_the_training_share_takes_no_row_out_of_training(group, share, more):
    groups = np.array([group], dtype=np.uint64)
    before = assign_by_hash(groups, hash_boundaries({"train": share, "test": 1 - share}))[0]
    after = assign_by_hash(groups, hash_boundaries({"train": share + more, "test": 1 - share - more}))[0]
    assert after <= before


def test_order_does_not_depend_on_the_mapping():
    assert in_order({"zeta": 1, "test": 1, "alpha": 1, "train": 1, "validation": 1}) == [
        "train",
        "validation",
        "test",
        "alpha",
        "zeta",
    ]
    assert hash_boundaries({"test": 0.2, "train": 0.8}) == hash_boundaries({"train": 0.8, "test": 0.2})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fractions": {"train": 0.7, "test": 0.2}}, "sum to 1"),
        ({"fractions": {"test": 1.0}}, "train"),
        ({"fractions": {"train": 1.5, "test": -0.5}}, "between 0 and 1"),
        ({"by": "time"}, "needs until"),
        ({"until": {"train": "2024-01-01"}}, 'by: "time"'),
        ({"by": "time", "until": {"train": "2024-01-01", "validation": "2023-01-01", "test": None}}, "one after"),
        ({"by": "time", "until": {"train": "someday", "test": None}}, "ISO 8601"),
        ({"by": "time", "until": {"train": "2024", "validation": "2025", "test": 2100000000}}, "no end"),
        ({"by": "time", "until": {"train": None, "test": "2024-01-01"}}, "last one"),
        ({"by": "moon"}, "hash"),
        ({"fraction": {"train": 1}}, "unknown key"),
    ],
)
def test_options_that_make_no_sense_are_refused(values, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        options(**values)
    assert caught.value.field.startswith("split")


def test_the_last_split_of_a_time_split_need_not_be_listed():
    assert options(by="time", until={"train": "2024-01-01", "validation": "2024-02-01"}).names == (
        "train",
        "validation",
        "test",
    )


def test_times_are_divided_at_the_boundary_exclusively():
    days = pa.array([f"2024-01-{day:02}" for day in range(1, 11)]).cast(pa.timestamp("us"))
    chosen = assign_by_time(days, time_boundaries(TEN_DAYS), "when")
    assert chosen.tolist() == [0] * 4 + [1] * 3 + [2] * 3


def test_timestamps_and_epoch_seconds_agree():
    moments = pa.array(["2024-01-04T23:59:59", "2024-01-05T00:00:00", "2024-01-08T12:00:00"]).cast(pa.timestamp("us"))
    seconds = pa.array([moment // 1_000_000 for moment in moments.cast(pa.int64()).to_pylist()])
    boundaries = time_boundaries(TEN_DAYS)
    for times in (moments, moments.cast(pa.timestamp("us", tz="UTC")), seconds, seconds.cast(pa.float64())):
        assert assign_by_time(times, boundaries, "when").tolist() == [0, 1, 2]


def test_zones_and_numbers_are_understood_in_boundaries():
    (_, zoned), _ = time_boundaries({"train": "2024-01-01T01:00:00+01:00", "test": None})
    (_, plain), _ = time_boundaries({"train": "2024-01-01", "test": None})
    (_, number), _ = time_boundaries({"train": 1704067200.0, "test": None})
    assert zoned == plain == number


@pytest.mark.parametrize(
    ("times", "message"), [(pa.array([1, None]), "without a time"), (pa.array(["soon"]), "holds no times")]
)
def test_rows_that_cannot_be_placed_in_time_are_an_error(times, message):
    with pytest.raises(DataError, match=message):
        assign_by_time(times, time_boundaries(TEN_DAYS), "when")


def test_the_side_of_a_row_is_frozen_for_ever():
    """The split of these rows was computed with nothing but hashlib; changing it would leak test rows into training."""
    keys = [f"P-{number}".encode() for number in range(12)]
    digests = [hashlib.blake2b(key, digest_size=16, person=b"gauntlet-row-1").digest() for key in keys]
    groups = np.array([int.from_bytes(digest[:8], "big") for digest in digests], dtype=np.uint64)
    found = groups_of(key_digests([pa.array([key.decode() for key in keys])]))
    assert found.tolist() == groups.tolist()
    boundaries = hash_boundaries(SplitOptions().fractions)
    assert assign_by_hash(found, boundaries).tolist() == FROZEN


FROZEN = [0, 0, 0, 0, 0, 2, 2, 0, 0, 1, 1, 1]
