"""Settings of the training check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from gauntlet.evaluation.policies import Bounds, require_bounds_of
from gauntlet.settings import Settings

Baseline = Literal["auto", "prior", "majority", "mean", "median"]


class TrainingPolicy(Settings):
    """Settings of ``check_training``. By default everything is checked but a floor, which only the team can set."""

    rows: int = Field(20_000, ge=200, le=1_000_000, description="Rows of the sample, over all splits.")
    rounds: int = Field(100, ge=2, le=10_000, description="Most boosting rounds.")
    seconds: float = Field(60.0, gt=0, description="Time limit; beyond it the check ends with an error.")
    floor: Mapping[str, Bounds] = Field({}, description="Metric → bounds of its whole interval.")
    baseline: Baseline | None = Field(
        "auto",
        description="The constant to be beaten: prior (log loss), majority (accuracy), mean (mse), median (mae). auto: "
        "prior for classes, mean for numbers; false: not checked.",
    )
    least_gain: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Share of that constant's loss that has to be gained; a model shown to gain less fails.",
    )
    overfit: bool = Field(True, description="The trainer has to overfit a tiny batch.")
    overfit_rows: int = Field(64, ge=8, le=1024, description="Rows of that batch, no two with the same features.")
    overfit_share: float = Field(
        0.1, gt=0, lt=1, description="Loss it may have left there, as a share of the best constant's."
    )
    overfit_options: Mapping[str, object] = Field(
        {}, description="A team's own trainer: the options with which it overfits; without them not checked."
    )
    loss_goes_down: bool = Field(True, description="Training has to lower the loss on its own rows, and keep it low.")
    saved_model: bool = Field(True, description="The saved model has to give the same scores as the one in memory.")
    single_rows: int = Field(20, ge=0, le=1000, description="Rows that the saved model also scores one by one.")
    same_seed: bool = Field(True, description="The same seed has to give the same model.")
    tolerance: float = Field(
        1e-6, ge=0, allow_inf_nan=False, description="Largest difference of scores that counts as equal."
    )
    shuffled_labels: bool = Field(
        True, description="A model of shuffled labels must not predict those of held-out rows."
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="Binary: a score at or above it counts as positive.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence at which floor and baseline are shown.")
    shuffled_confidence: float = Field(
        0.99, gt=0.5, lt=1, description="Confidence at which a leak of shuffled labels is shown."
    )

    @model_validator(mode="after")
    def _limits_that_can_be_broken(self) -> TrainingPolicy:
        require_bounds_of(self.floor, "floor")
        return self

    @property
    def asks(self) -> bool:
        """Whether anything is checked at all."""
        switches = (self.overfit, self.loss_goes_down, self.saved_model, self.same_seed, self.shuffled_labels)
        return bool(self.floor) or self.baseline is not None or any(switches)
