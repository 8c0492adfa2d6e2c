import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation.gather import gather, merge
from gauntlet.evaluation.metrics import names, resolve
from gauntlet.evaluation.panel import conclude, measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.slices import Partition, Slice
from hypothesis_profiles import examples

BINARY = resolve(names("binary"), "binary")
SUMMED = [metric for metric in BINARY if not metric.rank]


def draw(n, *, seed=0, weighted=False, clusters=None, models=2):
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(float)
    weight = rng.random(n) + 0.2 if weighted else None
    cluster = rng.integers(0, clusters, n) if clusters else None
    samples = [
        sample(label, 1 / (1 + np.exp(0.5 - label - rng.normal(size=n))), task="binary", weight=weight, cluster=cluster)
        for _ in range(models)
    ]
    a, b = rng.integers(0, 2, n), rng.integers(-1, 3, n)
    return samples, [Partition("a", a, ("x", "y")), Partition("b", b, ("1", "2", "3"))]


def subset(samples, partitions, rows):
    kept = [
        sample(
            s.label[rows],
            s.score[rows],
            task="binary",
            weight=s.weight[rows] if s.weighted else None,
            cluster=None if s.cluster is None else s.cluster[rows],
        )
        for s in samples
    ]
    return kept, [Partition(p.name, p.codes[rows], p.levels) for p in partitions]


def test_each_slice_is_measured_as_if_it_were_alone():
    samples, partitions = draw(300, weighted=True)
    panel = measure(samples, BINARY, partitions, rest=True)
    for slice_ in panel.slices[1:]:
        partition = next(p for p in partitions if p.name == slice_.partition)
        inside = (partition.codes == partition.levels.index(slice_.level)) != slice_.rest
        alone = measure(subset(samples, [], np.flatnonzero(inside))[0], BINARY)
        index = panel.slice_index(slice_)
        np.testing.assert_allclose(panel.value[:, index], alone.value[:, 0], atol=1e-12)
        np.testing.assert_allclose(panel.support[:, index], alone.support[:, 0], rtol=1e-9)
        at = np.arange(panel.value.size).reshape(panel.value.shape)[:, index].ravel()
        np.testing.assert_allclose(panel.covariance[np.ix_(at, at)], alone.covariance, rtol=1e-8, atol=1e-14)
        assert panel.rows[index] == inside.sum()


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_the_joint_covariance_is_the_jackknifes(weighted):
    n = 160
    samples, partitions = draw(n, weighted=weighted)
    partitions = partitions[:1]
    panel = measure(samples, BINARY, partitions, rest=True)
    left_out = [subset(samples, partitions, np.delete(np.arange(n), i)) for i in range(n)]
    values = np.array([measure(s, BINARY, p, rest=True).value.ravel() for s, p in left_out])
    centred = values - values.mean(axis=0)
    jackknife = (n - 1) / n * centred.T @ centred
    ours, theirs = (np.sqrt(np.diag(each)) for each in (panel.covariance, jackknife))
    # Two estimators of one thing, equal but for terms of relative order 1/n in each slice of some 80 rows.
    np.testing.assert_allclose(ours, theirs, rtol=0.1)
    close = panel.covariance / np.outer(ours, ours) - jackknife / np.outer(theirs, theirs)
    assert np.abs(close).max() < 0.06


@pytest.mark.parametrize("nested", [True, False], ids=["within slices", "across slices"])
def test_cluster_variance_is_that_of_cluster_totals(nested):
    samples, partitions = draw(300, clusters=40)
    codes = samples[0].cluster % 3 if nested else partitions[1].codes
    partition = Partition("p", codes, ("1", "2", "3"))
    metric = resolve(["brier", "accuracy"], "binary")
    panel = measure(samples[:1], metric, [partition])
    rows = [(samples[0].score - samples[0].label) ** 2, (samples[0].score >= 0.5) == samples[0].label]
    expected = np.zeros((8, 8))
    influence = np.zeros((40, 8))
    factor = np.empty(8)
    for s, inside in enumerate([np.ones(300, dtype=bool), *(codes == k for k in range(3))]):
        sizes = np.bincount(samples[0].cluster[inside], minlength=40)
        effective = sizes.sum() ** 2 / (sizes**2).sum()
        for m, value in enumerate(rows):
            centred = np.where(inside, value - value[inside].mean(), 0.0) / inside.sum()
            influence[:, 2 * s + m] = np.bincount(samples[0].cluster, weights=centred, minlength=40)
            factor[2 * s + m] = effective / (effective - 1)
        assert panel.units[s] == (sizes > 0).sum()
        assert panel.support[0, s, 0] == pytest.approx(effective)
    expected = influence.T @ influence * np.sqrt(np.outer(factor, factor))
    np.testing.assert_allclose(panel.covariance, expected, rtol=1e-9, atol=1e-15)


def test_a_cluster_of_copies_counts_once():
    samples, _ = draw(80, models=1)
    doubled = sample(
        np.repeat(samples[0].label, 2), np.repeat(samples[0].score, 2), task="binary", cluster=np.repeat(range(80), 2)
    )
    once, twice = measure(samples, SUMMED), measure([doubled], SUMMED)
    np.testing.assert_allclose(twice.value, once.value)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-9, atol=1e-15)


@examples(30)
@given(cut=st.integers(1, 119), weighted=st.booleans(), clustered=st.booleans(), seed=st.integers(0, 1000))
def test_sums_over_shards_equal_the_whole(cut, weighted, clustered, seed):
    samples, partitions = draw(120, seed=seed, weighted=weighted, clusters=25 if clustered else None)
    order = np.arange(120)
    if clustered:
        # Shards are split between clusters, never within one.
        first = samples[0].cluster < 1 + cut % 24
        order, cut = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)]), int(first.sum())
        if cut in (0, 120):
            return
    parts = [_gather(subset(samples, partitions, rows)) for rows in (order[:cut], order[cut:])]
    merged, whole = conclude(merge(*parts)), measure(samples, SUMMED, partitions, rest=True)
    np.testing.assert_allclose(merged.value, whole.value, atol=1e-12)
    np.testing.assert_allclose(merged.covariance, whole.covariance, rtol=1e-7, atol=1e-14)
    np.testing.assert_allclose(merged.support, whole.support, rtol=1e-9)
    np.testing.assert_array_equal(merged.units, whole.units)
    np.testing.assert_array_equal(merged.rows, whole.rows)


def _gather(shard):
    return gather(shard[0], SUMMED, shard[1], rest=True)


def test_rank_metrics_refuse_to_merge():
    samples, _ = draw(50)
    part = gather(samples, BINARY)
    with pytest.raises(ConfigurationError, match="score tables"):
        merge(part, part)


def test_models_of_different_rows_are_refused():
    (first, _), _ = draw(50)
    other = sample(1 - first.label, first.score, task="binary")
    with pytest.raises(DataError, match="label: differs"):
        measure([first, other], BINARY)


def test_a_partition_of_other_rows_is_refused():
    samples, _ = draw(50)
    with pytest.raises(DataError, match="does not say of each of 50 rows"):
        measure(samples, BINARY, [Partition("a", np.zeros(49, dtype=int), ("x",))])


def test_an_empty_slice_is_undefined_not_zero():
    samples, _ = draw(50)
    panel = measure(samples, BINARY, [Partition("a", np.zeros(50, dtype=int), ("x", "y"))])
    empty = panel.slice_index(Slice("a", "y"))
    assert np.isnan(panel.value[:, empty]).all()
    assert panel.rows[empty] == 0
