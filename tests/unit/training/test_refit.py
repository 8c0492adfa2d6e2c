"""Fitting again shares what can be shared, and is otherwise what training does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.trainers import SOURCE
from builders.training import CONTRACT, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.variant import take, variant
from gauntlet.digest import digest_bytes
from gauntlet.errors import DataError
from gauntlet.training.device import Device
from gauntlet.training.plan import make_plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.refit import refitting
from gauntlet.training.trainer import train

CPU = Device("cpu", "a test")


@pytest.fixture
def team(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "refit_team.py").write_text(SOURCE)
    sys.path.insert(0, str(tmp_path))
    yield "refit_team"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("refit_team", None)


def refit(snapshot: Snapshot, recipe: Recipe, *jobs: tuple[int, Any]) -> list[tuple[str, np.ndarray]]:
    plan = make_plan(snapshot, CONTRACT, recipe)
    with refitting(snapshot, CONTRACT, recipe, plan, device=CPU) as refitter:
        fitted = [refitter.fit(seed, counts) for seed, counts in jobs]
        return [(refit.digest, refit.score("test")) for refit in fitted]


def test_a_refit_is_the_model_that_training_makes(snapshot: Snapshot) -> None:
    recipe = recipe_of(parameters={"subsample": 0.5})
    ((digest, scores),) = refit(snapshot, recipe, (5, None))
    training = train(snapshot, CONTRACT, recipe, seed=5, device="cpu")
    assert training.booster is not None
    assert digest == digest_bytes(bytes(training.booster.save_raw("ubj")))
    assert len(scores) == snapshot.splits["test"]


def test_counts_change_one_fit_and_leave_the_next_alone(snapshot: Snapshot) -> None:
    counts = np.random.default_rng(0).poisson(1, snapshot.splits["train"])
    recipe = recipe_of(parameters={"subsample": 0.5})
    first, drawn, again, other = refit(snapshot, recipe, (5, None), (5, counts), (5, None), (6, None))
    assert first[0] == again[0]
    assert len({first[0], drawn[0], other[0]}) == 3
    assert not np.array_equal(first[1], drawn[1])


def test_a_count_is_a_weight(snapshot_of: Callable[..., Snapshot]) -> None:
    """Counting every row twice where rows are not weighted is the same as weighting each by two: nothing changes
    but what is regularised."""
    snapshot = snapshot_of("binary", roles={"label": "outcome", "exclude": ["weight", "person"]})
    recipe = recipe_of(
        parameters={"reg_lambda": 0.0, "min_child_weight": 0.0, "subsample": 1.0, "colsample_bytree": 1.0}
    )
    once, twice = refit(snapshot, recipe, (5, None), (5, np.full(snapshot.splits["train"], 2)))
    assert np.allclose(once[1], twice[1], atol=1e-6)


def test_a_draw_without_weight_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(DataError, match="has only zero weights"):
        refit(snapshot, recipe_of(), (5, np.zeros(snapshot.splits["train"], dtype=int)))


def test_a_team_s_trainer_gets_repeated_rows_and_is_asked_about_the_originals(
    snapshot_of: Callable[..., Snapshot], team: str, tmp_path: Path
) -> None:
    snapshot = snapshot_of("binary")
    recipe = recipe_of(trainer=f"{team}:sound")
    counts = np.random.default_rng(1).poisson(1, snapshot.splits["train"])
    first, drawn, again = refit(snapshot, recipe, (5, None), (5, counts), (5, None))
    assert first[0] == again[0]
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], drawn[1])
    repeated = take(snapshot, "train", np.repeat(np.arange(len(counts)), counts))
    by_hand = variant(snapshot, tmp_path / "by-hand", {"train": repeated})
    ((_, expected),) = refit(by_hand, recipe, (5, None))
    assert np.allclose(drawn[1], expected)
    with pytest.raises(DataError, match="a sample has no rows"):
        refit(snapshot, recipe, (5, np.zeros(len(counts), dtype=int)))
