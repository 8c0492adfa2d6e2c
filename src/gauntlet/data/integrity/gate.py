"""The integrity gate: everything a policy asks of a table, checked before anything is learned from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gauntlet.data.integrity.keys import check_across_splits, check_keys
from gauntlet.data.integrity.label_rate import LABEL_RATE, LabelRates, compare_spans
from gauntlet.data.integrity.labels import (
    CONFLICTS,
    Conflicts,
    Target,
    count_conflicts,
    judge_conflicts,
    understand_label,
)
from gauntlet.data.integrity.leakage import LEAKAGE, Leak, find_leaks, too_few
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.integrity.references import check_joins, check_references
from gauntlet.data.integrity.requirements import require_configured
from gauntlet.data.integrity.tables import Tables, open_tables
from gauntlet.data.integrity.times import check_times
from gauntlet.data.phrasing import counted
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import Pinned
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "check_integrity"
_OF_LABELS = {"conflicts": CONFLICTS, "leakage": LEAKAGE, "label_rate": LABEL_RATE}
"""Key of the policy → code of the checks that it asks for."""


@dataclass(frozen=True)
class IntegrityResult:
    """What the gate found.

    Attributes:
        verdict: every check.
        rows: of all splits.
        target: the label; ``None`` where none was looked at.
        conflicts: rows alike in every feature and unlike in the label; ``None``: not looked for.
        leaks: what each column says about the label, the strongest first.
        rates: the label by span; ``None``: not looked at.
        left_out: (what, why) of what is checked by default and does not apply here.
    """

    verdict: Verdict
    rows: int
    target: Target | None = None
    conflicts: Conflicts | None = None
    leaks: tuple[Leak, ...] = ()
    rates: LabelRates | None = None
    left_out: tuple[tuple[str, str], ...] = ()


def check_integrity(snapshot: Snapshot, pinned: Sequence[Pinned], policy: IntegrityPolicy) -> IntegrityResult:
    """Check a snapshot, beside reference tables.

    Args:
        snapshot: the rows.
        pinned: files of the reference tables, each with the name of its table.
        policy: what to check.

    Raises:
        ConfigurationError: the policy names a column or table that is not there, or asks for what these roles do not
            allow; before any row is read.
        DataError: files cannot be read.
    """
    files, wanted = require_configured(snapshot, pinned, policy)
    with open_tables(snapshot, files, wanted, policy) as tables:
        checks = [
            *check_keys(tables, policy),
            *check_references(tables, policy),
            *check_joins(tables, policy),
            *check_times(tables, policy),
            *(check for rule in policy.across_splits for check in check_across_splits(tables, rule)),
        ]
        labels = _check_labels(tables, policy)
    checks = _named_apart([*checks, *labels.checks])
    if not checks:
        reason = "The policy asks for nothing that applies to this table."
        checks.append(Check("integrity", Status.NOT_ASKED, reason, code="check_integrity.nothing_asked"))
    facts: dict[str, str | int | float | bool] = {
        "rows": tables.rows,
        "checks": len(checks),
        "confidence": policy.confidence,
        "snapshot": snapshot.digest,
    }
    verdict = Verdict(GATE, tuple(checks), _summary(checks, tables.rows), facts)
    return IntegrityResult(
        verdict, tables.rows, labels.target, labels.conflicts, labels.leaks, labels.rates, labels.left_out
    )


@dataclass(frozen=True)
class _Labels:
    """What the checks of the label found; see ``IntegrityResult``."""

    checks: tuple[Check, ...] = ()
    target: Target | None = None
    conflicts: Conflicts | None = None
    leaks: tuple[Leak, ...] = ()
    rates: LabelRates | None = None
    left_out: tuple[tuple[str, str], ...] = ()


def _check_labels(tables: Tables, policy: IntegrityPolicy) -> _Labels:
    if policy.conflicts is None and policy.leakage is None and policy.label_rate is None:
        return _Labels()
    reason = _no_label(tables)
    if reason:
        asked = [name for name in _OF_LABELS if name in policy.model_fields_set]
        checks = tuple(
            Check(
                name.replace("_", " "),
                Status.ERROR,
                f"The policy asks for {name}, but {reason}.",
                code=_OF_LABELS[name],
            )
            for name in asked
            if getattr(policy, name) is not None
        )
        return _Labels(checks, left_out=(("conflicting labels and leakage", reason),) if not checks else ())
    target = understand_label(tables, policy)
    checks_found: list[Check] = []
    conflicts: Conflicts | None = None
    leaks: tuple[Leak, ...] = ()
    rates: LabelRates | None = None
    if policy.conflicts is not None:
        conflicts = count_conflicts(tables, target, policy.examples)
        checks_found.append(judge_conflicts(conflicts, target, policy.conflicts))
    if policy.leakage is not None:
        leaks = find_leaks(tables, target, policy, policy.leakage)
        few = too_few(tables, target, policy.leakage)
        checks_found += [few] if few else [leak.check for leak in leaks]
    if policy.label_rate is not None:
        rates = compare_spans(tables, target, policy.label_rate, policy.confidence)
        checks_found += rates.checks
    return _Labels(tuple(checks_found), target, conflicts, leaks, rates)


def _no_label(tables: Tables) -> str:
    if tables.roles.label is None or tables.roles.label not in tables.columns:
        return "the snapshot has no label"
    return "" if tables.features else "no column is a feature"


def _named_apart(checks: Sequence[Check]) -> list[Check]:
    """Two rules about the same columns, told apart by a number."""
    seen: Counter[str] = Counter()
    found = []
    for check in checks:
        seen[check.name] += 1
        times = seen[check.name]
        found.append(check if times == 1 else replace(check, name=f"{check.name} ({times})"))
    return found


def _summary(checks: Sequence[Check], rows: int) -> str:
    """The worst finding, and how many there are of its kind."""
    status = worst(check.status for check in checks)
    if status is Status.PASS and len(checks) > 1:
        return f"{counted(rows, 'row')} are sound in {counted(len(checks), 'check')}."
    same = [check for check in checks if check.status is status]
    more = f" And {len(same) - 1:,} more like this." if len(same) > 1 else ""
    return same[0].reason + more
