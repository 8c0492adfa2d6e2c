"""Intervals of shares against published and computed reference values, and against those for arrays."""

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.evaluation import intervals
from gauntlet.stats.proportions import clopper_pearson, wilson

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
    low, high = intervals.wilson(hits / rows, rows, NormalDist().inv_cdf(1 - alpha / 2))
    assert wilson(hits, rows, alpha) == pytest.approx((float(low), float(high)), rel=1e-9)


@given(counts, st.floats(1e-6, 0.5))
def test_the_exact_interval_is_that_for_arrays(counted, alpha):
    hits, rows = counted
    low, high = intervals.clopper_pearson(hits / rows, rows, 1 - alpha)
    assert clopper_pearson(hits, rows, alpha) == pytest.approx((float(low), float(high)), rel=1e-9)
