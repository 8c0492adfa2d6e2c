"""The skew gate: is what arrives at serving, and what training now reads, distributed as what the model learned from?

Training is compared with serving, and with the previous snapshot, on TFDV's comparators (``gauntlet.data.comparators``)
against the noise in samples of these sizes (``gauntlet.data.noise``), with missing values and unseen categories as
comparisons of their own. Everything that was to be compared is accounted for: compared, named as left out and why, or
an ``error``.

Rows are taken as independent of each other: statistics keep no order, so that a batch whose neighbours are alike cannot
be told from one that is not, and may fail without having moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gauntlet.data.comparators import Pair, measure
from gauntlet.data.comparison import Against, Comparison, compare_column
from gauntlet.data.phrasing import counted
from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.schema import ChosenSchema, contract_of
from gauntlet.data.schema_inference import TRAIN_SPLIT
from gauntlet.data.skew_policy import Limits, SkewPolicy, limits_for
from gauntlet.data.statistics import Statistics
from gauntlet.errors import ConfigurationError
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "detect_skew"
SERVING_SPLIT = "serving"


@dataclass(frozen=True)
class Sides:
    """Two data sets to compare.

    Attributes:
        against: ``serving`` or ``previous``: what training is held against; prefixes the checks.
        names: what the two are called in sentences, (before, after).
        before, after: column → profile.
        columns: which to compare.
        limits: how far each may move.
    """

    against: Against
    names: tuple[str, str]
    before: Mapping[str, Profile]
    after: Mapping[str, Profile]
    columns: tuple[str, ...]
    limits: Mapping[str, Limits]


@dataclass(frozen=True)
class SkewResult:
    """What the gate found.

    Attributes:
        verdict: every check.
        comparisons: every column compared, with both sides, for the report.
        left_out: column → why it was not compared.
    """

    verdict: Verdict
    comparisons: tuple[Comparison, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def detect_skew(
    statistics: Statistics,
    serving: Statistics | None,
    previous: Statistics | None,
    schema: ChosenSchema,
    policy: SkewPolicy,
) -> SkewResult:
    """Compare the training split with serving and with the previous snapshot's.

    Args:
        statistics: of the training snapshot.
        serving: of a sample of serving requests, or ``None``.
        previous: of the snapshot that the current champion was trained on, or ``None``.
        schema: which columns there are; its comparators' thresholds, where set, replace the policy's defaults.
        policy: thresholds.

    Returns:
        For each column and other side: a check of its distance, one of its missing values, and one of unseen categories
        where its categories are known. With neither side, a single inconclusive check says what to configure.

    Raises:
        ConfigurationError: there is no training split, or several splits could be the serving sample.
    """
    if serving is None and previous is None:
        return SkewResult(_nothing_to_compare())
    if TRAIN_SPLIT not in statistics.splits:
        raise ConfigurationError("has no training split", field="statistics", mend=f"Name a split {TRAIN_SPLIT}")
    left_out = dict(_left_out(statistics, schema, policy))
    every_side = [
        *_serving_sides(statistics, serving, schema, policy, left_out),
        *_previous_sides(statistics, previous, schema, policy, left_out),
    ]
    confidence = policy.confidence
    alpha = (1 - confidence) / max(1, sum(len(sides.columns) for sides in every_side))
    comparisons = tuple(
        comparison for sides in every_side for comparison in _compare(sides, policy=policy, alpha=alpha)
    )
    checks = (*(check for comparison in comparisons for check in comparison.checks), *_unmet(policy, comparisons))
    facts: dict[str, str | int | float | bool] = {
        "compared": len(comparisons),
        "left_out": len(left_out),
        "confidence": confidence,
        "training_rows": statistics.splits[TRAIN_SPLIT],
        "rows_taken_as": "independent",
    }
    return SkewResult(Verdict(GATE, checks, _summary(checks, every_side), facts), comparisons, left_out)


def _compare(sides: Sides, *, policy: SkewPolicy, alpha: float) -> Iterator[Comparison]:
    pairs = [
        Pair(sides.before[name], sides.after[name])
        for name in sides.columns
        if name in sides.before and name in sides.after and _is_comparable(sides.before[name], sides.after[name])
    ]
    distances = measure(pairs)
    for position, name in enumerate(sides.columns):
        yield compare_column(
            name,
            sides.before.get(name),
            sides.after.get(name),
            against=sides.against,
            names=sides.names,
            distance=distances.get(name),
            limits=sides.limits[name],
            alpha=alpha,
            replicates=policy.replicates,
            # One stream a column: leaving one out does not change the numbers of another.
            rng=np.random.default_rng([policy.seed, position, len(sides.against)]),
            new=sides.against == "previous" and name not in policy.columns,
        )


def _is_comparable(before: Profile, after: Profile) -> bool:
    return bool(before.present and after.present and before.categorical == after.categorical)


def _serving_sides(
    statistics: Statistics,
    serving: Statistics | None,
    schema: ChosenSchema,
    policy: SkewPolicy,
    left_out: Mapping[str, str],
) -> Iterator[Sides]:
    if serving is None:
        return
    if SERVING_SPLIT in serving.splits:
        split = SERVING_SPLIT
    elif len(serving.splits) == 1:
        split = next(iter(serving.splits))
    else:
        raise ConfigurationError(
            "could be any of several splits",
            field="serving",
            value=", ".join(serving.splits),
            mend=f"Import the sample with purpose serving, or name one split {SERVING_SPLIT}",
        )
    columns = tuple(name for name, column in contract_of(schema.proto).columns.items() if column.serving)
    columns = tuple(name for name in columns if name not in left_out)
    yield Sides(
        "serving",
        ("training", "serving"),
        _profiles(statistics, TRAIN_SPLIT, statistics.roles.labels),
        _profiles(serving, split, statistics.roles.labels),
        columns,
        limits_for(columns, schema, policy, comparator="skew_comparator"),
    )


def _previous_sides(
    statistics: Statistics,
    previous: Statistics | None,
    schema: ChosenSchema,
    policy: SkewPolicy,
    left_out: Mapping[str, str],
) -> Iterator[Sides]:
    if previous is None:
        return
    label = statistics.roles.label
    columns = tuple(
        name
        for name, column in contract_of(schema.proto).columns.items()
        if (column.serving or name == label) and name not in left_out
    )
    yield Sides(
        "previous",
        ("the previous snapshot", "this one"),
        _profiles(previous, TRAIN_SPLIT, statistics.roles.labels),
        _profiles(statistics, TRAIN_SPLIT, statistics.roles.labels),
        columns,
        limits_for(columns, schema, policy, comparator="drift_comparator"),
    )


def _profiles(statistics: Statistics, split: str, called: Mapping[str, Mapping[str, str]]) -> dict[str, Profile]:
    """The columns of a split, their categories by the names that the training data's roles give them."""
    found = read_profiles(statistics.split(split))
    return found | {name: found[name].called(names) for name, names in called.items() if name in found}


