"""Exact bounds: reference values, and how they cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gauntlet.behavior.rates import exact_bounds


def test_the_rule_of_three_in_its_exact_form():
    """No failure among n: the upper end is 1 - alpha^(1/n) (Hanley & Lippman-Hand 1983 approximate it by 3/n)."""
    _, high = exact_bounds(0, 100, below=0.95, above=0.95)
    assert high == pytest.approx(1 - 0.05 ** (1 / 100), rel=1e-9)
    assert high == pytest.approx(3 / 100, rel=0.02)


def test_bounds_leave_exactly_the_error_in_each_tail():
    """The definition: at the upper end k failures or fewer have probability alpha, at the lower end k or more have."""
    low, high = exact_bounds(7, 120, below=0.99, above=0.95)
    assert binom.cdf(7, 120, high) == pytest.approx(0.05, rel=1e-6)
    assert binom.sf(6, 120, low) == pytest.approx(0.01, rel=1e-6)


def test_the_ends_of_the_range():
    assert exact_bounds(0, 5, below=0.95, above=0.95)[0] == 0
    assert exact_bounds(5, 5, below=0.95, above=0.95)[1] == 1


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.2])
def test_each_end_covers_at_least_what_it_says(rate):
    """Over every outcome of 300 draws, weighted by its probability: no simulation is needed."""
    outcomes = np.arange(301)
    weights = binom.pmf(outcomes, 300, rate)
    ends = np.array([exact_bounds(int(k), 300, below=0.9, above=0.95) for k in outcomes])
    assert weights[ends[:, 1] >= rate].sum() >= 0.95
    assert weights[ends[:, 0] <= rate].sum() >= 0.9


@pytest.mark.parametrize("rules", [1, 5, 20])
@pytest.mark.parametrize("limit", [0.01, 0.05])
def test_what_the_gate_promises_over_all_rules(rules, limit):
    """At the limit itself, over every outcome of 500 rows: no rule is called kept with more than 5 %, and of all rules
    together none is called broken with more than 5 %.
    """
    outcomes = np.arange(501)
    weights = binom.pmf(outcomes, 500, limit)
    ends = np.array([exact_bounds(int(k), 500, below=1 - 0.05 / rules, above=0.95) for k in outcomes])
    assert weights[ends[:, 1] < limit].sum() <= 0.05
    broken = weights[ends[:, 0] > limit].sum()
    assert broken > 0
    assert 1 - (1 - broken) ** rules <= 0.05


@given(st.integers(1, 400), st.data())
def test_an_interval_holds_its_rate_and_grows_with_failures(units, data):
    failures = data.draw(st.integers(0, units))
    low, high = exact_bounds(failures, units, below=0.95, above=0.95)
    assert 0 <= low <= failures / units <= high <= 1
    if failures < units:
        more = exact_bounds(failures + 1, units, below=0.95, above=0.95)
        assert more[0] > low
        assert more[1] > high or high == 1
