"""Metrics, variances, plans and tails against statsmodels, scikit-learn and SciPy, or their definition by all pairs."""

import numpy as np
import pytest
from scipy import stats

from builders.oracles import OLS, WLS, metrics, normal_power, normal_sample_size_one_tail
from gauntlet.evaluation import curves, power
from gauntlet.evaluation.auc import delong
from gauntlet.evaluation.metrics import names, resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.tails import Tail, tail_of


def rows_of(seed, n=400, digits=2, weighted=True):
    """Labels, scores with ties, and weights of which some are equal and some nothing."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.3).astype(float)
    score = np.round(1 / (1 + np.exp(1 - 1.5 * label - rng.normal(size=n))), digits)
    return label, score, rng.integers(0, 5, n).astype(float) if weighted else np.ones(n)


def measured(task, label, score, **more):
    rows = sample(label, score, task=task, **more)
    chosen = resolve(names(task), task, rows.classes)
    return dict(zip([metric.name for metric in chosen], measure([rows], chosen).value[0, 0], strict=True))


# -- metrics ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("digits", [0, 1, 12])
def test_binary_metrics(digits, weighted):
    label, score, weight = rows_of(1, digits=digits, weighted=weighted)
    decision, given = (score >= 0.5).astype(float), {"sample_weight": weight}
    expected = {
        "auc": metrics.roc_auc_score(label, score, **given),
        "log_loss": metrics.log_loss(label, score, **given),
        "brier": metrics.brier_score_loss(label, score, **given),
        "accuracy": metrics.accuracy_score(label, decision, **given),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, decision, **given),
        "f1": metrics.f1_score(label, decision, **given),
        "selection_rate": np.average(decision, weights=weight),
        "true_positive_rate": metrics.recall_score(label, decision, **given),
        "false_positive_rate": 1 - metrics.recall_score(label, decision, pos_label=0, **given),
        "precision": metrics.precision_score(label, decision, **given),
        "negative_predictive_value": metrics.precision_score(label, decision, pos_label=0, **given),
        "calibration_gap": np.average(score, weights=weight) - np.average(label, weights=weight),
    }
    assert measured("binary", label, score, weight=weight) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_multiclass_metrics():
    rng = np.random.default_rng(2)
    label, weight = rng.integers(0, 4, 500), rng.integers(1, 5, 500).astype(float)
    score = np.round(rng.dirichlet(np.ones(4), 500) + np.eye(4)[label], 1)
    score /= score.sum(axis=1, keepdims=True)
    decision, given = score.argmax(axis=1), {"sample_weight": weight}
    expected = {
        "accuracy": metrics.accuracy_score(label, decision, **given),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, decision, **given),
        "macro_f1": metrics.f1_score(label, decision, average="macro", **given),
        "macro_auc": metrics.roc_auc_score(label, score, multi_class="ovr", **given),
        "log_loss": metrics.log_loss(label, score, **given),
    }
    assert measured("multiclass", label, score, weight=weight) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_regression_metrics(far):
    rng = np.random.default_rng(3)
    label, weight = far + rng.normal(size=300), rng.integers(1, 5, 300).astype(float)
    score = label + 0.2 + rng.standard_t(3, size=300)
    expected = {
        "mae": metrics.mean_absolute_error(label, score, sample_weight=weight),
        "mse": metrics.mean_squared_error(label, score, sample_weight=weight),
        "rmse": metrics.root_mean_squared_error(label, score, sample_weight=weight),
        "bias": np.average(score - label, weights=weight),
        "r2": metrics.r2_score(label, score, sample_weight=weight),
    }
    assert measured("regression", label, score, weight=weight) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("digits", [1, 12], ids=["ties", "no ties"])
def test_curves(digits):
    """Every point, where there are no more than asked for; weights of nothing make none."""
    label, score, weight = rows_of(12, n=150, digits=digits)
    rows = sample(label, score, task="binary", weight=weight)
    kept = weight > 0
    given = {"y_true": label[kept], "y_score": score[kept], "sample_weight": weight[kept]}
    false_positive, true_positive, _ = metrics.roc_curve(**given, drop_intermediate=False)
    found = curves.roc(rows, 1000)
    for theirs in np.stack([false_positive, true_positive], axis=1):
        assert np.abs(np.stack([found.x, found.y], axis=1) - theirs).max(axis=1).min() < 1e-9
    precision, recall, _ = metrics.precision_recall_curve(**given)
    found = curves.precision_recall(rows, 1000)
    for theirs in np.stack([recall, precision], axis=1)[recall > 0]:
        assert np.abs(np.stack([found.x, found.y], axis=1) - theirs).max(axis=1).min() < 1e-9


# -- variances -------------------------------------------------------------------------------------------------------
def textbook_delong(label, scores, weight):
    """DeLong et al. (1988), eqs. 4-6, over all pairs; rows weigh in all means, Kish's size stands for their number."""
    positive = label == 1
    v, w = weight[positive], weight[~positive]
    wins = [(s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive]) for s in scores]
    of_positives, of_negatives = [psi @ w / w.sum() for psi in wins], [v @ psi / v.sum() for psi in wins]
    areas = np.array([np.average(part, weights=v) for part in of_positives])
    total = np.zeros((len(scores), len(scores)))
    for placements, own in ((of_positives, v), (of_negatives, w)):
        size = own.sum() ** 2 / (own**2).sum()
        away = (np.array(placements) - areas[:, None]) * own / own.sum()
        total += away @ away.T * size / (size - 1)
    return areas, total


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("digits", [1, 12], ids=["ties", "no ties"])
def test_delongs_covariance(digits, weighted):
    label, first, weight = rows_of(4, n=120, digits=digits, weighted=weighted)
    scores = np.stack([first, rows_of(5, n=120, digits=digits)[1], 1 - first])
    found = delong(label, scores, weight if weighted else None)
    for part, expected in zip(found, textbook_delong(label, scores, weight), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-9, atol=1e-15)
    if not weighted:  # Equal weights: covariances of placements as NumPy has them.
        wins = [np.greater.outer(s[label == 1], s[label == 0]) + np.equal.outer(s[label == 1], s[label == 0]) / 2
                for s in scores]  # fmt: skip
        parts = [np.cov([psi.mean(axis=axis) for psi in wins]) / wins[0].shape[1 - axis] for axis in (1, 0)]
        np.testing.assert_allclose(found[1], sum(parts), rtol=1e-9, atol=1e-15)


