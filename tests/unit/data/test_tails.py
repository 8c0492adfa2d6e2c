"""The outermost values: counted, kept beside TFDV's statistics, and told apart from a tail."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from builders.first_runs import LAWS
from gauntlet.data.outside import extreme, outside
from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.roles import Roles
from gauntlet.data.statistics import compute

NUMBERS = [law for law in LAWS if "names" not in law and law not in ("times", "codes")]


def profile(values, batches: int = 1, mask=None) -> Profile:
    column = pa.array(np.asarray(values), mask=mask)
    step = -(-len(column) // batches)
    parts = [pa.RecordBatch.from_arrays([column.slice(start, step)], ["x"]) for start in range(0, len(column), step)]
    kind = "int" if pa.types.is_integer(column.type) else "float"
    return read_profiles(compute(parts, {"x": kind}, Roles()).datasets[0])["x"]


@pytest.mark.parametrize("batches", [1, 7])
def test_rows_beyond_a_limit_are_counted(batches):
    values = np.random.default_rng(0).permutation(np.arange(50_000.0)) - 100
    found = profile(values, batches, mask=values == 7)
    for rows in (0, 1, 5, 16):
        assert (found.rows_below(-100 + rows), found.rows_above(49_899 - rows)) == (rows, rows)
    for rows in (40, 300, 1_000, 9_000, 30_000):
        assert 0.8 * rows <= found.rows_above(49_899 - rows) <= rows
    assert found.rows_below(1e9) == found.present == 49_999


def test_not_a_number_is_no_end():
    found = profile([1.0, float("nan"), 3.0, 2.0])
    assert (found.rows_above(1.5), found.rows_below(1.5)) == (2, 1)


@pytest.mark.parametrize("law", NUMBERS)
def test_nothing_stands_apart_in_draws_of_one_law(law):
    rng = np.random.default_rng([1, *law.encode()])
    found = profile(LAWS[law](rng, 2_000))
    assert (extreme(found, "low"), extreme(found, "high")) == (found.minimum, found.maximum)


@pytest.mark.parametrize(("law", "value"), [
    ("uniform", -999), ("uniform", 900), ("normal", -999.0), ("lognormal", 9e9), ("counts", -999),
    ("rare counts", 99), ("overdispersed counts", -9_999), ("grades", 99), ("mostly zero", -99_999.0),
    ("years", -9_999), ("lognormal", -1e6),
])  # fmt: skip
def test_lone_values_far_from_all_others_stand_apart(law, value):
    values = LAWS[law](np.random.default_rng(2), 5_000)
    end = "low" if value < np.median(values) else "high"
    for rows in (1, 3):
        found = profile([*values, *[value] * rows])
        assert extreme(found, end) == extreme(profile(values), end)
        limit = extreme(found, end) + (-0.5 if end == "low" else 0.5)
        assert (outside(found, limit, end).rows, outside(found, limit, end).apart) == (rows, True)


@pytest.mark.parametrize("values", [[5.0] * 4, [0.0] * 900 + [1.0], [0.0] * 900 + [1.0, 1.0], [1.0, 2.0, 1e9]])
def test_few_rows_and_flags_tell_of_no_tail(values):
    assert extreme(profile(values), "high") == max(values)


def test_more_than_a_few_rows_are_part_of_the_data():
    values = [*LAWS["uniform"](np.random.default_rng(3), 1_000), *[-999.0] * 20]
    assert extreme(profile(values), "low") == -999
