"""Intervals and tests against statsmodels and SciPy, or against what defines them, found by Brent's method."""

import numpy as np
import pytest
from scipy import optimize, stats

from builders.oracles import DescrStatsW, mcnemar, mover, multipletests, proportion_confint
from gauntlet.evaluation import paired, shares
from gauntlet.evaluation.families import differences, gaps, levels
from gauntlet.evaluation.intervals import exact_shares, intervals, p_values
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.simultaneous import critical_value, holm
from gauntlet.evaluation.slices import Partition, Slice

AGREE = {"rtol": 1e-6, "atol": 1e-12}
SIZES = (1, 10, 263, 10_000, 10**7)
COUNTED = np.array([(hits, rows) for rows in SIZES for hits in sorted({0, 1, rows // 3, rows - 1, rows})], float).T
COUNTED_ONCE = [(0, 20), (1, 29), (15, 148), (81, 263), (40, 40), (3, 10**6)]


# -- intervals of one share ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-4, 1e-9])
def test_wilson_and_clopper_pearson(alpha):
    hits, rows = COUNTED
    critical = stats.norm.isf(alpha / 2)
    found = {
        "wilson": shares.wilson(hits / rows, rows, critical),
        "beta": shares.clopper_pearson(hits / rows, rows, 1 - alpha),
    }
    for method, ends in found.items():
        np.testing.assert_allclose(ends, proportion_confint(hits, rows, alpha, method), **AGREE)


def test_far_tails_are_clopper_pearsons():
    """Where the part of the count that is seen is 1 but for 1e-7."""
    hits, rows = COUNTED
    found = shares.binomial_limits(hits / rows, rows, stats.norm.isf(1e-9 / 2))
    np.testing.assert_allclose(found, proportion_confint(hits, rows, 1e-9, "beta"), **AGREE)


def mid_p(hits, rows, tail):
    """The p with P(X > hits) + ½ P(X = hits) = tail, by Brent's method on SciPy's binomial distribution."""

    def miss(p):
        return stats.binom.sf(hits, rows, p) + stats.binom.pmf(hits, rows, p) / 2 - tail

    return optimize.brentq(miss, 1e-15, 1 - 1e-15, xtol=1e-15, rtol=1e-12) if hits else 0.0


@pytest.mark.parametrize(("hits", "rows"), COUNTED_ONCE)
def test_a_single_share_has_its_mid_p_interval(hits, rows):
    for alpha in (0.3, 0.1, 0.05):
        found = shares.binomial_limits(hits / rows, rows, stats.norm.isf(alpha / 2))
        expected = mid_p(hits, rows, alpha / 2), 1 - mid_p(rows - hits, rows, alpha / 2)
        np.testing.assert_allclose(found, expected, **AGREE)


def test_mid_p_intervals_as_published():
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
    published = {
        (81, 263): (0.2544, 0.3658),
        (15, 148): (0.0601, 0.1581),
        (0, 20): (0.0, 0.1391),
        (1, 29): (0.0017, 0.1585),
    }
    for (hits, rows), expected in published.items():
        assert np.round(shares.binomial_limits(hits / rows, rows, 1.959964), 4).tolist() == list(expected)


def decided(hits, rows):
    """A family of one share of these rows."""
    flags = (np.arange(rows) < hits).astype(float)
    return levels(measure([sample(flags, flags, task="binary")], resolve(["selection_rate"], "binary")))


@pytest.mark.parametrize(("hits", "rows"), COUNTED_ONCE[:-1])
def test_the_interval_of_a_measured_share_is_that_of_its_counts(hits, rows):
    single, exact = intervals(decided(hits, rows))[0], exact_shares(decided(hits, rows), confidence=0.99)[0]
    np.testing.assert_allclose(single, (mid_p(hits, rows, 0.025), 1 - mid_p(rows - hits, rows, 0.025)), **AGREE)
    np.testing.assert_allclose(exact, proportion_confint(hits, rows, 0.01, "beta"), **AGREE)


# -- two shares ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("confidence", [0.7, 0.95])
@pytest.mark.parametrize(("near", "far"), [((3, 20), (90, 400)), ((36, 40), (30, 35)), ((0, 25), (9, 60))])
def test_gaps_and_ratios_of_slices_are_recovered_from_the_intervals_of_the_sides(near, far, confidence):
    """By statsmodels' own MOVER (Zou & Donner 2008), of mid-p intervals."""
    flags = np.concatenate([np.arange(rows) < hits for hits, rows in (near, far)]).astype(float)
    groups = Partition("group", np.repeat([0, 1], [near[1], far[1]]), ("near", "far"))
    panel = measure([sample(flags, flags, task="binary")], resolve(["selection_rate"], "binary"), [groups], rest=True)
    tail = (1 - confidence) / 2
    sides = [(mid_p(hits, rows, tail), 1 - mid_p(rows - hits, rows, tail)) for hits, rows in (near, far)]
    rates = [hits / rows for hits, rows in (near, far)]
    for kind in ("diff", "ratio"):
        family = gaps(panel, slices=[Slice("group", "near")], ratio=kind == "ratio")
        found = intervals(family, confidence=confidence)[0]
        np.testing.assert_allclose(found, mover(*rates, *sides, contrast=kind), rtol=1e-6, atol=1e-9)


def profile_score(b, c, n, difference):
    """Score statistic of a paired difference: (d − δ) / SE at the maximum of the likelihood under p₁ − p₂ = δ.

    The trinomial likelihood with p(first only) = q + δ and p(second only) = q, its maximum by Brent's method over the
    part t of the way from the least to the largest q.
    """
    width = (1 - abs(difference)) / 2
    first, second = max(difference, 0.0), max(-difference, 0.0)

    def slope(t):
        return b / (first + t * width) + c / (second + t * width) - (n - b - c) / ((1 - t) * width)

    inside = slope(1e-12) > 0
    q = second + (optimize.brentq(slope, 1e-12, 1 - 1e-12, xtol=1e-15, rtol=1e-14) * width if inside else 0.0)
    return (b - c - n * difference) / np.sqrt(n * (2 * q + difference * (1 - difference)))


@pytest.mark.parametrize("alpha", [0.1, 0.05, 1e-3])
@pytest.mark.parametrize(
    ("b", "c", "n"), [(12, 2, 50), (2, 12, 50), (1, 1, 40), (3, 0, 30), (30, 21, 900), (5, 6, 10_000)]
)
def test_tangos_limits_are_where_the_profile_of_the_likelihood_is_critical(b, c, n, alpha):
    critical = stats.norm.isf(alpha / 2)
    low, high = paired.score_limits(*(np.array([float(part)]) for part in (b, c, n, critical)))
    estimate, end = (b - c) / n, 1 - 1e-6
    expected = [
        optimize.brentq(lambda d, sign=sign: profile_score(b, c, n, d) - sign * critical, *ends, xtol=1e-12)
        for sign, ends in ((1, (-end, estimate)), (-1, (estimate, end)))
    ]
    assert [low[0], high[0]] == pytest.approx(expected, abs=1e-6)


def test_exact_mcnemar():
    for both, first_only, second_only, neither in [(59, 6, 16, 80), (5, 0, 0, 5), (1, 9, 0, 3), (0, 250, 201, 7)]:
        theirs = mcnemar([[both, first_only], [second_only, neither]], exact=True).pvalue
        ours = paired.mcnemar(paired.PairedCounts(both, first_only, second_only, neither))
        assert ours == pytest.approx(theirs, rel=1e-9)


# -- t ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 5, 30, 1000])
def test_the_interval_and_the_test_of_a_bias_are_students(n):
    """Of light-tailed errors, whose variance has n - 1 degrees of freedom."""
    error = np.random.default_rng(n).uniform(-1, 2, n)
    family = levels(measure([sample(np.zeros(n), error, task="regression")], resolve(["bias"], "regression")))
    for alpha in (0.3, 0.05, 1e-4):
        np.testing.assert_allclose(
            intervals(family, confidence=1 - alpha)[0], DescrStatsW(error).tconfint_mean(alpha), rtol=1e-6
        )
    for bound in (-0.1, 0.4, 0.9):
        for direction, alternative in (("min", "larger"), ("max", "smaller")):
            _, expected, _ = DescrStatsW(error).ttest_mean(bound, alternative)
            assert p_values(family, bound, direction=direction)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("heavy", [False, True])
def test_the_interval_of_two_models_biases_is_that_of_a_paired_t_test(heavy):
    """With the degrees of freedom of the differences' kurtosis where that is less than n - 1."""
    rng = np.random.default_rng(9)
    label = rng.normal(size=60)
    errors = rng.standard_t(3, (2, 60)) if heavy else rng.uniform(-1, 1, (2, 60)) * [[1.0], [0.2]]
    scores = label + errors + [[0.1], [0.0]]
    panel = measure([sample(label, score, task="regression") for score in scores], resolve(["bias"], "regression"))
    found = intervals(differences(panel), confidence=0.9)[0]
    change = scores[0] - scores[1]
    df = 2 * 60 / (stats.kurtosis(change, fisher=False) - 1)
    assert (df < 59) == heavy
    expected = stats.t.interval(0.9, df, change.mean(), stats.sem(change))
    if not heavy:
        expected = stats.ttest_rel(*scores).confidence_interval(0.9)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("sizes", [(20, 35), (300, 12)])
def test_the_gap_of_two_slices_biases_is_welchs(sizes):
    """Of light-tailed errors that scatter differently."""
    rng = np.random.default_rng(12)
    error = np.concatenate([rng.uniform(-1, 1, sizes[0]), rng.uniform(-3, 4, sizes[1])])
    groups = Partition("group", np.repeat([0, 1], sizes), ("near", "far"))
    rows = sample(np.zeros(len(error)), error, task="regression")
    panel = measure([rows], resolve(["bias"], "regression"), [groups], rest=True)
    found = intervals(gaps(panel, slices=[Slice("group", "near")]), confidence=0.9)[0]
    sides = np.split(error, sizes[:1])
    np.testing.assert_allclose(found, stats.ttest_ind(*sides, equal_var=False).confidence_interval(0.9), rtol=1e-6)


# -- many at once ----------------------------------------------------------------------------------------------------
def test_holm():
    rng = np.random.default_rng(10)
    for p in (rng.random(7) ** 4, np.round(rng.random(50) ** 6, 3), np.array([0.0, 1.0, 1.0, 0.01])):
        rejected, adjusted = holm(p, 0.05)
        theirs = multipletests(p, 0.05, method="holm")
        assert rejected.tolist() == theirs[0].tolist()
        np.testing.assert_allclose(adjusted, theirs[1], **AGREE)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("correlation", [0.0, 0.7, 0.95])
def test_the_largest_of_two_or_three_is_that_of_the_multivariate_normal(size, correlation):
    """The critical value found holds 95 % but for Monte-Carlo error: 0.0007 of 100,000 draws."""
    matrix = np.full((size, size), correlation) + (1 - correlation) * np.eye(size)
    c = critical_value(matrix, draws=100_000)
    normal = stats.multivariate_normal(np.zeros(size), matrix, seed=0, abseps=1e-6)
    inside = normal.cdf(np.full(size, c), lower_limit=np.full(size, -c))
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 100_000))
