"""Intervals of areas and losses where the sample may not have met what matters."""

import numpy as np
import pytest
from scipy import stats

from gauntlet.evaluation import unseen
from gauntlet.evaluation.families import differences, gaps, levels
from gauntlet.evaluation.intervals import intervals, p_values
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.slices import Partition


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def binary(rows=2000, positives=40):
    rng = np.random.default_rng(8)
    label = (np.arange(rows) < positives).astype(float)
    return label, 3.5 * label - 3 + rng.normal(size=rows)


def test_the_share_that_may_be_unseen_is_wilsons_limit_of_nothing_seen():
    label, logit = binary()
    family = levels(measure([sample(label, sigmoid(logit), task="binary")], resolve(["auc"], "binary")))
    critical = np.array([1.96])
    quantile = stats.t.isf(stats.norm.sf(1.96), 39)
    assert unseen.share(family.first, critical)[0] == pytest.approx(quantile**2 / (40 + quantile**2))


def test_an_area_of_few_positives_is_not_known_as_well_as_its_variance_says():
    label, logit = binary()
    family = levels(measure([sample(label, sigmoid(logit), task="binary")], resolve(["auc"], "binary")))
    ((low, high),) = intervals(family)
    value, error = family.value[0], family.standard_error[0]
    assert value - low > 2 * 2.02 * error, "one of forty may be missing"
    assert high - value < 2.5 * 2.02 * error, "above there is little room"


def test_a_challenger_that_is_the_champion_with_a_broken_percent_is_not_shown_to_be_as_good():
    """One in a hundred rows is scored at random, and of 40 positives none of them was."""
    label, logit = binary()
    broken = np.arange(len(label)) % 100 == 41
    assert not (broken & (label == 1)).any()
    challenger = np.where(broken, np.random.default_rng(9).normal(size=len(label)) - 3, logit)
    pair = [sample(label, sigmoid(z), task="binary") for z in (challenger, logit)]
    ends = intervals(differences(measure(pair, resolve(["auc", "log_loss", "brier"], "binary"))))
    assert ends[0, 0] < -0.04, "4 % of the positives times half an area"
    assert (ends[1:, 1] > [0.003, 0.001]).all()


def test_many_rows_leave_little_unseen():
    label, logit = binary(rows=40_000, positives=20_000)
    rng = np.random.default_rng(10)
    pair = [sample(label, sigmoid(logit + 0.3 * rng.normal(size=len(label))), task="binary") for _ in range(2)]
    family = differences(measure(pair, resolve(["auc"], "binary")))
    ((low, high),) = intervals(family)
    assert high - low < 1.1 * 2 * 1.96 * family.standard_error[0]


def regression(errors, task="regression"):
    label = np.random.default_rng(11).normal(size=len(errors))
    return sample(label, label + errors, task=task)


def test_the_mean_of_heavy_errors_has_no_upper_end_and_that_of_light_ones_a_near_one():
    rng = np.random.default_rng(12)
    heavy, light = np.exp(1.5 * rng.normal(size=400)), rng.normal(size=400)
    metrics = resolve(["rmse", "mae", "r2"], "regression")
    ends = intervals(levels(measure([regression(heavy)], metrics)))
    assert np.isinf(ends[0, 1])
    assert np.isinf(ends[2, 0]), "R² has no lower end then"
    ends = intervals(levels(measure([regression(light)], metrics)))
    assert ends[0, 1] < 1.2
    assert ends[2, 0] > -0.5


def test_the_root_is_bounded_by_the_root_of_the_mean_square():
    panel = measure([regression(np.random.default_rng(13).laplace(size=500))], resolve(["mse", "rmse"], "regression"))
    ends = intervals(levels(panel))
    np.testing.assert_allclose(ends[1] ** 2, ends[0], rtol=1e-9)


def test_gaps_and_ratios_of_slices_reach_as_far_as_their_sides():
    rng = np.random.default_rng(14)
    errors = np.concatenate([rng.normal(size=300), np.exp(1.5 * rng.normal(size=300))])
    partition = Partition("kind", (np.arange(600) >= 300).astype(np.int64), ("light", "heavy"))
    panel = measure([regression(errors)], resolve(["rmse"], "regression"), [partition])
    of_heavy = {"references": {"kind": "light"}}
    of_light = {"references": {"kind": "heavy"}}
    assert np.isinf(intervals(gaps(panel, **of_heavy))[0, 1])
    assert np.isinf(intervals(gaps(panel, ratio=True, **of_heavy))[0, 1])
    assert intervals(gaps(panel, ratio=True, **of_light))[0, 0] == 0
    assert np.isfinite(intervals(gaps(panel, ratio=True, **of_light))[0, 1])


def test_p_values_never_contradict_intervals_that_reach_for_the_unseen():
    label, logit = binary(rows=600, positives=60)
    rng = np.random.default_rng(15)
    pair = [sample(label, sigmoid(logit + 0.4 * rng.normal(size=600)), task="binary") for _ in range(2)]
    family = differences(measure(pair, resolve(["auc", "log_loss", "brier"], "binary")))
    for alpha in (0.01, 0.05, 0.3):
        ends = intervals(family, confidence=1 - 2 * alpha)
        for margin in (0.001, 0.01, 0.05, 0.1):
            assert ((p_values(family, -margin, direction="min") < alpha) == (ends[:, 0] > -margin)).all()
            assert ((p_values(family, margin, direction="max") < alpha) == (ends[:, 1] < margin)).all()
