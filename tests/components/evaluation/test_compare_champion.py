from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.gates import run_gate
from builders.loans import loans
from builders.predictions import write_predictions
from builders.spreads import stability, write_stability
from gauntlet.errors import EXIT_BROKEN, EXIT_USAGE
from gauntlet.evaluation.training_variance import TrainingVariance
from gauntlet.prediction.format import SeedSpread
from gauntlet.storage import write_absent
from gauntlet.verdict import Status

COLUMNS = {"slices": {"columns": ["sex", "race"]}}


def test_an_identical_challenger_passes_and_is_called_identical(tmp_path: Path) -> None:
    data = loans()
    first = write_predictions(tmp_path / "a", data.label, data.scores(1), slices=data.slices)
    second = write_predictions(tmp_path / "b", data.label, data.scores(1), slices=data.slices)
    ran = run_gate("compare_champion", tmp_path, challenger=first, champion=second)
    assert ran.verdict.status is Status.PASS
    assert ran.verdict.summary.startswith("Identical predictions")
    assert "the same answer, to the last digit" in ran.page


def test_an_identical_challenger_is_no_improvement(tmp_path: Path) -> None:
    data = loans()
    first = write_predictions(tmp_path / "a", data.label, data.scores(1), slices=data.slices)
    ran = run_gate("compare_champion", tmp_path, {"require_improvement": True}, challenger=first, champion=first)
    assert ran.verdict.status is Status.FAIL
    assert "Identical predictions cannot be the improvement" in ran.verdict.summary


def test_a_champion_better_in_one_slice_blocks_and_the_slice_is_named(tmp_path: Path) -> None:
    data = loans(20_000)
    black = data.slices["race"] == "Black"
    challenger = data.scores(1, noise=np.where(black, 3.0, 0.1))
    first = write_predictions(tmp_path / "a", data.label, challenger, slices=data.slices)
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=1.0), slices=data.slices)
    ran = run_gate("compare_champion", tmp_path, COLUMNS, challenger=first, champion=second)
    assert ran.verdict.checks[0].status is Status.PASS, "better on average"
    (check,) = ran.verdict.with_status(Status.FAIL)
    assert check.name == "race=Black: auc"
    assert "worse than the champion's" in check.reason
    assert ran.verdict.summary == check.reason


def test_a_better_challenger_is_shown_to_be_better(tmp_path: Path) -> None:
    data = loans(20_000)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1, noise=0.1), slices=data.slices)
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=1.0), slices=data.slices)
    policy = {"require_improvement": True, "guardrails": {"log_loss": {"margin": 0.01}, "accuracy": {"margin": 0.01}}}
    ran = run_gate("compare_champion", tmp_path, policy, challenger=first, champion=second)
    assert ran.verdict.status is Status.PASS, ran.verdict.summary
    assert "shown to be better" in ran.verdict.summary


def test_a_gain_within_the_noise_of_the_seed_is_called_that(tmp_path: Path) -> None:
    data = loans(20_000)
    noisy = {"auc": SeedSpread(0.02, 5)}
    first = write_predictions(tmp_path / "a", data.label, data.scores(1, noise=0.45), seed_spread=noisy)
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=0.5), seed_spread=noisy)
    ran = run_gate("compare_champion", tmp_path, challenger=first, champion=second)
    assert ran.verdict.status is Status.INCONCLUSIVE
    assert "within the noise of its own training seed" in ran.verdict.summary
    ignored = run_gate(
        "compare_champion", tmp_path / "c", {"seed_variance": "ignore"}, challenger=first, champion=second
    )
    assert ignored.verdict.status is Status.PASS


