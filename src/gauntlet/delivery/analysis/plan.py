"""Settings of the analysis: which metrics are compared, margins of harm, error probabilities, detectable effects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gauntlet.settings import Settings

BUILT_IN = ("errors", "latency", "scores", "slices", "outcomes")

Level = Annotated[float, Field(gt=0, lt=0.5)]
Share = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_ ]{0,39}$")]


class MetricPlan(Settings):
    """One metric that counts hits: errors, slow answers, scores beyond an edge, wrong decisions.

    Harm is a canary's rate above ratio · stable's + harm.
    """

    weight: float = Field(default=1.0, gt=0, description="Its part of alpha; the parts are brought to a sum of 1.")
    ratio: float = Field(default=1.0, ge=0, description="Allowed ratio of the canary's rate to stable's (ρ).")
    harm: Share = Field(default=0.002, description="Allowed difference on top before it counts as harm (δ).")
    promotion: Share = Field(default=0.005, description="Difference within which it counts as proven not worse (δ).")
    detectable_ratio: float = Field(
        default=1.0, ge=0, description="Minimum detectable effect: a rise to this ratio of stable's rate …"
    )
    detectable_effect: Share = Field(default=0.02, description="… and this much on top.")

    @model_validator(mode="after")
    def _check(self) -> MetricPlan:
        if self.detectable_ratio < self.ratio or self.detectable_effect <= self.harm:
            raise ValueError(
                "effects to detect must lie beyond what is allowed: detectable_ratio ≥ ratio, detectable_effect > harm"
            )
        return self


class KeptPlan(MetricPlan):
    """A metric that the servers have to keep counters of."""

    required: bool = Field(
        default=True, description="Where it is not kept at all: stop (true), or leave it out and say so (false)."
    )


class ErrorsPlan(KeptPlan):
    """Requests that the server failed to answer."""

    weight: float = Field(default=2.0, gt=0, description="Its part of alpha; the parts are brought to a sum of 1.")


class LatencyPlan(KeptPlan):
    """Requests slower than a bucket's boundary, at several boundaries or at the one promised to users."""

    ratio: float = Field(default=1.1, ge=0, description="Allowed ratio of the canary's rate to stable's (ρ).")
    harm: Share = Field(default=0.001, description="Allowed difference on top before it counts as harm (δ).")
    detectable_ratio: float = Field(
        default=2.0, ge=0, description="Minimum detectable effect: a rise to this ratio of stable's rate …"
    )
    objective_seconds: float | None = Field(
        default=None,
        gt=0,
        description="The latency promised to users, a bucket's boundary; else every boundary with enough above it.",
    )


class ScoresPlan(KeptPlan):
    """Scores above, and up to, the deciles of stable's."""

    harm: Share = Field(default=0.05, description="Allowed distance of the distributions (Kolmogorov-Smirnov).")
    promotion: Share = Field(default=0.05, description="Distance within which they count as proven alike.")
    detectable_effect: Share = Field(default=0.15, description="Minimum detectable distance.")
    required: bool = Field(
        default=False, description="Where no scores are kept: stop (true), or leave it out and say so (false)."
    )


class SlicesPlan(ScoresPlan):
    """Scores by group, above and up to the quartiles of stable's scores in that group."""

    harm: Share = Field(default=0.1, description="Allowed distance of the distributions in a group.")
    promotion: Share = Field(default=0.1, description="Distance within which a group's count as proven alike.")
    detectable_effect: Share = Field(default=0.25, description="Minimum detectable distance.")


class OutcomesPlan(MetricPlan):
    """Wrong decisions among requests whose true label has arrived. Labels come late, so it never holds a step up."""

    harm: Share = Field(default=0.02, description="Allowed difference of the shares of wrong decisions.")
    promotion: Share = Field(default=0.02, description="Difference within which it counts as proven not worse.")
    detectable_effect: Share = Field(default=0.05, description="Minimum detectable difference.")
    phi: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="Decisions that say as much as one independent one, in place of the plan's phi; 1 where the labels "
        "name a cluster, of which one decision is counted.",
    )


