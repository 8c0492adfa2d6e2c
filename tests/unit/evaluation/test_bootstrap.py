import numpy as np
import pytest

from gauntlet.errors import DataError
from gauntlet.evaluation.auc import delong
from gauntlet.evaluation.bootstrap import bootstrap, bootstrap_interval, poisson_weights
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.score_table import area, merge, tabulate
from gauntlet.evaluation.seeds import combine


def test_counts_are_poisson_and_independent():
    counts = poisson_weights(np.arange(20_000), seed=1, replicates=range(8)).astype(float)
    assert counts.mean() == pytest.approx(1, abs=0.01)
    assert counts.var() == pytest.approx(1, abs=0.02)
    correlation = np.corrcoef(counts.T) - np.eye(8)
    assert np.abs(correlation).max() < 0.03
    neighbours = np.corrcoef(counts[1:, 0], counts[:-1, 0])[0, 1]
    assert abs(neighbours) < 0.03


def test_counts_do_not_depend_on_the_shard_or_the_chunk():
    units = np.array(["ann", "bob", "cid", "ann"])
    whole = poisson_weights(units, seed=3, replicates=range(10))
    np.testing.assert_array_equal(whole[0], whole[3])
    np.testing.assert_array_equal(whole[2:], poisson_weights(units[2:], seed=3, replicates=range(10)))
    np.testing.assert_array_equal(whole[:, 4:7], poisson_weights(units, seed=3, replicates=range(4, 7)))
    assert (whole != poisson_weights(units, seed=4, replicates=range(10))).any()


def test_the_bootstrap_of_a_mean_has_its_standard_error():
    values = np.random.default_rng(0).normal(size=500)
    replicates = bootstrap(lambda w: np.average(values, weights=w), np.arange(500), seed=0, replicates=600)
    assert replicates.std() == pytest.approx(values.std() / np.sqrt(500), rel=0.1)
    low, high = bootstrap_interval(replicates)
    assert low < values.mean() < high


def test_undefined_replicates_are_not_dropped_in_silence():
    with pytest.raises(DataError, match=r"10\.0%"):
        bootstrap_interval(np.array([np.nan, *range(9)]))


def test_score_tables_of_shards_make_the_areas_of_the_whole():
    rng = np.random.default_rng(5)
    label, score, weight = (rng.random(300) < 0.3).astype(float), np.round(rng.random(300), 2), rng.random(300) + 0.1
    parts = [sample(label[s], score[s], task="binary", weight=weight[s]) for s in (slice(0, 90), slice(90, 300))]
    found = area(merge(*map(tabulate, parts)))
    value, covariance = delong(label, score[None], weight)
    assert found == pytest.approx((value[0], covariance[0, 0]), rel=1e-10)


def test_seed_variance_alone_has_its_own_degrees_of_freedom():
    assert combine(0.0, 100.0, 0.2, 4, models=2) == pytest.approx((0.08, 3.0))
