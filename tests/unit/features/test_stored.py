from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import replay
from gauntlet.features.span import Span
from gauntlet.features.stored import KeyedStore, aligned
from gauntlet.features.transform import identity
from gauntlet.settings import parse
from snapshots import write_snapshot


def rows_of(ids: Sequence[int | None], kind: pa.DataType | None = None) -> pa.Table:
    column = pa.array(ids, pa.int64())
    values = pa.array([None if one is None else one * 0.5 for one in ids], pa.float64())
    return pa.table({"id": column if kind is None else column.cast(kind), "value": values})


def matched(folder: Path, raw: Sequence[int | None], store: Snapshot, partition_rows: int = 1_000) -> dict[int, float]:
    history = write_snapshot(folder / "raw", {"q1": rows_of(raw)}, {"key": ["id"]}, rows_per_part=40)
    span = Span("q1", "historical", history, "q1")
    batches = (pa.Table.from_batches([one]) for one in history.batches("q1"))
    found: dict[int, float] = {}
    with KeyedStore(store, ["id"], ["value"], partition_rows=partition_rows) as keyed:
        for one in keyed.match(span, batches):
            assert len(one.hashes) == one.rows.num_rows == one.stored.num_rows
            ids, values = one.rows.column("id").to_pylist(), one.stored.column("value").to_pylist()
            assert not set(ids) & set(found)
            found |= dict(zip(ids, values, strict=True))
    return found


def store_of(folder: Path, ids: Sequence[int | None], kind: pa.DataType | None = None) -> Snapshot:
    return write_snapshot(folder / "store", {"q1": rows_of(ids, kind)}, {"key": ["id"]}, rows_per_part=33)


@pytest.mark.parametrize("partition_rows", [1_000, 50], ids=["one part", "several parts"])
@pytest.mark.parametrize("order", ["same", "shuffled"])
def test_every_row_finds_its_own(tmp_path: Path, partition_rows: int, order: str) -> None:
    ids = list(range(200))
    stored = ids if order == "same" else np.random.default_rng(0).permutation(ids).tolist()
    found = matched(tmp_path, ids, store_of(tmp_path, stored), partition_rows)
    assert found == {one: one / 2 for one in ids}


def test_rows_unknown_to_either_side_and_rows_without_a_key_are_left_out(tmp_path: Path) -> None:
    found = matched(tmp_path, [1, 2, None, 3], store_of(tmp_path, [9, 3, None, 1]))
    assert found == {1: 0.5, 3: 1.5}


def test_keys_that_read_alike_match_whatever_their_type(tmp_path: Path) -> None:
    assert matched(tmp_path, [1, 2, 3], store_of(tmp_path, [1, 2, 3], pa.string())) == {1: 0.5, 2: 1.0, 3: 1.5}


def test_two_rows_of_one_key_in_the_store_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"stored \(id\): holds 1 rows more than it has keys"):
        matched(tmp_path, [1, 2, 3], store_of(tmp_path, [3, 2, 1, 1]))


def test_nothing_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    matched(tmp_path, [1, 2, 3], store_of(tmp_path, [3, 1, 2]))
    assert list(scratch.iterdir()) == []


def test_streams_are_cut_to_the_same_rows() -> None:
    def pieces(*sizes: int) -> list[pa.Table]:
        starts = np.cumsum([0, *sizes[:-1]])
        return [pa.table({"at": range(start, start + size)}) for start, size in zip(starts, sizes, strict=True)]

    found = list(aligned(pieces(3, 4, 1), pieces(5, 0, 3)))
    assert all(first.equals(second) for first, second in found)
    assert sum(first.num_rows for first, _ in found) == 8


def test_columns_may_bear_the_names_of_what_is_kept_beside_them(tmp_path: Path) -> None:
    """``__hash`` and ``new:value`` are names that people may give."""
    names = ["id", "value", "__hash", "__check", "new:value", "stored:value", "new:__hash"]

    def held(ids: Sequence[int], factor: int) -> pa.Table:
        return pa.table({name: pa.array([factor * one for one in ids], pa.int64()) for name in names[1:]}).add_column(
            0, "id", pa.array(ids, pa.int64())
        )

    history = write_snapshot(tmp_path / "raw", {"q1": held([1, 2, 3], 10)}, {"key": ["id"]})
    store = write_snapshot(tmp_path / "store", {"q1": held([3, 1, 2], 10)}, {"key": ["id"]})
    span, features = Span("q1", "historical", history, "q1"), names[1:]
    shared = {name: name for name in features}
    with KeyedStore(store, ["id"], features, partition_rows=1_000) as keyed:
        found = replay(span, identity(tuple(features)), keyed, shared, parse(FeaturesPolicy, {}, field="p"))
    counted = {name: (one.matched, one.differing) for name, one in found.features.items()}
    assert counted == dict.fromkeys(features, (3, 0))
