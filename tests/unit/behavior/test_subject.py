"""Scores, decisions and classes of the model under test."""

from __future__ import annotations

import numpy as np
import pytest

from builders.behavior import rows, subject_of
from gauntlet.behavior.subject import decision_threshold
from gauntlet.errors import ConfigurationError


@pytest.mark.parametrize(
    ("task", "asked", "threshold"),
    [
        ("binary", None, 0.5),
        ("binary", 0.3, 0.3),
        ("regression", None, None),
        ("regression", 9, 9),
        ("multiclass", None, None),
    ],
)
def test_the_threshold_that_holds(task, asked, threshold):
    assert decision_threshold(task, asked) == threshold


@pytest.mark.parametrize(("task", "asked"), [("multiclass", 0.5), ("binary", 0), ("binary", 1.5)])
def test_a_threshold_that_means_nothing(task, asked):
    with pytest.raises(ConfigurationError, match=r"policy.threshold"):
        decision_threshold(task, asked)


def test_a_score_at_the_threshold_is_a_yes():
    answers = subject_of(lambda columns: np.where(columns["member"], 0.5, np.nextafter(0.5, 0))).answer(rows(50))
    assert answers.decisions is not None
    assert answers.decisions.tolist() == rows(50).column("member").cast("int64").to_pylist()


def test_the_most_probable_class_is_decided_for():
    def formula(columns):
        return np.where(columns["member"][:, None], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2])

    subject = subject_of(formula, "multiclass")
    answers = subject.answer(rows(50))
    assert answers.scores.shape == (50, 3)
    assert answers.decisions is not None
    assert {subject.describe(int(code)) for code in answers.decisions} == {"class bronze", "class gold"}, (
        "the first of a tie"
    )


def test_a_regression_without_a_threshold_decides_nothing():
    assert subject_of(lambda columns: columns["income"], "regression").answer(rows(5)).decisions is None


@pytest.mark.parametrize(("name", "index"), [("yes", 1), ("no", 0)])
def test_classes_by_name(name, index):
    assert subject_of().class_index(name, "field") == index


def test_a_class_that_there_is_not():
    with pytest.raises(
        ConfigurationError, match=r"field: the model has no such class; found 'golld'. Did you mean 'gold'"
    ):
        subject_of(task="multiclass").class_index("golld", "field")
    with pytest.raises(ConfigurationError, match="Use one of: no, yes"):
        subject_of().class_index(True, "field")
