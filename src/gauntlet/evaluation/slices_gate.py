"""The slices gate (fairness): are differences between slices within the policy's limits?

All comparisons share one error rate: it is divided among the kinds of statistic (gaps, ratios, levels) and, within a
kind, intervals are simultaneous. A slice that is too small to judge is listed and makes the verdict inconclusive; it is
never omitted. So is a comparison that rests on too few rows of the kind that its metric is a mean over (positives for a
true-positive rate): its value and interval are reported, and count among those that hold together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.fairness import Demand, Kind, demands
from gauntlet.evaluation.families import Family, gaps, levels, select
from gauntlet.evaluation.grouping import partitions, units, without_small
from gauntlet.evaluation.inputs import Scored, require_both_classes
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import Panel, measure
from gauntlet.evaluation.performance import Estimate, estimates, to_sample
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.evaluation.sample import Ints, Sample
from gauntlet.evaluation.slice_checks import LOW_SUPPORT, Measured, SliceFinding, judge
from gauntlet.evaluation.slices import CROSSED, JOINED, Partition, Slice
from gauntlet.verdict import Check, Status, Verdict

GATE = "evaluate_slices"
SHOWN = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy", "auc"),
    "multiclass": ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"),
    "regression": ("mae", "rmse", "bias", "r2"),
}
"""Task → metrics reported for every slice, with or without limits."""
_NOBODY_ASKED = (
    " The limits are defaults and stop nothing: to make limits that do, write fairness or performance in slices_policy."
)
MOST_SLICES = 300
"""Most slices, since joint intervals take memory quadratic in their number."""


@dataclass(frozen=True)
class SliceRow:
    """Row of a slice in the report.

    Attributes:
        slice: which.
        rows, units: its size; units are clusters where rows are clustered.
        judged: whether it is large enough.
        estimates: its metrics, each with an interval of its own; empty when it is not judged.
    """

    slice: Slice
    rows: int
    units: int
    judged: bool
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class SlicesResult:
    """Result of ``evaluate_slices``.

    Attributes:
        verdict: the checks, worst first.
        findings: all comparisons, worst first.
        overall: metrics on all rows.
        slices: all slices, in the order of the policy.
    """

    verdict: Verdict
    findings: tuple[SliceFinding, ...]
    overall: tuple[Estimate, ...]
    slices: tuple[SliceRow, ...]


@dataclass(frozen=True)
class _Groups:
    """Slices of the policy, with their sizes, and those that are large enough."""

    asked: tuple[Partition, ...]
    sizes: Mapping[str, Ints]
    judged: tuple[Partition, ...]
    references: Mapping[str, str]


def judge_slices(scored: Scored, policy: SlicesPolicy) -> SlicesResult:
    """Compare the slices of one model's predictions.

    Args:
        scored: its predictions, with slice columns.
        policy: slices and limits.

    Raises:
        ConfigurationError: the policy names an unknown column, value, criterion or metric, or makes too many slices.
        DataError: all rows have the same label, and a demand depends on it.
    """
    rows = to_sample(scored, policy.threshold)
    demanded = demands(policy, rows.task, rows.classes)
    if any(demand.metric.name != "selection_rate" for demand in demanded):  # the selection rate needs no labels
        require_both_classes(scored)
    groups = _cut(scored, rows, policy)
    findings = _compare(rows, groups, demanded, policy)
    checks = [finding.check for finding in findings]
    checks += _not_comparable(groups, demanded)
    checks += _too_small(groups, policy.min_rows, _unit(rows))
    if not groups.asked:
        checks = [_nothing_asked(policy)]
    if policy.default_limits:
        checks = [replace(check, advisory=True) for check in checks]
    checks.sort(key=lambda check: -check.status.severity)
    listed = tuple(row for group in groups.asked for row in _list(rows, group, groups.sizes[group.name], policy))
    verdict = Verdict(
        gate=GATE,
        checks=tuple(checks),
        summary=_summary(checks, policy),
        facts={
            "default_limits": policy.default_limits,
            "rows": rows.rows,
            "slices": len(listed),
            "slices_too_small": sum(not row.judged for row in listed),
            "comparisons_low_support": sum(check.code == LOW_SUPPORT for check in checks),
            "confidence": policy.confidence,
            "threshold": policy.threshold,
        },
    )
    overall = measure([rows], resolve(SHOWN[rows.task], rows.task, rows.classes))
    return SlicesResult(verdict, tuple(findings), estimates(overall, policy.confidence), listed)


def _cut(scored: Scored, rows: Sample, policy: SlicesPolicy) -> _Groups:
    cuts = partitions(scored.columns, policy)
    sizes = {group.name: units(group, rows.cluster) for group in cuts}
    judged = tuple(without_small(group, sizes[group.name], policy.min_rows) for group in cuts)
    count = sum(len(group.levels) for group in judged)
    if count > MOST_SLICES:
        raise ConfigurationError(
            f"makes {count:,} slices; {MOST_SLICES:,} can be judged together",
            field="policy.crossings",
            value=[group.name for group in cuts],
            mend="Cross fewer columns, lower max_values or raise min_rows",
        )
    return _Groups(cuts, sizes, judged, _references(cuts, policy))


def _references(groups: Sequence[Partition], policy: SlicesPolicy) -> dict[str, str]:
    """Partition → reference level; a crossing has one when all its columns do."""
    references = {}
    crossed = {CROSSED.join(crossing): crossing for crossing in policy.crossings}
    columns_of = {group.name: crossed.get(group.name, (group.name,)) for group in groups}
    for group in groups:
        columns = columns_of[group.name]
        if not all(column in policy.reference for column in columns):
            continue
        level = JOINED.join(policy.reference[column] for column in columns)
        if level not in group.levels:
            raise ConfigurationError(
                "no row has this value",
                field=f"policy.reference.{group.name}",
                value=level,
                mend=f"Use one of: {'; '.join(group.levels[:20])}",
            )
        references[group.name] = level
    if unused := sorted(set(policy.reference) - {column for columns in columns_of.values() for column in columns}):
        raise ConfigurationError(
            "is not sliced by", field="policy.reference", value=unused[0], mend="Add it to policy.columns or remove it"
        )
    return references


def _compare(rows: Sample, groups: _Groups, demanded: Sequence[Demand], policy: SlicesPolicy) -> list[SliceFinding]:
    """Check every demand on every slice that is large enough, worst first."""
    judged = [group for group in groups.judged if group.levels]
    if not judged:
        return []
    metrics = tuple({demand.metric.name: demand.metric for demand in demanded}.values())
    panel = measure([rows], metrics, judged, rest=True)
    kinds = list(dict.fromkeys(demand.kind for demand in demanded))
    each = 1 - (1 - policy.confidence) / len(kinds)
    mirrored = _mirrored(groups)
    findings = []
    for kind in kinds:
        of_kind = [demand for demand in demanded if demand.kind == kind]
        family = _family(panel, kind, [demand.metric.name for demand in of_kind], groups, policy.min_rows)
        for measured, metric in _statistics(family, panel, groups, each):
            findings += [
                judge(demand, measured, policy.confidence, min_support=policy.min_support)
                for demand in of_kind
                if demand.metric.name == metric and not (demand.two_sided and measured.slice in mirrored)
            ]
    return sorted(findings, key=lambda finding: (-finding.check.status.severity, -finding.severity))


def _family(panel: Panel, kind: Kind, metrics: Sequence[str], groups: _Groups, min_rows: int) -> Family:
    """The statistics of one kind: slices by themselves, or against a reference that is large enough itself."""
    size = dict(zip(panel.slices, panel.units, strict=True))
    slices = [Slice(group.name, level) for group in groups.judged for level in group.levels]
    names = list(dict.fromkeys(metrics))
    if kind == "level":
        return levels(panel, metrics=names, slices=slices)
    against = {slice_: _against(slice_, groups) for slice_ in slices}
    comparable = [slice_ for slice_, other in against.items() if other != slice_ and size.get(other, 0) >= min_rows]
    references = {name: level for name, level in groups.references.items() if size.get(Slice(name, level), 0)}
    return gaps(panel, references=references, metrics=names, slices=comparable, ratio=kind == "ratio")


def _against(slice_: Slice, groups: _Groups) -> Slice:
    reference = groups.references.get(slice_.partition)
    return Slice(slice_.partition, reference) if reference is not None else Slice(slice_.partition, slice_.level, True)


def _statistics(family: Family, panel: Panel, groups: _Groups, confidence: float) -> list[tuple[Measured, str]]:
    """The family's statistics with simultaneous intervals; undefined ones keep NaN and cost the others nothing."""
    if not len(family):
        return []
    ends = np.full((len(family), 2), np.nan)
    defined = np.flatnonzero(np.isfinite(family.value))
    if len(defined):
        ends[defined] = intervals(select(family, defined), confidence=confidence, simultaneous=True)
    size = dict(zip(panel.slices, panel.units, strict=True))
    statistics = []
    for i, (slice_, metric) in enumerate(zip(family.slices, family.metrics, strict=True)):
        other = float(family.second.value[i]) if family.second is not None else np.nan
        against = "" if family.second is None else _name(_against(slice_, groups))
        error = float(family.standard_error[i])  # a ratio's is of its logarithm
        measured = Measured(
            slice=slice_,
            against=against,
            value=float(family.value[i]),
            interval=(float(ends[i, 0]), float(ends[i, 1])),
            sides=(float(family.first.value[i]), other),
            rows=int(size[slice_]),
            support=float(family.support[i]),
            clustered=family.clustered,
            standard_error=error * float(family.value[i]) if family.kind == "ratio" else error,
        )
        statistics.append((measured, metric.name))
    return statistics


