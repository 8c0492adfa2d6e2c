import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc, betaln
from scipy.stats import binom

from gauntlet.delivery.evidence.flips import log_certificate, lower_bound, upper_bound
from gauntlet.errors import ConfigurationError, DataError


@pytest.mark.parametrize("limit", [0.001, 0.01, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("pairs", [1, 2, 17, 400, 100_000])
def test_the_evidence_is_the_ratio_of_incomplete_betas(pairs, limit):
    """scipy's regularised incomplete beta, where it does not underflow."""
    for flips in {0, 1, pairs // 100, pairs // 3, pairs}:
        a, b = flips + 0.5, pairs - flips + 0.5
        inside = betainc(a, b, limit)
        if inside == 0:
            continue
        expected = betaln(a, b) + np.log(inside) - betaln(0.5, 0.5) - np.log(betainc(0.5, 0.5, limit))
        expected -= flips * np.log(limit) + (pairs - flips) * np.log1p(-limit)
        assert log_certificate(flips, pairs, limit=limit) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("limit", [0.01, 0.1, 0.5])
def test_at_the_limit_the_evidence_stays_one_on_average_and_above_it_falls(limit):
    for pairs in (1, 5, 200):
        flips = np.arange(pairs + 1)
        evidence = np.exp([log_certificate(x, pairs, limit=limit) for x in flips])
        assert binom.pmf(flips, pairs, limit) @ evidence == pytest.approx(1, rel=1e-9)
        assert binom.pmf(flips, pairs, min(1.5 * limit, 1)) @ evidence < 1
        assert binom.pmf(flips, pairs, limit / 2) @ evidence > 1


def test_no_evidence_without_pairs():
    assert log_certificate(0, 0, limit=0.01) == pytest.approx(0, abs=1e-12)
    assert upper_bound(0, 0, alpha=0.05) == 1


def test_as_many_pairs_as_the_first_certificate_needs():
    """Without a flip: 377 pairs certify at most 1 % at α = 0.05."""
    assert log_certificate(0, 376, limit=0.01) < math.log(20) <= log_certificate(0, 377, limit=0.01)


def ever_wrong(most_certified, rate, looks):
    """Exact chance of ever certifying less than the true rate, looking after every pair: forward through all paths."""
    alive, wrong = np.array([1.0]), 0.0
    for pairs in range(1, looks + 1):
        alive = np.append(alive * (1 - rate), 0) + np.append(0, alive * rate)
        certified = most_certified(pairs) + 1
        wrong += alive[:certified].sum()
        alive[:certified] = 0
    return wrong


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_looking_after_every_pair_is_wrong_at_most_alpha_of_the_time(rate):
    """Exactly, over all sequences of 500 pairs; Clopper & Pearson's bound looked at as often is wrong far more."""
    most = -1

    def certified(pairs):
        # One pair more certifies at most one flip more.
        nonlocal most
        most += log_certificate(most + 1, pairs, limit=rate) >= math.log(20)
        return most

    def clopper_pearson(pairs):
        return int((binom.cdf(np.arange(pairs + 1), pairs, rate) <= 0.05).sum()) - 1

    assert 0.01 < ever_wrong(certified, rate, 500) <= 0.05
    assert ever_wrong(clopper_pearson, rate, 500) > 0.1


@given(st.integers(0, 300), st.integers(1, 3000), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_bound_is_what_the_certificate_just_does_not_refute(flips, more, alpha):
    pairs = flips + more
    bound = upper_bound(flips, pairs, alpha=alpha)
    assert flips / pairs < bound <= 1
    assert log_certificate(flips, pairs, limit=bound * (1 - 1e-7)) < -math.log(alpha)
    for beyond in np.linspace(bound * (1 + 1e-6), 1, 7)[:-1]:
        if beyond < 1:
            assert log_certificate(flips, pairs, limit=beyond) > -math.log(alpha)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(1e-9, 1 - 1e-9))
def test_any_counts_give_a_finite_certificate(flips, more, limit):
    assert math.isfinite(log_certificate(flips, flips + more, limit=limit))


def test_everything_flipped_bounds_nothing():
    assert upper_bound(5, 5, alpha=0.05) == 1


def test_phi_divides_the_counts():
    assert log_certificate(4, 400, limit=0.05, phi=4) == log_certificate(1, 100, limit=0.05)
    assert upper_bound(4, 400, alpha=0.05, phi=4) == upper_bound(1, 100, alpha=0.05)


@pytest.mark.parametrize(("flips", "pairs"), [(3, 2), (-1, 2), (0.5, 2), (math.nan, 2)])
def test_impossible_counts_are_refused(flips, pairs):
    with pytest.raises(DataError):
        log_certificate(flips, pairs, limit=0.01)


def test_parameters_out_of_range_are_refused():
    for limit in (0, 1, math.nan):
        with pytest.raises(ConfigurationError, match="limit"):
            log_certificate(0, 1, limit=limit)
    with pytest.raises(ConfigurationError, match="alpha"):
        upper_bound(0, 1, alpha=0.5)
    with pytest.raises(ConfigurationError, match="phi"):
        upper_bound(0, 1, alpha=0.05, phi=0.5)


def test_the_lower_bound_is_where_the_opposite_certificate_crosses():
    flips, pairs = 40, 400
    low = lower_bound(flips, pairs, alpha=0.05)
    assert 0.05 < low < flips / pairs < upper_bound(flips, pairs, alpha=0.05)
    assert log_certificate(pairs - flips, pairs, limit=1 - low) == pytest.approx(math.log(20), abs=1e-4)
    assert lower_bound(0, 400, alpha=0.05) == lower_bound(0, 0, alpha=0.05) == 0


def test_the_exact_chance_that_a_lower_bound_is_ever_above_the_truth_is_below_alpha():
    """Every path of 300 pairs at a rate of 20 %, by dynamic programming over the flips so far."""
    rate, alpha, alive = 0.2, 0.05, np.array([1.0])
    wrong = 0.0
    for pairs in range(1, 301):
        alive = np.convolve(alive, [1 - rate, rate])
        for flips in np.flatnonzero(alive > 0):
            if log_certificate(pairs - flips, pairs, limit=1 - rate) >= -math.log(alpha):
                wrong += alive[flips]
                alive[flips] = 0.0
    assert 0.005 < wrong <= alpha