def test_a_better_model_within_seed_noise_is_blocked_where_improvement_is_demanded(tmp_path: Path) -> None:
    """The rows alone show the gain; re-training moves the metric by more."""
    data = loans(20_000)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1, noise=0.45))
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=0.65))
    policy = {"primary": {"metric": "auc", "margin": 0.02}, "require_improvement": True}
    quiet = write_stability(tmp_path / "quiet", stability({"auc": 0.0005}))
    ran = run_gate("compare_champion", tmp_path / "1", policy, challenger=first, champion=second, stability=quiet)
    assert ran.verdict.status is Status.PASS, ran.verdict.summary
    noisy = write_stability(tmp_path / "noisy", stability({"auc": 0.009}))
    ran = run_gate("compare_champion", tmp_path / "2", policy, challenger=first, champion=second, stability=noisy)
    assert ran.verdict.status is Status.FAIL
    assert "better than the champion's" in ran.verdict.summary
    assert "but re-training alone moves it by ±0.018" in ran.verdict.summary
    assert ran.verdict.checks[0].status is Status.PASS, "it is still not shown to be worse"
    assert "5 re-trainings" in ran.page


def test_what_was_measured_takes_the_place_of_what_training_saw(tmp_path: Path) -> None:
    data = loans(20_000)
    loud = {"auc": SeedSpread(0.02, 5)}
    first = write_predictions(tmp_path / "a", data.label, data.scores(1, noise=0.45), seed_spread=loud)
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=0.5))
    without = run_gate("compare_champion", tmp_path / "1", challenger=first, champion=second)
    assert without.verdict.status is Status.INCONCLUSIVE
    quiet = write_stability(tmp_path / "quiet", stability({"auc": 0.0002}))
    measured = run_gate("compare_champion", tmp_path / "2", challenger=first, champion=second, stability=quiet)
    assert measured.verdict.status is Status.PASS
    write_absent(tmp_path / "none", "No re-trainings were asked for.")
    absent = run_gate(
        "compare_champion", tmp_path / "3", challenger=first, champion=second, stability=tmp_path / "none"
    )
    assert absent.verdict.to_json() == without.verdict.to_json()


def test_a_broken_cap_is_said_and_earns_no_tolerance(tmp_path: Path) -> None:
    """Worse by more than the margin is a failure however noisy the recipe is."""
    data = loans(20_000)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1, noise=1.2))
    second = write_predictions(tmp_path / "b", data.label, data.scores(2, noise=0.5))
    found = stability({"auc": 0.05}, caps={"auc": 0.004})
    noisy = write_stability(tmp_path / "noisy", found)
    ran = run_gate("compare_champion", tmp_path / "1", challenger=first, champion=second, stability=noisy)
    assert ran.verdict.checks[0].status is Status.FAIL
    better = run_gate("compare_champion", tmp_path / "2", challenger=second, champion=first, stability=noisy)
    assert better.verdict.checks[0].status is Status.INCONCLUSIVE
    assert "beyond the declared cap of 0.004; it earns the challenger no tolerance" in better.verdict.summary


@pytest.mark.parametrize(
    ("found", "code", "says"),
    [
        (stability({"auc": 0.01}, split="validation"), EXIT_BROKEN, "the stability is of another split"),
        (stability({"auc": 0.01}, model="sha256:other"), EXIT_BROKEN, "the stability is of another model"),
        (stability({"auc": 0.01}, task="regression"), EXIT_BROKEN, "the stability is of another task"),
        (stability({"accuracy": 0.01}, threshold=0.3), EXIT_USAGE, "stability_policy.threshold"),
    ],
    ids=["split", "model", "task", "threshold"],
)
def test_stability_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: TrainingVariance, code: int, says: str
) -> None:
    data = loans(400)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1))
    second = write_predictions(tmp_path / "b", data.label, data.scores(2))
    with pytest.raises(SystemExit) as stopped:
        run_gate(
            "compare_champion",
            tmp_path,
            challenger=first,
            champion=second,
            stability=write_stability(tmp_path / "stability", found),
        )
    assert stopped.value.code == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("said", "status"), [("pass", Status.NOT_ASKED), ("fail", Status.FAIL)])
