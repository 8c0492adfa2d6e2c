"""Every gate, in the order in which runs meet them: the one table that the rest is derived from or held against.

A gate measures and gives a verdict under its name. What a verdict does to a run is enforcement's business
(``gauntlet.registry.enforcement``); which settings model stands behind a gate's parameter, ``gauntlet.preflight``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a gate stands before."""

    TRAINING = "training"
    MERGING = "merging"
    REGISTERING = "registering"
    PRODUCTION = "production"
    WATCH = "watch"
    """Nothing: it looks at what serves."""


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: what its verdicts call it, and enforcement policies.
        subject: one word for what it looks at, on a console.
        stage: what it stands before. A gate before training also stands before merging.
        parameter: the parameter of pipelines that holds its settings.
        page: where its numbers are explained, under ``docs/``.
        cautious: an inconclusive verdict blocks, because people or production are at stake.
        component: the component that runs it; empty: of the gate's own name.
    """

    name: str
    subject: str
    stage: Stage
    parameter: str
    page: str
    cautious: bool = False
    component: str = ""

    @property
    def runs_in(self) -> str:
        """Function name of the component."""
        return self.component or self.name


GATES = (
    Gate("validate_schema", "data", Stage.TRAINING, "schema_policy", "statistics.md"),
    Gate("detect_skew", "drift", Stage.TRAINING, "skew_policy", "statistics.md"),
    Gate("check_integrity", "integrity", Stage.TRAINING, "integrity_policy", "integrity.md"),
    Gate("check_training", "training", Stage.MERGING, "training_policy", "training-check.md"),
    Gate("evaluate_performance", "performance", Stage.REGISTERING, "performance_policy", "statistics.md"),
    Gate("evaluate_slices", "fairness", Stage.REGISTERING, "slices_policy", "statistics.md", cautious=True),
    Gate("measure_stability", "stability", Stage.REGISTERING, "stability_policy", "stability.md"),
    Gate("compare_champion", "champion", Stage.REGISTERING, "champion_policy", "statistics.md"),
    Gate("check_features", "features", Stage.REGISTERING, "features_policy", "features.md"),
    Gate("check_behavior", "behavior", Stage.REGISTERING, "behavior_policy", "behavior.md"),
    Gate("check_serving", "staging", Stage.PRODUCTION, "serving_policy", "serving-check.md"),
    Gate("shadow", "shadow", Stage.PRODUCTION, "shadow_policy", "canary.md"),
    Gate("rollout", "canary", Stage.PRODUCTION, "analysis", "canary.md", cautious=True, component="rollout_canary"),
    Gate("verify_deployment", "watch", Stage.WATCH, "analysis", "canary.md"),
)


def gates_before(*stages: Stage) -> tuple[Gate, ...]:
    """The gates of these stages, in order."""
    return tuple(gate for gate in GATES if gate.stage in stages)
