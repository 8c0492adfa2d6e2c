"""Settings of the three evaluation gates, with defaults, units and ranges.

Whether the task has a metric is checked when the task is known (``metrics.resolve``), everything else here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from gauntlet.evaluation.limits import TASKS, metric_named, require_bounds, require_direction, require_gap
from gauntlet.evaluation.metrics import Direction, Scale
from gauntlet.evaluation.sample import Task
from gauntlet.settings import Refusals, SettingError, Settings

Criterion = Literal[
    "demographic_parity", "equal_opportunity", "equalized_odds", "predictive_parity", "calibration", "accuracy"
]

CRITERIA: Mapping[Task, Mapping[Criterion, tuple[str, ...]]] = {
    "binary": {
        "demographic_parity": ("selection_rate",),
        "equal_opportunity": ("true_positive_rate",),
        "equalized_odds": ("true_positive_rate", "false_positive_rate"),
        "predictive_parity": ("precision",),
        "calibration": ("calibration_gap",),
        "accuracy": ("accuracy",),
    },
    "multiclass": {"accuracy": ("accuracy",)},
    "regression": {"calibration": ("bias",)},
}
"""Task → criterion → the metrics that have to be alike in all slices (Hardt et al. 2016; Chouldechova 2017)."""


def _level(value: object) -> object:
    """A value of a slice column as slices name it: 2 and true are what a file of settings makes of them."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else value


Level = Annotated[str, BeforeValidator(_level)]

_THRESHOLD = Field(0.5, gt=0, lt=1, description="Binary: a score at or above it counts as positive.")
_CONFIDENCE = Field(0.95, gt=0.5, lt=1, description="Confidence at which anything is called shown, for the whole gate.")


class Bounds(Settings):
    """Bounds of a metric, in its own units."""

    min: float | None = Field(None, allow_inf_nan=False, description="It must be at least this.")
    max: float | None = Field(None, allow_inf_nan=False, description="It must be at most this.")

    @model_validator(mode="after")
    def _bounds_something(self) -> Bounds:
        if self.min is None and self.max is None:
            raise ValueError("bounds nothing: give min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


def require_bounds_of(metrics: Mapping[str, Bounds], at: str) -> None:
    """Check names and bounds of metrics.

    Args:
        metrics: metric → bounds.
        at: the field that holds them.

    Raises:
        SettingError: a metric is unknown, or a bound is none.
    """
    refusals = Refusals()
    for name, bounds in metrics.items():
        with refusals.noted():
            require_bounds(metric_named(name, (at,)), bounds.min, bounds.max, (at, name))
    refusals.raise_all()


class PerformancePolicy(Settings):
    """Settings of ``evaluate_performance``."""

    metrics: Mapping[str, Bounds] = Field({}, description="Metric → where it has to lie.")
    baseline: Literal["beat", "ignore"] = Field(
        "beat",
        description="beat: the model must be shown to be better than one that always gives the same answer, by log loss"
        " or AUC (several classes: or accuracy; regression: by squared error, or nearer in most rows). What the rows"
        " cannot show stops the run.",
    )
    near_perfect: Literal["ask", "accept"] = Field(
        "ask", description="Whether to warn of a model that is too good for most problems, as one with a leak is."
    )
    threshold: float = _THRESHOLD
    confidence: float = _CONFIDENCE

    @model_validator(mode="after")
    def _limits_that_can_be_broken(self) -> PerformancePolicy:
        require_bounds_of(self.metrics, "metrics")
        return self


class GapLimit(Settings):
    """Limits on the difference or ratio of a slice's rate to that of its reference, in either direction."""

    max_gap: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Largest difference of the rates, 0.1 = 10 points."
    )
    min_ratio: float | None = Field(
        None, gt=0, le=1, description="Smallest ratio of the lower rate to the higher; the four-fifths rule is 0.8."
    )

    @model_validator(mode="after")
    def _limits_something(self) -> GapLimit:
        if self.max_gap is None and self.min_ratio is None:
            raise ValueError("limits nothing: give max_gap or min_ratio")
        return self


