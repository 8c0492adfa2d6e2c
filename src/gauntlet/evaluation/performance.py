"""The minimum-performance gate: is the model good enough by itself?

Every demand is a check of its own; their intervals hold together at the policy's confidence. Besides, the model must be
shown to beat the trivial one that always gives the same answer, unless the policy says that it need not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gauntlet.evaluation import wording
from gauntlet.evaluation.baseline import beats_trivial
from gauntlet.evaluation.families import levels
from gauntlet.evaluation.inputs import Scored, require_both_classes
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import Metric, names, resolve
from gauntlet.evaluation.panel import Panel, measure
from gauntlet.evaluation.policies import PerformancePolicy
from gauntlet.evaluation.power import rows_needed
from gauntlet.evaluation.sample import Sample, sample
from gauntlet.evaluation.slices import ALL, Slice
from gauntlet.evaluation.unfair_comparison import seen_rows
from gauntlet.verdict import Check, Status, Verdict, decide, worst

GATE = "evaluate_performance"
BOUND = "evaluate_performance.bound"
NEAR_PERFECT = {"binary": ("auc", 0.995), "multiclass": ("balanced_accuracy", 0.99), "regression": ("r2", 0.995)}
"""Task → a metric, and the value from which a model is asked how it can be so good."""

Direction = Literal["min", "max"]


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval, alone (not simultaneous)."""

    metric: Metric
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Performance:
    """Result of ``evaluate_performance``.

    Attributes:
        verdict: the checks.
        sample: the rows, for plots.
        estimates: every metric of the task that is defined here.
    """

    verdict: Verdict
    sample: Sample
    estimates: tuple[Estimate, ...]


def to_sample(scored: Scored, threshold: float) -> Sample:
    """Make the sample of checked predictions."""
    return sample(
        scored.labels,
        scored.scores,
        task=scored.manifest.task,
        weight=scored.weights,
        cluster=scored.clusters,
        threshold=threshold,
    )


def judge_performance(scored: Scored, policy: PerformancePolicy) -> Performance:
    """Check a model against its minimum performance.

    Args:
        scored: its predictions.
        policy: the demands.

    Raises:
        ConfigurationError: the policy names a metric that the task does not have.
        DataError: all rows have the same label.
    """
    task = scored.manifest.task
    metrics = resolve(tuple(policy.metrics), task)
    require_both_classes(scored)
    rows = to_sample(scored, policy.threshold)
    panel = measure([rows], resolve(names(task), task, rows.classes))
    checks = _bounded(panel, metrics, policy) if metrics else []
    if policy.baseline == "beat":
        checks.append(beats_trivial(rows, panel, policy.confidence))
    checks += seen_rows("the model", scored.manifest, code="evaluate_performance.seen_rows", proof=True)
    alone = estimates(panel, policy.confidence)
    if policy.near_perfect == "ask":
        checks += _near_perfect(alone, rows.task, int(panel.units[0]))
    verdict = Verdict(
        gate=GATE,
        checks=tuple(checks),
        summary=_summary(checks),
        facts={"rows": rows.rows, "units": int(panel.units[0]), "confidence": policy.confidence, "task": task},
    )
    return Performance(verdict, rows, alone)


def estimates(panel: Panel, confidence: float, slice_: Slice = ALL) -> tuple[Estimate, ...]:
    """Every metric of the first model that is defined in a slice, each with an interval of its own."""
    family = levels(panel, slices=[slice_])
    ends = intervals(family, confidence=confidence)
    return tuple(
        Estimate(metric, float(value), (float(low), float(high)))
        for metric, value, (low, high) in zip(family.metrics, family.value, ends, strict=True)
        if np.isfinite(value)
    )


