from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builders.training import CONTRACT, recipe_of
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training.plan import make_plan
from gauntlet.training_check.sampling import bounded, shuffled, tiny_batch

SPLITS = ("train", "validation", "test")


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def test_a_sample_is_bounded_random_within_splits_and_always_the_same(snapshot: Snapshot, tmp_path: Path) -> None:
    sample = bounded(snapshot, tmp_path / "a", SPLITS, 1000, rng())
    assert sample.splits == {"train": 600, "validation": 150, "test": 250}
    for split in SPLITS:
        ids = sample.table(split, [EXAMPLE_ID])[EXAMPLE_ID].to_pylist()
        assert len(set(ids)) == len(ids)
        assert set(ids) <= set(snapshot.table(split, [EXAMPLE_ID])[EXAMPLE_ID].to_pylist())
    assert bounded(snapshot, tmp_path / "b", SPLITS, 1000, rng()).digest == sample.digest
    whole = bounded(snapshot, tmp_path / "c", SPLITS, 100_000, rng())
    assert whole.splits == snapshot.splits


def test_a_split_that_is_not_there(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such split"):
        bounded(snapshot, tmp_path, ("train", "validation", "tset"), 1000, rng())
    sample = bounded(snapshot, tmp_path, ("train", "none", "test"), 1000, rng())
    assert sample.splits["train"] == 600


def test_a_tiny_batch_holds_both_classes_and_no_two_rows_alike(snapshot: Snapshot, tmp_path: Path) -> None:
    plan = make_plan(snapshot, CONTRACT, recipe_of())
    batch = tiny_batch(snapshot, tmp_path, plan, "train", 30, rng()).table("train")
    rows = batch.select(plan.names).to_pylist()
    assert len({tuple(row.values()) for row in rows}) == 30
    assert sorted(set(batch["outcome"].to_pylist())) == ["late", "paid"]
    assert abs(batch["outcome"].to_pylist().count("paid") - 15) <= 1


def test_rows_that_are_all_alike_make_no_batch(snapshot_of: Callable[..., Snapshot], tmp_path: Path) -> None:
    def alike(table: pa.Table, name: str) -> pa.Table:
        first = table.slice(0, 1).to_pylist()[0]
        columns = {
            column: pa.array([first[column]] * table.num_rows, table[column].type)
            if column not in ("outcome", "weight", "amount")
            else table[column]
            for column in table.column_names
        }
        return pa.table({**columns, "amount": pa.array([0.5] * table.num_rows)})

    snapshot = snapshot_of(change=alike, rows=400)
    plan = make_plan(snapshot, CONTRACT, recipe_of())
    with pytest.raises(DataError, match="too few rows differ"):
        tiny_batch(snapshot, tmp_path, plan, "train", 30, rng())


def test_shuffled_labels_are_the_same_labels_dealt_anew_in_every_split(snapshot: Snapshot, tmp_path: Path) -> None:
    plan = make_plan(snapshot, CONTRACT, recipe_of())
    dealt = shuffled(snapshot, tmp_path, plan, SPLITS, rng())
    before, after = (
        np.concatenate([one.table(split)["outcome"].to_pylist() for split in SPLITS]) for one in (snapshot, dealt)
    )
    assert (before == after).mean() == pytest.approx(0.5, abs=0.05)
    for split in SPLITS:
        assert dealt.table(split, plan.names).equals(snapshot.table(split, plan.names))


def test_a_person_s_rows_get_one_label_wherever_they_lie(snapshot_of: Callable[..., Snapshot], tmp_path: Path) -> None:
    snapshot = snapshot_of(roles={"label": "outcome", "cluster": "person"}, rows=800)
    plan = make_plan(snapshot, CONTRACT, recipe_of())
    dealt = shuffled(snapshot, tmp_path, plan, SPLITS, rng())
    labels: dict[int, set[str]] = {}
    for split in SPLITS:
        table = dealt.table(split)
        for person, label in zip(table["person"].to_pylist(), table["outcome"].to_pylist(), strict=True):
            labels.setdefault(person, set()).add(label)
    assert all(len(found) == 1 for found in labels.values())
    assert len({next(iter(found)) for found in labels.values()}) == 2
