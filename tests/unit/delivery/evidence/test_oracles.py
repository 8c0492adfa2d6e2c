"""Evidence of canaries against the papers' formulas, computed another way: ratios of likelihoods, integrals, products.

confseq, which has some of them, comes without a wheel; its formulas are written out where they overlap.
"""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from gauntlet.delivery.evidence import clustering
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.flips import log_certificate, lower_bound, upper_bound
from gauntlet.delivery.evidence.pairs import STAKES, Pairs, excess_bounds, log_not_worse, log_worse
from gauntlet.delivery.evidence.sequential import Direction, Test, begin, log_e_value, restart, update

HISTORIES = {
    "equal": [(10, 1000, 90, 9000), (12, 1000, 80, 9000), (9, 900, 100, 9100)],
    "worse": [(30, 1000, 90, 9000), (28, 1000, 95, 9000), (40, 1000, 85, 9000)],
    "better, and an arm that pauses": [(20, 1000, 90, 3000), (0, 0, 30, 1000), (19, 1000, 95, 3000)],
    "frequent": [(500, 1000, 1400, 3000), (30, 60, 95, 180), (450, 1000, 1500, 3000)],
    "drifting": [(1, 1000, 10, 9000), (250, 1000, 2300, 9000), (3, 200, 2, 100)],
}
MARGINS = [("1", "0"), ("1", "1/500"), ("11/10", "1/1000"), ("1/2", "1/20")]


def alternative(counts, past, rho, delta, psi):
    """Null rates q and m of docs/canary.md, sections 1 and 2, and the rates that the interval's bets make likely."""
    _, n_c, _, n_s = counts
    hits, canary, stable = past
    m = min((hits - delta * canary) / (rho * canary + stable + 1), Fraction(999, 1000))
    m = max(m, Fraction(1, 10**14))  # for 0, at which a hit has no likelihood
    q = rho * m + delta
    b = (rho * n_c + n_s) / (rho * psi * n_c + n_s)
    bet, hedge = (psi * b - 1) / (1 - m), (1 - b) / (1 - m)
    scale = 1 + bet * q if psi > 1 else 1 + abs(hedge) * m + abs(bet) * max(m - q, 0)
    bet, hedge = bet / scale, hedge / scale
    assert n_s * hedge == rho * n_c * bet
    return (q, q * (1 + bet * (1 - q))), (m, m * (1 - hedge * (1 - m)))


def log_ratio(hits, requests, null, other):
    """Logarithm of the ratio of two binomial likelihoods."""
    return stats.binom.logpmf(hits, requests, float(other)) - stats.binom.logpmf(hits, requests, float(null))


