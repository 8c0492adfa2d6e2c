"""Limits on retraining variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gauntlet.evaluation.limits import metric_named, require_deviation
from gauntlet.settings import Refusals, Settings

Deviation = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class StabilityPolicy(Settings):
    """Settings of ``measure_stability``. By default only reproducibility is required; the rest is measured."""

    max_seed_sd: Mapping[str, Deviation] = Field(
        {}, description="Metric → largest standard deviation over seeds that is allowed, in the metric's units."
    )
    max_flips: float | None = Field(
        None, ge=0, lt=1, description="Largest share of rows that two re-trainings may decide differently."
    )
    max_median_change: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Largest change of a score, in the median over rows."
    )
    same_seed: Literal["require", "report"] = Field(
        "require", description="Whether the same seed on the same data has to give the same model."
    )
    tolerance: float = Field(
        1e-6, ge=0, allow_inf_nan=False, description="A re-training whose scores differ by less reproduces the model."
    )
    resamples: int | None = Field(
        None, ge=0, le=1000, description="Trainings on other draws of the training rows. Default: as many as seeds."
    )
    max_seconds: float | None = Field(
        None, gt=0, description="Give up before the re-runs if they would take longer, by the time the first one took."
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="Binary: a score at or above it counts as positive.")
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence at which anything is called shown, for the whole gate."
    )

    @model_validator(mode="after")
    def _limits_that_can_be_broken(self) -> StabilityPolicy:
        refusals = Refusals()
        for name, deviation in self.max_seed_sd.items():
            with refusals.noted():
                require_deviation(metric_named(name, ("max_seed_sd",)), deviation, ("max_seed_sd", name))
        refusals.raise_all()
        return self

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of the limits that are declared."""
        single = (("max_flips", self.max_flips), ("max_median_change", self.max_median_change))
        caps = tuple(f"max_seed_sd.{name}" for name in self.max_seed_sd)
        return (*caps, *(name for name, limit in single if limit is not None))
