import numpy as np
import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.metrics import names, resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample

# scikit-learn 1.9.1 on these rows: roc_auc_score, log_loss, brier_score_loss, accuracy_score, balanced_accuracy_score,
# f1_score, precision_score, recall_score, all with sample_weight=WEIGHT; the rest by hand.
LABEL = [0, 0, 1, 1, 1, 0, 1, 0]
SCORE = [0.1, 0.6, 0.7, 0.4, 0.9, 0.2, 0.6, 0.5]
WEIGHT = [1, 2, 1, 3, 1, 1, 2, 1]


def values(task, label, score, wanted=None, **more):
    rows = sample(label, score, task=task, **more)
    metrics = resolve(wanted or names(task), task, rows.classes)
    return dict(zip([m.name for m in metrics], measure([rows], metrics).value[0, 0], strict=True))


def test_binary_metrics_by_hand():
    found = values("binary", LABEL, SCORE)
    # Decisions: 0 1 1 0 1 0 1 1: TP 3, FP 2, FN 1, TN 2.
    # Pairs won: 0.7 beats 4, 0.4 beats 2, 0.9 beats 4, 0.6 beats 3.5.
    expected = {
        "auc": 13.5 / 16,
        "accuracy": 5 / 8,
        "balanced_accuracy": (3 / 4 + 2 / 4) / 2,
        "f1": 6 / 9,
        "selection_rate": 5 / 8,
        "true_positive_rate": 3 / 4,
        "false_positive_rate": 2 / 4,
        "precision": 3 / 5,
        "negative_predictive_value": 2 / 3,
        "calibration_gap": 0.0,
        "brier": (0.01 + 0.36 + 0.09 + 0.36 + 0.01 + 0.04 + 0.16 + 0.25) / 8,
        "log_loss": -np.log([0.9, 0.4, 0.7, 0.4, 0.9, 0.8, 0.6, 0.5]).mean(),
    }
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_weight_is_that_many_copies():
    weighted = values("binary", LABEL, SCORE, weight=WEIGHT)
    copied = values("binary", np.repeat(LABEL, WEIGHT), np.repeat(SCORE, WEIGHT))
    assert weighted == pytest.approx(copied, abs=1e-12)
    scaled = values("binary", LABEL, SCORE, weight=np.array(WEIGHT) * 1e-6)
    assert scaled == pytest.approx(weighted, abs=1e-12)


def test_multiclass_metrics_by_hand():
    label = [0, 1, 2, 2]
    score = [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3]]
    found = values("multiclass", label, score)
    # Decisions 0 0 2 1. One-vs-rest areas: class 0: 1; class 1: 0.3 against .2 .2 .5 = 2/3; class 2: (2 + 2) / 4.
    expected = {
        "accuracy": 0.5,
        "balanced_accuracy": (1 + 0 + 0.5) / 3,
        "macro_f1": (2 / 3 + 0 + 2 / 3) / 3,
        "macro_auc": (1 + 2 / 3 + 1) / 3,
        "log_loss": -np.log([0.7, 0.3, 0.7, 0.3]).mean(),
    }
    assert found == pytest.approx(expected, abs=1e-12)


def test_regression_metrics_by_hand():
    found = values("regression", [1.0, 2.0, 4.0], [2.0, 2.0, 2.0])
    mse = (1 + 0 + 4) / 3
    expected = {"mae": 1.0, "mse": mse, "rmse": mse**0.5, "bias": -1 / 3, "r2": 1 - 5 / (14 / 3)}
    assert found == pytest.approx(expected, abs=1e-12)


def test_r2_keeps_its_digits_far_from_zero():
    rng = np.random.default_rng(0)
    label, noise = rng.normal(size=500), 0.1 * rng.normal(size=500)
    near = values("regression", label, label + noise, ["r2"])["r2"]
    far = values("regression", label + 1e9, label + 1e9 + noise, ["r2"])["r2"]
    assert far == pytest.approx(near, abs=1e-6)


@pytest.mark.parametrize(
    ("label", "score", "undefined"),
    [
        ([0, 0], [0.2, 0.7], {"auc", "balanced_accuracy", "true_positive_rate"}),
        ([1, 1], [0.2, 0.7], {"auc", "balanced_accuracy", "false_positive_rate"}),
        ([0, 1], [0.2, 0.3], {"precision"}),
        ([0, 1], [0.8, 0.9], {"negative_predictive_value"}),
        ([0, 0], [0.1, 0.2], {"auc", "balanced_accuracy", "true_positive_rate", "precision", "f1"}),
    ],
    ids=["no positives", "no negatives", "nothing selected", "all selected", "nothing positive at all"],
)
def test_what_has_no_denominator_is_undefined_and_nothing_else(label, score, undefined):
    found = values("binary", label, score)
    assert {name for name, value in found.items() if np.isnan(value)} == undefined


def test_constant_labels_have_no_r2():
    found = values("regression", [2.0, 2.0], [1.0, 2.0])
    assert {name for name, value in found.items() if np.isnan(value)} == {"r2"}


def test_gradients_are_derivatives():
    rng = np.random.default_rng(1)
    for task, classes in (("binary", 2), ("multiclass", 3), ("regression", 0)):
        for metric in resolve(names(task), task, classes):
            # Sums of eight real rows, so that every denominator is positive.
            sums = rng.random(len(metric.columns)) + np.arange(len(metric.columns), 0, -1)
            sums = np.where([name == "one" for name in metric.columns], sums + 20, sums)
            for j in range(len(sums)):
                step = np.zeros(len(sums))
                step[j] = 1e-6
                slope = (metric.value(sums + step) - metric.value(sums - step)) / 2e-6
                if metric.low < metric.value(sums) < metric.high:
                    assert metric.gradient(sums)[j] == pytest.approx(slope, abs=1e-6), (metric.name, j)


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigurationError, match="Did you mean 'accuracy'"):
        resolve(["acuracy"], "binary")