def _name(against: Slice) -> str:
    return "the rest" if against.rest else against.name


def _mirrored(groups: _Groups) -> frozenset[Slice]:
    """Of two complementary slices, the larger: its two-sided comparison is the same with the sign reversed."""
    mirrored = set()
    for group, judged in zip(groups.asked, groups.judged, strict=True):
        if len(group.levels) == 2 == len(judged.levels) and group.name not in groups.references:
            larger = int(np.argmax(groups.sizes[group.name]))
            mirrored.add(Slice(group.name, group.levels[larger]))
    return frozenset(mirrored)


def _list(rows: Sample, group: Partition, sizes: Ints, policy: SlicesPolicy) -> list[SliceRow]:
    """Every slice of one partition with its metrics; one partition at a time, since these intervals stand alone."""
    panel = measure([rows], resolve(SHOWN[rows.task], rows.task, rows.classes), [group])
    counts = np.bincount(group.codes[group.codes >= 0], minlength=len(group.levels))
    listed = []
    for code, level in enumerate(group.levels):
        slice_ = Slice(group.name, level)
        judged = bool(sizes[code] >= policy.min_rows)
        slice_estimates = estimates(panel, policy.confidence, slice_) if judged else ()
        listed.append(SliceRow(slice_, int(counts[code]), int(sizes[code]), judged, slice_estimates))
    return listed