def capital(history, test, rho, delta, restarts=()):
    """Logarithm of the evidence: a product of likelihood ratios for each ψ and start, then means and the least."""
    starts, past = [0, *restarts], (Fraction(20), Fraction(0), Fraction(1999))
    gains = np.zeros((len(history), len(test.psi)))
    for i, counts in enumerate(history):
        x, n_c, y, n_s = counts
        if n_c and n_s:
            for k, psi in enumerate(test.psi):
                ours, theirs = alternative(counts, past, rho, delta, Fraction(psi))
                gains[i, k] = (log_ratio(x, n_c, *ours) + log_ratio(y, n_s, *theirs)) / test.phi
        past = past[0] + x + y, past[1] + n_c, past[2] + n_s
    evidence = [special.logsumexp(gains[start:].sum(axis=0)) - math.log(len(test.psi)) for start in starts]
    if test.direction is Direction.NOT_WORSE:
        return min(evidence)
    return special.logsumexp([*evidence, *[0.0] * (test.starts - len(starts))]) - math.log(test.starts)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("rho", "delta"), MARGINS)
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_evidence_of_a_canary_is_a_mean_of_products_of_ratios_of_binomial_likelihoods(history, rho, delta, direction):
    """A bet on Bernoulli requests is the ratio of two likelihoods (Waudby-Smith & Ramdas 2024); Turner et al. (2024)
    begin there. Three starts planned, a second one in the third interval."""
    for phi in (1.0, 5.0):
        test = Test(direction, float(Fraction(rho)), float(Fraction(delta)), phi, starts=3)
        process = begin(test, baseline=(20, 1999))
        for i, counts in enumerate(history):
            process = update(restart(process) if i == 2 else process, Counts(*counts))
        expected = capital(history, test, Fraction(rho), Fraction(delta), restarts=[2])
        assert log_e_value(process) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_a_limit_of_its_own_is_bet_on_by_multiples_of_its_odds():
    """ρ = 0: a mixture of Wald's likelihood ratios of the rates whose odds are ψ times the limit's."""
    test = Test(rho=0.0, delta=0.01)
    process = begin(test)
    for hits, requests in ((9, 500), (20, 900), (0, 100)):
        process = update(process, Counts(hits, requests, 0, 0))
    rates = [psi * 0.01 / (1 + (psi - 1) * 0.01) for psi in test.psi]
    ratios = stats.binom.pmf(29, 1500, rates) / stats.binom.pmf(29, 1500, 0.01)
    assert log_e_value(process) == pytest.approx(math.log(ratios.mean()), rel=1e-6)


# -- mirrored pairs: flips -------------------------------------------------------------------------------------------
FLIPS = [(0, 377), (2, 60), (40, 400), (400, 1000), (7, 7000), (3, 4), (9_900, 10**6)]


def mixture(flips, pairs, limit):
    """ln ∫ L(θ) dπ(θ) / L(p₀) over rates below p₀, by quadrature in the angle θ = sin²φ, in which π is uniform."""
    end = math.asin(math.sqrt(limit))
    peak = min(math.asin(math.sqrt(flips / pairs)), end)

    def log_likelihoods(angle):
        rate = math.sin(angle) ** 2
        agreed = math.log(math.cos(angle) ** 2 / (1 - limit)) if angle < math.pi / 2 else -math.inf
        return special.xlogy(flips, rate / limit) + (pairs - flips) * agreed

    top, spread = log_likelihoods(peak), 1 / (2 * math.sqrt(pairs))
    inner = [peak + step * spread for step in (-8, -3, 3, 8) if 0 < peak + step * spread < end]
    total, _ = integrate.quad(
        lambda angle: math.exp(log_likelihoods(angle) - top), 0, end, points=inner or None, epsabs=0, epsrel=1e-9
    )
    return top + math.log(total / end)


@pytest.mark.parametrize(("flips", "pairs"), FLIPS)
def test_the_certificate_is_the_mixture_by_quadrature(flips, pairs):
    for limit in (0.001, 0.01, 0.1, 0.5, 0.9):
        found = log_certificate(flips, pairs, limit=limit)
        assert found == pytest.approx(mixture(flips, pairs, limit), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("flips", "pairs"), FLIPS)
def test_at_one_half_the_certificate_is_the_one_sided_beta_binomial_boundary(flips, pairs):
    """Howard, Ramdas, McAuliffe & Sekhon (2021), proposition 7, one-sided as in their software, at g = h = ½, r = ¼.

    s is the sum of ½ less flip, v its variance process n g h.
    """
    g = h = 0.5
    r, s, v = 0.25, pairs / 2 - flips, pairs / 4

    def log_incomplete_beta(a, b):
        return special.betaln(a, b) + np.log(special.betainc(a, b, h / (g + h)))

    expected = v / (g * h) * math.log(g + h)
    expected -= (v + g * s) / (g * (g + h)) * math.log(g) + (v - h * s) / (h * (g + h)) * math.log(h)
    expected += log_incomplete_beta((r + v - g * s) / (g * (g + h)), (r + v + h * s) / (h * (g + h)))
    expected -= log_incomplete_beta(r / (g * (g + h)), r / (h * (g + h)))
    assert log_certificate(flips, pairs, limit=0.5) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-4])
