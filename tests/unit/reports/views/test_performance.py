"""The parts of the performance page about classes and about errors."""

import numpy as np
import pytest

from gauntlet.evaluation.sample import sample
from gauntlet.reports.views.classification import MOST_DRAWN, classification
from gauntlet.reports.views.regression import regression

RNG = np.random.default_rng(8)


def decided(label, answer, k):
    return sample(label, np.eye(k)[answer] * (1 - 0.01 * k) + 0.01, task="multiclass")


def test_every_class_has_its_precision_and_recall_the_most_frequent_first():
    found = classification(decided([0, 1, 1, 1], [0, 1, 1, 0], 3), ["a", "b", "c"])
    assert [row[0] for row in found.table] == ["b", "a", "c"]
    assert found.table[0][1:3] == ("3", "66.7%")
    assert found.table[0][4] == "100%"
    assert found.table[2][2:] == ("–", "–", "–", "–")
    assert found.confusions == (("b", "a", "1", "33.3%"),)
    assert found.folded == 0


def test_many_classes_fold_and_no_row_is_lost():
    k = 50
    label = np.repeat(np.arange(k), np.arange(k, 0, -1))
    answer = RNG.permutation(label)
    found = classification(decided(label, answer, k), [f"class {i}" for i in range(k)])
    assert len(found.names) == len(found.matrix) == MOST_DRAWN
    assert found.names[-1] == f"{k - MOST_DRAWN + 1} others"
    assert found.folded == k - MOST_DRAWN + 1
    assert sum(map(sum, found.matrix)) == len(label)
    assert len(found.table) == k
    assert len(found.calibrations) + found.not_calibrated == k


def test_a_classifier_of_two_needs_no_curve_for_each():
    found = classification(sample([0, 1], [0.2, 0.8], task="binary"), ["no", "yes"])
    assert found.calibrations == ()
    assert found.confusions == ()


@pytest.mark.parametrize("clustered", [False, True])
def test_errors_are_said_by_tenths_with_their_sign(clustered):
    label = RNG.uniform(0, 100, 1000)
    cluster = np.arange(1000) // 2 if clustered else None
    found = regression(sample(label, label + 5, task="regression", cluster=cluster))
    assert len(found.tenths) == len(found.table) == 10
    assert all(row.estimate == pytest.approx(5) for row in found.tenths)
    assert {row[3] for row in found.table} == {"–"} if clustered else {"–"} != {row[3] for row in found.table}
    assert found.drawn == "600 of 1,000 rows."
    assert sum(found.errors) == pytest.approx(1)


def test_all_of_few_rows_are_drawn():
    assert regression(sample([1.0, 2.0], [1.5, 2.5], task="regression")).drawn == ""
