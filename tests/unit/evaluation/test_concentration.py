"""Degrees of freedom and tails of a panel, against the influences of single rows computed one by one."""

import numpy as np
import pytest

from gauntlet.evaluation.gather import gather, merge
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import conclude, measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.slices import ALL, Partition, Slice

ROWS = 400
METRICS = ("auc", "log_loss", "brier", "true_positive_rate", "precision", "f1", "balanced_accuracy")


def models(kind):
    rng = np.random.default_rng(5)
    label = (rng.random(ROWS) < 0.3).astype(float)
    logits = 2 * label - 1 + rng.normal(size=ROWS)
    scores = [1 / (1 + np.exp(-(logits + 0.5 * rng.normal(size=ROWS)))) for _ in range(2)]
    weight = rng.gamma(2, size=ROWS) if kind == "weights" else None
    cluster = rng.integers(0, 90, ROWS) if kind == "clusters" else None
    return [sample(label, score, task="binary", weight=weight, cluster=cluster) for score in scores]


def partitions():
    rng = np.random.default_rng(6)
    return [
        Partition("group", rng.integers(-1, 2, ROWS), ("a", "b")),
        Partition("half", rng.integers(0, 2, ROWS), ("u", "v")),
    ]


LOSSES = {
    "log_loss": (lambda s: -np.log(np.where(s.label == 1, s.score, 1 - s.score)), lambda s: np.ones(ROWS)),
    "brier": (lambda s: (s.score - s.label) ** 2, lambda s: np.ones(ROWS)),
}


def influences(model, name, inside):
    top, bottom = (part(model) * model.weight * inside for part in LOSSES[name])
    rows = (top - top.sum() / bottom.sum() * bottom) / bottom.sum()
    return rows if model.cluster is None else np.bincount(model.cluster, rows)


def freedom(influence, support):
    excess = (influence**4).sum() / (influence**2).sum() ** 2 - 1 / support
    return min(support - 1, 2 / excess) if excess > 0 else support - 1


@pytest.mark.parametrize("kind", ["plain", "weights", "clusters"])
@pytest.mark.parametrize(
    ("slice_", "inside"),
    [
        (ALL, lambda: np.ones(ROWS)),
        (Slice("group", "a"), lambda: partitions()[0].codes == 0),
        (Slice("group", "a", rest=True), lambda: partitions()[0].codes != 0),
    ],
    ids=["all", "slice", "rest"],
)
def test_degrees_of_freedom_are_those_of_the_rows_influences(kind, slice_, inside):
    pair = models(kind)
    panel = measure(pair, resolve(METRICS, "binary"), partitions(), rest=True)
    at = panel.slice_index(slice_)
    for name in LOSSES:
        m = panel.metric_index(name)
        first, second = (influences(model, name, inside()) for model in pair)
        assert panel.df[0, at, m] == pytest.approx(freedom(first, panel.support[0, at, m]), rel=1e-6), name
        expected = freedom(first - second, panel.support[:, at, m].min())
        assert panel.difference_df[at, m] == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize("name", ["true_positive_rate", "precision"])
def test_shares_have_the_degrees_of_freedom_of_their_weights(name):
    """Few misses are what Wilson's interval knows of; that a few rows weigh most it does not know."""
    model = models("weights")[0]
    panel = measure([model], resolve(METRICS, "binary"), partitions(), rest=True)
    at, m = panel.slice_index(Slice("group", "a", rest=True)), panel.metric_index(name)
    inside = (partitions()[0].codes != 0) & ((model.label if name == "true_positive_rate" else model.score >= 0.5) > 0)
    assert panel.df[0, at, m] == pytest.approx(freedom(model.weight[inside], panel.support[0, at, m]), rel=1e-6)


def test_a_mean_of_two_shares_has_the_degrees_of_freedom_of_the_smaller_class():
    model = models("weights")[0]
    panel = measure([model], resolve(METRICS, "binary"))
    balanced = panel.metric_index("balanced_accuracy")
    of_class = [model.weight[model.label == value] for value in (0, 1)]
    smaller = min(of_class, key=lambda weight: weight.sum() ** 2 / (weight**2).sum())
    assert panel.df[0, 0, balanced] == pytest.approx(freedom(smaller, panel.support[0, 0, balanced]), rel=1e-6)


