"""The schema gate: does every split say what the schema says, and does what arrives at serving?

TFDV finds most of it; this module adds what TFDV does not see (columns without any value, integer codes outside their
list, categories beyond a tolerance and how sure that is), and says each finding as a sentence that names the column,
what was found, what is allowed, in what share of rows, and the mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from gauntlet.data import findings, tfdv
from gauntlet.data.findings import Allowed, Finding, Problem
from gauntlet.data.phrasing import counted
from gauntlet.data.profile import Profile, read_profiles, rows_only
from gauntlet.data.schema import ChosenSchema, contract_of
from gauntlet.data.schema_inference import SERVING, TRAIN_SPLIT, TRAINING, learned_from, listed_mass, tolerated_unseen
from gauntlet.data.statistics import Statistics
from gauntlet.errors import ConfigurationError
from gauntlet.settings import Settings
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "validate_schema"
_LEAST_UNSEEN = 0.001
_LOOKED_AT = 3
"""Things of a column that chance could move: missing values, unknown categories, a range."""
Severity = Literal["fail", "inconclusive", "ignore"]


class ColumnTolerance(Settings):
    """What is different for one column."""

    unseen_categories_max_share: float | None = Field(
        None, ge=0, lt=1, description="Share of values that may be of unknown categories. Default: as the policy says."
    )
    severity: dict[Problem, Severity] = Field({}, description="Problem → what it amounts to in this column.")


class SchemaPolicy(Settings):
    """Policy of ``validate_schema``."""

    unseen_categories_max_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Share of values that may be of categories the schema does not list, in every column. Default: what"
        " the schema tolerates (min_domain_mass).",
    )
    confidence: float = Field(
        0.99,
        gt=0.5,
        lt=1,
        description="Missing values, unknown categories and values outside an inferred range fail only where it is this"
        " sure that they are not chance, over all columns and data sets together: of 100 draws of the same data, at"
        " most one fails at 0.99.",
    )
    severity: dict[Problem, Severity] = Field({}, description="Problem → what it amounts to. Default: fail.")
    columns: dict[str, ColumnTolerance] = Field({}, description="Column → what is different for it.")


class Environment(StrEnum):
    """Which side of the schema a data set is held against."""

    TRAINING = TRAINING
    SERVING = SERVING


@dataclass(frozen=True)
class Subject:
    """One data set to validate: its name in checks, its statistics, and the side of the schema it belongs to."""

    name: str
    dataset: Any
    environment: Environment


def subjects_of(statistics: Statistics, serving: Statistics | None) -> list[Subject]:
    """Every split of the training snapshot, and of the serving sample if there is one."""
    found = [Subject(split, statistics.split(split), Environment.TRAINING) for split in statistics.splits]
    if serving is not None:
        for split in serving.splits:
            name = split if split == "serving" else f"serving {split}"
            found.append(Subject(name, serving.split(split), Environment.SERVING))
    return found


def validate_schema(
    statistics: Statistics, serving: Statistics | None, schema: ChosenSchema, policy: SchemaPolicy
) -> Verdict:
    """Hold every split against the schema.

    Args:
        statistics: of the training snapshot.
        serving: of a sample of serving requests; ``None`` when there is none.
        schema: what is allowed.
        policy: tolerances and severities.

    Returns:
        One check for each data set and column without a finding, one for each finding otherwise.

    Raises:
        ConfigurationError: the policy names a column that neither schema nor data have.
    """
    allowed = _allowances(statistics, schema, policy)
    _require_known(policy, set(allowed) | set(statistics.columns))
    subjects = subjects_of(statistics, serving)
    excluded = frozenset(statistics.roles.exclude)
    alpha = (1 - policy.confidence) / (_LOOKED_AT * max(1, len(subjects) * len(allowed)))
    checks = tuple(
        check for subject in subjects for check in _checks(subject, schema, allowed, excluded, policy, alpha)
    )
    facts: dict[str, str | int | float | bool] = {
        "schema": schema.origin,
        "curated": schema.curated,
        "data_sets": len(subjects),
        "columns": len(allowed),
        "confidence": policy.confidence,
    }
    return Verdict(GATE, checks, _summary(checks, subjects, schema), facts)


def _allowances(statistics: Statistics, schema: ChosenSchema, policy: SchemaPolicy) -> dict[str, Allowed]:
    train = read_profiles(statistics.split(TRAIN_SPLIT)) if TRAIN_SPLIT in statistics.splits else {}
    contract = contract_of(schema.proto)
    features = {feature.name: feature for feature in schema.proto.feature}
    found = {}
    for name, column in contract.columns.items():
        feature = features[name]
        mass = listed_mass(feature)
        if mass is not None:
            unseen = 1 - mass
        elif column.type == "int" and name in train:  # codes: TFDV takes no constraint on them
            unseen = tolerated_unseen(train[name], floor=_LEAST_UNSEEN)
        else:
            unseen = 0.0
        if policy.unseen_categories_max_share is not None:
            unseen = policy.unseen_categories_max_share
        own = policy.columns.get(name)
        if own is not None and own.unseen_categories_max_share is not None:
            unseen = own.unseen_categories_max_share
        found[name] = Allowed(
            column,
            missing=1 - feature.presence.min_fraction,
            unseen=unseen,
            learned_from=learned_from(feature),
            curated=schema.curated,
        )
    return found


def _require_known(policy: SchemaPolicy, known: set[str]) -> None:
    for name in policy.columns:
        if name not in known:
            raise ConfigurationError(
                "no such column in the schema or the data",
                field="policy.columns",
                value=name,
                mend=f"Use one of: {', '.join(sorted(known))}",
            )


def _checks(
    subject: Subject,
    schema: ChosenSchema,
    allowed: Mapping[str, Allowed],
    excluded: frozenset[str],
    policy: SchemaPolicy,
    alpha: float,
) -> Iterator[Check]:
    expected = {
        name: allowance
        for name, allowance in allowed.items()
        if subject.environment is Environment.TRAINING or allowance.column.serving
    }
    reals = {name for name, allowance in expected.items() if allowance.column.type == "float"}
    dataset = rows_only(subject.dataset, without=set(allowed) - set(expected), reals=reals)
    profiles = read_profiles(dataset)
    anomalies = tfdv.by_column(tfdv.validate(dataset, schema.proto, environment=subject.environment.value))
    for name in dict.fromkeys([*expected, *profiles, *anomalies]):
        reasons = anomalies[name].reason if name in anomalies else ()
        found = list(
            findings.find(
                name, expected.get(name), profiles.get(name), reasons, alpha=alpha, may_be_empty=name in excluded
            )
        )
        if found:
            yield from (_check(subject, finding, policy) for finding in found)
        else:
            yield _passed(subject, name, expected[name], profiles[name])


def _check(subject: Subject, finding: Finding, policy: SchemaPolicy) -> Check:
    own = policy.columns.get(finding.column)
    severity = (own.severity if own else {}).get(finding.problem) or policy.severity.get(finding.problem)
    status, reason = finding.status, finding.reason
    if severity == "ignore":
        status, reason = Status.PASS, f"{reason} The policy says to ignore it."
    elif severity == "inconclusive":
        status = Status.INCONCLUSIVE
    return Check(
        name=f"{subject.name}: {finding.column}, {finding.problem.value.replace('_', ' ')}",
        status=status,
        reason=f"In {subject.name}, {reason}",
        measured=finding.measured,
        interval=finding.interval,
        bound=finding.bound,
        direction=finding.direction,
        sample_size=subject.dataset.num_examples,
        rows_needed=finding.rows_needed if status is Status.INCONCLUSIVE else None,
        code=f"validate_schema.{finding.problem.value}",
        subject=finding.column,
    )


def _passed(subject: Subject, name: str, allowed: Allowed, profile: Profile) -> Check:
    return Check(
        name=f"{subject.name}: {name}",
        status=Status.PASS,
        reason=f"In {subject.name}, {findings.agreement(name, allowed, profile)}",
        measured=profile.missing_share,
        bound=allowed.missing,
        direction="max",
        sample_size=subject.dataset.num_examples,
        code="validate_schema.agrees",
        subject=name,
    )


def _summary(checks: tuple[Check, ...], subjects: list[Subject], schema: ChosenSchema) -> str:
    names = ", ".join(subject.name for subject in subjects)
    status = worst(check.status for check in checks)
    if status is Status.PASS:
        return f"Every column of {names} is as the schema says ({schema.origin})."
    found = [check for check in checks if check.status is not Status.PASS]
    first = next(check for check in found if check.status is status)
    return f"{counted(len(found), 'finding')} in {names} against the schema ({schema.origin}). {first.reason}"
