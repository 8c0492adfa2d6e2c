"""What the label is, and rows that are alike in every feature and unlike in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gauntlet.data.integrity.policy import ConflictPolicy, IntegrityPolicy
from gauntlet.data.integrity.shares import Examples
from gauntlet.data.integrity.sql import ID, ROWS, Name, listed, value
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import amount
from gauntlet.data.phrasing import share as percent
from gauntlet.errors import ConfigurationError
from gauntlet.verdict import Check, Status

Task = Literal["binary", "multiclass", "regression"]
MOST_CLASSES = 1_000
CONFLICTS = "check_integrity.conflicts"
_LONGEST_ID = 24


@dataclass(frozen=True)
class Target:
    """The label, understood.

    Attributes:
        column: its name.
        name: its name in queries.
        task: ``binary | multiclass | regression``.
        classes: its values, the most frequent first; binary: (negative, positive); regression: none.
        rows: rows that have one.
    """

    column: str
    name: Name
    task: Task
    classes: tuple[Any, ...]
    rows: int

    @property
    def judged(self) -> tuple[Any, ...]:
        """Classes whose shares are looked at: the positive one of two, or all."""
        return self.classes[1:] if self.task == "binary" else self.classes

    def is_class(self, found: Any) -> str:
        """The condition that a row is of a class."""
        return f"{self.name} = {value(found)}"


def understand_label(tables: Tables, policy: IntegrityPolicy) -> Target:
    """Find the task and the classes, as training does: two values are classes, text is, other numbers are not.

    Raises:
        ConfigurationError: the task asked for does not fit the label.
    """
    column = tables.roles.label
    assert column is not None, "the gate has made sure"
    kind, name = tables.columns[column], tables.names[column]
    if kind == "timestamp":
        raise ConfigurationError(
            "a timestamp cannot be the label", field="roles.label", value=column, mend="Name another"
        )
    rows, distinct = tables.one(f"SELECT count({name}), count(DISTINCT {name}) FROM {ROWS}")
    task: Task
    if policy.task != "auto":
        task = policy.task
    elif (distinct <= 2 and kind != "float") or (
        distinct <= 2 and tables.one(f"SELECT bool_and({name} = floor({name})) FROM {ROWS}")[0]
    ):
        task = "binary"
    else:
        task = "multiclass" if kind in ("string", "bool") or column in tables.roles.categorical else "regression"
    if task == "regression":
        if kind == "string":
            raise ConfigurationError(
                "regression needs numbers, and the label is text", field="policy.task", value=task, mend="Use auto"
            )
        return Target(column, name, task, (), rows)
    if distinct > MOST_CLASSES:
        raise ConfigurationError(
            f"{column} has {distinct:,} values, too many for classes",
            field="policy.task",
            value=task,
            mend="Use regression, or another label",
        )
    found = tables.all(
        f"SELECT {name}, count(*) AS n FROM {ROWS} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1"
    )
    classes = [one for one, _ in found]
    if task == "binary":
        if distinct > 2:
            raise ConfigurationError(
                f"{column} has {distinct:,} values, a binary task has two",
                field="policy.task",
                value=task,
                mend="Use multiclass",
            )
        positive = tables.roles.positive
        classes = sorted(classes)
        if positive is not None:
            classes.sort(key=lambda one: class_name(one) == class_name(positive))
    return Target(column, name, task, tuple(classes), rows)


def class_name(found: Any) -> str:
    """A class as people write it: ``true``, ``1``, ``yes``."""
    if isinstance(found, bool):
        return str(found).lower()
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)


@dataclass(frozen=True)
class Conflicts:
    """Rows alike in every feature and unlike in the label.

    Attributes:
        rows: with a label.
        in_conflict: how many of them have a twin with another label.
        groups: sets of equal rows with several labels.
        ceiling: the best accuracy on these rows that features can give; regression: the best R².
        examples: example_ids of two rows in conflict, for some groups.
    """

    rows: int
    in_conflict: int
    groups: int
    ceiling: float
    examples: Examples

    @property
    def share(self) -> float:
        """in_conflict / rows."""
        return self.in_conflict / self.rows if self.rows else 0.0


def count_conflicts(tables: Tables, target: Target, most: int) -> Conflicts:
    """Count exactly: equal 64-bit hashes with several labels are found first, then compared by the features themselves.

    Whoever sees the features alone gives all rows of a group one answer. The most frequent label makes fewest errors,
    Σ(n − n_max) of them; of numbers the mean leaves the least, the sum of squares within groups.
    """
    names, label = listed(tables.named(tables.features)), target.name
    tables.run(
        f"CREATE OR REPLACE TEMP TABLE twins AS WITH suspects AS (SELECT hash({names}) AS h FROM {ROWS}"
        f" WHERE {label} IS NOT NULL GROUP BY h HAVING min({label}) <> max({label})),"
        f" counted AS (SELECT {names}, {label} AS y, count(*) AS n, min({ID}) AS one FROM {ROWS}"
        f" WHERE {label} IS NOT NULL AND hash({names}) IN (SELECT h FROM suspects) GROUP BY {names}, y)"
        " SELECT sum(n)::BIGINT AS n, max(n) AS top, arg_min(one, y) AS one, arg_max(one, y) AS other,"
        f" {_within(target)} AS within FROM counted GROUP BY {names} HAVING count(*) > 1"
    )
    groups, rows, errors, within = tables.one(
        "SELECT count(*), coalesce(sum(n), 0)::BIGINT, coalesce(sum(n - top), 0)::BIGINT,"
        " coalesce(sum(within), 0)::DOUBLE FROM twins"
    )
    if target.task == "regression":
        total = tables.one(f"SELECT var_pop({label}) * count({label}) FROM {ROWS}")[0] or 0.0
        ceiling = 1 - within / total if total else 1.0
    else:
        ceiling = 1 - errors / target.rows if target.rows else 1.0
    found = tables.all(f"SELECT one, other FROM twins ORDER BY n DESC, one LIMIT {most + 1}")
    return Conflicts(
        target.rows,
        rows,
        groups,
        ceiling,
        Examples.of([f"{_short(one)} and {_short(other)}" for one, other in found], most),
    )


def _short(example_id: str) -> str:
    """Its beginning: rows without a key are named by a hash, of which that is enough to find them."""
    return example_id if len(example_id) <= _LONGEST_ID else example_id[:_LONGEST_ID] + "…"


def _within(target: Target) -> str:
    """Sum of squares about the group's mean, from its values y and how often each is there."""
    if target.task != "regression":
        return "0.0"
    return "sum(n * y::DOUBLE * y) - sum(n * y::DOUBLE) ** 2 / sum(n)"


