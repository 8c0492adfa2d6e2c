from __future__ import annotations

import math

import pytest

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import names, resolve

AUC, ACCURACY = resolve(["auc", "accuracy"], "binary")


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (0.92734, (0.922, 0.931), "0.9273"),
        (0.92734, (0.9, 0.95), "0.927"),
        (0.92734, (0.5, 1.0), "0.93"),
        (0.92734, (0.92734, 0.92734), "0.927"),
        (0.5, (-math.inf, 1.0), "0.500"),
    ],
)
def test_a_value_has_the_digits_its_interval_is_worth(value, interval, text) -> None:
    assert wording.level(AUC, value, interval) == text


def test_shares_are_percent_and_their_gaps_are_points() -> None:
    assert wording.level(ACCURACY, 0.2344, (0.22, 0.25)) == "23.4%"
    assert wording.gap(ACCURACY, -0.1213, (-0.134, -0.108)) == "12.1 points"
    assert wording.limit(ACCURACY, 0.85) == "85%"
    assert wording.limit(ACCURACY, 0.01, of_gap=True) == "1 point"
    assert wording.limit(AUC, 0.005, of_gap=True) == "0.005"


def test_a_difference_keeps_its_sign_and_one_point_is_singular() -> None:
    interval = (-0.134, -0.108)
    assert wording.gap_interval(ACCURACY, interval, 0.95) == "95% interval −13.4 to −10.8 points"
    assert wording.gap_interval(ACCURACY, (0.108, 0.134), 0.975) == "97.5% interval 10.8 to 13.4 points"
    assert wording.signed_gap(ACCURACY, -0.12, interval) == "−12.0 points"
    assert wording.gap(ACCURACY, -0.01, (-0.2, 0.2)) == "1 point"


def test_what_a_metric_is_a_mean_over_has_a_name() -> None:
    expected = {
        "accuracy": "rows",
        "true_positive_rate": "positives",
        "false_positive_rate": "negatives",
        "precision": "positive decisions",
        "negative_predictive_value": "negative decisions",
        "auc": "rows of the smallest class",
    }
    for metric in resolve(list(expected), "binary"):
        assert wording.support(metric) == expected[metric.name]
    assert wording.support(ACCURACY, clustered=True) == "clusters"
    for task in ("binary", "multiclass", "regression"):
        for metric in resolve(names(task), task, 3):
            assert wording.support(metric, clustered=True).startswith("clusters")


def test_no_minus_before_zero() -> None:
    assert wording.gap_ends(AUC, (-0.0001, 0.5)) == "0.00 to 0.50"


def test_numbers_of_rows_have_two_digits() -> None:
    assert wording.about_rows(3974) == "; about 4,000 rows would tell"
    assert wording.about_rows(None) == "; how many rows would tell cannot be said"
