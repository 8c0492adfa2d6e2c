"""The supermartingale property, checked by summing over every outcome rather than by drawing some."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gauntlet.delivery.evidence.bets import HIGHEST_PRIOR, log_bets, log_factors, log_mean, prior_rate, stakes
from gauntlet.delivery.evidence.sequential import GRIDS, Direction

HARM, NOT_WORSE = GRIDS[Direction.HARM], GRIDS[Direction.NOT_WORSE]
ROUNDING = 1e-11
SIZES = [(1, 1), (1, 7), (5, 3), (6, 6), (3, 40)]
PRIORS = [0.0, 0.004, 0.2, 0.5, 0.95, HIGHEST_PRIOR]
MARGINS = [(1.0, 0.0), (1.0, 0.002), (1.1, 0.001), (0.5, 0.0), (1.0, 0.05), (2.0, 0.3), (0.0, 0.01)]
RATES = [0.0, 0.001, 0.03, 0.3, 0.7, 0.99, 1.0]


def expected(n_c, n_s, prior, rho, delta, psi, canary, stable, phi=1.0):
    """(K,) mean of e^(1/φ) over all outcomes of two independent binomials."""
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(n_c + 1), np.arange(n_s + 1)))
    chance = binom.pmf(x, n_c, canary) * binom.pmf(y, n_s, stable)
    return chance @ np.exp(log_bets(x, n_c, y, n_s, prior, rho=rho, delta=delta, psi=psi) / phi)


@pytest.mark.parametrize(("n_c", "n_s"), SIZES)
@pytest.mark.parametrize(("rho", "delta"), MARGINS)
@pytest.mark.parametrize("phi", [1.0, 5.0])
def test_without_harm_a_bet_gains_nothing_on_average(n_c, n_s, rho, delta, phi):
    """Every stable rate, the canary on the margin and inside it, every centre of the bets, good or bad."""
    for prior, stable in product(PRIORS, RATES):
        limit = min(rho * stable + delta, 1.0)
        for canary in (limit, limit / 2, 0.0):
            assert expected(n_c, n_s, prior, rho, delta, HARM, canary, stable, phi).max() <= 1 + ROUNDING


@pytest.mark.parametrize(("n_c", "n_s"), SIZES)
@pytest.mark.parametrize(("rho", "delta"), MARGINS)
def test_with_harm_beyond_the_margin_a_bet_on_its_absence_gains_nothing(n_c, n_s, rho, delta):
    for prior, stable in product(PRIORS, RATES):
        limit = rho * stable + delta
        if limit <= 1:
            for canary in (limit, (limit + 1) / 2, 1.0):
                assert expected(n_c, n_s, prior, rho, delta, NOT_WORSE, canary, stable).max() <= 1 + ROUNDING


@pytest.mark.parametrize("psi", [HARM, NOT_WORSE], ids=["harm", "not worse"])
@pytest.mark.parametrize(("rho", "delta"), [(1.0, 0.0), (1.0, 0.002), (1.1, 0.001), (0.5, 0.1)])
def test_a_bet_is_fair_where_its_centre_is_right_and_the_canary_is_on_the_margin(psi, rho, delta):
    for (n_c, n_s), prior in product(SIZES, [0.004, 0.2, 0.5]):
        on_margin = rho * prior + delta
        fair = expected(n_c, n_s, prior, rho, delta, psi, on_margin, prior)
        np.testing.assert_allclose(fair, 1, rtol=1e-10)
        beyond = on_margin + (0.01 if psi is HARM else -0.004 * rho)
        assert (expected(n_c, n_s, prior, rho, delta, psi, beyond, prior) > 1).all()


def test_the_mean_is_the_closed_form_of_the_proof():
    arguments = {"rho": 1.1, "delta": 0.01, "psi": HARM}
    bet, hedge = stakes(5, 9, 0.1, **arguments)
    q = 1.1 * 0.1 + 0.01
    closed = (1 + bet * (0.3 - q)) ** 5 * (1 - hedge * (0.2 - 0.1)) ** 9
    np.testing.assert_allclose(expected(5, 9, 0.1, 1.1, 0.01, HARM, 0.3, 0.2), closed, rtol=1e-12)
    np.testing.assert_allclose(9 * hedge, 1.1 * 5 * bet, rtol=1e-12)


def test_requests_of_different_rates_need_only_comply_on_average():
    """Two kinds of canary requests, one far above the margin, one far below."""
    total = np.zeros(len(HARM))
    for outcome in product([0, 1], repeat=7):
        chances = [0.9, 0.9, 0.0, 0.0, 0.6, 0.3, 0.45]
        chance = np.prod([p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True)])
        total += chance * np.exp(log_bets(sum(outcome[:4]), 4, sum(outcome[4:]), 3, 0.2, rho=1.0, delta=0.0, psi=HARM))
    assert total.max() <= 1


@pytest.mark.parametrize("sizes", [(4, 4, 4), (1, 2, 4), (4, 1, 3)])
def test_a_root_of_the_bets_covers_clusters_up_to_that_size(sizes):
    """Requests of a cluster hit or miss as one; the last two clusters are stable's. Without the root they gain."""
    totals = {1.0: np.zeros(len(HARM)), 4.0: np.zeros(len(HARM))}
    rate, delta = 0.1, 0.02
    for outcome in product([0, 1], repeat=3):
        chance = np.prod([p if hit else 1 - p for p, hit in zip((rate + delta, rate, rate), outcome, strict=True)])
        hits = np.multiply(sizes, outcome)
        log_e = log_bets(hits[0], sizes[0], hits[1:].sum(), sum(sizes[1:]), rate, rho=1.0, delta=delta, psi=HARM)
        for phi in totals:
            totals[phi] += chance * np.exp(log_e / phi)
    assert totals[4.0].max() <= 1 + ROUNDING
    assert totals[1.0].max() > 1.1


