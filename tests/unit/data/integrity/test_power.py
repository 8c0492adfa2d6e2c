"""How well one column predicts a label: against definitions, against known leaks, and against noise."""

import numpy as np
import pytest

from gauntlet.data.integrity.power import Outcome, _auc, _r2, category_codes, power_of, quantile_codes

N = 4_000


def outcome(targets, *, seed=0, folds=5, cluster=None, regression=False):
    targets = np.asarray(targets, dtype=float)
    fold = np.random.default_rng(seed).integers(0, folds, len(targets))
    if cluster is not None:
        fold = fold[cluster]
    return Outcome(targets.reshape(len(targets), -1), fold, folds, cluster, regression)


def noise(seed=1, rows=N):
    return np.random.default_rng(seed).normal(size=rows)


def labels(seed=2, rows=N, share=0.3):
    return np.random.default_rng(seed).random(rows) < share


def no_gaps(values):
    return np.zeros(len(values), dtype=bool)


def test_auc_is_the_share_of_pairs_in_order_with_ties_halved():
    rng = np.random.default_rng(0)
    scores, target = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.4
    pairs = scores[target][:, None] - scores[~target][None, :]
    assert _auc(scores, target.astype(float))[0] == pytest.approx(((pairs > 0) + (pairs == 0) / 2).mean())


def test_the_influence_of_rows_gives_delongs_variance():
    rng = np.random.default_rng(1)
    scores, target = rng.normal(size=400), rng.random(400) < 0.5
    scores[target] += 0.7
    _, influence = _auc(scores, target.astype(float))
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    pairs = scores[target][:, None] - scores[~target][None, :]
    placed = (pairs > 0) + (pairs == 0) / 2
    m, n = placed.shape
    delong = placed.mean(axis=1).var(ddof=1) / m + placed.mean(axis=0).var(ddof=1) / n
    assert (influence**2).sum() == pytest.approx(delong, rel=0.01)


def test_r2_is_what_it_is_defined_as():
    y, score = np.array([1.0, 2, 3, 6]), np.array([1.0, 2, 4, 5])
    assert _r2(score, y)[0] == pytest.approx(1 - 2 / 14)
    assert _r2(score, np.ones(4))[0] == 0.0


@pytest.mark.parametrize("shape", [lambda y: y, lambda y: -y, lambda y: (y - 0.5) ** 2 * 0 + np.where(y > 0, 0, 1)])
def test_a_column_that_is_the_label_in_any_direction_is_found(shape):
    y = labels()
    column = shape(y.astype(float)) + 1e-6 * noise()
    found = power_of(quantile_codes(column, no_gaps(y), 64), outcome(y), 0.05)
    assert found.value > 0.99
    assert found.interval[0] > 0.98


def test_a_column_that_peaks_in_the_middle_is_found_too():
    column = noise()
    found = power_of(quantile_codes(column, no_gaps(column), 64), outcome(np.abs(column) < 0.5), 0.05)
    assert found.value > 0.98


def test_a_value_that_many_rows_hold_has_a_bin_of_its_own():
    y = labels(share=0.003)
    codes = quantile_codes(np.where(y, 1 + noise() ** 2, 0.0), no_gaps(y), 8)
    assert power_of(codes, outcome(y, folds=2), 0.05).value > 0.99


def test_what_is_missing_can_be_what_tells():
    y = labels()
    codes = quantile_codes(noise(), y, 64)
    assert power_of(codes, outcome(y), 0.05).value > 0.99
    assert power_of(quantile_codes(noise(), no_gaps(y), 64), outcome(y), 0.05).value < 0.55


def test_a_column_of_gaps_alone_has_one_bin():
    assert set(quantile_codes(noise(), np.ones(N, dtype=bool), 8)) == {0}


def test_a_name_for_every_row_predicts_nothing():
    y = labels()
    codes = category_codes(np.arange(N, dtype=np.uint64), no_gaps(y))
    found = power_of(codes, outcome(y), 0.05)
    assert found.value == pytest.approx(0.5, abs=0.02)


def test_a_category_that_repeats_the_label_is_found():
    y = labels()
    names = (y * 50 + np.random.default_rng(3).integers(0, 50, N)).astype(np.uint64)
    assert power_of(category_codes(names, no_gaps(y)), outcome(y), 0.05).value > 0.99


def test_of_several_classes_the_mean_counts():
    kinds = np.random.default_rng(4).integers(0, 3, N)
    targets = np.stack([kinds == one for one in range(3)], axis=1)
    only_one = power_of(category_codes((kinds == 0).astype(np.uint64), no_gaps(kinds)), outcome(targets), 0.05)
    assert only_one.value == pytest.approx((1 + 0.75 + 0.75) / 3, abs=0.02)
    every = power_of(category_codes(kinds.astype(np.uint64), no_gaps(kinds)), outcome(targets), 0.05)
    assert every.interval[0] > 0.99


def test_a_number_is_judged_by_r2():
    y = np.random.default_rng(8).random(N)
    given = outcome(y, regression=True)
    near = power_of(quantile_codes(y**3, no_gaps(y), 64), given, 0.05)
    assert near.interval[0] > 0.99
    far = power_of(quantile_codes(noise(9), no_gaps(y), 64), given, 0.05)
    assert far.interval[1] < 0.05
    half = power_of(quantile_codes(y + np.random.default_rng(10).random(N), no_gaps(y), 64), given, 0.05)
    assert half.interval[0] < half.value < half.interval[1]
    assert half.value == pytest.approx(0.5, abs=0.06)


def test_rows_of_one_cluster_count_as_one():
    people, times = 200, 20
    y = np.repeat(labels(rows=people), times)
    column = np.repeat(noise(rows=people) + 1.0 * y[::times], times)
    codes = quantile_codes(column, no_gaps(y), 16)
    who = np.repeat(np.arange(people), times)
    apart = power_of(codes, outcome(y, cluster=None), 0.05).interval
    together = power_of(codes, outcome(y, cluster=who), 0.05).interval
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_a_fold_without_one_of_the_classes_says_nothing_of_the_order():
    assert _auc(np.array([1.0, 2.0]), np.array([1.0, 1.0]))[0] == 0.5


@pytest.mark.simulation
def test_intervals_cover_what_a_column_shows_on_average():
    """400 trials of 1,000 rows: the 95 % interval holds the AUC that such columns have, 93 to 98 times of 100."""
    trials, covered, found = 400, 0, []
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        y = rng.random(1_000) < 0.3
        codes = rng.integers(0, 4, 1_000)
        codes[y & (rng.random(1_000) < 0.5)] = 3
        found.append(power_of(codes, outcome(y, seed=seed), 0.05))
    rng = np.random.default_rng(10**6)
    y = rng.random(10**6) < 0.3
    codes = rng.integers(0, 4, 10**6)
    codes[y & (rng.random(10**6) < 0.5)] = 3
    truth = power_of(codes, outcome(y), 0.05).value
    covered = sum(one.interval[0] <= truth <= one.interval[1] for one in found)
    assert 0.93 <= covered / trials <= 0.985