def level_check(
    metric: Metric,
    value: float,
    interval: tuple[float, float],
    *,
    bound: float,
    direction: Direction,
    rows: int,
    confidence: float,
    code: str,
    where: str = "",
    standard_error: float | None = None,
) -> Check:
    """Check one metric against one bound.

    Args:
        metric: the metric.
        value: its estimate; NaN: undefined on these rows.
        interval: its interval.
        bound: the limit, in the metric's units.
        direction: ``min``: at least the bound.
        rows: rows (or clusters) it rests on.
        confidence: confidence of the interval, for the sentence.
        code: code of the check.
        where: the slice, ``""`` for all rows.
        standard_error: of the value, for the number of rows that would tell.
    """
    name = f"{where}: {metric.name}" if where else metric.name
    subject = where or metric.name
    place = f" in {where}" if where else ""
    if np.isnan(value):
        reason = f"{wording.title(metric)} cannot be computed{place}: {metric.definition}"
        return Check(
            name, Status.ERROR, reason, bound=bound, direction=direction, sample_size=rows, code=code, subject=subject
        )
    status = decide(interval, bound=bound, direction=direction)
    finding = (
        f"{wording.title(metric)}{place} is {wording.level(metric, value, interval)} "
        f"({wording.level_interval(metric, interval, confidence)})"
    )
    limit = wording.limit(metric, bound)
    needed = None
    if status is Status.INCONCLUSIVE:
        needed = rows_needed(value=value, interval=interval, bound=bound, rows=rows, standard_error=standard_error)
        least_or_most = "at least" if direction == "min" else "at most"
        more = wording.about_rows(needed) if np.isfinite(interval).all() else wording.HEAVY
        reason = f"{finding}, too uncertain to tell whether it is {least_or_most} {limit}{more}."
    elif status is Status.PASS:
        reason = f"{finding}, {'above the required' if direction == 'min' else 'below the allowed'} {limit}."
    else:
        reason = f"{finding}, {'below the required' if direction == 'min' else 'above the allowed'} {limit}."
    return Check(name, status, reason, value, interval, bound, direction, rows, needed, code=code, subject=subject)


def _bounded(panel: Panel, metrics: tuple[Metric, ...], policy: PerformancePolicy) -> list[Check]:
    family = levels(panel, metrics=[metric.name for metric in metrics], slices=[ALL])
    ends = intervals(family, confidence=policy.confidence, simultaneous=True)
    checks = []
    errors = family.standard_error
    for metric, value, error, (low, high) in zip(family.metrics, family.value, errors, ends, strict=True):
        bounds = policy.metrics[metric.name]
        for direction, bound in (("min", bounds.min), ("max", bounds.max)):
            if bound is None:
                continue
            check = level_check(
                metric,
                float(value),
                (float(low), float(high)),
                bound=bound,
                direction="min" if direction == "min" else "max",
                rows=int(panel.units[0]),
                confidence=policy.confidence,
                code=BOUND,
                standard_error=float(error),
            )
            checks.append(check)
    return checks


def _near_perfect(found: Sequence[Estimate], task: str, units: int) -> list[Check]:
    """A question, where a model is better than most problems allow: a leak that no column shows alone looks so."""
    name, limit = NEAR_PERFECT[task]
    checks = []
    for estimate in found:
        if estimate.metric.name != name or estimate.value < limit:
            continue
        reason = (
            f"{wording.title(estimate.metric)} is {wording.level(estimate.metric, estimate.value, estimate.interval)}, "
            "which few problems allow: is something among the features that is known only after the outcome? Exclude "
            "it, or set performance_policy.near_perfect to accept."
        )
        checks.append(
            Check(
                f"{name}, near perfect",
                Status.INCONCLUSIVE,
                reason,
                estimate.value,
                estimate.interval,
                limit,
                "max",
                units,
                advisory=True,
                code="evaluate_performance.near_perfect",
                subject=name,
            )
        )
    return checks


def _summary(checks: list[Check]) -> str:
    status = worst(check.status for check in checks)
    if status is Status.PASS:
        demands = sum(check.code == BOUND for check in checks) or len(checks)
        met = {1: "", 2: "Both demands are met: "}.get(demands, f"All {demands} demands are met: ")
        return met + checks[0].reason
    return next(check.reason for check in checks if check.status is status)