def test_a_cluster_may_depend_in_any_way():
    """Three canary and one stable request of one user: hits never come alone."""
    joint = {(3, 1): 0.1, (2, 0): 0.06, (0, 1): 0.04, (0, 0): 0.8}
    rates = sum(p * x for (x, _), p in joint.items()) / 3, sum(p * y for (_, y), p in joint.items())
    assert rates == pytest.approx((0.14, 0.14))
    mean = sum(p * np.exp(log_bets(x, 3, y, 1, 0.1, rho=1.0, delta=0.0, psi=HARM) / 4) for (x, y), p in joint.items())
    assert mean.max() <= 1


def by_definition(x, n_c, y, n_s, m, rho, delta, psi):
    """The formulas of docs/canary.md in rational numbers, without logarithms."""
    q = rho * m + delta
    b = (rho * n_c + n_s) / (rho * psi * n_c + n_s)
    first, second = (psi * b - 1) / (1 - m), (1 - b) / (1 - m)
    scale = 1 + first * q if psi > 1 else 1 + abs(second) * m + abs(first) * max(m - q, 0)
    bet, hedge = first / scale, second / scale
    assert n_s * hedge == rho * n_c * bet
    parts = (1 + bet * (1 - q), x), (1 - bet * q, n_c - x), (1 - hedge * (1 - m), y), (1 + hedge * m, n_s - y)
    assert all(factor > 0 for factor, _ in parts)
    return float(np.prod([factor**count for factor, count in parts]))


@pytest.mark.parametrize("psi", [Fraction(23, 20), Fraction(2), Fraction(50), Fraction(1, 50), Fraction(9, 10)])
@pytest.mark.parametrize(("rho", "delta"), [("1", "0"), ("11/10", "1/1000"), ("1/2", "1/100"), ("2", "1/2")])
def test_the_logarithms_are_those_of_exact_arithmetic(psi, rho, delta):
    ratio, margin = Fraction(rho), Fraction(delta)
    for m in (Fraction(0), Fraction(1, 100), Fraction(3, 5), Fraction(999, 1000)):
        exact = by_definition(3, 20, 4, 90, m, ratio, margin, psi)
        found = log_bets(3, 20, 4, 90, float(m), rho=float(ratio), delta=float(margin), psi=[float(psi)])
        assert found[0] == pytest.approx(np.log(exact), rel=1e-9, abs=1e-12)


