from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation import unseen
from gauntlet.evaluation.families import Family, Side, differences, gaps, levels, with_seed_variance
from gauntlet.evaluation.intervals import at_critical, exact_shares, intervals, p_values
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.shares import binomial_limits
from gauntlet.evaluation.simultaneous import critical_value, holm
from gauntlet.evaluation.slices import ALL, Partition, Slice
from gauntlet.evaluation.tails import Tail


def panel(n=600, names=("accuracy", "auc", "log_loss"), seed=0):
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(float)
    models = [sample(label, 1 / (1 + np.exp(0.5 - label - rng.normal(size=n))), task="binary") for _ in range(2)]
    groups = Partition("g", np.arange(n) % 3, ("a", "b", "c"))
    return measure(models, resolve(names, "binary"), [groups], rest=True)


def share(flags, cluster=None):
    flags = np.asarray(flags, dtype=float)
    return levels(
        measure([sample(flags, flags, task="binary", cluster=cluster)], resolve(["selection_rate"], "binary"))
    )


def test_the_exact_interval_of_independent_rows_is_the_published_one():
    # Newcombe (1998), table I, exact method, as above.
    low, high = exact_shares(share([1] * 81 + [0] * 182))[0]
    assert (round(low, 4), round(high, 4)) == (0.2527, 0.3676)


def test_rows_that_say_the_same_twice_say_it_once():
    # Each unit repeated: Korn and Graubard's size is the number of units, less what t asks for at so many degrees.
    units = [1] * 12 + [0] * 48
    once, twice = share(units), share(np.repeat(units, 2), cluster=np.repeat(np.arange(60), 2))
    assert exact_shares(twice)[0] == pytest.approx(exact_shares(once)[0], abs=0.01)
    assert np.diff(exact_shares(twice)[0]) > np.diff(exact_shares(once)[0])
    assert np.diff(exact_shares(share(np.repeat(units, 2)))[0]) < np.diff(exact_shares(once)[0])


def test_an_exact_interval_at_nought_rests_on_the_clusters():
    # No event in 30 clusters of 4 rows: 1 - 0.025^(1/30) were they rows; t makes it a little more.
    low, high = exact_shares(share([0] * 120, cluster=np.repeat(np.arange(30), 4)))[0]
    assert low == 0
    assert 1 - 0.025 ** (1 / 30) <= high < 0.15
    assert exact_shares(share([0] * 120, cluster=np.zeros(120)))[0].tolist() == [0, 1]


def test_simultaneous_intervals_contain_the_single_ones():
    family = levels(panel())
    one, all_ = intervals(family), intervals(family, simultaneous=True)
    assert (all_[:, 0] < one[:, 0]).all()
    assert (all_[:, 1] > one[:, 1]).all()


def test_exchanging_the_models_turns_the_difference_round():
    measured = panel()
    there, back = differences(measured), differences(measured, challenger=1, champion=0)
    np.testing.assert_allclose(intervals(there), -intervals(back)[:, ::-1], atol=1e-9)


def test_a_model_does_not_differ_from_itself():
    family = differences(panel(), challenger=0, champion=0)
    assert not family.value.any()
    assert family.standard_error == pytest.approx(0, abs=1e-8)
    ends = intervals(family)
    assert (ends[:, 0] <= 0).all()
    assert (ends[:, 1] >= 0).all()


def test_gaps_against_the_rest_of_two_groups_are_opposite():
    rng = np.random.default_rng(3)
    label = (rng.random(300) < 0.5).astype(float)
    rows = sample(label, rng.random(300), task="binary")
    halves = Partition("h", np.arange(300) % 2, ("0", "1"))
    family = gaps(measure([rows], resolve(["accuracy", "auc"], "binary"), [halves], rest=True))
    np.testing.assert_allclose(family.value[:2], -family.value[2:], atol=1e-12)
    np.testing.assert_allclose(family.standard_error[:2], family.standard_error[2:], rtol=1e-9)


def test_p_values_agree_with_the_intervals():
    family = gaps(panel(), reference="rest")
    ends = intervals(family, confidence=0.90)
    assert p_values(family, ends[:, 0], direction="min") == pytest.approx(0.05, abs=1e-6)
    assert p_values(family, ends[:, 1], direction="max") == pytest.approx(0.05, abs=1e-6)
    assert (p_values(family, 2.0, direction="min") > 0.999).all()