def _too_small(groups: _Groups, min_rows: int, unit: str) -> list[Check]:
    return [
        Check(
            f"{group.name}={level}: size",
            Status.INCONCLUSIVE,
            f"{group.name}={level} has {size:,} {unit}; fewer than {min_rows:,} are not judged.",
            sample_size=int(size),
            rows_needed=min_rows,
            code="evaluate_slices.too_small",
            subject=f"{group.name}={level}",
        )
        for group in groups.asked
        for level, size in zip(group.levels, groups.sizes[group.name], strict=True)
        if size < min_rows
    ]


def _not_comparable(groups: _Groups, demanded: Sequence[Demand]) -> list[Check]:
    """Checks of demanded comparisons that are impossible."""
    if all(demand.kind == "level" for demand in demanded):
        return []
    checks = []
    for group, judged in zip(groups.asked, groups.judged, strict=True):
        reference = groups.references.get(group.name)
        if len(group.levels) == 1:
            reason = f"Every row has {group.name}={group.levels[0]}, so there is nothing to compare it with."
            checks.append(_incomparable(group, reason))
        elif reference is not None and reference not in judged.levels:
            reason = f"The reference {group.name}={reference} has too few rows to compare anything with."
            checks.append(_incomparable(group, reason))
    return checks


def _incomparable(group: Partition, reason: str) -> Check:
    return Check(
        f"{group.name}: comparison", Status.ERROR, reason, code="evaluate_slices.not_comparable", subject=group.name
    )


def _nothing_asked(policy: SlicesPolicy) -> Check:
    if policy.columns is not None:
        reason = "The policy asks for no slices, so none were compared."
        return Check("slices", Status.NOT_ASKED, reason, code="evaluate_slices.nothing_asked")
    if policy.default_limits:
        reason = "No slices were asked for, so none were compared: name columns in slice_columns."
        return Check("slices", Status.NOT_ASKED, reason, code="evaluate_slices.nothing_asked")
    return Check(
        "slices",
        Status.ERROR,
        "The policy limits slices, and the predictions carry no slice columns, so no group could be compared: name "
        "some in slice_columns, or set slices_policy.columns to [] to say that none need a look.",
        code="evaluate_slices.no_columns",
    )


def _unit(rows: Sample) -> str:
    return "rows" if rows.cluster is None else "clusters"


def _summary(checks: Sequence[Check], policy: SlicesPolicy) -> str:
    """Quote the worst check, and how many more have its status. ``checks``: worst first."""
    first = checks[0]
    same = [check for check in checks if check.status is first.status]
    if first.status is Status.PASS:
        allows = "the default limits allow" if policy.default_limits else "the policy allows"
        return f"All {len(checks)} comparisons are within what {allows}." if len(checks) > 1 else first.reason
    more = f" And {len(same) - 1} more like this." if len(same) > 1 else ""
    return first.reason + more + (_NOBODY_ASKED if policy.default_limits and not first.status.is_clear else "")
