"""Settings of the behavior gate."""

from __future__ import annotations

from pydantic import Field

from gauntlet.settings import Settings


class BehaviorPolicy(Settings):
    """Settings of ``check_behavior``. Golden cases have no tolerance: one wrong answer fails."""

    max_failures: float = Field(
        0.01, gt=0, lt=1, description="Largest share of rows that may break a rule without a max_failures of its own."
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence at which a rule is called kept, and the suite broken."
    )
    max_rows: int = Field(
        5000, ge=20, le=1_000_000, description="Most rows (or clusters) a rule is tested on, drawn at random."
    )
    threshold: float | None = Field(
        None,
        allow_inf_nan=False,
        description="A score at or above it is a yes. Default for two classes: 0.5; a regression has none.",
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Of the rows drawn and of every random change.")
    shown: int = Field(5, ge=1, le=50, description="Worst rows of a rule that the report shows.")