@pytest.mark.parametrize(("flips", "pairs"), FLIPS)
def test_bounds_of_the_flip_rate_are_where_the_mixture_crosses(flips, pairs, alpha):
    def crossing(hits):
        def beyond(limit):
            return mixture(hits, pairs, limit) + math.log(alpha)

        start = max(hits / pairs, 1e-9)
        return optimize.brentq(beyond, start, 1 - 1e-12, xtol=1e-12) if hits < pairs else 1.0

    assert upper_bound(flips, pairs, alpha=alpha) == pytest.approx(crossing(flips), abs=1e-6)
    assert lower_bound(flips, pairs, alpha=alpha) == pytest.approx(1 - crossing(pairs - flips), abs=1e-6)


# -- mirrored pairs: errors and slow answers -------------------------------------------------------------------------
CELLS = [(9, 2, 1, 300), (0, 0, 0, 500), (40, 3, 20, 900), (2, 30, 5, 400), (120, 90, 60, 300)]


def hedged_capital(cells, rho, delta, side):
    """Waudby-Smith & Ramdas (2024), section 4: ln of the mean over c of Π (1 ± c/m (Y - m)), pair by pair.

    Y = (C - ρS + ρ) / (1 + ρ) is in [0, 1], m = (δ + ρ) / (1 + ρ) its mean on the margin; from below c/(1 - m).
    """
    kinds = [(1, 0), (0, 1), (1, 1), (0, 0)]
    values = np.concatenate(
        [np.full(number, (c - rho * s + rho) / (1 + rho)) for (c, s), number in zip(kinds, cells, strict=True)]
    )
    m, shares = (delta + rho) / (1 + rho), np.array(STAKES)[:, None]
    gains = shares / m * (values - m) if side > 0 else -shares / (1 - m) * (values - m)
    return special.logsumexp(np.log1p(gains).sum(axis=1)) - math.log(len(STAKES))


def pairs_of(cells):
    canary, stable, both, _ = cells
    return Pairs(canary + both, stable + both, sum(cells), both)


@pytest.mark.parametrize("cells", CELLS)
def test_evidence_of_pairs_is_the_hedged_capital(cells):
    for rho, delta in itertools.product((0.5, 1.0, 1.2), (-0.1, 0.0, 0.01, 0.2)):
        for ours, side in ((log_worse, 1), (log_not_worse, -1)):
            expected = hedged_capital(cells, rho, delta, side)
            assert ours(pairs_of(cells), rho=rho, delta=delta) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("rho", [0.5, 1.0, 1.2])
@pytest.mark.parametrize("cells", CELLS)
def test_bounds_of_the_excess_are_where_the_hedged_capital_crosses(cells, rho):
    alpha = (0.01, 0.05)

    def beyond(delta, side, level):
        return hedged_capital(cells, rho, delta, side) + math.log(level)

    ends = -rho + 1e-6, 1 - 1e-6
    expected = [
        optimize.brentq(beyond, *ends, args=(side, level), xtol=1e-12)
        for side, level in zip((1, -1), alpha, strict=True)
    ]
    assert excess_bounds(pairs_of(cells), rho=rho, alpha=alpha) == pytest.approx(expected, abs=1e-6)


# -- clustering ------------------------------------------------------------------------------------------------------
def test_the_design_effect_of_pods_with_equal_traffic_is_pearsons_chi_square_over_its_degrees_of_freedom():
    hits = np.random.default_rng(1).beta(2, 30, 40) * 500
    hits = hits.round()
    table = [hits, 500 - hits]
    found = clustering.estimate([hits], [np.full(40, 500)])
    assert not found.assumed
    assert found.phi == pytest.approx(stats.chi2_contingency(table, correction=False).statistic / 39, rel=1e-6)
