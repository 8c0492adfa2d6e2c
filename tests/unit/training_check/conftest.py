"""A snapshot of the small data set, and a team's trainers as a module that can be named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from builders.trainers import SOURCE
from builders.training import CONTRACT, ROLES, make_table
from gauntlet.data.snapshot import Snapshot
from gauntlet.settings import parse
from gauntlet.training.recipe import Recipe
from gauntlet.training_check.evidence import Evidence, gather
from gauntlet.training_check.policy import TrainingPolicy
from snapshots import write_snapshot

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# One person's rows lie in several splits of this data set; a sound split keeps them apart.
SEPARATE = {name: value for name, value in ROLES.items() if name != "cluster"} | {"exclude": ["person"]}


@pytest.fixture(scope="session")
def trainers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a module of trainers."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "trial_team.py").write_text(SOURCE)
    sys.path.insert(0, str(folder))
    yield "trial_team"
    sys.path.remove(str(folder))
    sys.modules.pop("trial_team", None)


@pytest.fixture(scope="session")
def snapshot_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Snapshot]:
    """``snapshot_of(label, roles=…, change=…, rows=…)``; ``change`` applies to the table of every split."""

    def build(
        label: str = "binary", roles: Any = SEPARATE, change: Any = lambda table, name: table, rows: int = 4800
    ) -> Snapshot:
        shares = {"train": 1, "validation": 4, "test": 2}
        splits = {
            name: change(make_table(rows // share, seed, label), name)
            for seed, (name, share) in enumerate(shares.items())
        }
        return write_snapshot(tmp_path_factory.mktemp("snapshot"), splits, roles)

    return build


@pytest.fixture(scope="session")
def snapshot(snapshot_of: Callable[..., Snapshot]) -> Snapshot:
    return snapshot_of()


@pytest.fixture
def tried(snapshot: Snapshot) -> Callable[..., Evidence]:
    """``tried(recipe, policy)``: the evidence of a trial."""

    def run(recipe: dict[str, Any], policy: dict[str, Any], data: Snapshot = snapshot) -> Evidence:
        asked = parse(TrainingPolicy, {"rows": 6000, "rounds": 20, **policy}, field="policy")
        return gather(data, CONTRACT, parse(Recipe, recipe, field="recipe"), asked, device="cpu")

    return run


def only(*names: str) -> dict[str, Any]:
    """A policy that asks these questions alone."""
    known = ("overfit", "loss_goes_down", "saved_model", "same_seed", "shuffled_labels")
    return {name: name in names for name in known} | {"baseline": "auto" if "baseline" in names else False}


@pytest.fixture
def asking() -> Callable[..., dict[str, Any]]:
    return only
