"""Drawing rows: the right ones, whole clusters, the same however they are stored."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gauntlet.behavior.sampling import Drawn, Sampler, draw, hashes
from gauntlet.data.derive import Expression
from gauntlet.data.snapshot import EXAMPLE_ID
from snapshots import write_snapshot

ROWS = 5000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(3)
    missing = rng.random(ROWS) < 0.2
    return pa.table(
        {
            "income": pa.array(rng.normal(2000, 500, ROWS), mask=missing),
            "person": rng.integers(0, 1500, ROWS),
            "number": np.arange(ROWS),
        }
    )


def drawn(tmp_path, table: pa.Table, most: int, where: str = "", seed: int = 0, **snapshot) -> Drawn | None:
    data = write_snapshot(tmp_path, {"test": table}, **snapshot)
    condition = Expression(where, "where") if where else None
    return draw(data, "test", {"rule": Sampler(most, condition, ["number"])}, seed=seed)["rule"]


def test_a_filter_leaves_missing_rows_out(tmp_path, table):
    found = drawn(tmp_path, table, 10**6, "income > 2000")
    expected = pc.sum(pc.fill_null(pc.greater(table.column("income"), 2000), False)).as_py()
    assert found is not None
    assert found.matched == found.rows.num_rows == expected
    assert found.rows.column_names == [EXAMPLE_ID, "number"]
    assert not found.clustered


def test_no_row_matches(tmp_path, table):
    assert drawn(tmp_path, table, 100, "income > 1e9") is None


def test_exactly_so_many_rows_whatever_their_order_and_parts(tmp_path, table):
    first = drawn(tmp_path / "a", table, 300)
    again = drawn(tmp_path / "b", table, 300, rows_per_part=170)
    other = drawn(tmp_path / "c", table, 300, seed=1)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.rows.num_rows == 300
    assert first.matched == ROWS
    assert set(first.rows.column("number").to_pylist()) == set(again.rows.column("number").to_pylist())
    assert set(first.rows.column("number").to_pylist()) != set(other.rows.column("number").to_pylist())


def test_small_batches_give_the_sample_of_one_large_batch():
    ids = pa.table({EXAMPLE_ID: [f"r{i}" for i in range(3000)]})
    units = hashes(ids.column(EXAMPLE_ID), 5)
    whole, parts = Sampler(50, None, []), Sampler(50, None, [])
    whole.add(ids, units)
    for start in range(0, 3000, 37):
        parts.add(ids.slice(start, 37), units[start : start + 37])
    one, other = whole.finish(clustered=False), parts.finish(clustered=False)
    assert one is not None
    assert other is not None
    assert one.rows == other.rows
    assert sorted(one.units.tolist()) == sorted(units.tolist())[:50]


def test_clusters_come_whole(tmp_path, table):
    found = drawn(tmp_path, table, 200, roles={"cluster": "person"})
    assert found is not None
    assert found.clustered
    assert len(np.unique(found.units)) == 200
    numbers = found.rows.column("number").to_numpy()
    people = table.column("person").to_numpy()
    assert np.isin(people, np.unique(people[numbers])).sum() == len(numbers), "every row of a drawn person is there"


def test_every_row_is_as_likely(table):
    """Over 400 seeds each of 50 rows is drawn about 10 times in 50."""
    ids = pa.chunked_array([[f"r{i}" for i in range(50)]])
    times = np.zeros(50)
    for seed in range(400):
        times[np.argsort(hashes(ids, seed))[:10]] += 1
    assert times.sum() == 4000
    spread = np.sqrt(400 * 0.2 * 0.8)
    assert abs(times - 80).max() < 4.5 * spread
    assert 0.6 * spread < times.std() < 1.5 * spread


def test_hashes_depend_on_seed_and_name_alone():
    names = pa.chunked_array([["a", "b", None, "a"]])
    first = hashes(names, 1)
    assert first[0] == first[3]
    assert len(set(first.tolist())) == 3
    assert (first != hashes(names, 2)).all()
    assert len(set(hashes(pa.chunked_array([[1, 2, 1]]), 2**63 - 1).tolist())) == 2
