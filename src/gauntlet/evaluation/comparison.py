"""The champion gate: compares champion and challenger, paired on the same rows.

Three questions, with the error rate alpha = 1 - confidence shared out so that a challenger that is as good as the
champion everywhere is blocked in at most alpha of all comparisons:

- the primary metric must be shown not to be worse by more than its margin (non-inferiority, one-sided alpha / 2);
- guard-rail metrics the same, simultaneously;
- no slice may be shown to be worse by more than the margin, simultaneously. Here nothing has to be shown for a pass,
  so a slice with few rows cannot block.

Guard-rails and slices share the other alpha / 2; whichever of them is absent leaves its share to the other.

Seed variance counts against a pass and never for it; see ``difference_checks``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.decisions import Decisions, decisions
from gauntlet.evaluation.difference_checks import SLICE, Difference, improvement_check, kept_check, slice_check
from gauntlet.evaluation.families import differences, select, with_seed_variance
from gauntlet.evaluation.grouping import partitions, units, without_small
from gauntlet.evaluation.inputs import Scored, require_both_classes
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import Direction, names, resolve
from gauntlet.evaluation.pairing import identical, require_same_rows, require_same_signature
from gauntlet.evaluation.panel import Panel, measure
from gauntlet.evaluation.performance import NEAR_PERFECT, to_sample
from gauntlet.evaluation.policies import ChampionPolicy, Margin, Primary
from gauntlet.evaluation.sample import Sample, Task
from gauntlet.evaluation.slices import ALL, Partition, Slice
from gauntlet.evaluation.training_variance import TrainingVariance, require_of
from gauntlet.evaluation.unfair_comparison import nearly_perfect_champion, seen_rows
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "compare_champion"
_SLICES = "policy.slices"
SEEN = "compare_champion.seen_rows"
NEAR = "compare_champion.near_perfect"
DEFAULT_PRIMARY: Mapping[Task, Mapping[str, object]] = {
    "binary": {"metric": "auc", "margin": 0.005},
    "multiclass": {"metric": "accuracy", "margin": 0.005},
    "regression": {"metric": "rmse", "relative": 0.02},
}
"""Default primary metric of each task."""


@dataclass(frozen=True)
class ChampionResult:
    """Result of ``compare_champion``.

    Attributes:
        verdict: the checks.
        overall: every metric of the task on all rows, each with an interval of its own.
        slices: the slices that were compared, worst first, with simultaneous intervals.
        not_compared: slices with too few rows, or too few that the metric is a mean over, or where it is undefined.
        decisions: for classifiers.
        same: whether both models give identical scores.
    """

    verdict: Verdict
    overall: tuple[Difference, ...] = ()
    slices: tuple[Difference, ...] = ()
    not_compared: tuple[Slice, ...] = ()
    decisions: Decisions | None = None
    same: bool = False


@dataclass(frozen=True)
class _Pair:
    """Both models, with their seed variance.

    Attributes:
        models: challenger and champion.
        spread: metric → (standard deviation that seeds bring to the difference, seeds it rests on).
        same: whether both models give identical scores.
        broken: metric → the cap declared for the challenger's own spread, where that lies beyond it.
    """

    models: tuple[Sample, Sample]
    spread: dict[str, tuple[float, int]]
    same: bool
    broken: Mapping[str, float]


def no_champion(challenger: Scored, policy: ChampionPolicy, reason: str) -> ChampionResult:
    """Make the result without a champion.

    Args:
        challenger: the new model's predictions; the policy is checked against them, so that a mistake in it shows in
            the first run and not in the second.
        policy: the status without a champion.
        reason: why there is none.

    Raises:
        ConfigurationError: as ``compare``.
    """
    _demands(challenger, policy)
    partitions(challenger.columns, policy.slices, _SLICES)
    status = Status.NOT_ASKED if policy.no_champion == "pass" else Status.FAIL
    says = "lets the first model pass" if status is Status.NOT_ASKED else "demands one"
    why = f"There is no champion to compare with ({reason.rstrip('.')}); the policy {says}."
    check = Check("champion", status, why, code="compare_champion.no_champion")
    return ChampionResult(Verdict(GATE, (check,), why, {"champion": False}))


def compare(
    challenger: Scored, champion: Scored, policy: ChampionPolicy, stability: TrainingVariance | None = None
) -> ChampionResult:
    """Compare a challenger with the champion.

    Args:
        challenger, champion: their predictions of the same rows.
        policy: margins and slices.
        stability: the challenger's spread over re-trainings, measured on these rows; it takes the place of the spread
            that training itself saw on its validation split.

    Raises:
        DataError: champion with another signature, predictions of different rows, or rows of one class only.
        ConfigurationError: the policy names an unknown metric or column.
    """
    require_same_signature(challenger, champion)
    require_same_rows(challenger, champion)
    primary, by_slice = _demands(challenger, policy)
    require_both_classes(challenger)
    if stability is not None:
        require_of(stability, challenger.manifest, policy.threshold)
    pair = _pair(challenger, champion, policy, stability)
    groups, too_small = _cut(challenger, pair, policy)
    model = pair.models[0]
    panel = measure(pair.models, resolve(names(model.task), model.task, model.classes))
    # One-sided error: alpha / 2 for the primary metric; guard-rails and slices share the other half.
    both = bool(policy.guardrails) and bool(groups)
    confidence = 1 - (1 - policy.confidence) / (2 if both else 1)
    checks = _primary(panel, pair, primary, policy) + _guardrails(panel, pair, policy.guardrails, confidence)
    slices = _slices(pair, groups, by_slice, confidence, policy.slices.min_support)
    looked_at = {Slice(group.name, level) for group in groups for level in group.levels if not pair.same}
    left_out = looked_at - {difference.slice for difference in slices}
    not_compared = (*too_small, *sorted(left_out, key=lambda slice_: slice_.name))
    checks += [slice_check(difference, _margin(by_slice, difference)) for difference in slices]
    for who, scored in (("the champion", champion), ("the challenger", challenger)):
        checks += seen_rows(who, scored.manifest, code=SEEN)
    checks += _near_perfect(panel, model.task)
    facts: dict[str, str | int | float | bool] = {
        "rows": challenger.rows,
        "confidence": policy.confidence,
        "slices": len(slices),
        "slices_not_compared": len(not_compared),
        "identical": pair.same,
        "seed_variance": bool(pair.spread),
        "seed_variance_from": _source(pair, stability),
    }
    return ChampionResult(
        verdict=Verdict(GATE, tuple(checks), _summary(checks), facts),
        overall=_differences(panel, pair, policy.confidence),
        slices=slices,
        not_compared=not_compared,
        decisions=decisions(pair.models),
        same=pair.same,
    )


def _demands(challenger: Scored, policy: ChampionPolicy) -> tuple[Primary, Primary]:
    """Demands on all rows and on slices, after validation of the policy's metrics."""
    task, classes = challenger.manifest.task, len(challenger.manifest.classes)
    primary = policy.primary or parse(Primary, DEFAULT_PRIMARY[task], field="policy.primary")
    by_slice = _for_slices(policy, primary)
    resolve([primary.metric, *policy.guardrails, by_slice.metric], task, classes)
    return primary, by_slice


