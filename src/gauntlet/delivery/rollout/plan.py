"""Settings of a rollout: steps, requirements of each step, time limits and budgets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gauntlet.settings import Settings

Percent = Annotated[int, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(gt=0)]


class Budgets(Settings):
    """How many analyses may end badly before the candidate is rolled back."""

    failures: int = Field(
        default=0, ge=0, description="Analyses that showed harm, in the whole rollout. A sequential test needs 0."
    )
    inconclusive: int = Field(default=30, ge=0, description="Analyses in a row, within a step, that were inconclusive.")
    errors: int = Field(default=5, ge=0, description="Analyses in a row that could not be made (metrics unreadable).")


class RolloutPlan(Settings):
    """Steps of a rollout, and the patience with them."""

    steps: tuple[Percent, ...] = Field(
        default=(5, 10, 25, 50, 100),
        description="Share of requests for the candidate, in percent, ascending, the last 100.",
    )
    interval_seconds: Seconds = Field(default=60.0, description="From one analysis to the next.")
    step_seconds: Seconds = Field(default=300.0, description="Least time at a step, from the moment its weight holds.")
    min_requests: int = Field(default=500, ge=1, description="Requests the candidate must have answered at a step.")
    budgets: Budgets = Field(default=Budgets(), description="How many analyses may end badly.")
    approve_before: tuple[Percent, ...] = Field(
        default=(), description="Steps that a person has to approve before they are entered."
    )
    approval_seconds: Seconds = Field(default=86_400.0, description="Longest wait for that approval.")
    ready_seconds: Seconds = Field(default=900.0, description="Longest wait for the candidate to become ready.")
    total_seconds: Seconds = Field(default=172_800.0, description="Longest rollout, waits included.")
    undecided: Literal["roll_back", "hold"] = Field(
        default="roll_back",
        description="When the budget of inconclusive analyses is spent: roll back, or hold the step for a person.",
    )

    @model_validator(mode="after")
    def _check(self) -> RolloutPlan:
        if list(self.steps) != sorted(set(self.steps)) or not self.steps or self.steps[-1] != 100:
            raise ValueError("steps must ascend and end with 100")
        unknown = [step for step in self.approve_before if step not in self.steps]
        if unknown:
            raise ValueError(f"approve_before names {unknown[0]}, which is no step")
        return self