def test_unweighted_shares_have_all_degrees_of_freedom_and_sums_of_ratios_those_of_the_units():
    panel = measure(models("plain"), resolve(METRICS, "binary"))
    assert np.isinf(panel.df[0, 0, panel.metric_index("true_positive_rate")])
    balanced = panel.metric_index("balanced_accuracy")
    assert panel.df[0, 0, balanced] == panel.support[0, 0, balanced] - 1
    clustered = measure(models("clusters"), resolve(METRICS, "binary"))
    assert clustered.df[0, 0, 3] == pytest.approx(clustered.support[0, 0, 3] - 1)


def test_two_models_that_differ_in_three_positives_have_the_degrees_of_freedom_of_three():
    champion = models("plain")[0]
    changed = np.flatnonzero(champion.label == 1)[:3]
    scores = champion.score.copy()
    scores[changed] = 0.001
    challenger = sample(champion.label, scores, task="binary")
    panel = measure([challenger, champion], resolve(("auc", "log_loss"), "binary"))
    assert panel.df[0, 0, 0] > 40
    assert (panel.difference_df[0] < 8).all()


def test_the_tail_is_that_of_the_losses_of_the_slice_and_of_its_complement():
    (model, _), (group, _) = models("plain"), partitions()
    panel = measure([model], resolve(("log_loss", "auc"), "binary"), partitions(), rest=True)
    loss = LOSSES["log_loss"][0](model)
    for slice_, inside in ((Slice("group", "b"), group.codes == 1), (Slice("group", "b", rest=True), group.codes != 1)):
        at = panel.slice_index(slice_)
        ordered = np.sort(loss[inside])[::-1]
        count = int(panel.tail.count[0, at, 0])
        assert panel.tail.largest[0, at, 0] == pytest.approx(ordered[0])
        assert panel.tail.threshold[0, at, 0] == pytest.approx(ordered[count])
        assert panel.tail.shape[0, at, 0] == pytest.approx(np.log(ordered[:count] / ordered[count]).mean())
    assert np.isnan(panel.tail.largest[0, :, 1]).all(), "an area is no mean loss"


def test_roots_and_explained_shares_rest_on_the_squares():
    rng = np.random.default_rng(7)
    label = rng.normal(size=300)
    rows = sample(label, label + rng.standard_t(3, size=300), task="regression")
    panel = measure([rows], resolve(("mse", "rmse", "r2"), "regression"))
    assert panel.df[0, 0, 0] == pytest.approx(panel.df[0, 0, 1])
    largest = panel.tail.largest[0, 0]
    assert largest[0] == pytest.approx(largest[1])
    mse, _, r2 = panel.value[0, 0]
    assert largest[2] / (1 - r2) == pytest.approx(largest[0] / mse)


def test_shards_merge_to_the_same():
    pair, names = models("plain"), resolve(("log_loss", "brier", "accuracy"), "binary")
    whole = measure(pair, names, partitions(), rest=True)
    halves = []
    for rows in (slice(0, 150), slice(150, ROWS)):
        part = [sample(model.label[rows], model.score[rows], task="binary") for model in pair]
        cuts = [Partition(cut.name, cut.codes[rows], cut.levels) for cut in partitions()]
        halves.append(gather(part, names, cuts, rest=True))
    merged = conclude(merge(*halves))
    np.testing.assert_allclose(merged.df, whole.df, rtol=1e-8)
    np.testing.assert_allclose(merged.difference_df, whole.difference_df, rtol=1e-8)
    np.testing.assert_allclose(merged.tail.shape, whole.tail.shape, rtol=1e-8)


def test_a_shard_without_weights_leaves_the_degrees_of_freedom_of_shares_to_the_units():
    first, second = (models(kind)[:1] for kind in ("plain", "weights"))
    names = resolve(("accuracy", "log_loss"), "binary")
    merged = conclude(merge(gather(first, names), gather(second, names)))
    assert merged.df[0, 0, 0] == pytest.approx(merged.support[0, 0, 0] - 1)
    assert merged.df[0, 0, 1] < merged.support[0, 0, 1] - 1
