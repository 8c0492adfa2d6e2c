from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.training import ROLES, make_table
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.variant import take, variant
from gauntlet.errors import ConfigurationError, DataError
from snapshots import write_snapshot


@pytest.fixture
def origin(tmp_path: Path) -> Snapshot:
    splits = {"train": make_table(50, 0), "test": make_table(20, 1)}
    return write_snapshot(tmp_path / "origin", splits, ROLES, rows_per_part=8)


def test_rows_are_taken_by_position_over_parts_and_may_repeat(origin: Snapshot) -> None:
    taken = take(origin, "train", np.array([0, 7, 8, 8, 49]))
    whole = origin.table("train")
    assert taken.column_names == whole.column_names
    assert taken.to_pylist() == whole.take([0, 7, 8, 8, 49]).to_pylist()
    assert take(origin, "train", np.array([], dtype=int)).num_rows == 0


def test_a_variant_holds_what_changed_and_reads_the_rest_where_it_is(origin: Snapshot, tmp_path: Path) -> None:
    rows = take(origin, "train", np.arange(10))
    found = variant(origin, tmp_path / "variant", {"train": rows})
    assert found.splits == {"train": 10, "test": 20}
    assert found.table("train").equals(rows)
    assert found.table("test").equals(origin.table("test"))
    assert found.digest != origin.digest
    assert (found.columns, found.roles) == (origin.columns, origin.roles)
    assert not (tmp_path / "variant" / "test").exists()
    assert variant(origin, tmp_path / "again", {"train": rows}).digest == found.digest


def test_an_empty_split_has_no_rows(origin: Snapshot, tmp_path: Path) -> None:
    found = variant(origin, tmp_path / "variant", {"test": origin.table("test").slice(0, 0)})
    with pytest.raises(DataError, match="has no rows"):
        found.require_split("test")


def test_a_split_that_is_not_there(origin: Snapshot) -> None:
    with pytest.raises(ConfigurationError, match="no such split"):
        take(origin, "tset", np.arange(3))
