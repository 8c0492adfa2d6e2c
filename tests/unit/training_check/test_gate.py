"""The small-scale test finds what it is for: each fault by its own check, and a sound trainer passes all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders.training import CONTRACT
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse
from gauntlet.training.recipe import Recipe
from gauntlet.training_check.evidence import Budget, Evidence, gather
from gauntlet.training_check.gate import judge_training, nothing_asked
from gauntlet.training_check.policy import TrainingPolicy
from gauntlet.verdict import Check, Status, Verdict

Tried = Callable[..., Evidence]
Asking = Callable[..., dict[str, Any]]


def judged(tried: Tried, recipe: dict[str, Any], policy: dict[str, Any], **more: Any) -> Verdict:
    evidence = tried(recipe, policy, **more)
    return judge_training(
        evidence, parse(TrainingPolicy, {"rows": 6000, "rounds": 20, **policy}, field="policy")
    ).verdict


def failing(verdict: Verdict) -> Check:
    (check,) = verdict.with_status(Status.FAIL)
    return check


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_sound_recipe_passes_everything(tried: Tried, snapshot_of: Callable[..., Snapshot], task: str) -> None:
    verdict = judged(tried, {}, {}, data=snapshot_of(task))
    assert verdict.status is Status.PASS, verdict.summary
    names = [check.name for check in verdict.checks]
    assert names == [
        "baseline",
        "overfit",
        "loss goes down",
        "saved model: as batch scoring asks it",
        "saved model: one row at a time",
        "saved model: through MLflow",
        "same seed",
        "shuffled labels",
    ]


def test_a_sound_trainer_of_a_team_passes_everything(tried: Tried, trainers: str) -> None:
    verdict = judged(tried, {"trainer": f"{trainers}:sound"}, {"overfit_options": {"leaf": 1}})
    assert verdict.status is Status.PASS, verdict.summary
    assert "still has 0% of the best constant's loss" in _named(verdict, "overfit").reason


@pytest.mark.parametrize(
    ("trainer", "options", "questions", "check", "says"),
    [
        ("deaf", {}, ["baseline"], "baseline", "the model has learned nothing that helps"),
        ("deaf", {"leaf": 1}, ["overfit"], "overfit", "labels or features do not get through"),
        ("restless", {}, ["same_seed"], "same seed", "Something random does not depend on the seed"),
        ("forgetful", {}, ["saved_model"], "saved model: through MLflow", "is not the one in memory"),
        ("unsaved", {}, ["saved_model"], "saved model", "cannot pickle a lock"),
        ("batchwise", {}, ["saved_model"], "saved model: one row at a time", "a score differs by"),
        ("peeking", {}, ["shuffled_labels"], "shuffled labels", "better than chance: the model knows held-out labels"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_faulty_trainer_is_found_by_its_check(
    tried: Tried,
    asking: Asking,
    trainers: str,
    trainer: str,
    options: dict[str, Any],
    questions: list[str],
    check: str,
    says: str,
) -> None:
    verdict = judged(tried, {"trainer": f"{trainers}:{trainer}"}, {**asking(*questions), "overfit_options": options})
    found = verdict.with_status(Status.FAIL)
    assert check in [one.name for one in found], verdict.summary
    assert any(says in one.reason for one in found)


def test_a_trainer_that_learns_nothing_at_all_has_no_falling_loss(tried: Tried, asking: Asking, trainers: str) -> None:
    verdict = judged(tried, {"trainer": f"{trainers}:forgetful"}, asking("loss_goes_down"))
    assert verdict.status is Status.PASS, "it has learned, in memory"
    verdict = judged(tried, {"parameters": {"gamma": 1e9}}, asking("loss_goes_down", "baseline", "overfit"))
    assert {check.name for check in verdict.with_status(Status.FAIL)} >= {"loss goes down"}


def test_an_identifier_learned_by_heart_is_found_by_shuffled_labels(
    tried: Tried, asking: Asking, snapshot_of: Callable[..., Snapshot]
) -> None:
    def change(table: pa.Table, name: str) -> pa.Table:
        rng = np.random.default_rng(7)
        people = rng.integers(0, 60, table.num_rows)  # the same sixty people in every split
        return table.set_column(table.schema.get_field_index("count"), "count", pa.array(people)).set_column(
            table.schema.get_field_index("person"), "person", pa.array(people)
        )

    data = snapshot_of(roles={"label": "outcome", "cluster": "person"}, change=change)
    recipe = {"parameters": {"learning_rate": 0.5, "max_depth": 8}, "early_stopping_rounds": 0}
    check = failing(judged(tried, recipe, asking("shuffled_labels"), data=data))
    assert "the same rows or people in two splits" in check.reason


def test_rows_that_lie_in_two_splits_are_found_by_shuffled_labels(
    asking: Asking, snapshot_of: Callable[..., Snapshot], tried: Tried
) -> None:
    once = {}

    def change(table: pa.Table, name: str) -> pa.Table:
        once[name] = table
        return pa.concat_tables([table.slice(0, 400), once["train"].slice(0, 400)]) if name == "test" else table

    recipe = {"parameters": {"learning_rate": 0.5, "max_depth": 10, "min_child_weight": 0}, "early_stopping_rounds": 0}
    verdict = judged(tried, recipe, asking("shuffled_labels"), data=snapshot_of(change=change))
    assert failing(verdict).name == "shuffled labels"


def test_a_floor_is_held_by_the_whole_interval(tried: Tried, asking: Asking) -> None:
    evidence = tried({}, asking())
    for bound, status in ((0.6, Status.PASS), (0.999, Status.FAIL)):
        policy = parse(TrainingPolicy, {**asking(), "floor": {"auc": {"min": bound}}}, field="policy")
        assert judge_training(evidence, policy).verdict.status is status
    value = _measured(evidence, asking)
    policy = parse(TrainingPolicy, {**asking(), "floor": {"auc": {"min": value}}}, field="policy")
    check = judge_training(evidence, policy).verdict.checks[0]
    assert check.status is Status.INCONCLUSIVE
    assert "too uncertain" in check.reason


def test_a_model_hardly_better_than_the_constant_is_inconclusive(
    tried: Tried, asking: Asking, snapshot_of: Callable[..., Snapshot]
) -> None:
    def weak(table: pa.Table, name: str) -> pa.Table:
        rng = np.random.default_rng(len(name))
        labels = np.where(rng.random(table.num_rows) < 0.5, table["outcome"].to_numpy(zero_copy_only=False), "paid")
        mixed = np.where(rng.random(table.num_rows) < 0.93, rng.choice(["paid", "late"], table.num_rows), labels)
        return table.set_column(table.schema.get_field_index("outcome"), "outcome", pa.array(mixed.astype(str)))

    recipe = {"parameters": {"max_depth": 1, "learning_rate": 0.05}}
    verdict = judged(tried, recipe, asking("baseline"), data=snapshot_of(change=weak, rows=400))
    assert verdict.status is Status.INCONCLUSIVE, verdict.summary
    assert "not shown to be better" in verdict.summary


@pytest.mark.parametrize("kind", ["prior", "majority"])
def test_each_constant_of_a_classifier_can_be_beaten(tried: Tried, asking: Asking, kind: str) -> None:
    verdict = judged(tried, {}, {**asking(), "baseline": kind})
    assert verdict.status is Status.PASS, verdict.summary


@pytest.mark.parametrize("kind", ["mean", "median"])
def test_each_constant_of_a_regression_can_be_beaten(
    tried: Tried, asking: Asking, snapshot_of: Callable[..., Snapshot], kind: str
) -> None:
    verdict = judged(tried, {}, {**asking(), "baseline": kind}, data=snapshot_of("regression"))
    assert verdict.status is Status.PASS, verdict.summary


def test_a_constant_of_another_task_is_refused(tried: Tried, asking: Asking) -> None:
    with pytest.raises(ConfigurationError, match=r"policy.baseline.*Use prior or majority"):
        judged(tried, {}, {**asking(), "baseline": "median"})


def test_time_runs_out_with_a_sentence_and_no_verdict(snapshot: Snapshot) -> None:
    clock = iter(range(0, 1000, 45))
    policy = parse(TrainingPolicy, {"rows": 500, "rounds": 5}, field="policy")
    with pytest.raises(ConfigurationError, match=r"policy.seconds.*were spent before the training check could"):
        gather(
            snapshot,
            CONTRACT,
            parse(Recipe, {}, field="recipe"),
            policy,
            device="cpu",
            budget=Budget(60.0, now=lambda: float(next(clock))),
        )


@pytest.mark.parametrize("split", ["train", "validation"])
def test_rows_that_were_learned_from_are_not_held_out(snapshot: Snapshot, split: str) -> None:
    with pytest.raises(ConfigurationError, match="is not held out"):
        gather(
            snapshot,
            CONTRACT,
            parse(Recipe, {}, field="r"),
            parse(TrainingPolicy, {}, field="p"),
            device="cpu",
            split=split,
        )


def test_asking_nothing_is_said() -> None:
    assert not parse(
        TrainingPolicy,
        {
            "baseline": False,
            "overfit": False,
            "loss_goes_down": False,
            "saved_model": False,
            "same_seed": False,
            "shuffled_labels": False,
        },
        field="policy",
    ).asks
    assert nothing_asked().verdict.status is Status.NOT_ASKED
    assert "none was trained" in nothing_asked().verdict.summary


def _named(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


def _measured(evidence: Evidence, asking: Asking) -> float:
    policy = parse(TrainingPolicy, {**asking(), "floor": {"auc": {"min": 0.5}}}, field="policy")
    found = judge_training(evidence, policy).verdict.checks[0].measured
    assert found is not None
    return found
