"""Intervals of one share: against published examples, their definition, and exact error rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from gauntlet.evaluation.shares import binomial_limits, clopper_pearson, wilson

ALONE = 1.959963984540054


def together(number):
    """Critical value at which so many independent intervals hold together at 95 % (Šidák)."""
    return norm.isf((1 - 0.95 ** (1 / number)) / 2)


def test_wilson_against_its_published_example():
    # Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263, score method without continuity correction.
    low, high = wilson(81 / 263, 263, 1.959964)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)
    assert [float(end) for end in wilson(0, 20, 1.959964)] == pytest.approx([0, 0.1611], abs=1e-4)


def test_clopper_pearson_against_its_published_example():
    # The same table, exact method.
    low, high = clopper_pearson(81 / 263, 263)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2527, 0.3676)


@pytest.mark.parametrize(("hits", "rows"), [(0, 20), (1, 20), (19, 20), (20, 20), (7, 150), (81, 263), (30_000, 10**6)])
@pytest.mark.parametrize("number", [1, 2, 10, 77])
def test_the_limits_are_where_the_tail_and_part_of_the_count_reach_the_nominal_tail(hits, rows, number):
    critical = together(number)
    tail = norm.sf(critical)
    part = max(0.5, 1 - 20 * tail)
    low, high = binomial_limits(hits / rows, rows, critical)
    if hits:
        assert binom.sf(hits, rows, low) + part * binom.pmf(hits, rows, low) == pytest.approx(tail, rel=1e-7)
    if hits < rows:
        assert binom.cdf(hits - 1, rows, high) + part * binom.pmf(hits, rows, high) == pytest.approx(tail, rel=1e-7)
    assert low <= hits / rows <= high
    assert (low == 0) == (hits == 0)
    assert (high == 1) == (hits == rows)


def test_in_far_tails_they_are_the_exact_interval():
    share, rows = np.array([0, 1, 3, 40]) / 100, np.full(4, 100.0)
    critical = 4.5
    exact = clopper_pearson(share, rows, 1 - 2 * norm.sf(critical))
    np.testing.assert_allclose(binomial_limits(share, rows, critical), exact, rtol=1e-3)


fractions = st.tuples(st.floats(0, 1), st.floats(1e-3, 1e7))


@given(fractions)
def test_they_hold_the_share_turn_with_it_and_widen_with_the_critical_value(counted):
    share, rows = counted
    critical = np.linspace(0.01, 38, 200)
    low, high = binomial_limits(share, rows, critical)
    assert np.isfinite([low, high]).all()
    assert ((low >= 0) & (low <= share) & (share <= high) & (high <= 1)).all()
    assert (np.diff(low) <= 1e-9).all()
    assert (np.diff(high) >= -1e-9).all()
    turned_low, turned_high = binomial_limits(1 - share, rows, critical)
    np.testing.assert_allclose(turned_low, 1 - high, atol=1e-6)
    np.testing.assert_allclose(turned_high, 1 - low, atol=1e-6)


def test_without_rows_nothing_is_known():
    assert [float(end) for end in binomial_limits(0.3, 0, ALONE)] == [0, 1]


def errors(rows, rates, critical):
    """(2, rates) exact chances that the low end lies above the rate, and the high end below it."""
    hits = np.arange(rows + 1)
    low, high = binomial_limits(hits / rows, rows, critical)
    chance = binom.pmf(hits[:, None], rows, rates)
    return (chance * (low[:, None] > rates)).sum(axis=0), (chance * (high[:, None] < rates)).sum(axis=0)


@pytest.mark.parametrize("rows", [20, 57, 150, 1000])
@pytest.mark.parametrize(("number", "most"), [(1, 2.0), (2, 4 / 3), (10, 1.06), (77, 1.01)])
def test_no_end_errs_more_often_than_a_part_of_the_count_allows(rows, number, most):
    """Enumerated over all counts, at rates from a third of a row up; ``most`` is 1 / part."""
    rates = np.geomspace(0.3 / rows, 0.5, 80)
    critical = together(number)
    assert np.max(errors(rows, np.concatenate([rates, 1 - rates]), critical)) <= most * norm.sf(critical)


def test_alone_they_err_as_often_as_they_say_on_average():
    rates = np.linspace(0.1, 0.9, 161)
    for rows in (100, 150, 400):
        below, above = errors(rows, rates, ALONE)
        assert 0.045 <= np.mean(below + above) <= 0.053
