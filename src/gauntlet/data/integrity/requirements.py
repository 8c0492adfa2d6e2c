"""Before anything is read: does what the policy names exist, and can it be compared?"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from gauntlet.data.columns import ColumnType
from gauntlet.data.integrity.policy import IntegrityPolicy, JoinRule, ReferenceRule
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import Pinned
from gauntlet.errors import ConfigurationError

Wanted = dict[str, dict[str, ColumnType | None]]
_MOMENTS = ("timestamp", "int", "float")


def require_configured(
    snapshot: Snapshot, pinned: Sequence[Pinned], policy: IntegrityPolicy
) -> tuple[Mapping[str, Sequence[Pinned]], Wanted]:
    """Make sure that a policy can be checked on these tables.

    Returns:
        Reference table → its files; and reference table → the columns to read of it, with the type of what each is
        compared with.

    Raises:
        ConfigurationError: a column or table is not there (the message gives the closest name), types cannot be
            compared, or a role is missing that a block needs.
    """
    files: dict[str, list[Pinned]] = {}
    for file in pinned:
        if file.table is None:
            raise ConfigurationError(
                "is a reference table without a name", field="tables", value=file.uri, mend='Add "table": "customers"'
            )
        files.setdefault(file.table, []).append(file)
    columns = snapshot.columns
    for field, names in _named(policy):
        for name in names:
            _require(field, name, columns, "the snapshot has no such column")
    for table in policy.readers:
        _require("policy.readers", table, files, "no reference table has this name")
    _require_times(snapshot, policy)
    return files, _wanted(columns, files, policy)


def _named(policy: IntegrityPolicy) -> list[tuple[str, Sequence[str]]]:
    """Columns of the snapshot that the policy names, and where it does."""
    found: list[tuple[str, Sequence[str]]] = [
        *((f"policy.keys[{i}].columns", rule.columns) for i, rule in enumerate(policy.keys or ()) if not rule.table),
        *((f"policy.references[{i}].columns", rule.columns) for i, rule in enumerate(policy.references)),
        *((f"policy.categories[{i}].column", (rule.column,)) for i, rule in enumerate(policy.categories)),
        *((f"policy.joins[{i}].columns", rule.columns) for i, rule in enumerate(policy.joins)),
        *((f"policy.across_splits[{i}].columns", rule.columns) for i, rule in enumerate(policy.across_splits)),
    ]
    for i, order in enumerate(policy.order):
        found += [(f"policy.order[{i}].earlier", (order.earlier,)), (f"policy.order[{i}].later", (order.later,))]
    for i, period in enumerate(policy.period):
        found.append((f"policy.period[{i}].column", (period.column,) if period.column else ()))
    for i, sequence in enumerate(policy.sequence):
        found += [
            (f"policy.sequence[{i}].column", (sequence.column,)),
            (f"policy.sequence[{i}].along", (sequence.along,)),
            (f"policy.sequence[{i}].within", sequence.within),
        ]
    if policy.leakage is not None:
        found.append(("policy.leakage.exclude", policy.leakage.exclude))
    if policy.label_rate is not None and policy.label_rate.column is not None:
        found.append(("policy.label_rate.column", (policy.label_rate.column,)))
    return found


def _require_times(snapshot: Snapshot, policy: IntegrityPolicy) -> None:
    """Columns that are compared as moments or put in order hold moments or numbers."""
    kinds, time = snapshot.columns, snapshot.roles.time
    for i, order in enumerate(policy.order):
        alike = (kinds[order.earlier] == "timestamp") == (kinds[order.later] == "timestamp")
        for name in (order.earlier, order.later):
            _require_moments(f"policy.order[{i}]", name, kinds)
        if not alike:
            raise ConfigurationError(
                "compares a time with a number",
                field=f"policy.order[{i}]",
                value={order.earlier: kinds[order.earlier], order.later: kinds[order.later]},
                mend="Import both as times: reader.types",
            )
    for i, sequence in enumerate(policy.sequence):
        _require_moments(f"policy.sequence[{i}].column", sequence.column, kinds)
    needing = [(f"policy.period[{i}].column", rule.column) for i, rule in enumerate(policy.period)]
    rate = policy.label_rate
    if rate is not None and rate.column is None and rate.by != "split":
        needing.append(("policy.label_rate.by", None))
    if policy.splits_in_time:
        needing.append(("policy.splits_in_time", None))
    for field, column in needing:
        moments = column or time
        if moments is None or moments not in kinds:
            raise ConfigurationError("needs event times", field=field, mend="Name their column in roles.time")
        _require_moments(field, moments, kinds)


def _require_moments(field: str, name: str, kinds: Mapping[str, str]) -> None:
    if kinds[name] not in _MOMENTS:
        raise ConfigurationError(
            f"`{name}` holds neither times nor numbers",
            field=field,
            value=kinds[name],
            mend=f"Import it as times: reader.types.{name}: timestamp",
        )


def _wanted(columns: Mapping[str, str], files: Mapping[str, object], policy: IntegrityPolicy) -> Wanted:
    """What to read of each reference table: nothing that no rule names."""
    found: Wanted = {}

    def add(field: str, table: str, theirs: str, ours: str | None) -> None:
        _require(f"{field}.table", table, files, "no reference table has this name")
        kind = cast("ColumnType | None", None if ours is None else columns[ours])
        before = found.setdefault(table, {}).get(theirs)
        if before is not None and kind is not None and before != kind:
            raise ConfigurationError(
                f"compares {theirs} of {table} with columns of several types",
                field=field,
                value=f"{before} and {kind}",
                mend="Import them as one type: reader.types",
            )
        found[table][theirs] = kind or before

    paired: list[tuple[str, ReferenceRule | JoinRule]] = [
        *((f"policy.references[{i}]", rule) for i, rule in enumerate(policy.references)),
        *((f"policy.joins[{i}]", rule) for i, rule in enumerate(policy.joins)),
    ]
    for field, rule in paired:
        for ours, theirs in zip(rule.columns, rule.references or rule.columns, strict=True):
            add(field, rule.table, theirs, ours)
    for i, category in enumerate(policy.categories):
        add(f"policy.categories[{i}]", category.table, category.values or category.column, category.column)
    for i, key in enumerate(policy.keys or ()):
        for name in key.columns if key.table is not None else ():
            add(f"policy.keys[{i}]", str(key.table), name, None)
    return found


def _require(field: str, name: str, known: Collection[str], message: str) -> None:
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    options = f"Use one of: {', '.join(known)}" if known else "Name reference tables in the component's tables"
    raise ConfigurationError(message, field=field, value=name, mend=f"Did you mean {close[0]!r}?" if close else options)
