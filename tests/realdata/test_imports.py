"""The public data sets as published, with the reader options that their quirks need."""

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from builders.sources import load

pytestmark = pytest.mark.realdata

DATA = Path(os.environ.get("GAUNTLET_DATA", Path(__file__).parents[3] / "shared/data"))
ADULT_LABELS = {"<=50K": 0, "<=50K.": 0, ">50K": 1, ">50K.": 1}


def sources(*names):
    for name in names:
        if not (DATA / name).exists():
            pytest.skip(f"{DATA / name} is not there: set GAUNTLET_DATA to where the public data sets are")
    return [DATA / name for name in names]


def test_adult(tmp_path):
    train, test = sources("adult/adult.data", "adult/adult.test")
    snapshot = load(
        [{"uri": str(train)}, {"uri": str(test), "split": "test"}],
        tmp_path / "snapshot",
        roles={"label": "Y", "exclude": ["fnlwgt"]},
        reader={"missing_values": ["?"], "values": {"Y": ADULT_LABELS}},
        split={"fractions": {"train": 0.85, "validation": 0.15}},
    )
    assert snapshot.splits["test"] == 16_281
    assert snapshot.splits["train"] + snapshot.splits["validation"] == 32_561
    assert snapshot.splits["train"] / 32_561 == pytest.approx(0.85, abs=0.01)
    assert snapshot.columns["age"] == "int"
    assert snapshot.columns["native-country"] == "string"
    table = snapshot.table("test")
    assert pc.mean(table["Y"]).as_py() == pytest.approx(3_846 / 16_281)  # the published share of >50K
    assert table["workclass"].null_count == 963  # the published number of "?" in adult.test
    assert len(snapshot.features) == 13


def test_chicago_taxi(tmp_path):
    (path,) = sources("chicago_taxi/data.csv")
    snapshot = load(
        path,
        tmp_path / "snapshot",
        roles={"label": "big_tip", "exclude": ["tips"], "time": "trip_start_timestamp"},
        reader={"derive": {"big_tip": "tips > 0.2 * fare"}},
        split={"by": "time", "until": {"train": "2014-09-01", "validation": "2015-06-01"}},
    )
    assert sum(snapshot.splits.values()) == 15_002
    assert snapshot.columns["big_tip"] == "bool"
    latest = pc.max(snapshot.table("train")["trip_start_timestamp"]).as_py()
    earliest = pc.min(snapshot.table("validation")["trip_start_timestamp"]).as_py()
    assert latest < 1_409_529_600 <= earliest
    assert snapshot.table("train")["pickup_census_tract"].null_count > 0
    for split in snapshot.splits:
        table = snapshot.table(split, ["tips", "fare", "big_tip"])
        expected = pc.greater(table["tips"], pc.multiply(table["fare"], 0.2))
        assert table["big_tip"].combine_chunks().equals(expected.combine_chunks())
