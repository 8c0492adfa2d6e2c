"""Rows that would decide: enumerated, they decide in at least six of ten samples."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import beta, binom

from gauntlet.stats.planning import rows_for_difference, rows_for_first_hits, rows_for_mean, rows_for_share
from gauntlet.stats.proportions import chance_of_first_hits, clopper_pearson

PROMISED = 0.6
ALPHAS = [0.05, 0.0008]


def exact(counts, rows, alpha):
    """Clopper and Pearson's intervals of all counts, by SciPy; shapes of ``counts``."""
    low = np.where(counts > 0, beta.ppf(alpha / 2, np.maximum(counts, 0.5), rows - counts + 1), 0.0)
    return low, np.where(counts < rows, beta.isf(alpha / 2, counts + 1, np.maximum(rows - counts, 0.5)), 1.0)


def likely(rows, share):
    """Counts that a sample may have, all but one in 10⁸, and their chances."""
    counts = np.arange(max(0, binom.ppf(5e-9, rows, share)), min(rows, binom.isf(5e-9, rows, share)) + 1)
    return counts, binom.pmf(counts, rows, share)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("bound", [0.001, 0.01, 0.05, 0.2, 0.5, 0.9])
def test_the_rows_named_for_a_share_decide(bound, alpha):
    for ratio in (0, 0.01, 0.1, 0.3, 0.5, 0.8, 0.9, 1.1, 1.3, 1.5, 2, 3, 5, 10):
        share = bound * ratio
        if share > 1:
            continue
        rows = rows_for_share(share, bound, alpha)
        counts, chances = likely(rows, share)
        low, high = exact(counts, rows, alpha)
        assert chances[(low > bound) | (high <= bound)].sum() >= PROMISED, (share, rows)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("first_rows", [500, 20_000])
@pytest.mark.parametrize("share", [0, 0.02, 0.1, 0.5, 0.9])
def test_the_rows_named_for_a_difference_decide(share, first_rows, alpha):
    first = round(share * first_rows)
    before = first / first_rows
    low_before, high_before = clopper_pearson(first, first_rows, alpha)
    for bound, ratio in itertools.product((0.01, 0.05, 0.2), (-1.5, -0.6, 0, 0.6, 1.5)):
        second = before + ratio * bound
        rows = rows_for_difference((first, first_rows), second, bound, alpha) if 0 <= second <= 1 else None
        if rows is None:
            continue
        counts, chances = likely(rows, second)
        low_after, high_after = exact(counts, rows, alpha)
        after = counts / rows
        low = after - before - np.hypot(after - low_after, high_before - before)
        high = after - before + np.hypot(high_after - after, before - low_before)
        decided = (np.maximum(low, -high) > bound) | (np.maximum(abs(low), abs(high)) <= bound)
        assert chances[decided].sum() >= PROMISED, (bound, second, rows)


@pytest.mark.parametrize("alpha", [0.001, 2e-6])
@pytest.mark.parametrize("before", [2_000, 100_000])
def test_the_rows_named_for_first_hits_decide(before, alpha):
    for share in (0.01, 0.05, 0.3, 1.0):
        rows = rows_for_first_hits(share, before, alpha)
        counts, chances = likely(rows, share)
        decided = [chance_of_first_hits(hits, before, rows) < alpha for hits in counts]
        assert chances[decided].sum() >= PROMISED, (share, rows)
    assert rows_for_first_hits(0.1 / before, before, alpha) is None, "so rare a hit is missed nine times in ten"


@pytest.mark.parametrize("other", [0.0, 0.0005])
def test_the_rows_named_for_a_mean_decide(other):
    z, distance, deviation = 1.959964, 0.1, 2.0
    rows = rows_for_mean(distance, deviation, 0.05, other)
    error = deviation / math.sqrt(rows)
    drawn = np.random.default_rng(0).normal(0, error, 100_000)
    assert np.mean(drawn + z * math.hypot(error, math.sqrt(other)) <= distance) == pytest.approx(0.7, abs=0.01)


def test_a_limit_on_both_sides_takes_more_rows():
    rows = rows_for_mean(0.1, 2.0, 0.05, both_ways=True)
    error = 2.0 / math.sqrt(rows)
    drawn = np.random.default_rng(0).normal(0, error, 100_000)
    assert np.mean(abs(drawn) + 1.959964 * error <= 0.1) == pytest.approx(0.7, abs=0.01)


def test_where_no_number_of_rows_would_do_none_is_named():
    assert rows_for_share(0.02, 0.02, 0.05) is None
    assert rows_for_difference((5, 100), 0.1, 0.05, 0.05) is None, "the change is the bound"
    assert rows_for_difference((5, 100), 0.12, 0.05, 0.05) is None, "the first hundred rows leave more open than that"
    assert rows_for_mean(0.0, 1.0, 0.05) is None
    assert rows_for_mean(0.1, 1.0, 0.05, 0.01) is None


@pytest.mark.parametrize(("share", "bound", "rows"), [(0.0, 1.0, 1), (0.5, 0.0, 1), (1.0, 0.5, 6)])
def test_at_the_ends_few_rows_do(share, bound, rows):
    # None of n rows differs: 0.5⁶ < 0.025.
    assert rows_for_share(share, bound, 0.05) == pytest.approx(rows, abs=1)


def test_a_mean_without_spread_needs_one_row():
    assert rows_for_mean(0.1, 0.0, 0.05) == 1
