from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest

from gauntlet.training import column_profile as module
from gauntlet.training.column_profile import profile_columns
from snapshots import write_snapshot

TABLE = pa.table(
    {
        "name": ["b", None, "a", "a", "b", "c"],
        "code": [2, 2, None, 10, 1, 1],
        "flag": [True, None, False, True, True, True],
        "size": [1.0, 2.5, None, 2.0, 9.0, 1.0],
        "empty": pa.nulls(6, pa.float64()),
    }
)


@pytest.mark.parametrize("rows_per_part", [2, 6])
def test_values_are_counted_over_all_parts(tmp_path: Path, rows_per_part: int) -> None:
    snapshot = write_snapshot(tmp_path, {"train": TABLE}, rows_per_part=rows_per_part)
    counted = frozenset({"name", "code", "flag", "size"})
    profiles = profile_columns(snapshot, "train", list(TABLE.column_names), counted)
    # Most frequent first, ties by name.
    assert list(profiles["name"].values.items()) == [("a", 2), ("b", 2), ("c", 1)]
    assert list(profiles["code"].values.items()) == [("1", 2), ("2", 2), ("10", 1)]
    assert profiles["flag"].values == {"true": 4, "false": 1}
    assert profiles["size"].values == {"1": 2, "2": 1, "2.5": 1, "9": 1}
    assert {name: profile.missing for name, profile in profiles.items()} == {
        "name": 1, "code": 1, "flag": 1, "size": 1, "empty": 6,
    }  # fmt: skip
    assert profiles["empty"].values is None
    assert math.isnan(profiles["empty"].typical)


def test_too_many_values_are_no_longer_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 2)
    snapshot = write_snapshot(tmp_path, {"train": TABLE}, rows_per_part=2)
    assert profile_columns(snapshot, "train", ["name"], frozenset({"name"}))["name"].values is None