def _for_slices(policy: ChampionPolicy, primary: Primary) -> Primary:
    """Metric and margin of slices: the primary's, unless the policy sets others."""
    metric, margin = policy.slices.metric or primary.metric, policy.slices.margin
    if margin is not None:
        return parse(Primary, {"metric": metric, "margin": margin}, field="policy.slices")
    if metric != primary.metric:
        raise ConfigurationError(
            "is needed, since the metric is not the primary one", field="policy.slices.margin", mend="Give a margin"
        )
    return primary


def _pair(challenger: Scored, champion: Scored, policy: ChampionPolicy, stability: TrainingVariance | None) -> _Pair:
    same = identical(challenger, champion)
    models = (to_sample(challenger, policy.threshold), to_sample(champion, policy.threshold))
    if policy.seed_variance == "ignore" or same:
        return _Pair(models, {}, same, {})
    measured = stability.seed_spread if stability is not None else challenger.manifest.seed_spread
    spread: dict[str, tuple[float, int]] = {}
    known = [measured, champion.manifest.seed_spread]
    for metric in dict.fromkeys(name for spreads in known for name in spreads):
        seed_spreads = [spreads[metric] for spreads in known if metric in spreads and spreads[metric].seeds > 1]
        if seed_spreads:
            deviation = math.sqrt(sum(metric_spread.standard_deviation**2 for metric_spread in seed_spreads))
            spread[metric] = (deviation, 1 + sum(metric_spread.seeds - 1 for metric_spread in seed_spreads))
    return _Pair(models, spread, same, stability.broken_caps if stability is not None else {})


def _source(pair: _Pair, stability: TrainingVariance | None) -> str:
    """Source of the seed spread, for the report."""
    if not pair.spread:
        return "nowhere"
    return "training" if stability is None else f"{stability.runs} re-trainings"


def _cut(scored: Scored, pair: _Pair, policy: ChampionPolicy) -> tuple[list[Partition], tuple[Slice, ...]]:
    """Slices with enough rows, and the names of the others."""
    cuts = partitions(scored.columns, policy.slices, _SLICES)
    judged, too_small = [], []
    for group in cuts:
        sizes = units(group, pair.models[0].cluster)
        kept = without_small(group, sizes, policy.slices.min_rows)
        too_small += [Slice(group.name, level) for level in group.levels if level not in kept.levels]
        if kept.levels:
            judged.append(kept)
    return judged, tuple(too_small)


