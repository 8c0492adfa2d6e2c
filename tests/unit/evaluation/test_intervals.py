import numpy as np
import pytest
from scipy import stats

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation import unseen
from gauntlet.evaluation.families import differences, gaps, levels, with_seed_variance
from gauntlet.evaluation.intervals import exact_shares, intervals, p_values
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.simultaneous import critical_value, holm
from gauntlet.evaluation.slices import ALL, Partition


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


def test_critical_value_of_a_pair_against_the_bivariate_normal():
    c = critical_value(np.array([[1, 0.7], [0.7, 1]]), draws=200_000)
    box = stats.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]])
    inside = box.cdf([c, c], lower_limit=[-c, -c])
    assert inside == pytest.approx(0.95, abs=0.003)


def test_holm_steps_down():
    # Holm (1979), section 3's procedure by hand: 0.01·4, 0.02·3, 0.03·2, 0.04·1, made monotone.
    rejected, adjusted = holm([0.01, 0.04, 0.03, 0.02])
    assert adjusted.tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert rejected.tolist() == [True, False, False, False]
    assert holm([0.04, 0.001, 0.02])[0].tolist() == [True, True, True]
    assert holm([0.04, 0.001, 0.03])[0].tolist() == [False, True, False]
    assert holm([])[0].tolist() == []
