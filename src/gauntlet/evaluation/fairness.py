"""Expands a slices policy into demands: one bound on one statistic each, for every slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.metrics import Direction, Metric, resolve
from gauntlet.evaluation.policies import CRITERIA, Criterion, GapLimit, PerformanceLimit, SlicesPolicy
from gauntlet.evaluation.sample import Task
from gauntlet.settings import parse

Kind = Literal["gap", "ratio", "level"]

DEFAULT_LIMITS: Mapping[Task, Mapping[str, Mapping[str, Any]]] = {
    "binary": {
        "fairness": {"equal_opportunity": {"max_gap": 0.1}},
        "performance": {"accuracy": {"max_gap": 0.1}},
    },
    "multiclass": {"performance": {"accuracy": {"max_gap": 0.1}}},
    "regression": {"performance": {"mae": {"max_ratio": 1.5}}},
}
"""Limits of a policy that sets none: similar true-positive rates in all slices, and no slice with much worse
performance than the rest. They warn and never block, since nobody asked for them."""


@dataclass(frozen=True)
class Demand:
    """One bound on one statistic, for every slice.

    Attributes:
        title: the criterion or metric that asks for it, unique in a policy; part of the check's name.
        metric: what is measured.
        kind: ``gap`` (slice − reference), ``ratio`` (slice / reference) or ``level`` (the slice by itself).
        low, high: the allowed range of the statistic; ``None``: open. A two-sided demand has both.
        code: of the checks it leads to.
    """

    title: str
    metric: Metric
    kind: Kind
    low: float | None = None
    high: float | None = None
    code: str = field(kw_only=True)

    @property
    def two_sided(self) -> bool:
        """Whether slice and reference may change places: then two slices need one comparison."""
        return self.low is not None and self.high is not None


def demands(policy: SlicesPolicy, task: Task, classes: int) -> tuple[Demand, ...]:
    """All demands of a policy, in its order: fairness, then performance.

    Raises:
        ConfigurationError: a criterion or metric that the task does not know.
    """
    fairness, performance = policy.fairness, policy.performance
    if policy.default_limits:
        defaults = parse(SlicesPolicy, DEFAULT_LIMITS[task], field="policy")
        fairness, performance = defaults.fairness, defaults.performance
    all_demands = [demand for name, gap in fairness.items() for demand in _fairness(name, gap, task, classes)]
    all_demands += [
        demand for name, limit in performance.items() for demand in _performance(name, limit, task, classes)
    ]
    return tuple(all_demands)


def _fairness(criterion: Criterion, limits: GapLimit, task: Task, classes: int) -> list[Demand]:
    known = CRITERIA[task]
    if criterion not in known:
        raise ConfigurationError(
            f"means nothing for a {task} model",
            field="policy.fairness",
            value=criterion,
            mend=f"Use one of: {', '.join(known)}",
        )
    demanded = []
    for metric in resolve(known[criterion], task, classes):
        title = criterion if len(known[criterion]) == 1 else f"{criterion}, {metric.title}"
        title = f"{title} parity" if criterion == metric.name else title
        if limits.max_gap is not None:
            demanded.append(
                Demand(title, metric, "gap", -limits.max_gap, limits.max_gap, code=f"evaluate_slices.{criterion}")
            )
        if limits.min_ratio is not None:
            low, high = limits.min_ratio, 1 / limits.min_ratio
            demanded.append(
                Demand(f"{title} (ratio)", metric, "ratio", low, high, code=f"evaluate_slices.{criterion}.ratio")
            )
    return demanded


def _performance(name: str, limits: PerformanceLimit, task: Task, classes: int) -> list[Demand]:
    (metric,) = resolve([name], task, classes)
    demanded = []
    if limits.max_gap is not None:
        worse_is_less = metric.direction is Direction.HIGHER
        low, high = (-limits.max_gap, None) if worse_is_less else (None, limits.max_gap)
        demanded.append(Demand(name, metric, "gap", low, high, code="evaluate_slices.performance"))
    if limits.max_ratio is not None:
        demanded.append(
            Demand(f"{name} (ratio)", metric, "ratio", high=limits.max_ratio, code="evaluate_slices.performance.ratio")
        )
    if limits.min is not None:
        demanded.append(Demand(f"{name} (least)", metric, "level", low=limits.min, code="evaluate_slices.level"))
    if limits.max is not None:
        demanded.append(Demand(f"{name} (most)", metric, "level", high=limits.max, code="evaluate_slices.level"))
    return demanded