def _primary(panel: Panel, pair: _Pair, primary: Primary, policy: ChampionPolicy) -> list[Check]:
    (difference,) = _differences(panel, pair, policy.confidence, metrics=[primary.metric])
    checks = [kept_check(difference, _margin(primary, difference), same=pair.same)]
    if policy.require_improvement:
        checks.append(improvement_check(difference, same=pair.same))
    return checks


def _guardrails(panel: Panel, pair: _Pair, guardrails: Mapping[str, Margin], confidence: float) -> list[Check]:
    guarded = _differences(panel, pair, confidence, metrics=list(guardrails), simultaneous=True) if guardrails else ()
    return [
        kept_check(difference, _margin(guardrails[difference.metric.name], difference), same=pair.same)
        for difference in guarded
    ]


def _slices(
    pair: _Pair, groups: list[Partition], held_to: Primary, confidence: float, min_support: int
) -> tuple[Difference, ...]:
    """Every slice's difference with simultaneous intervals, worst first. Identical models have nothing to compare.

    Slices in which fewer rows than ``min_support`` are of the kind that the metric is a mean over are left out.
    """
    if not groups or pair.same:
        return ()
    model = pair.models[0]
    panel = measure(pair.models, resolve([held_to.metric], model.task, model.classes), groups)
    slices = [slice_ for slice_ in panel.slices if slice_ != ALL]
    by_slice = _differences(panel, pair, confidence, slices=slices, simultaneous=True, min_support=min_support)
    return tuple(sorted(by_slice, key=lambda difference: difference.improvement))


def _differences(
    panel: Panel,
    pair: _Pair,
    confidence: float,
    *,
    metrics: Sequence[str] | None = None,
    slices: Sequence[Slice] = (ALL,),
    simultaneous: bool = False,
    min_support: int = 0,
) -> tuple[Difference, ...]:
    """Defined differences of metrics that have a better direction, with their intervals."""
    metric_names = metrics or [metric.name for metric in panel.metrics if metric.direction is not Direction.ZERO]
    family = differences(panel, metrics=metric_names, slices=slices)
    family = select(family, np.flatnonzero(np.isfinite(family.value) & (family.support >= min_support)))
    if not len(family):
        return ()
    sampling = family.standard_error
    alone = intervals(family, confidence=confidence, simultaneous=simultaneous)
    if pair.same:  # models with identical scores have no difference on other rows either
        alone = np.zeros_like(alone)
    ends = alone
    if pair.spread:
        family = with_seed_variance(family, pair.spread)
        wider = intervals(family, confidence=confidence, simultaneous=simultaneous)
        # More degrees of freedom may narrow what more variance widens; spread must never make anything surer.
        ends = np.stack([np.minimum(alone[:, 0], wider[:, 0]), np.maximum(alone[:, 1], wider[:, 1])], axis=1)
    units_of = dict(zip(panel.slices, panel.units, strict=True))
    assert family.second is not None
    return tuple(
        Difference(
            metric=metric,
            slice=slice_,
            challenger=float(family.first.value[i]),
            champion=float(family.second.value[i]),
            value=float(family.value[i]),
            interval=(float(ends[i, 0]), float(ends[i, 1])),
            confidence=confidence,
            rows=int(units_of[slice_]),
            seed_deviation=pair.spread.get(metric.name, (0.0, 0))[0],
            sampling_error=float(sampling[i]),
            rows_interval=(float(alone[i, 0]), float(alone[i, 1])),
            broken_cap=pair.broken.get(metric.name),
        )
        for i, (metric, slice_) in enumerate(zip(family.metrics, family.slices, strict=True))
    )


def _margin(margin: Margin, difference: Difference) -> float:
    """The margin in the metric's units. A relative one is a share of the champion's value on the same rows."""
    if margin.margin is not None:
        return margin.margin
    assert margin.relative is not None
    return margin.relative * abs(difference.champion)


def _near_perfect(panel: Panel, task: Task) -> list[Check]:
    name, limit = NEAR_PERFECT[task]
    m = panel.metric_index(name)
    challenger, champion = (float(value) for value in panel.value[:, 0, m])
    found = nearly_perfect_champion(panel.metrics[m], champion, challenger, limit, code=NEAR)
    return [] if found is None else [found]


def _summary(checks: Sequence[Check]) -> str:
    """The first check of the worst status, and how many more there are of it."""
    status = worst(check.status for check in checks)
    same = [check for check in checks if check.status is status]
    if status is Status.PASS:
        slices = sum(check.code == SLICE for check in checks)
        return same[0].reason + (f" No proven regression in any of {slices} slices." if slices else "")
    more = f" And {len(same) - 1} more like this." if len(same) > 1 else ""
    unfair = [check.reason for check in checks if check.code in (SEEN, NEAR) and check not in same]
    return " ".join([same[0].reason + more, *unfair])