def judge_conflicts(found: Conflicts, target: Target, policy: ConflictPolicy) -> Check:
    """Hold the share of rows in conflict against the policy. It is of these very rows, so it has no interval."""
    name = "labels: conflicts"
    if not found.rows:
        reason = "No row has a label, so conflicting labels could not be looked for."
        return Check(name, Status.ERROR, reason, code=CONFLICTS, subject=target.column)
    status = Status.PASS
    if policy.max_share is not None and found.share > policy.max_share:
        status = Status.FAIL
    direction = None if policy.max_share is None else "max"
    if not found.groups:
        reason = f"No two of {found.rows:,} rows are alike in every feature and differ in `{target.column}`."
    else:
        best = (
            f"no model can reach an R² above {amount(found.ceiling)}"
            if target.task == "regression"
            else f"no model can be right in more than {percent(found.ceiling)}"
        )
        allowed = "" if policy.max_share is None else f" Allowed: {percent(policy.max_share)}."
        reason = (
            f"{found.in_conflict:,} of {found.rows:,} rows ({percent(found.share)}) have a twin with the same features"
            f" and another `{target.column}`{found.examples.quoted}. On these rows {best} by the features"
            f" alone.{allowed}"
        )
    return Check(
        name,
        status,
        reason,
        found.share,
        None,
        policy.max_share,
        direction,
        found.rows,
        code=CONFLICTS,
        subject=target.column,
    )
