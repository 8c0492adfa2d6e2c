"""Statistics of a snapshot: columns TFDV would lose, weights, splits, and what is on disk."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.data.profile import read_profiles
from gauntlet.data.statistics import QUANTILE_BUCKETS, Statistics, describe, open_if_there, write_statistics
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.storage import write_absent
from snapshots import write_snapshot

ROWS = 2000


def table(rows: int = ROWS, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    moments = [datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]
    return pa.table(
        {
            "age": pa.array(rng.integers(17, 91, rows)),
            "income": pa.array(rng.lognormal(10, 1, rows), mask=rng.random(rows) < 0.25),
            "zone": pa.array(rng.integers(0, 5, rows)),
            "member": pa.array(rng.random(rows) < 0.2),
            "seen": pa.array([moments[row % 2] for row in range(rows)], pa.timestamp("us", tz="UTC")),
            "city": pa.array(rng.choice(["Oslo", "Bern"], rows).tolist()),
            "empty": pa.array([None] * rows, pa.string()),
            "constant": pa.array(np.ones(rows)),
            "weight": pa.array(rng.gamma(2, size=rows)),
        }
    )


@pytest.fixture(scope="module")
def statistics(tmp_path_factory) -> Statistics:
    folder = tmp_path_factory.mktemp("statistics")
    roles = {"categorical": ["zone"], "weight": "weight"}
    snapshot = write_snapshot(folder / "snapshot", {"train": table(), "test": table(500, 1)}, roles, rows_per_part=300)
    return write_statistics(snapshot, folder / "out")


@pytest.fixture(scope="module")
def profiles(statistics):
    return read_profiles(statistics.split("train"))


def test_every_split_has_its_file_and_rows(statistics):
    assert dict(statistics.splits) == {"train": ROWS, "test": 500}
    assert sorted(path.name for path in statistics.path.iterdir()) == ["statistics.json", "test.pb", "train.pb"]
    assert statistics.split("test").num_examples == 500
    assert list(statistics.columns)[:3] == ["age", "income", "zone"]


def test_files_are_what_tfdv_writes(statistics):
    from tensorflow_metadata.proto.v0 import statistics_pb2

    found = statistics_pb2.DatasetFeatureStatisticsList.FromString((statistics.path / "train.pb").read_bytes())
    assert [feature.path.step[0] for feature in found.datasets[0].features] == list(statistics.columns)


def test_a_timestamp_becomes_whole_seconds_rounded_down(profiles):
    assert profiles["seen"].minimum == -1  # half a second before 1970
    assert profiles["seen"].maximum == datetime(2020, 1, 1, tzinfo=UTC).timestamp()


def test_booleans_and_integer_codes_are_counted_by_value(profiles):
    expected = table()["zone"].to_pandas().value_counts()
    assert {int(value): count for value, count in profiles["zone"].count_of.items()} == expected.to_dict()
    assert set(profiles["member"].values) == {"0", "1"}
    assert not profiles["age"].categorical


def test_numbers_are_those_of_numpy(profiles):
    income = table()["income"].to_pandas()
    found = profiles["income"]
    assert found.present == income.notna().sum()
    assert found.missing_share == pytest.approx(income.isna().mean())
    assert found.mean == pytest.approx(income.mean())
    assert found.deviation == pytest.approx(income.std(ddof=0))
    assert len(found.edges) == QUANTILE_BUCKETS + 1
    ranks = np.searchsorted(np.sort(income.dropna()), found.edges, side="right") / income.notna().sum()
    assert np.abs(ranks - np.linspace(0, 1, QUANTILE_BUCKETS + 1)).max() < 0.0025


def test_a_column_without_values_and_a_constant_are_described_as_such(profiles):
    assert (profiles["empty"].present, profiles["empty"].missing_share) == (0, 1.0)
    assert profiles["constant"].minimum == profiles["constant"].maximum == profiles["constant"].median == 1


def test_weights_enter_the_weighted_numbers(statistics):
    by_name = {feature.path.step[0]: feature for feature in statistics.split("train").features}
    data = table().to_pandas()
    expected = np.average(data["age"], weights=data["weight"])
    assert by_name["age"].num_stats.weighted_numeric_stats.mean == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, None], "weight: example weights are missing"),
        ([1.0, -2.0], "weight: an example weight is negative"),
        ([1.0, float("nan")], "weight: an example weight is not a number"),
        ([0.0, 0.0], r"roles\.weight \(weight\): all example weights of split train are zero, .*'2 rows with weight 0"),
        ([1e-9, 2e-9], r"of split train are too small: .*found 'mean 1\.5e-09, .* Divide the column by its mean"),
        ([1e-320, 1e-320], "too small"),
        ([1e30, 1.0], "too large"),
        ([1e13, *[1.0] * 100_000], r"too large.* largest 1e\+13"),
        ([1e300, 1e300], "too large"),
        ([float("inf"), 1.0], "too large"),
    ],
    ids=[
        "missing",
        "negative",
        "not a number",
        "all zero",
        "tiny",
        "denormal",
        "huge",
        "one huge",
        "1e300",
        "infinite",
    ],
)
def test_weights_that_cannot_be_used_are_refused_and_leave_nothing(tmp_path, weights, message):
    data = pa.table({"x": pa.array([1] * len(weights)), "weight": pa.array(weights, pa.float64())})
    snapshot = write_snapshot(tmp_path / "snapshot", {"train": data}, {"weight": "weight"})
    with pytest.raises(DataError, match=message):
        write_statistics(snapshot, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scale", [1e-2, 1.0, 2e5], ids=["normalised", "one", "population"])
def test_weights_of_surveys_are_taken_and_some_may_be_zero(tmp_path, scale):
    weights = pa.array(scale * np.array([0.0, 1.0, 3.0]))
    snapshot = write_snapshot(
        tmp_path / "s", {"train": pa.table({"x": pa.array([1, 2, 3]), "weight": weights})}, {"weight": "weight"}
    )
    assert write_statistics(snapshot, tmp_path / "out").splits == {"train": 3}


def test_a_snapshot_without_rows_is_refused(tmp_path):
    snapshot = write_snapshot(tmp_path / "snapshot", {"train": pa.table({"x": pa.array([], pa.int64())})})
    with pytest.raises(DataError, match="has no rows"):
        write_statistics(snapshot, tmp_path / "out")


def test_equal_rows_give_equal_bytes(tmp_path, statistics):
    snapshot = write_snapshot(tmp_path / "s", {"train": table()}, {"categorical": ["zone"], "weight": "weight"})
    again, once_more = (write_statistics(snapshot, tmp_path / name).path / "train.pb" for name in "ab")
    assert again.read_bytes() == once_more.read_bytes()


def test_an_unknown_split_and_a_damaged_file_are_named(tmp_path, statistics):
    with pytest.raises(ConfigurationError, match=r"no such split.*'dev'.*train, test"):
        statistics.split("dev")
    with pytest.raises(DataError, match="is not a statistics artifact"):
        Statistics.open(tmp_path)
    snapshot = write_snapshot(tmp_path / "s", {"train": table(20)})
    damaged = write_statistics(snapshot, tmp_path / "out")
    (damaged.path / "train.pb").write_bytes(b"\xff\xff")
    with pytest.raises(DataError, match=r"train\.pb: cannot be read as statistics"):
        damaged.split("train")


def test_an_absent_artifact_opens_as_none(tmp_path):
    write_absent(tmp_path / "absent", "no serving log yet")
    assert open_if_there(tmp_path / "absent") is None


def test_a_split_is_described_without_an_artifact(tmp_path) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot", {"train": table(), "test": table(500, seed=1)})
    written = write_statistics(snapshot, tmp_path / "statistics")
    for split in ("train", "test"):
        expected = read_profiles(written.split(split))
        profiles = describe(snapshot, split)
        assert list(profiles) == list(expected)
        assert profiles["income"].mean == expected["income"].mean
        assert profiles["city"].count_of == expected["city"].count_of
    with pytest.raises(ConfigurationError, match="no such split"):
        describe(snapshot, "holdout")
