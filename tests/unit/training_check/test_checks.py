"""The sentences of a trial, on evidence made up for them: each check failing, and those that can be undecided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.model_pages import evidence
from gauntlet.prediction.truth import Truth
from gauntlet.settings import parse
from gauntlet.training_check.checks import loss, loss_check, shuffled_check
from gauntlet.training_check.evidence import Held
from gauntlet.training_check.gate import judge_training
from gauntlet.training_check.policy import TrainingPolicy
from gauntlet.verdict import Status

POLICY = parse(TrainingPolicy, {"floor": {"auc": {"min": 0.7}}}, field="policy")


def test_sound_evidence_passes_every_check() -> None:
    verdict = judge_training(evidence(sound=True), POLICY).verdict
    assert verdict.status is Status.PASS, verdict.summary
    assert verdict.facts["rows_train"] == 12_000


def test_unsound_evidence_fails_every_check() -> None:
    verdict = judge_training(evidence(sound=False), POLICY).verdict
    failing = {check.name for check in verdict.with_status(Status.FAIL)}
    assert failing == {
        "auc",
        "baseline",
        "overfit",
        "loss goes down",
        "saved model: one row at a time",
        "same seed",
        "shuffled labels",
    }
    assert verdict.summary.endswith("And 6 more like this.")


@pytest.mark.parametrize(
    ("curve", "watched", "status", "says"),
    [
        ([0.7, 0.5, 0.3], "logloss", Status.PASS, "falls from 0.7 in the first round to 0.3 in the last of 3"),
        ([0.7, 0.7, 0.7], "logloss", Status.FAIL, "never falls"),
        ([0.7, 0.9, 1.5], "logloss", Status.FAIL, "never falls"),
        ([0.7, 0.2, 0.6], "logloss", Status.FAIL, "after 0.2 in between: training diverges"),
        ([0.7, 0.2, 0.23], "logloss", Status.PASS, "falls"),
        ([0.7, float("nan"), 0.2], "logloss", Status.FAIL, "no finite number from round 2 on"),
        ([0.6, 0.7, 0.8], "auc", Status.PASS, "falls"),
        ([0.6, 0.5, 0.4], "auc", Status.FAIL, "never falls"),
    ],
)
def test_the_way_a_loss_goes(curve: list[float], watched: str, status: Status, says: str) -> None:
    check = loss_check(replace(evidence(sound=True), curve={"train": tuple(curve)}, watched=watched))
    assert check.status is status
    assert says in check.reason


levels = st.floats(1e-3, 1e3)


def way_of(curve: list[float]) -> Status:
    return loss_check(replace(evidence(sound=True), curve={"train": tuple(curve)}, watched="logloss")).status


@given(curve=st.lists(levels, min_size=1, max_size=30), lost=st.floats(0.1001, 3))
def test_a_curve_that_loses_a_tenth_of_its_best_improvement_never_passes(curve: list[float], lost: float) -> None:
    best = min(curve)
    assert way_of([*curve, best + lost * (curve[0] - best)]) is Status.FAIL


@given(curve=st.lists(levels, min_size=2, max_size=30), lost=st.floats(0, 0.0999))
def test_a_curve_that_keeps_the_rest_always_passes(curve: list[float], lost: float) -> None:
    best = min(curve)
    kept = [*curve, best + lost * (curve[0] - best)]
    assert way_of(kept) is (Status.PASS if best < curve[0] else Status.FAIL)


def test_without_a_curve_the_training_rows_decide() -> None:
    seen = evidence(sound=True)
    assert loss_check(replace(seen, curve={})).status is Status.PASS
    unlearned = Held(seen.learned.truth, np.full(seen.learned.truth.rows, 0.9))
    check = loss_check(replace(seen, curve={}, learned=unlearned))
    assert check.status is Status.FAIL
    assert "no lower than the best constant's" in check.reason


def test_shuffled_labels_of_one_kind_say_nothing_and_that_is_an_error() -> None:
    one = Held(Truth(np.zeros(50), None, None), np.linspace(0, 1, 50))
    check = shuffled_check(replace(evidence(sound=True), shuffled=one), POLICY)
    assert check.status is Status.ERROR


def test_losses_are_those_of_the_books() -> None:
    labels = np.array([0.0, 1.0, 1.0])
    # Log loss of a fair coin is log 2 whatever falls; of certainty that is right, nothing.
    assert loss(labels, np.full(3, 0.5), "binary") == pytest.approx(np.log(2))
    assert loss(labels, labels, "binary") == 0.0
    assert loss(labels, np.eye(2)[labels.astype(int)], "multiclass") == 0.0
    assert loss(labels, labels + 2.0, "regression") == pytest.approx(2.0)
