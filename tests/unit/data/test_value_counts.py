"""How often values occur: counts against those of NumPy, whatever the batches, with memory that does not grow."""

from __future__ import annotations

import numpy as np
import pytest

from gauntlet.data import value_counts
from gauntlet.data.value_counts import (
    MOST_CELLS,
    MOST_TAIL_CELLS,
    MOST_VALUES,
    MOST_WHILE_COUNTING,
    Tally,
    ValueCounts,
)

RNG = np.random.default_rng(3)
COLUMNS = {
    "normal": RNG.normal(size=20_000),
    "rising": np.sort(RNG.normal(1e6, 3, 20_000)),
    "heavy tail": RNG.standard_cauchy(20_000),
    "skewed": np.exp(RNG.normal(0, 3, 20_000)),
    "many integers": RNG.integers(-(10**9), 10**9, 20_000).astype(float),
    "seconds": 1.7e9 + RNG.integers(0, 3e7, 20_000).astype(float),
    "mostly zero": np.where(RNG.random(20_000) < 0.9, 0, RNG.gamma(2, 100, 20_000)),
    "one far out": np.append(RNG.random(20_000), [1e9, -1e9]),
    "tiny": RNG.normal(0, 1e-12, 20_000),
}


def counted(values: np.ndarray, batch: int = 3000) -> ValueCounts:
    tally = Tally()
    for start in range(0, len(values), batch):
        tally.add(values[start : start + batch])
    return tally.result()


@pytest.mark.parametrize("name", COLUMNS)
def test_every_cell_holds_exactly_the_rows_between_its_ends(name):
    values = np.sort(COLUMNS[name])
    found = counted(RNG.permutation(values) if name != "rising" else values)
    assert len(found.counts) <= MOST_CELLS + 2 * MOST_TAIL_CELLS
    expected = np.searchsorted(values, found.highs) - np.searchsorted(values, found.lows)
    assert found.counts.tolist() == expected.tolist()
    assert found.counts.sum() == len(values)


@pytest.mark.parametrize("name", COLUMNS)
def test_what_pictures_show_is_resolved_finely_enough(name):
    values = COLUMNS[name]
    found = counted(values)
    low, high = np.quantile(values, [0.01, 0.99])
    shown = found.between(low, high)
    assert (shown.highs - shown.lows).max() <= (high - low) / 10


@pytest.mark.parametrize(
    "values",
    [RNG.integers(17, 91, 5000), RNG.normal(3.3, 0.15, 5000).round(2), np.full(10, -0.0), np.arange(500) / 4],
    ids=["integers", "hundredths", "one value", "as many as are written"],
)
def test_few_values_are_counted_one_by_one(values):
    found = counted(values.astype(float))
    expected = np.unique(values, return_counts=True)
    assert found.by_value
    assert found.lows.tolist() == expected[0].tolist()
    assert found.counts.tolist() == expected[1].tolist()


def test_one_value_more_than_are_written_makes_cells():
    assert counted(np.arange(MOST_VALUES, dtype=float)).by_value
    assert not counted(np.arange(MOST_VALUES + 1, dtype=float)).by_value


def test_memory_does_not_grow_with_rows():
    tally = Tally()
    for size in range(20):
        tally.add(RNG.normal(0, 10.0 ** (size % 5), 5000))
        assert len(tally._keys) == len(tally._counts) <= MOST_WHILE_COUNTING


def test_a_decimal_on_an_edge_is_in_the_cell_that_begins_there():
    # In binary, 0.29 × 100 is less than 29 and 0.07 × 100 more than 7.
    values = np.repeat(np.arange(1000) / 1000, 3)
    found = counted(values)
    expected = np.histogram(values + 1e-9, np.append(found.lows, found.highs[-1]))[0]
    assert found.counts.tolist() == expected.tolist()


def test_missing_numbers_are_left_out_and_infinite_ones_lie_in_the_outer_cells():
    values = np.concatenate([RNG.normal(size=2000), [np.inf, np.inf, -np.inf, np.nan]])
    found = counted(values)
    assert found.counts.sum() == 2003
    rows, _ = found.binned(np.array([-1.0, 0.0, 1.0]))
    assert rows.sum() == 2003
    assert counted(np.array([np.nan])).counts.tolist() == []


def test_bins_of_whole_cells_are_exact_and_others_say_they_are_not():
    found = ValueCounts(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 2.0]), np.array([4.0, 6.0, 5.0]))
    assert _binned(found, [0, 1, 2, 3]) == ([4, 6, 5], True)
    assert _binned(found, [0, 2, 3]) == ([10, 5], True)
    assert _binned(found, [0, 1.5, 3]) == ([7, 8], False)
    assert _binned(found, [0.5, 1.75, 1.8, 1.9]) == (
        [pytest.approx(8.5), pytest.approx(0.3), pytest.approx(6.2)],
        False,
    )


def test_the_last_bin_holds_its_upper_edge_and_what_lies_beyond():
    found = counted(np.array([1.0, 2.0, 3.0, 9.0]))
    assert _binned(found, [1, 2, 3]) == ([1, 3], True)


def test_counts_come_back_from_the_statistics_they_were_written_into():
    import pyarrow as pa
    from tensorflow_metadata.proto.v0 import statistics_pb2

    feature = statistics_pb2.FeatureNameStatistics()
    tallies = value_counts.Tallies(["x"])
    tallies.add({"x": pa.array([1, None, 3, 3])})
    tallies.write({"x": feature})
    found = value_counts.read_value_counts(feature)
    assert (found.lows.tolist(), found.counts.tolist()) == ([1.0, 3.0], [1.0, 2.0])
    assert value_counts.read_value_counts(statistics_pb2.FeatureNameStatistics()) is None


def _binned(found: ValueCounts, edges: list[float]) -> tuple[list[float], bool]:
    rows, exact = found.binned(np.array(edges, dtype=float))
    return rows.tolist(), exact
