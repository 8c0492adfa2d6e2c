from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.training import CONTRACT, ROLES, make_table, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError
from gauntlet.stability.reruns import Reruns, draw, rerun
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
JITTERY = {"subsample": 0.5, "n_estimators": 4}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    splits = {"train": make_table(400, 0), "validation": make_table(100, 1), "test": make_table(150, 2)}
    return write_snapshot(tmp_path_factory.mktemp("snapshot"), splits, ROLES)


def run(snapshot: Snapshot, **more: Any) -> Reruns:
    given = {"seed": 3, "runs": 3, "resamples": 2, "device": "cpu", **more}
    return rerun(snapshot, CONTRACT, recipe_of(parameters=JITTERY), **given)


def test_seeds_differ_the_repeat_does_not_and_draws_have_seeds_of_their_own(snapshot: Snapshot) -> None:
    found = run(snapshot)
    assert [one.name for one in found.seeds] == ["seed 3", "seed 4", "seed 5"]
    assert [one.name for one in found.resamples] == ["seed 6, draw 1", "seed 7, draw 2"]
    assert found.repeat.digest == found.seeds[0].digest
    assert np.array_equal(found.repeat.scores, found.seeds[0].scores)
    assert len({one.digest for one in (*found.seeds, *found.resamples)}) == 5
    assert all(len(one.scores) == 150 for one in (*found.seeds, *found.resamples))
    assert found.truth.rows == 150


def test_the_same_call_gives_the_same_runs(snapshot: Snapshot) -> None:
    first, again = run(snapshot), run(snapshot)
    assert [one.digest for one in first.resamples] == [one.digest for one in again.resamples]


def test_no_test_row_gets_into_training(tmp_path: Path) -> None:
    """Whatever the evaluation rows hold, the models are the same: they are scored and never drawn."""
    splits = {"train": make_table(300, 0), "validation": make_table(80, 1)}
    models = []
    for number, test in enumerate((make_table(90, 2), make_table(70, 9))):
        snapshot = write_snapshot(tmp_path / str(number), {**splits, "test": test}, ROLES)
        found = run(snapshot)
        models.append([one.digest for one in (*found.seeds, *found.resamples)])
    assert models[0] == models[1]


def test_a_draw_counts_people_once_for_all_their_rows() -> None:
    people = np.random.default_rng(0).integers(0, 50, 400)
    counts = draw(400, people, np.random.default_rng(1))
    assert all(len(set(counts[people == one])) == 1 for one in range(50))
    assert counts.mean() == pytest.approx(1.0, abs=0.5)
    alone = draw(20_000, None, np.random.default_rng(1))
    # Poisson(1): mean and variance are 1; a share of exp(-1) is left out.
    assert (alone.mean(), alone.var()) == pytest.approx((1.0, 1.0), abs=0.05)
    assert (alone == 0).mean() == pytest.approx(np.exp(-1), abs=0.02)


def test_the_cost_is_known_after_the_first_model_and_may_be_too_much(snapshot: Snapshot) -> None:
    clock = iter([0.0, 10.0])
    with pytest.raises(ConfigurationError, match=r"6 trainings of 10 s would take about 60 s; found 50"):
        run(snapshot, max_seconds=50.0, now=lambda: next(clock))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"runs": 1}, "a spread needs two models"),
        ({"seed": -1}, "is out of range"),
        ({"seed": 2**31 - 2}, "is out of range"),
        ({"split": "train"}, "is what the model learns from"),
        ({"split": "tset"}, "no such split"),
        ({"device": "gpu"}, "no such device"),
    ],
)
def test_what_cannot_be_run(snapshot: Snapshot, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        run(snapshot, **more)
