"""The stability gate: is the variance over re-trainings within the team's limits?

Three tiers. *Bitwise*: the same seed on the same data gives the same model. *Numeric*: how much scores and metrics vary
over runs. *Decisions*: how many rows get another decision. Each declared limit is one check; intervals are simultaneous
at the policy's confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.errors import BrokenArtifact, DataError
from gauntlet.evaluation.families import levels
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import Direction, Metric, names, resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import Floats, Sample, sample
from gauntlet.evaluation.training_variance import MetricVariance, TrainingVariance
from gauntlet.stability.agreement import Agreement, EvaluationRows, agreement, pairwise
from gauntlet.stability.champion_gap import ChampionGap, measure_gap
from gauntlet.stability.checks import (
    SEED_SPREAD,
    change_check,
    flips_check,
    reproduction_check,
    same_seed_check,
    seed_check,
    unmeasured_check,
)
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.stability.reruns import Reruns, Run
from gauntlet.stability.variance import added, spread
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "measure_stability"


@dataclass(frozen=True)
class RunEstimate:
    """Leading metric of one run, with its interval from the sampling of rows."""

    name: str
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class StabilityResult:
    """Result of ``measure_stability``.

    Attributes:
        verdict: the checks.
        stability: the artifact for ``compare_champion``; ``None`` where nothing was run.
        metrics: metrics defined in every run, as in ``stability``.
        leading: the first of them.
        estimates: the leading metric of every run.
        repeat: agreement of two runs of the same seed.
        pairs: agreement of all pairs of seeds, most flips first.
        draws: agreement of the model with each resampled run, most flips first.
        champion_gap: candidate against champion, where both were given.
    """

    verdict: Verdict
    stability: TrainingVariance | None = None
    metrics: tuple[Metric, ...] = ()
    leading: Metric | None = None
    estimates: tuple[RunEstimate, ...] = ()
    repeat: Agreement | None = None
    pairs: tuple[Agreement, ...] = ()
    draws: tuple[Agreement, ...] = ()
    champion_gap: ChampionGap | None = None


def not_asked(runs: int, policy: StabilityPolicy) -> StabilityResult:
    """Make the result for fewer than two configured runs: nothing was measured.

    Limits that are declared nevertheless could not be checked, which is an error.
    """
    why = f"No re-trainings were asked for (runs is {runs}), so what chance does to this model is not known"
    if policy.limits:
        checks = tuple(unmeasured_check(limit, f"{why}; the policy limits {limit}.") for limit in policy.limits)
        return StabilityResult(Verdict(GATE, checks, checks[0].reason, {"runs": runs}))
    check = Check("nothing asked", Status.NOT_ASKED, f"{why}.", code="measure_stability.nothing_asked")
    return StabilityResult(Verdict(GATE, (check,), check.reason, {"runs": runs}))


def judge_stability(
    reruns: Reruns, policy: StabilityPolicy, *, challenger: Scored | None = None, champion: Scored | None = None
) -> StabilityResult:
    """Check re-trainings against a policy.

    Args:
        reruns: the runs, scored on the evaluation rows.
        policy: the limits.
        challenger: predictions of the model of this recipe, which must be reproduced.
        champion: predictions of the champion, to compare the gap of the two with the spread of one.

    Raises:
        ConfigurationError: the policy caps a metric that the task does not have.
        DataError: the predictions are of other rows, or a capped metric is not defined on these.
    """
    rows = EvaluationRows(reruns.target.task, policy.threshold, reruns.truth.weights, reruns.truth.clusters)
    require_same_rows(reruns, challenger)
    confidence = 1 - (1 - policy.confidence) / max(len(policy.limits), 1)
    metrics, values = _measured(reruns, policy)
    stability = _stability(reruns, policy, metrics, values, confidence, challenger)
    seeds = reruns.seeds
    repeat = agreement(
        (seeds[0].name, reruns.repeat.name), seeds[0].scores, reruns.repeat.scores, rows, policy.confidence
    )
    pairs = pairwise([run.name for run in seeds], [run.scores for run in seeds], rows, confidence)
    checks = [same_seed_check(repeat, _same_bytes(seeds[0], reruns.repeat), policy)]
    checks += [reproduction_check(_largest_change(seeds[0], challenger), policy)] if challenger is not None else []
    checks += [
        seed_check(metric, stability.metrics[metric.name], stability.runs, confidence)
        for metric in metrics
        if _is_checked(metric, policy)
    ]
    checks += [flips_check(pairs, policy, confidence)] if reruns.target.task != "regression" else []
    if reruns.target.task == "regression" and policy.max_flips is not None:
        reason = "The policy limits max_flips, and a regression makes no decisions that could flip."
        checks.append(unmeasured_check("max_flips", reason))
    checks.append(change_check(pairs, policy))
    champion_gap = None if challenger is None or champion is None else measure_gap(challenger, champion, policy)
    facts: dict[str, str | int | float | bool] = {
        "runs": len(seeds),
        "resamples": len(reruns.resamples),
        "rows": reruns.truth.rows,
        "confidence": policy.confidence,
    }
    return StabilityResult(
        verdict=Verdict(GATE, tuple(checks), _summary(checks), facts),
        stability=stability,
        metrics=metrics,
        leading=metrics[0] if metrics else None,
        estimates=_estimates(reruns, metrics[0], policy) if metrics else (),
        repeat=repeat,
        pairs=pairs,
        draws=_draws(reruns, rows, policy),
        champion_gap=champion_gap,
    )


def require_same_rows(reruns: Reruns, challenger: Scored | None) -> None:
    """Check that predictions are of the rows that the runs scored.

    Raises:
        DataError: they are of other rows.
    """
    if challenger is None:
        return
    for field, measured, predicted in (
        ("snapshot", reruns.snapshot, challenger.manifest.snapshot),
        ("split", reruns.split, challenger.manifest.split),
        ("task", reruns.target.task, challenger.manifest.task),
        ("classes", reruns.target.classes, challenger.manifest.classes),
    ):
        if measured != predicted:
            raise BrokenArtifact(
                f"the predictions are of another {field} than the re-trainings ({measured!r})",
                field=f"challenger.{field}",
                value=predicted,
                mend="Give measure_stability the snapshot, split and recipe the predictions come from",
            )


def sample_of(reruns: Reruns, scores: Floats, threshold: float) -> Sample:
    """Make the sample of one run's scores."""
    truth = reruns.truth
    return sample(
        truth.labels,
        scores if reruns.target.task == "regression" else np.clip(scores, 0, 1),
        task=reruns.target.task,
        weight=truth.weights,
        cluster=truth.clusters,
        threshold=threshold,
    )