class CustomMetric(Settings):
    """A custom metric: a number held against a limit as it is, without a bound on false alarms."""

    name: Name = Field(description="What it is called in reports.")
    query: str = Field(
        min_length=1,
        description="PromQL that gives one number; may use $candidate, $stable, $service and $window.",
    )
    limit: float = Field(allow_inf_nan=False, description="The limit, in the number's own units.")
    direction: Literal["max", "min"] = Field(default="max", description="Whether it may be at most, or at least, that.")
    consecutive: int = Field(default=3, ge=1, le=1000, description="Analyses in a row beyond the limit that are harm.")


class AnalysisPlan(Settings):
    """What is analysed during a rollout, and what it takes to go on, or to roll back."""

    alpha: Level = Field(
        default=0.05,
        description="Chance of rolling back a candidate as good as allowed, over the whole rollout (false alarm).",
    )
    alpha_promotion: Level = Field(
        default=0.05, description="Chance of counting as proven a candidate that is worse than promotion allows."
    )
    metrics: tuple[Literal["errors", "latency", "scores", "slices", "outcomes"], ...] = Field(
        default=("errors", "latency", "scores"), description="What is compared between candidate and stable version."
    )
    errors: ErrorsPlan = Field(default=ErrorsPlan(), description="Requests the server failed to answer.")
    latency: LatencyPlan = Field(default=LatencyPlan(), description="Slow requests.")
    scores: ScoresPlan = Field(default=ScoresPlan(), description="Where the scores lie.")
    slices: SlicesPlan = Field(default=SlicesPlan(), description="Where they lie in each group that the server counts.")
    outcomes: OutcomesPlan = Field(default=OutcomesPlan(), description="Wrong decisions, where labels arrive.")
    custom: tuple[CustomMetric, ...] = Field(default=(), description="Custom metrics: PromQL against a limit.")
    dry_run: tuple[str, ...] = Field(
        default=(), description="Names of metrics, custom ones included, that are measured and shown and have no say."
    )
    promote_on: Literal["no_harm", "proven"] = Field(
        default="no_harm",
        description="A step passes when the detectable effects would have been found, or when every metric is proven.",
    )
    phi: Literal["estimate"] | Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        default="estimate",
        description="Requests that say as much as one independent one: estimated from two or more stable pods before "
        "the canary (5 is assumed where that cannot be done), or a number.",
    )
    warm_up_seconds: float = Field(
        default=30.0, ge=0, description="What is answered so soon after a weight first holds is not counted."
    )
    baseline_requests: int = Field(
        default=500, ge=50, description="Requests of the stable version that are watched before the candidate gets any."
    )
    least_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A candidate that answers less than this part of its weight never passes: it may hang.",
    )

    @property
    def with_a_say(self) -> tuple[str, ...]:
        """The metrics compared between the versions that are no dry run."""
        return tuple(name for name in self.metrics if name not in self.dry_run)

    def metric(self, name: str) -> MetricPlan:
        """The block of one of ``BUILT_IN``."""
        block = getattr(self, name)
        assert isinstance(block, MetricPlan)
        return block

    @model_validator(mode="after")
    def _check(self) -> AnalysisPlan:
        custom = [metric.name for metric in self.custom]
        names = [*self.metrics, *custom]
        twice = sorted({name for name in names if names.count(name) > 1} | (set(custom) & set(BUILT_IN)))
        if twice:
            raise ValueError(f"{twice[0]} names two metrics")
        strange = [name for name in self.dry_run if name not in names]
        if strange:
            raise ValueError(f"dry_run names {strange[0]}, which is no metric of this plan")
        if not self.with_a_say:
            raise ValueError("at least one of metrics must have a say")
        if set(self.with_a_say) == {"outcomes"}:
            raise ValueError("outcomes come too late to hold a step up: another metric must have a say beside them")
        return self