def test_seed_variance_widens_what_it_belongs_to():
    family = differences(panel(), slices=[ALL])
    wider = with_seed_variance(family, {"log_loss": (0.05, 3)})
    before, after = intervals(family), intervals(wider)
    np.testing.assert_allclose(after[:2], before[:2])
    variance = family.covariance[2, 2] + 0.05**2
    df = variance**2 / (family.covariance[2, 2] ** 2 / family.df[2] + 0.05**4 / 2)
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    critical = np.full(len(family), stats.norm.isf(0.025))
    below, above = (unseen.difference(family, side, critical)[2] for side in (family.second, family.first))
    expected = [family.value[2] - np.hypot(half, below), family.value[2] + np.hypot(half, above)]
    np.testing.assert_allclose(after[2], expected, rtol=1e-9)


def test_a_ratio_of_what_can_be_negative_is_refused():
    with pytest.raises(ConfigurationError, match="has no ratio"):
        gaps(panel(names=("calibration_gap",)), ratio=True)


def test_critical_value_of_independent_statistics_is_sidaks():
    # (1 + 0.95^(1/20)) / 2 quantile of the normal distribution.
    assert critical_value(np.eye(20), draws=100_000) == pytest.approx(stats.norm.ppf((1 + 0.95**0.05) / 2), abs=0.02)


def test_critical_value_of_one_statistic_twenty_times_is_its_own():
    assert critical_value(np.ones((20, 20))) == pytest.approx(1.96, abs=0.03)


def test_holm_steps_down():
    # Holm (1979), section 3's procedure by hand: 0.01·4, 0.02·3, 0.03·2, 0.04·1, made monotone.
    rejected, adjusted = holm([0.01, 0.04, 0.03, 0.02])
    assert adjusted.tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert rejected.tolist() == [True, False, False, False]
    assert holm([0.04, 0.001, 0.02])[0].tolist() == [True, True, True]
    assert holm([0.04, 0.001, 0.03])[0].tolist() == [False, True, False]
    assert holm([])[0].tolist() == []


def counted(kind, near, near_rows, far, far_rows):
    """Family of gaps or ratios of independent shares with these counts, as ``families.gaps`` makes it of rows."""

    def side(hits, rows):
        share = hits / rows
        size = np.full(len(hits), float(rows))
        nothing = np.full(len(hits), np.nan)
        return Side(share, share * (1 - share) / (size - 1), np.full(len(hits), np.inf), size, Tail(*[nothing] * 4))

    first, second = side(near, near_rows), side(far, far_rows)
    number = len(near)
    (metric,) = resolve(["selection_rate"], "binary")
    with np.errstate(divide="ignore", invalid="ignore"):
        value = first.value - second.value if kind == "gap" else first.value / second.value
    none = np.zeros(number)
    none, covariance = np.zeros(number), np.broadcast_to(0.0, (number, number))
    value = np.where(np.isfinite(value), value, np.nan)
    slices, rows = (Slice("g", "a"),) * number, np.full(number, near_rows)
    sides, unknown = (first.df, first.support, rows, first, second), (none, none, False)
    return Family(kind, (metric,) * number, slices, value, covariance, *sides, *unknown)


def likely(rows, rate):
    """Counts that are not next to impossible."""
    return np.arange(stats.binom.ppf(1e-7, rows, rate), stats.binom.isf(1e-7, rows, rate) + 1)


def misses(kind, near_rows, far_rows, near_rate, far_rate, critical, *bounds):
    """For each bound the exact chances that the low end lies above it and that the high end lies below it."""
    near, far = (axis.ravel() for axis in np.meshgrid(likely(near_rows, near_rate), likely(far_rows, far_rate)))
    low, high = at_critical(counted(kind, near, near_rows, far, far_rows), np.full(len(near), critical)).T
    chance = stats.binom.pmf(near, near_rows, near_rate) * stats.binom.pmf(far, far_rows, far_rate)
    return [(chance[low > bound].sum(), chance[high < bound].sum()) for bound in bounds]


def family_rate(chance, number):
    """Chance that one of so many independent statistics errs."""
    return 1 - (1 - chance) ** number


# Rows of a slice, rows of its reference: against the rest, two slices alike, and a small reference.
SIZES = [(20, 900), (60, 60), (150, 1500), (300, 40)]


