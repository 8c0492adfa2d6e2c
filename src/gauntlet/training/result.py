"""Training result: the fitted model, its metrics and metadata."""

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
    """Result of a training.

    Attributes:
        plan: features and target.
        recipe: the recipe.
        estimator: the fitted scikit-learn Pipeline, or the return value of the custom trainer.
        booster: the XGBoost model; ``None`` for a custom trainer.
        device: training device and the reason of its choice.
        seeds: seeds of all fitted models; ``estimator`` is the model of the first.
        measured: metric → value on the validation split, one mapping per seed; empty without that split.
        curve: ``train`` and ``validation`` → evaluation metric by round, for the first seed.
        watched: the metric of the curve.
        rounds: boosting rounds kept.
        importance: feature → share of the total gain.
        rows: split → rows used.
        notes: remarks for the report, one sentence each.
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
        """Validation metrics of ``estimator``; empty without a validation split."""
        return self.measured[0] if self.measured else {}

    @property
    def seed_spread(self) -> dict[str, dict[str, float | int]]:
        """Seed variance of each metric; see ``metrics.spread``."""
        return spread(self.measured)

    @property
    def recipe_digest(self) -> str:
        """Digest of the recipe with all defaults."""
        return digest_json(self.recipe.model_dump(mode="json"))


def positive_scores(task: str, scores: np.ndarray) -> np.ndarray:
    """Reduce a binary model's probabilities to P(positive), shape (n,); return other scores unchanged."""
    return scores[:, 1] if task == "binary" else scores