def _left_out(statistics: Statistics, schema: ChosenSchema, policy: SkewPolicy) -> Iterator[tuple[str, str]]:
    for name, column in contract_of(schema.proto).columns.items():
        if name in policy.exclude:
            yield name, "excluded by the policy"
        elif column.type == "timestamp":
            yield name, "a point in time moves on by nature"
        elif not column.serving and name != statistics.roles.label:
            yield name, "not a feature"


def _unmet(policy: SkewPolicy, comparisons: tuple[Comparison, ...]) -> Iterator[Check]:
    """What was configured for a column and did not happen. Never a pass."""
    compared = {comparison.column for comparison in comparisons}
    for name in policy.columns:
        if name not in compared:
            yield Check(
                f"{name}: configured",
                Status.ERROR,
                f"The policy sets limits for `{name}`, but it was not compared: it is no feature of this schema, or it"
                " is excluded. Correct the name, or remove the limits.",
                code="detect_skew.not_compared",
                subject=name,
            )


def _nothing_to_compare() -> Verdict:
    reason = (
        "There is nothing to compare with yet: neither a sample of serving requests nor a previous snapshot. Configure"
        " the serving source with logged requests; the previous snapshot follows from the first registered champion."
    )
    check = Check("comparison", Status.NOT_ASKED, reason, code="detect_skew.nothing_to_compare")
    return Verdict(GATE, (check,), reason)


def _summary(checks: tuple[Check, ...], every_side: list[Sides]) -> str:
    others = " and ".join({"serving": "serving", "previous": "the previous snapshot"}[s.against] for s in every_side)
    found: dict[Status, list[Any]] = {status: [c for c in checks if c.status is status] for status in Status}
    status = worst(check.status for check in checks)
    columns = max((len(sides.columns) for sides in every_side), default=0)
    if status.is_clear:
        return f"{counted(columns, 'column')} of training and {others} are distributed alike, within the limits."
    first = found[status][0]
    more = len(found[status]) - 1
    words = {Status.FAIL: "moved", Status.ERROR: "could not be compared", Status.INCONCLUSIVE: "undecided"}[status]
    others_words = f" ({counted(more, 'more check')} {words})" if more else ""
    return f"Training against {others}: {first.reason}{others_words}"