huge = st.integers(0, 10**9)


@given(huge, huge, huge, huge, huge, huge, st.floats(0, 3), st.floats(0, 0.99))
def test_every_logarithm_is_finite(x, more, y, others, past_hits, past, rho, delta):
    prior = prior_rate(past_hits, past_hits // 2 + past, past_hits, rho=rho, delta=delta)
    assert 0 <= prior <= HIGHEST_PRIOR
    for psi in (HARM, NOT_WORSE):
        assert np.isfinite(log_bets(x, x + more, y, y + others, prior, rho=rho, delta=delta, psi=psi)).all()


@given(st.integers(1, 1000), st.integers(1, 1000), st.floats(0, 0.9), st.floats(0, 2), st.floats(0, 0.5))
def test_a_canary_hit_speaks_for_harm_and_a_stable_hit_against_it(n_c, n_s, prior, rho, delta):
    hit, miss, stable_hit, stable_miss = log_factors(n_c, n_s, prior, rho=rho, delta=delta, psi=HARM)
    assert (hit >= miss).all()
    assert (stable_hit <= stable_miss).all()
    hit, miss, stable_hit, stable_miss = log_factors(n_c, n_s, prior, rho=rho, delta=delta, psi=NOT_WORSE)
    assert (hit <= miss).all()
    assert (stable_hit >= stable_miss).all()


def test_an_interval_split_at_one_share_and_one_centre_says_the_same():
    arguments = {"rho": 1.0, "delta": 0.002, "psi": HARM}
    whole = log_bets(7, 300, 20, 2700, 0.01, **arguments)
    parts = log_bets(5, 100, 2, 900, 0.01, **arguments) + log_bets(2, 200, 18, 1800, 0.01, **arguments)
    np.testing.assert_allclose(whole, parts, rtol=1e-12)


@pytest.mark.parametrize("psi", [HARM, NOT_WORSE], ids=["harm", "not worse"])
def test_one_arm_alone_shows_nothing(psi):
    arguments = {"rho": 1.0, "delta": 0.01, "psi": psi}
    assert not log_bets(50, 100, 0, 0, 0.01, **arguments).any()
    assert not log_bets(0, 0, 50, 100, 0.01, **arguments).any()
    assert not log_bets(0, 0, 0, 0, 0.0, **arguments).any()


@pytest.mark.parametrize(("n_c", "n_s"), [(1, 10**9), (10**9, 1), (10**9, 10**9)])
def test_bet_and_hedge_stay_in_proportion_however_unequal_the_arms(n_c, n_s):
    for psi in (HARM, NOT_WORSE):
        bet, hedge = stakes(n_c, n_s, 0.01, rho=1.1, delta=0.002, psi=psi)
        np.testing.assert_allclose(n_s * hedge, 1.1 * n_c * bet, rtol=1e-12)
        assert bet.all()


def test_a_limit_of_its_own_needs_no_stable():
    alone = log_bets(9, 100, 0, 0, 0.0, rho=0.0, delta=0.01, psi=HARM)
    np.testing.assert_array_equal(alone, log_bets(9, 100, 50, 100, 0.0, rho=0.0, delta=0.01, psi=HARM))
    assert log_mean(alone) > np.log(20)


def test_the_centre_is_the_pooled_rate_if_the_canary_were_at_its_limit():
    assert prior_rate(0, 0, 0, rho=1, delta=0.01) == 0
    assert prior_rate(30, 1000, 1999, rho=1, delta=0.0) == pytest.approx(0.01)
    # 20 of 1999 stable requests, and 1.5 · 0.01 + 0.005 of 1000 canary requests.
    assert prior_rate(40, 1000, 1999, rho=1.5, delta=0.005) == pytest.approx(35 / 3500)
    assert prior_rate(1, 1000, 10, rho=1, delta=0.1) == 0
    assert prior_rate(10**9, 10**9, 0, rho=1, delta=0.1) <= HIGHEST_PRIOR


def test_the_mean_of_exponentials_does_not_overflow():
    assert log_mean([1e5, 1e5]) == 1e5
    assert log_mean([-1e9, 0.0]) == pytest.approx(-np.log(2))