def _measured(reruns: Reruns, policy: StabilityPolicy) -> tuple[tuple[Metric, ...], Floats]:
    """Metrics defined in every run, and their values, (runs, metrics): seeds first, then draws."""
    task, classes = reruns.target.task, len(reruns.target.classes)
    resolve(tuple(policy.max_seed_sd), task, classes)
    known = [metric for metric in resolve(names(task), task, classes) if metric.direction is not Direction.ZERO]
    runs = (*reruns.seeds, *reruns.resamples)
    values = np.array([measure([sample_of(reruns, run.scores, policy.threshold)], known).value[0, 0] for run in runs])
    usable = np.isfinite(values).all(axis=0)
    for metric, defined in zip(known, usable, strict=True):
        if metric.name in policy.max_seed_sd and not defined:
            raise DataError(
                f"{metric.title} is limited and cannot be computed in every run: {metric.definition}",
                field=f"policy.max_seed_sd.{metric.name}",
                mend="Judge on a split that defines it, or limit another metric",
            )
    return tuple(metric for metric, defined in zip(known, usable, strict=True) if defined), values[:, usable]


def _stability(
    reruns: Reruns,
    policy: StabilityPolicy,
    metrics: tuple[Metric, ...],
    values: Floats,
    confidence: float,
    challenger: Scored | None,
) -> TrainingVariance:
    k, drawn = len(reruns.seeds), len(reruns.resamples)
    by_metric = {}
    for column, metric in enumerate(metrics):
        seed = spread(values[:k, column], confidence)
        total = spread(values[k:, column], confidence) if drawn >= 2 else None
        by_metric[metric.name] = MetricVariance(
            value=float(values[0, column]),
            seed=seed,
            total=total,
            resample=None if total is None else added(total, seed, confidence),
            cap=policy.max_seed_sd.get(metric.name),
        )
    return TrainingVariance(
        snapshot=reruns.snapshot,
        split=reruns.split,
        task=reruns.target.task,
        model="" if challenger is None else challenger.manifest.model,
        recipe=reruns.recipe,
        threshold=policy.threshold,
        runs=k,
        resamples=drawn,
        metrics=by_metric,
    )


def _is_checked(metric: Metric, policy: StabilityPolicy) -> bool:
    """Whether a metric is checked: every capped one; without caps, the task's leading metric."""
    return metric.name in policy.max_seed_sd or (not policy.max_seed_sd and metric.name in _LEADING)


_LEADING = frozenset({"auc", "macro_auc", "rmse"})


def _same_bytes(first: Run, again: Run) -> bool:
    return bool(first.digest) and first.digest == again.digest


def _largest_change(run: Run, challenger: Scored) -> float:
    if run.scores.shape != challenger.scores.shape:
        raise BrokenArtifact(
            "the predictions hold other rows than the re-trainings",
            field="challenger.rows",
            value=len(challenger.scores),
            mend="Predict on the same snapshot and split",
        )
    return float(np.abs(run.scores - challenger.scores).max())


def _estimates(reruns: Reruns, metric: Metric, policy: StabilityPolicy) -> tuple[RunEstimate, ...]:
    estimates = []
    for run in (*reruns.seeds, *reruns.resamples):
        family = levels(measure([sample_of(reruns, run.scores, policy.threshold)], [metric]))
        ((low, high),) = intervals(family, confidence=policy.confidence)
        estimates.append(RunEstimate(run.name, float(family.value[0]), (float(low), float(high))))
    return tuple(estimates)


def _draws(reruns: Reruns, rows: EvaluationRows, policy: StabilityPolicy) -> tuple[Agreement, ...]:
    model = reruns.seeds[0]
    agreements = [
        agreement((model.name, run.name), model.scores, run.scores, rows, policy.confidence) for run in reruns.resamples
    ]
    return tuple(sorted(agreements, key=lambda pair: -(pair.flips or 0.0)))


def _summary(checks: list[Check]) -> str:
    status = worst(check.status for check in checks)
    same = [check for check in checks if check.status is status]
    if status is Status.PASS:
        # Reproducibility is expected, so the summary quotes the spread over seeds.
        return next((check for check in checks if check.code == SEED_SPREAD), same[0]).reason
    return same[0].reason + (f" And {len(same) - 1} more like this." if len(same) > 1 else "")
