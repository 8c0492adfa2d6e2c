"""Every gate, in the order in which runs meet them: the one table that the rest is derived from.

A gate measures and gives a verdict under its name. Enforcement (``gauntlet.registry.enforcement``) decides what a
verdict does to a run. Enforcement, the check of configurations, the settings page, the architecture page and the demo
read this table; ``tests/unit/test_gates.py`` holds the components, pipelines and pages to it.
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
    WATCH = "nothing"
    """It looks at what serves, and stops nothing."""


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: what its verdicts call it, and enforcement policies.
        subject: one word for what it looks at, on a console.
        question: what it asks, for the architecture page.
        stage: what it stands before. A gate before training also stands before merging.
        parameter: the parameter of pipelines that holds its settings.
        settings: the settings model behind that parameter, as ``module:class``; a text, because this module lies
            below all others.
        page: where its numbers are explained, under ``docs/``.
        cautious: an inconclusive verdict blocks, because people or production are at stake.
        component: the component that runs it; empty: of the gate's own name.
    """

    name: str
    subject: str
    question: str
    stage: Stage
    parameter: str
    settings: str
    page: str
    cautious: bool = False
    component: str = ""

    @property
    def runs_in(self) -> str:
        """Function name of the component."""
        return self.component or self.name


GATES = (
    Gate(
        "validate_schema",
        subject="data",
        question="Are these the columns we know?",
        stage=Stage.TRAINING,
        parameter="schema_policy",
        settings="gauntlet.data.validation:SchemaPolicy",
        page="schema.md",
    ),
    Gate(
        "detect_skew",
        subject="drift",
        question="Do training and serving see the same data, and the same as last time?",
        stage=Stage.TRAINING,
        parameter="skew_policy",
        settings="gauntlet.data.skew_policy:SkewPolicy",
        page="skew.md",
    ),
    Gate(
        "check_integrity",
        subject="integrity",
        question="Do keys, references, times and labels hold, and does no column give the label away?",
        stage=Stage.TRAINING,
        parameter="integrity_policy",
        settings="gauntlet.data.integrity.policy:IntegrityPolicy",
        page="integrity.md",
    ),
    Gate(
        "check_training",
        subject="training",
        question="Does the training code learn at all?",
        stage=Stage.MERGING,
        parameter="training_policy",
        settings="gauntlet.training_check.policy:TrainingPolicy",
        page="training-check.md",
    ),
    Gate(
        "evaluate_performance",
        subject="performance",
        question="Is it good enough?",
        stage=Stage.REGISTERING,
        parameter="performance_policy",
        settings="gauntlet.evaluation.policies:PerformancePolicy",
        page="statistics.md",
    ),
    Gate(
        "evaluate_slices",
        subject="fairness",
        question="Is it good for everybody?",
        stage=Stage.REGISTERING,
        parameter="slices_policy",
        settings="gauntlet.evaluation.policies:SlicesPolicy",
        page="statistics.md",
        cautious=True,
    ),
    Gate(
        "measure_stability",
        subject="stability",
        question="What does re-training alone change?",
        stage=Stage.REGISTERING,
        parameter="stability_policy",
        settings="gauntlet.stability.policy:StabilityPolicy",
        page="stability.md",
    ),
    Gate(
        "compare_champion",
        subject="champion",
        question="Is it no worse than what serves, by more than chance?",
        stage=Stage.REGISTERING,
        parameter="champion_policy",
        settings="gauntlet.evaluation.policies:ChampionPolicy",
        page="statistics.md",
    ),
    Gate(
        "check_features",
        subject="features",
        question="Does the feature code still give what is stored, and what else it promises?",
        stage=Stage.REGISTERING,
        parameter="features_policy",
        settings="gauntlet.features.policy:FeaturesPolicy",
        page="features.md",
    ),
    Gate(
        "check_behavior",
        subject="behavior",
        question="Do known cases keep their answer, and known changes their effect?",
        stage=Stage.REGISTERING,
        parameter="behavior_policy",
        settings="gauntlet.behavior.policy:BehaviorPolicy",
        page="behavior.md",
    ),
    Gate(
        "check_serving",
        subject="staging",
        question="Does its server answer as it should, quickly, and the same as in batch?",
        stage=Stage.PRODUCTION,
        parameter="serving_policy",
        settings="gauntlet.serving.acceptance.policy:ServingPolicy",
        page="serving-check.md",
    ),
    Gate(
        "shadow",
        subject="shadow",
        question="Does it decide as the stable version does, on production's own requests?",
        stage=Stage.PRODUCTION,
        parameter="shadow_policy",
        settings="gauntlet.delivery.shadow.gate:ShadowPolicy",
        page="canary.md",
    ),
    Gate(
        "rollout",
        subject="canary",
        question="Does it harm those it answers, step by step?",
        stage=Stage.PRODUCTION,
        parameter="analysis",
        settings="gauntlet.delivery.analysis.plan:AnalysisPlan",
        page="canary.md",
        cautious=True,
        component="rollout_canary",
    ),
    Gate(
        "verify_deployment",
        subject="watch",
        question="Is it still what it was when it was promoted?",
        stage=Stage.WATCH,
        parameter="analysis",
        settings="gauntlet.delivery.analysis.plan:AnalysisPlan",
        page="canary.md",
    ),
)


def gates_before(*stages: Stage) -> tuple[Gate, ...]:
    """The gates of these stages, in order."""
    return tuple(gate for gate in GATES if gate.stage in stages)