def kish(weight):
    return weight.sum() ** 2 / (weight**2).sum()


@pytest.mark.parametrize("name", ["accuracy", "brier", "true_positive_rate", "precision", "calibration_gap"])
def test_standard_errors_of_means_are_those_of_a_robust_regression_on_a_constant(name):
    """White's (HC1) of weighted rows and Liang and Zeger's of clusters. Both correct by the number of units, we by
    Kish's effective number."""
    label, score, weight = rows_of(6)
    decision = score >= 0.5
    cluster = np.random.default_rng(7).integers(0, 40, len(label))
    values, inside = {
        "accuracy": (decision == label, label >= 0),
        "brier": ((score - label) ** 2, label >= 0),
        "true_positive_rate": (decision, label == 1),
        "precision": (label == 1, decision),
        "calibration_gap": (score - label, label >= 0),
    }[name]
    y, v, g = values[inside].astype(float), weight[inside], cluster[inside]
    weighing = v > 0
    fit = WLS(y[weighing], np.ones(weighing.sum()), weights=v[weighing]).fit(cov_type="HC1")
    found = measure([sample(label, score, task="binary", weight=weight)], resolve([name], "binary"))
    n, m = weighing.sum(), kish(v)
    assert found.covariance[0, 0] == pytest.approx(fit.bse[0] ** 2 * (n - 1) / n * m / (m - 1), rel=1e-6)

    robust = OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": g})
    found = measure([sample(label, score, task="binary", cluster=cluster)], resolve([name], "binary"))
    sizes = np.bincount(g)
    n, m = (sizes > 0).sum(), kish(sizes)
    assert found.covariance[0, 0] == pytest.approx(robust.bse[0] ** 2 * (n - 1) / n * m / (m - 1), rel=1e-6)


def test_heavy_tailed_influences_have_the_degrees_of_freedom_of_their_kurtosis():
    rng = np.random.default_rng(8)
    error = rng.standard_t(4, size=500)
    found = measure([sample(np.zeros(500), error, task="regression")], resolve(["bias"], "regression"))
    kurtosis = stats.kurtosis(error, fisher=False)
    assert kurtosis > 4
    assert found.df[0, 0, 0] == pytest.approx(2 * 500 / (kurtosis - 1), rel=1e-6)


# -- plans -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("sides", "alternative"), [(1, "larger"), (2, "two-sided")])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 1e-4])
def test_power_and_planned_rows(alpha, sides, alternative):
    for effect in (0.01, 0.1, 0.7):
        for rows in (10, 400, 10_000):
            found = power.power(effect=effect, standard_error=2 / rows**0.5, alpha=alpha, sides=sides)
            assert found == pytest.approx(normal_power(effect, rows, alpha, alternative, sigma=2), abs=1e-9)
        for wanted in (0.5, 0.8, 0.99):
            exact = normal_sample_size_one_tail(effect, wanted, alpha / sides, std_null=2)
            assert power.sample_size(effect=effect, deviation=2, alpha=alpha, power=wanted, sides=sides) == np.ceil(
                exact
            )


# -- tails -----------------------------------------------------------------------------------------------------------
def test_hills_estimate_is_the_most_likely_pareto_distribution_above_the_threshold():
    ordered = np.sort(np.random.default_rng(11).lognormal(0, 1.5, 3000))[::-1]
    _, count, threshold, shape = tail_of(ordered, len(ordered))
    index, _, scale = stats.pareto.fit(ordered[: int(count)], floc=0, fscale=threshold)
    assert (1 / shape, threshold) == pytest.approx((index, scale), rel=1e-6)


@pytest.mark.parametrize("index", [1.5, 3.0, 8.0])
def test_the_mean_of_the_farthest_share_is_that_of_a_pareto_distribution(index):
    """With so many values above the threshold that nothing is added for the error of the shape."""
    count, support, share = 1e16, 1e17, 0.003
    tail = Tail(*(np.array([part]) for part in (0.0, count, 2.0, 1 / index)))
    pareto = stats.pareto(index, scale=2.0)
    start = pareto.isf(share * support / count)
    expected = pareto.expect(lb=start, conditional=True)
    assert tail.unseen(np.array([support]), np.array([share]))[0] == pytest.approx(expected, rel=1e-6)
