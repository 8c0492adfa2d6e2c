"""A number of which one side has few rows: chance is not taken for a shift, and a shift is still found.

Serving rows drawn from the training rows themselves failed always at 5 to 10 rows, because each lone value had a cell
of its own, in which training had nothing, and the simulation of noise took these cells as given.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from builders.moved_columns import NUMBERS, judge, number
from gauntlet.data.comparators import FEW, Pair, number_cells
from gauntlet.data.noise import missed
from gauntlet.data.statistics import describe
from gauntlet.verdict import Status
from snapshots import write_snapshot

ROWS = 20_000


def verdict(before: np.ndarray, after: np.ndarray, *, alpha: float, seed: int) -> Status:
    return judge(number(before), number(after), alpha=alpha, seed=seed)[0]


@pytest.mark.parametrize("rows", [3, 7, 60, 100, 150, 250])
def test_profiles_are_those_that_tfdv_makes(rows, tmp_path):
    values = np.random.default_rng(rows).lognormal(0, 1, rows)
    table = pa.table({"x": pa.array(values), "id": pa.array([str(row) for row in range(rows)])})
    found = describe(write_snapshot(tmp_path / "snapshot", {"train": table}, {"key": ["id"]}), "train")["x"]
    np.testing.assert_array_equal(found.edges, number(values).edges)


@pytest.mark.parametrize("rows", [5, 20, 50])
@pytest.mark.parametrize("law", ["lognormal", "whole numbers", "mostly zero"])
def test_rows_drawn_from_training_fail_about_as_seldom_as_promised(law, rows):
    """A smaller set of trials than ``tests/simulation/test_data_gates.py`` makes, of more laws and sizes."""
    rng = np.random.default_rng([rows, *law.encode()])
    training = NUMBERS[law](rng, ROWS)
    trials = 20
    failed = sum(verdict(training, NUMBERS[law](rng, rows), alpha=0.05, seed=n) is Status.FAIL for n in range(trials))
    assert failed <= 4, "1 of 20 is expected; 5 or more happen once in 390 sets of trials"


@pytest.mark.parametrize("law", ["lognormal", "whole numbers", "heavy tails"])
def test_a_change_of_unit_is_found_in_eight_rows(law):
    rng = np.random.default_rng([8, *law.encode()])
    training = NUMBERS[law](rng, ROWS)
    found = [verdict(training, 1000 * NUMBERS[law](rng, 8) + 1e6, alpha=0.005, seed=n) for n in range(10)]
    assert found == [Status.FAIL] * 10


def test_a_shift_is_found_where_the_larger_side_is_the_later_one():
    rng = np.random.default_rng(6)
    training, serving = rng.normal(0, 1, 40), rng.normal(3, 1, ROWS)
    assert verdict(training, serving, alpha=0.005, seed=1) is Status.FAIL
    assert verdict(training, rng.normal(0, 1, ROWS), alpha=0.005, seed=1) is not Status.FAIL


def test_no_lone_value_has_a_cell_of_its_own():
    rng = np.random.default_rng(4)
    cells = number_cells(Pair(number(rng.normal(size=ROWS)), number(rng.normal(size=5))))
    assert len(cells.shares[0]) == 20
    np.testing.assert_allclose(cells.shares[0], 1 / 20, atol=0.001)
    np.testing.assert_allclose(cells.shares[1] * 5, np.round(cells.shares[1] * 5))


@pytest.mark.parametrize("rows", [FEW - 1, FEW])
def test_at_the_boundary_both_ways_of_cutting_agree(rows):
    rng = np.random.default_rng(5)
    training = rng.normal(size=ROWS)
    assert verdict(training, rng.normal(size=rows), alpha=0.005, seed=1) is Status.PASS
    assert verdict(training, rng.normal(1.5, 1, rows), alpha=0.005, seed=1) is Status.FAIL


def test_five_rows_of_one_value_do_not_show_that_there_is_no_other():
    """Training is one value throughout. Of what a third of values are now, five rows may well show nothing."""
    found = {rows: verdict(np.ones(ROWS), np.ones(rows), alpha=0.05, seed=1) for rows in (5, 30, 40, 200)}
    assert found == {5: Status.INCONCLUSIVE, 30: Status.INCONCLUSIVE, 40: Status.PASS, 200: Status.PASS}


def test_what_rows_may_have_missed_is_missed_that_often():
    share = missed(40, 0.05, lambda first, second: np.asarray(second[1]))
    assert (1 - share) ** 40 == pytest.approx(0.025)


@pytest.mark.parametrize("rows", [20, 60, 1_000])
def test_a_shift_just_within_the_limit_fails_no_more_often_than_alpha(rows):
    """By 0.52 standard deviations: 0.045 bits, of 0.05 allowed. Few rows show more, and chance is what they add."""
    rng = np.random.default_rng(rows)
    training = rng.normal(size=ROWS)
    failed = sum(verdict(training, rng.normal(0.52, 1, rows), alpha=0.05, seed=n) is Status.FAIL for n in range(40))
    assert failed <= 4, "1 of 40 at most is expected; 5 or more happen once in 300 sets of trials"
