import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from gauntlet.delivery.evidence.bets import log_bets
from gauntlet.delivery.evidence.power import drift, requests_needed
from gauntlet.delivery.evidence.sequential import Direction, Test
from gauntlet.errors import ConfigurationError

USUAL = {"stable": 0.01, "canary": 0.03, "weight": 0.1, "alpha": 0.05}


def test_mean_and_variance_are_those_of_the_bets():
    """Summed over every outcome of one canary and four stable requests, at the centre the bets settle at."""
    test, stable, canary = Test(rho=1.1, delta=0.01), 0.2, 0.4
    centre = (0.2 * canary + 0.8 * stable - 0.01 * 0.2) / (1.1 * 0.2 + 0.8)
    total, squares = np.zeros(len(test.psi)), np.zeros(len(test.psi))
    for x, y in product(range(2), range(5)):
        chance = binom.pmf(x, 1, canary) * binom.pmf(y, 4, stable)
        log_e = log_bets(x, 1, y, 4, centre, rho=1.1, delta=0.01, psi=test.psi)
        total, squares = total + chance * log_e, squares + chance * log_e**2
    gain, variance = drift(test, stable=stable, canary=canary, weight=0.2)
    np.testing.assert_allclose(gain, total, rtol=1e-9)
    np.testing.assert_allclose(variance, squares - total**2, rtol=1e-9)


def test_rare_hits_gain_what_the_poisson_limit_says():
    test, p0, p1, r = Test(delta=0.0), 1e-5, 3e-5, 9.0
    psi = np.array(test.psi)
    a, b = psi * (1 + r) / (psi + r), (1 + r) / (psi + r)
    gain, variance = drift(test, stable=p0, canary=p1, weight=0.1)
    np.testing.assert_allclose(gain, p1 * np.log(a) + r * p0 * np.log(b), rtol=1e-3)
    np.testing.assert_allclose(variance, p1 * np.log(a) ** 2 + r * p0 * np.log(b) ** 2, rtol=1e-3)


def test_one_to_three_percent_at_a_tenth_of_the_traffic():
    power_by_step = requests_needed(Test(delta=0.0), **USUAL)
    assert 850 < power_by_step.canary_requests < 930
    assert power_by_step.psi == 2
    assert power_by_step.seconds(requests_per_second=50, weight=0.1) == power_by_step.canary_requests / 5


def test_the_promise_is_the_least_number_that_keeps_it():
    test = Test(delta=0.002, phi=2.0, starts=3)
    n = requests_needed(test, **USUAL).canary_requests
    gain, variance = drift(test, stable=0.01, canary=0.03, weight=0.1)

    def unlucky(requests):
        paths = (requests * gain - 1.2815515655446004 * np.sqrt(2 * requests * variance)) / 2
        return math.log(np.exp(paths).mean())

    assert unlucky(n) >= math.log(3 / 0.05) - 1e-3
    assert unlucky(n - 2) < math.log(3 / 0.05)


@pytest.mark.parametrize(
    "harder",
    [{"canary": 0.02}, {"stable": 0.02}, {"alpha": 0.01}, {"share": 0.25}, {"power": 0.99}],
    ids=str,
)
def test_what_is_harder_needs_more(harder):
    test = Test(delta=0.002)
    assert requests_needed(test, **USUAL | harder).canary_requests > requests_needed(test, **USUAL).canary_requests


@pytest.mark.parametrize("test", [Test(delta=0.005), Test(delta=0.002, phi=5.0), Test(delta=0.002, starts=5)], ids=str)
def test_margins_clusters_and_restarts_cost_requests(test):
    assert requests_needed(test, **USUAL).canary_requests > requests_needed(Test(delta=0.002), **USUAL).canary_requests


def test_clusters_cost_their_size():
    one, nine = (requests_needed(Test(phi=phi), **USUAL).canary_requests for phi in (1.0, 9.0))
    assert nine == pytest.approx(9 * one, rel=0.001)


def test_what_is_within_the_margin_is_promised_nothing():
    assert requests_needed(Test(delta=0.002), **USUAL | {"canary": 0.012}) is None
    assert requests_needed(Test(Direction.NOT_WORSE, delta=0.005), **USUAL) is None


def test_equal_rates_are_proven_not_worse():
    equal = USUAL | {"canary": 0.01}
    needed = [
        requests_needed(Test(Direction.NOT_WORSE, delta=delta), **equal).canary_requests for delta in (0.002, 0.005)
    ]
    assert needed[0] > 3 * needed[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("stable", 0), ("canary", 1), ("weight", 1), ("alpha", 0), ("share", 0), ("power", 0.5), ("weight", math.nan)],
)
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(ConfigurationError, match=f"{field}: lies outside"):
        requests_needed(Test(), **USUAL | {field: value})
