"""What training gives: a fitted model and everything known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.data.snapshot import Snapshot
from gauntlet.digest import digest_json
from gauntlet.training.device import Device
from gauntlet.training.metrics import spread
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Training:
    """A trained model and what is known about it.

    Attributes:
        plan: features and target.
        recipe: how it was trained.
        estimator: the fitted scikit-learn Pipeline, or whatever the team's own trainer returned.
        booster: the XGBoost model inside; ``None`` for a trainer of the team's own.
        device: where it was trained, and why there.
        seeds: the seeds of all models fitted; the first one's model is ``estimator``.
        measured: one mapping metric → value a seed, on the validation split; empty without one.
        curve: ``train`` and ``validation`` → the watched metric by round, for the first seed.
        watched: the metric of the curve.
        rounds: boosting rounds kept.
        importance: feature → share of the total gain.
        rows: split → rows used.
        notes: what a reader should know, one sentence each.
        snapshot: the data, for its digest.
    """

    plan: Plan
    recipe: Recipe
    estimator: Any
    booster: Any | None
    device: Device
    seeds: tuple[int, ...]
    measured: tuple[Mapping[str, float], ...]
    curve: Mapping[str, tuple[float, ...]]
    watched: str
    rounds: int
    importance: Mapping[str, float]
    rows: Mapping[str, int]
    notes: tuple[str, ...]
    snapshot: Snapshot

    @property
    def metrics(self) -> Mapping[str, float]:
        """Validation metrics of the model itself; empty without a validation split."""
        return self.measured[0] if self.measured else {}

    @property
    def seed_spread(self) -> dict[str, dict[str, float | int]]:
        """What another seed does to each metric; see ``metrics.spread``."""
        return spread(self.measured)

    @property
    def recipe_digest(self) -> str:
        """Digest of the recipe with every default written out."""
        return digest_json(self.recipe.model_dump(mode="json"))


def positive_scores(task: str, scores: np.ndarray) -> np.ndarray:
    """P(positive), shape (n,), of a binary model; anything else as it is."""
    return scores[:, 1] if task == "binary" else scores
