"""Statistics of single numbers against those of statsmodels and SciPy."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from builders.oracles import (
    confint_proportions_2indep,
    mover,
    normal_sample_size_one_tail,
    proportion_confint,
)
from gauntlet.stats.planning import rows_for_mean
from gauntlet.stats.proportions import chance_of_first_hits, clopper_pearson, difference_of_shares, wilson

AGREE = {"rel": 1e-6, "abs": 1e-12}
COUNTED = [(hits, rows) for rows in (1, 10, 263, 10_000, 10**7) for hits in {0, 1, rows // 3, rows - 1, rows}]
SIDES = [((0, 10), (3, 20)), ((48, 80), (56, 70)), ((9, 10), (3, 10)), ((5, 56), (0, 29)), ((7, 10**6), (30, 400))]


@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-4, 1e-9])
@pytest.mark.parametrize(("ours", "method"), [(wilson, "wilson"), (clopper_pearson, "beta")])
def test_intervals_of_a_share(ours, method, alpha):
    for hits, rows in COUNTED:
        assert ours(hits, rows, alpha) == pytest.approx(proportion_confint(hits, rows, alpha, method), **AGREE)


@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-4])
@pytest.mark.parametrize(("first", "second"), SIDES)
def test_the_difference_of_two_shares(first, second, alpha):
    found = difference_of_shares(first, second, alpha, wilson)
    assert found == pytest.approx(confint_proportions_2indep(*second, *first, method="newcomb", alpha=alpha), abs=1e-9)
    exact = mover(
        *(hits / rows for hits, rows in (second, first)),
        *(proportion_confint(*side, alpha, "beta") for side in (second, first)),
    )
    assert difference_of_shares(first, second, alpha) == pytest.approx(np.clip(exact, -1, 1), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-4])
@pytest.mark.parametrize(("distance", "deviation"), [(0.1, 1.0), (0.02, 0.3), (5.0, 40.0)])
def test_rows_that_place_a_mean_in_seven_of_ten_samples(distance, deviation, alpha):
    exact = normal_sample_size_one_tail(distance, 0.7, alpha / 2, std_null=deviation)
    assert rows_for_mean(distance, deviation, alpha) == np.ceil(exact)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (70, 30), (2_100, 450), (300, 5_000), (10**6, 200)])
def test_the_chance_that_hits_come_first_in_later_rows(before, after):
    for hits in {0, 1, min(2, after), min(9, after), after}:
        _, expected = fisher_exact([[hits, after - hits], [0, before]], alternative="greater")
        assert chance_of_first_hits(hits, before, after) == pytest.approx(expected, rel=1e-6, abs=1e-290)
    assert chance_of_first_hits(after + 1, before, after) == 0
