import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gauntlet.serving.arrivals import arrivals

rates = st.floats(1, 500)
lengths = st.floats(0.5, 20)


@given(rate=rates, seconds=lengths, spacing=st.sampled_from(["poisson", "constant"]), seed=st.integers(0, 2**32))
def test_as_many_requests_as_asked_for_in_order_within_the_run(rate, seconds, spacing, seed):
    starts = arrivals(rate, seconds, spacing=spacing, seed=seed)
    assert len(starts) == round(rate * seconds)
    assert (np.diff(starts) >= 0).all()
    assert ((starts >= 0) & (starts < seconds)).all()


@given(seed=st.integers(0, 1000))
def test_a_seed_says_it_all(seed):
    np.testing.assert_array_equal(arrivals(50, 2, seed=seed), arrivals(50, 2, seed=seed))
    assert not np.array_equal(arrivals(50, 2, seed=seed), arrivals(50, 2, seed=seed + 1))


def test_constant_arrivals_are_a_metronome():
    assert np.diff(arrivals(10, 3, spacing="constant")) == pytest.approx(0.1)


def test_gaps_of_poisson_arrivals_are_exponential():
    gaps = np.diff(arrivals(100, 200, seed=5))
    assert stats.kstest(gaps, stats.expon(scale=1 / 100).cdf).pvalue > 0.01
    # Counts in seconds: variance equals mean (a metronome's would be 0).
    counts = np.histogram(arrivals(100, 200, seed=5), bins=200, range=(0, 200))[0]
    assert counts.var() == pytest.approx(counts.mean(), rel=0.25)
