from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.features.difference_counts import DifferenceCounts, LowestHashes, compare
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.settings import parse
from hypothesis_profiles import examples

POLICY = parse(FeaturesPolicy, {}, field="policy")
TIME = pa.timestamp("us", tz="UTC")


def differs(stored: pa.Array, new: pa.Array) -> list[bool]:
    return compare(stored, new, POLICY).differs.tolist()


@pytest.mark.parametrize(
    ("stored", "new", "expected"),
    [
        pytest.param(pa.array([1.0, 1e6]), pa.array([1.0 + 5e-7, 1e6 + 2]), [False, True], id="fractions"),
        pytest.param(pa.array([10_000_000]), pa.array([10_000_001]), [True], id="whole numbers are exact"),
        pytest.param(pa.array([1, 2]), pa.array([1.0, 2.5]), [False, True], id="int and float"),
        pytest.param(pa.array([np.inf, -np.inf]), pa.array([np.inf, np.inf]), [False, True], id="infinite"),
        pytest.param(pa.array([0, 7_200_000_000], TIME), pa.array([1, 7_200_000_000], TIME), [True, False], id="times"),
        pytest.param(pa.array([True, False]), pa.array([True, True]), [False, True], id="booleans"),
        pytest.param(pa.array(["a", "b"]), pa.array(["a", "c"]), [False, True], id="text"),
        pytest.param(pa.array(["1", "2"]), pa.array([1, 3]), [False, True], id="text and number"),
        pytest.param(pa.nulls(2), pa.array([1.0, None]), [False, False], id="nothing stored"),
    ],
)  # fmt: skip
def test_values_differ_beyond_tolerance(stored: pa.Array, new: pa.Array, expected: list[bool]) -> None:
    assert differs(stored, new) == expected


def test_missing_values_are_told_apart() -> None:
    found = compare(pa.array([1.0, None, None, 2.0]), pa.array([None, 3.0, None, 2.0]), POLICY)
    assert found.any.tolist() == [True, True, False, False]
    assert found.differs.tolist() == [False] * 4


def test_counts_of_batches_add_up() -> None:
    counts = DifferenceCounts("income")
    for start in (0, 3):
        stored, new = pa.array([1.0, None, 5.0]), pa.array([None, 2.0, 8.0])
        counts.add(stored, new, np.arange(start, start + 3).astype(np.uint64), POLICY)
    assert (counts.matched, counts.lost, counts.gained, counts.beyond) == (6, 2, 2, 2)
    assert (counts.differing, counts.share, counts.largest) == (6, 1.0, 3.0)
    offenders = counts.offenders.table()
    assert offenders is not None
    assert offenders.num_rows == 6


@given(
    stored=st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30),
    change=st.floats(-1e3, 1e3).filter(lambda value: abs(value) > 1.1),
    data=st.data(),
)
@examples(100)
def test_what_is_the_same_passes_and_what_is_not_never_does(
    stored: list[float | None], change: float, data: st.DataObject
) -> None:
    same = pa.array(stored, pa.float64())
    assert not compare(same, same, POLICY).any.any()
    place = data.draw(st.integers(0, len(stored) - 1))
    before = stored[place]
    moved = pa.array(
        [*stored[:place], change if before is None else before + change, *stored[place + 1 :]], pa.float64()
    )
    assert compare(same, moved, POLICY).any.tolist() == [at == place for at in range(len(stored))]


@given(
    hashes=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200, unique=True),
    size=st.integers(1, 20),
    cut=st.integers(1, 50),
)
@examples(100)
def test_a_sample_depends_neither_on_order_nor_on_division(hashes: list[int], size: int, cut: int) -> None:
    sample = LowestHashes(size)
    for start in range(0, len(hashes), cut):
        part = hashes[start : start + cut]
        sample.add(np.array(part, dtype=np.uint64), pa.table({"at": pa.array(part, pa.uint64())}))
    table = sample.table()
    assert table is not None
    assert table.column("at").to_pylist() == sorted(hashes)[:size]


def test_a_sample_of_nothing_is_none() -> None:
    assert LowestHashes(3).table() is None