def test_no_champion_is_an_outcome_with_a_policy(tmp_path: Path, said: str, status: Status) -> None:
    data = loans(500)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1))
    write_absent(tmp_path / "b", "No version of loans is champion.")
    policy = {"no_champion": said}
    ran = run_gate("compare_champion", tmp_path, policy, challenger=first, champion=tmp_path / "b")
    assert ran.verdict.status is status
    assert "no champion to compare with (No version of loans is champion)" in ran.verdict.summary


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"snapshot": "sha256:" + "c" * 64}, "predictions of different rows: the challenger's snapshot is"),
        ({"split": "validation"}, "predictions of different rows: the challenger's split is"),
        ({"example_ids": [f"row-{i}" for i in range(399)] + ["other"]}, "row 399 is 'row-399' for the challenger"),
        ({"classes": ("denied", "granted")}, "champion with another signature: its classes"),
        ({"weights": np.full(400, 2.0)}, "the weight of 'row-0' is 1 for the challenger and 2 for the champion"),
    ],
    ids=["snapshot", "split", "rows", "classes", "weights"],
)
def test_models_that_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict, says: str
) -> None:
    data = loans(400)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1))
    second = write_predictions(tmp_path / "b", data.label, data.scores(2), **changed)
    with pytest.raises(SystemExit) as stopped:
        run_gate("compare_champion", tmp_path, challenger=first, champion=second)
    assert stopped.value.code == (EXIT_USAGE if "signature" in says else EXIT_BROKEN)
    assert says in capsys.readouterr().err
    assert not (tmp_path / "verdict").exists()


def test_a_label_that_differs_names_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = loans(400)
    other = data.label.copy()
    other[7] = 1 - other[7]
    first = write_predictions(tmp_path / "a", data.label, data.scores(1))
    second = write_predictions(tmp_path / "b", other, data.scores(2))
    with pytest.raises(SystemExit):
        run_gate("compare_champion", tmp_path, challenger=first, champion=second)
    assert "the label of 'row-7'" in capsys.readouterr().err


def test_a_champion_for_another_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = loans(400)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1))
    second = write_predictions(tmp_path / "b", data.label, data.scores(2), task="regression")
    with pytest.raises(SystemExit):
        run_gate("compare_champion", tmp_path, challenger=first, champion=second)
    assert "champion with another signature: its task is 'regression'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"primary": {"metric": "auc"}}, "give one of margin and relative"),
        ({"primary": {"metric": "auc", "margin": -0.1}}, "policy.primary.margin"),
        ({"primary": {"metric": "selection_rate", "margin": 0.1}}, "neither model is better"),
        ({"guardrails": {"logloss": {"margin": 0.1}}}, "log_loss"),
        ({"slices": {"metric": "accuracy"}}, "policy.slices.margin"),
        ({"slices": {"columns": ["sexx"]}}, "carry no such slice column"),
        ({"no_champion": "maybe"}, "policy.no_champion"),
    ],
)
def test_policies_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: dict, says: str
) -> None:
    data = loans(400)
    first = write_predictions(tmp_path / "a", data.label, data.scores(1), slices=data.slices)
    second = write_predictions(tmp_path / "b", data.label, data.scores(2), slices=data.slices)
    with pytest.raises(SystemExit) as stopped:
        run_gate("compare_champion", tmp_path, policy, challenger=first, champion=second)
    assert stopped.value.code == EXIT_USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_have_defaults(tmp_path: Path, task: str) -> None:
    rng = np.random.default_rng(5)
    rows = 4000
    if task == "regression":
        label = rng.normal(100, 20, rows)
        scores = [label + rng.normal(0, spread, rows) for spread in (5, 8)]
    else:
        label = rng.integers(0, 3, rows).astype(float)
        scores = []
        for strength in (3.0, 2.0):
            logits = rng.normal(size=(rows, 3)) + strength * np.eye(3)[label.astype(int)]
            scores.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    group = {"group": rng.choice(["a", "b"], rows)}
    better = write_predictions(tmp_path / "a", label, scores[0], task=task, slices=group)
    worse = write_predictions(tmp_path / "b", label, scores[1], task=task, slices=group)
    assert run_gate("compare_champion", tmp_path / "1", challenger=better, champion=worse).verdict.status is Status.PASS
    assert run_gate("compare_champion", tmp_path / "2", challenger=worse, champion=better).verdict.status is Status.FAIL
