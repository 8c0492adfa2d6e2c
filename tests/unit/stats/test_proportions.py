"""Intervals of shares against published and computed reference values, and against those for arrays."""

import functools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gauntlet.evaluation import shares
from gauntlet.stats.proportions import clopper_pearson, difference_of_shares, wilson

counts = st.integers(1, 10**7).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


@pytest.mark.parametrize(
    ("successes", "rows", "alpha", "low", "high"),
    [
        # scipy 1.17.0: stats.beta.ppf(alpha/2, x, n-x+1), stats.beta.isf(alpha/2, x+1, n-x).
        (8, 10, 0.05, 0.44390453769235, 0.97478927367317),
        (0, 10, 0.05, 0.0, 0.30849710781876),
        (10, 10, 0.05, 0.69150289218124, 1.0),
        (3, 10_000_000, 0.01, 3.3786341680649e-08, 1.0977473116067e-06),
        (5_000_000, 10_000_000, 0.01, 0.4995926757046, 0.5004073242954),
        (12.5, 100.3, 0.05, 0.06709746897109, 0.20556626445974),
        (1, 1, 0.05, 0.025, 1.0),
        (0, 0, 0.05, 0.0, 1.0),
    ],
)
def test_the_exact_interval_is_that_of_the_beta_distribution(successes, rows, alpha, low, high):
    assert clopper_pearson(successes, rows, alpha) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize(("successes", "rows"), [(0, 7), (3, 11), (20, 400)])
def test_turning_successes_into_failures_turns_the_interval(successes, rows):
    low, high = clopper_pearson(successes, rows, 0.1)
    assert clopper_pearson(rows - successes, rows, 0.1) == pytest.approx((1 - high, 1 - low))


@given(counts, st.floats(1e-6, 0.5))
def test_the_score_interval_is_that_for_arrays(counted, alpha):
    hits, rows = counted
    low, high = shares.wilson(hits / rows, rows, NormalDist().inv_cdf(1 - alpha / 2))
    assert wilson(hits, rows, alpha) == pytest.approx((float(low), float(high)), rel=1e-9)


@given(counts, st.floats(1e-6, 0.5))
def test_the_exact_interval_is_that_for_arrays(counted, alpha):
    hits, rows = counted
    low, high = shares.clopper_pearson(hits / rows, rows, 1 - alpha)
    assert clopper_pearson(hits, rows, alpha) == pytest.approx((float(low), float(high)), rel=1e-9)


def test_with_score_intervals_the_difference_is_newcombes():
    # Newcombe (1998), table II, method 10: examples (a), (b) and (c), of p1 - p2 in his order.
    for first, second, low, high in [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
    ]:
        found = difference_of_shares(first, second, 0.05, wilson)
        assert found == pytest.approx((low, high), abs=5e-5)


exact_interval = functools.cache(clopper_pearson)
"""Of one count, asked for once."""


@pytest.mark.parametrize("alpha", [0.05, 0.005, 0.0008])
@pytest.mark.parametrize("bound", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("sizes", [(20_000, 5), (20_000, 10), (20_000, 20), (20_000, 50), (20, 20), (15, 60)])
def test_a_difference_within_the_bound_exceeds_it_no_more_often_than_alpha(sizes, bound, alpha):
    """Exact: every pair of counts, the first share 0.1 % to 99.9 %, the second a bound above and below it."""
    assert errors(sizes, bound, alpha, lambda low, high: max(low, -high) > bound) <= alpha


def test_score_intervals_would_exceed_it_more_often():
    exceeds = errors((20_000, 10), 0.05, 0.005, lambda low, high: max(low, -high) > 0.05, wilson)
    assert exceeds == pytest.approx(0.0283, abs=0.0005)


@pytest.mark.parametrize("sizes", [(20_000, 50), (20_000, 100), (40, 40)])
def test_a_difference_beyond_the_bound_is_taken_for_one_within_it_no_more_often_than_alpha(sizes):
    assert errors(sizes, 0.05, 0.05, lambda low, high: max(abs(low), abs(high)) <= 0.05) <= 0.05


def errors(sizes, bound, alpha, wrong, interval=exact_interval):
    """The largest chance of a wrong decision where the true difference is the bound.

    A first sample of more than 1,000 rows is taken to have its share, a smaller one may have any count.
    """
    rows, others = sizes
    shares = [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.997, 0.999]
    large = rows > 1_000
    counts = sorted({round(share * rows) for share in shares}) if large else range(rows + 1)
    decided = np.array(
        [
            [
                wrong(*difference_of_shares((first, rows), (second, others), alpha, interval))
                for second in range(others + 1)
            ]
            for first in counts
        ]
    )
    worst = 0.0
    for share in shares:
        for second in (share - bound, share + bound):
            if 0 <= second <= 1:
                chances = binom.pmf(np.arange(others + 1), others, second)
                weights = np.equal(counts, round(share * rows)) if large else binom.pmf(counts, rows, share)
                worst = max(worst, float(weights @ decided @ chances))
    return worst