class PerformanceLimit(Settings):
    """Limits on a metric in every slice: how much worse than elsewhere, and absolute bounds."""

    max_gap: float | None = Field(None, ge=0, allow_inf_nan=False, description="Most it may be worse, metric's units.")
    max_ratio: float | None = Field(
        None, ge=1, allow_inf_nan=False, description="Most times the error elsewhere: 1.25 is a quarter more."
    )
    min: float | None = Field(None, allow_inf_nan=False, description="It must be at least this in every slice.")
    max: float | None = Field(None, allow_inf_nan=False, description="It must be at most this in every slice.")

    @model_validator(mode="after")
    def _limits_something(self) -> PerformanceLimit:
        if all(limit is None for limit in (self.max_gap, self.max_ratio, self.min, self.max)):
            raise ValueError("limits nothing: give max_gap, max_ratio, min or max")
        return self


class Slicing(Settings):
    """Partition of rows into slices."""

    columns: tuple[str, ...] | None = Field(
        None, description="Slice columns. Default: all that the predictions carry. []: none."
    )
    crossings: tuple[tuple[str, ...], ...] = Field((), description="Columns to cross with each other, as [sex, race].")
    bins: Mapping[str, tuple[float, ...]] = Field(
        {}, description="Numeric column → inner edges, ascending. Without them a number is cut at its quartiles."
    )
    max_values: int = Field(
        50, ge=2, le=1000, description="Most values of a column that get a slice each; the rarest beyond share one."
    )
    min_rows: int = Field(100, ge=10, description="Fewest rows (or clusters) a slice is judged on.")
    min_support: int = Field(
        20,
        ge=2,
        description="Fewest rows (or clusters) that a metric is a mean over in a slice judged by it: positives for a "
        "true-positive rate, the smaller class for an AUC; weighted ones at their effective number.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Slicing:
        for field, named in (("columns", self.columns or ()), ("crossings", self.crossings)):
            if len(set(named)) < len(named):
                raise ValueError(f"{field}: names something twice")
        for crossing in self.crossings:
            if len(set(crossing)) != len(crossing) or len(crossing) < 2:
                raise ValueError(f"crossings: {list(crossing)} must name two or more different columns")
        for column, edges in self.bins.items():
            if not edges or any(low >= high for low, high in pairwise(edges)):
                raise ValueError(f"bins.{column}: {list(edges)} must be one or more ascending edges")
        return self


class SlicesPolicy(Slicing):
    """Settings of ``evaluate_slices``.

    Without ``fairness`` and ``performance`` slices are held against ``fairness.DEFAULT_LIMITS``, which nobody asked
    for: what they find is a warning and stops nothing.
    """

    reference: Mapping[str, Level] = Field(
        {}, description="Column → the value others are compared with. Default: a slice against the rest of the rows."
    )
    fairness: Mapping[Criterion, GapLimit] = Field({}, description="Criterion → how far slices may lie apart.")
    performance: Mapping[str, PerformanceLimit] = Field({}, description="Metric → how much worse a slice may be.")
    threshold: float = _THRESHOLD
    confidence: float = _CONFIDENCE

    @model_validator(mode="after")
    def _limits_that_can_be_broken(self) -> SlicesPolicy:
        refusals = Refusals()
        for criterion, gap in self.fairness.items():
            with refusals.noted():
                require_criterion(criterion, gap, TASKS)
        for name, limit in self.performance.items():
            with refusals.noted():
                _require_performance(name, limit)
        refusals.raise_all()
        return self

    @property
    def default_limits(self) -> bool:
        """Whether it sets no limit of its own."""
        return not self.fairness and not self.performance


def require_criterion(criterion: Criterion, limits: GapLimit, tasks: Sequence[Task]) -> None:
    """Check limits on a criterion of fairness.

    Args:
        criterion: its name.
        limits: the limits.
        tasks: those that the model may be for; the criterion means something, and a limit is one, for some of them.

    Raises:
        SettingError: no model could break the limit.
    """
    at = ("fairness", criterion)
    metrics = [metric_named(name, at) for task in tasks for name in CRITERIA[task].get(criterion, ())]
    require_gap(max(metrics, key=lambda metric: metric.high - metric.low), limits.max_gap, (*at, "max_gap"))
    if limits.min_ratio is not None and metrics[0].scale is Scale.REAL:
        raise SettingError(
            f"{metrics[0].title} lies around zero, so its ratio says nothing",
            at=(*at, "min_ratio"),
            value=limits.min_ratio,
            mend="Use max_gap",
        )


def _require_performance(name: str, limits: PerformanceLimit) -> None:
    metric, at, refusals = metric_named(name, ("performance",)), ("performance", name), Refusals()
    with refusals.noted():
        require_bounds(metric, limits.min, limits.max, at)
    with refusals.noted():
        require_gap(metric, limits.max_gap, (*at, "max_gap"))
        if limits.max_gap is not None and metric.direction is Direction.ZERO:
            raise SettingError(
                f"{metric.title} is best at zero, so it is not better or worse by a gap",
                at=(*at, "max_gap"),
                value=limits.max_gap,
                mend="Use fairness.calibration, or min and max",
            )
    with refusals.noted():
        if limits.max_ratio is not None and metric.direction is not Direction.LOWER:
            raise SettingError(
                f"{metric.title} is not an error that grows as a model gets worse",
                at=(*at, "max_ratio"),
                value=limits.max_ratio,
                mend="Use max_gap",
            )
    refusals.raise_all()


class Margin(Settings):
    """Non-inferiority margin of the challenger, in the metric's units or as a share."""

    margin: float | None = Field(None, ge=0, allow_inf_nan=False, description="In the metric's own units.")
    relative: float | None = Field(None, ge=0, lt=1, description="As a share of the champion's value: 0.02 = 2 %.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Margin:
        if (self.margin is None) == (self.relative is None):
            raise ValueError("give one of margin and relative")
        return self


class Primary(Margin):
    """Primary metric, in which the challenger must not be worse."""

    metric: str = Field(description="Name of the metric.")


class SliceRegression(Slicing):
    """Slices that ``compare_champion`` checks for regressions. Only shown harm counts: a small slice cannot block."""

    metric: str | None = Field(None, description="Default: the primary metric.")
    margin: float | None = Field(None, ge=0, allow_inf_nan=False, description="Default: that of the primary metric.")


class ChampionPolicy(Settings):
    """Settings of ``compare_champion``."""

    primary: Primary | None = Field(None, description="Default: by task, at the end of this page.")
    guardrails: Mapping[str, Margin] = Field({}, description="Metric → margin: what else must not get worse.")
    slices: SliceRegression = Field(
        SliceRegression.model_validate({}), description="Where to look for slices that got worse."
    )
    require_improvement: bool = Field(False, description="The primary metric must be shown to be better.")
    no_champion: Literal["pass", "fail"] = Field("pass", description="What it means that there is no champion yet.")
    seed_variance: Literal["include", "ignore"] = Field(
        "include", description="Count the spread that training's own seed brings, when it was measured."
    )
    threshold: float = _THRESHOLD
    confidence: float = _CONFIDENCE

    @model_validator(mode="after")
    def _limits_that_can_be_broken(self) -> ChampionPolicy:
        margins: dict[tuple[str, ...], tuple[str, float | None]] = {}
        if self.primary is not None:
            margins["primary",] = (self.primary.metric, self.primary.margin)
        margins |= {("guardrails", name): (name, guarded.margin) for name, guarded in self.guardrails.items()}
        sliced = self.slices.metric or (self.primary.metric if self.primary else None)
        if sliced is not None and (self.slices.metric or self.slices.margin is not None):
            margins["slices",] = (sliced, self.slices.margin)
        refusals = Refusals()
        for at, (name, margin) in margins.items():
            with refusals.noted():
                named = at[:1] if at[0] == "guardrails" else (*at, "metric")
                metric = metric_named(name, named)
                require_direction(metric, named)
                require_gap(metric, margin, (*at, "margin"))
        refusals.raise_all()
        return self