@pytest.mark.parametrize("number", [1, 10, 77])
@pytest.mark.parametrize("kind", ["gap", "ratio"])
def test_equal_rates_are_called_unequal_as_seldom_as_a_family_says(kind, number):
    """Enumerated over the counts of both sides; Wilson's sides err in up to 95 % of families of 77."""
    critical = stats.norm.isf((1 - 0.95 ** (1 / number)) / 2)
    neutral = 0.0 if kind == "gap" else 1.0
    worst = 0.0
    for near_rows, far_rows in SIZES:
        for rate in (0.002, 0.02, 0.07, 0.3, 0.93, 0.98):
            ((low, high),) = misses(kind, near_rows, far_rows, rate, rate, critical, neutral)
            worst = max(worst, family_rate(low + high, number))
    assert worst <= (0.06 if number == 1 else 0.05)


@pytest.mark.parametrize("number", [1, 77])
@pytest.mark.parametrize(("kind", "bounds"), [("gap", (-0.01, 0.01)), ("ratio", (0.8, 1.25))])
def test_rates_that_lie_apart_as_far_as_allowed_fail_as_seldom_as_a_family_says(kind, bounds, number):
    """The hardest truth that a rule allows: on its bound, in either direction."""
    critical = stats.norm.isf((1 - 0.95 ** (1 / number)) / 2)
    for near_rows, far_rows in SIZES:
        for rate in (0.02, 0.1, 0.78):
            for bound in bounds:
                near_rate = rate + bound if kind == "gap" else rate * bound
                if near_rate <= 0:
                    continue
                below, above = misses(kind, near_rows, far_rows, near_rate, rate, critical, *bounds)
                assert family_rate(above[0] + below[1], number) <= 0.05


def test_rates_that_do_lie_apart_are_still_told_apart():
    """Exact power at 77 intervals together; with Wilson's sides 97, 91 and 89 %, at errors of 9 to 14 % in families."""
    critical = stats.norm.isf((1 - 0.95 ** (1 / 77)) / 2)
    assert misses("gap", 150, 8850, 0.25, 0.1, critical, 0.0)[0][0] >= 0.93
    assert misses("gap", 150, 8850, 0.3, 0.1, critical, 0.05)[0][0] >= 0.85
    assert misses("gap", 40, 2600, 0.65, 0.93, critical, 0.0)[0][1] >= 0.85


def paired(first_only, second_only, rows):
    """Family of differences of two models' shares, with these numbers of rows that only one of them has right."""
    half = np.full(len(first_only), rows / 2)
    value = (first_only - second_only) / rows
    variance = ((first_only + second_only) / rows - value**2) / (rows - 1)
    family = counted("gap", half, rows, half, rows)
    (metric,) = resolve(["accuracy"], "binary")
    metrics = (metric,) * len(value)
    return replace(family, kind="difference", metrics=metrics, value=value, covariance=np.diag(variance))


@pytest.mark.parametrize("number", [1, 20, 77])
def test_a_challenger_worse_by_the_margin_fails_as_seldom_as_a_family_says(number):
    """Enumerated over the rows that only one model has right; Tango's score alone errs in 9 % of families of 77."""
    critical = stats.norm.isf((1 - 0.95 ** (1 / number)) / 2)
    for rows in (30, 150, 300):
        for margin in (0.0, 0.02, 0.05, 0.1):
            for better in (0.0, 0.002, 0.01):
                worse = better + margin
                second_only, first_only = (
                    axis.ravel() for axis in np.meshgrid(likely(rows, worse), likely(rows, better))
                )
                chance = stats.binom.pmf(second_only, rows, worse)
                chance *= stats.binom.pmf(first_only, rows - second_only, better / (1 - worse))
                ends = at_critical(paired(first_only, second_only, rows), np.full(len(chance), critical))
                fails = chance[ends[:, 1] < -margin - 1e-9].sum()
                assert family_rate(fails, number) <= 0.0255


def test_heavy_weights_on_few_rows_widen_what_looks_certain():
    """Five of two hundred selected, weighted little: the heavy rows among those selected are yet to come."""
    flags = np.arange(200) < 5
    weight = np.where(flags, 0.2, np.where(np.arange(200) % 20 == 0, 20.0, 1.0))
    rows = sample(flags.astype(float), flags.astype(float), task="binary", weight=weight)
    family = levels(measure([rows], resolve(["selection_rate"], "binary")))
    implied = family.value * (1 - family.value) / family.covariance[0, 0]
    assert implied[0] > 4 * family.support[0]
    low, high = intervals(family)[0]
    kish = weight.sum() ** 2 / (weight**2).sum()
    narrow, wide = (binomial_limits(family.value, size, 1.959964)[1][0] for size in (implied[0], kish))
    assert narrow + 0.6 * (wide - narrow) < high < 1.2 * wide, "nearly as if those rows weighed as much as others"
    assert low < family.value[0] / 10
