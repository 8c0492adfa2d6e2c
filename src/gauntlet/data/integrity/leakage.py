"""Looking for leaks: the sample, its columns one after the other, and what is said of each."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from gauntlet.data.integrity.labels import Target
from gauntlet.data.integrity.policy import IntegrityPolicy, LeakagePolicy
from gauntlet.data.integrity.power import (
    Floats,
    Ints,
    Outcome,
    Power,
    category_codes,
    power_of,
    quantile_codes,
)
from gauntlet.data.integrity.sql import ID, ROWS, listed
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import amount
from gauntlet.stats.planning import rows_for_mean, rows_for_share
from gauntlet.verdict import Check, Status, decide

LEAKAGE = "check_integrity.leakage"
_ROWS_A_FOLD = 10
"""Rows of the smaller class that a fold needs; below, an AUC is a handful of comparisons."""
_MOST_CLASSES = 20
_IDENTIFIES = 0.9
"""Share of distinct values from which a column of names names rows."""


@dataclass(frozen=True)
class Leak:
    """What one column says about the label.

    Attributes:
        column: its name.
        missing: whether it is filled in at all, not what it holds.
        power: AUC or R² and its interval.
        regression: the power is R², not AUC.
        identifies: nearly every row has a value of its own, so it can say nothing about others.
        check: held against the policy.
    """

    column: str
    missing: bool
    power: Power
    regression: bool
    identifies: bool
    check: Check


def find_leaks(tables: Tables, target: Target, policy: IntegrityPolicy, leakage: LeakagePolicy) -> tuple[Leak, ...]:
    """Every feature and, where values are missing, whether it is filled in; the strongest first.

    Intervals hold together (Bonferroni). Empty where ``too_few`` speaks.
    """
    columns = [name for name in tables.features if name not in leakage.exclude]
    rows = _take_sample(tables, target, policy, leakage, columns)
    outcome = _outcome(tables, target, leakage)
    if not columns or _too_few(outcome, target, leakage):
        return ()
    gaps = tables.one(
        "SELECT " + ", ".join(f"count(*) - count({name})" for name in tables.named(columns)) + " FROM sample"
    )
    alpha = (1 - policy.confidence) / (len(columns) + sum(0 < count < rows for count in gaps))
    found = []
    for name, count in zip(columns, gaps, strict=True):
        codes, missing, distinct = _codes(tables, name, leakage.bins)
        identifies = distinct is not None and _names_rows(tables, name, distinct, rows - count, target)
        found.append(_leak(name, False, codes, outcome, alpha, leakage, identifies))
        if 0 < count < rows:
            found.append(_leak(name, True, missing.astype(np.int64), outcome, alpha, leakage, False))
    return tuple(sorted(found, key=lambda leak: -leak.power.value))


def too_few(tables: Tables, target: Target, leakage: LeakagePolicy) -> Check | None:
    """The check that stands in for all where the sample cannot tell; ask after ``find_leaks``."""
    return _too_few(_outcome(tables, target, leakage), target, leakage)


def _take_sample(
    tables: Tables, target: Target, policy: IntegrityPolicy, leakage: LeakagePolicy, columns: list[str]
) -> int:
    """Rows with a label, chosen by a hash: the same ones however often and with however many threads one asks."""
    unit = listed(tables.cluster) or ID
    wanted = dict.fromkeys([target.name, *tables.named(columns)])
    kept = min(1.0, leakage.sample_rows / max(1, target.rows))
    chosen = "" if kept >= 1 else f" AND hash({ID}, {policy.seed}) < {int(kept * 2.0**64)}"
    tables.run(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {listed(wanted)},"
        f" (hash({unit}, {policy.seed}, 'fold') % {leakage.folds})::BIGINT AS fold, hash({unit}) AS unit"
        f" FROM {ROWS} WHERE {target.name} IS NOT NULL{chosen}"
    )
    return int(tables.one("SELECT count(*) FROM sample")[0])


def _outcome(tables: Tables, target: Target, leakage: LeakagePolicy) -> Outcome:
    classes = target.judged[:_MOST_CLASSES]
    wanted = [f"({target.is_class(one)})::DOUBLE" for one in classes] or [f"{target.name}::DOUBLE"]
    named = ", ".join(f"{one} AS target_{position}" for position, one in enumerate(wanted))
    found = tables.arrays(f"SELECT fold, unit, {named} FROM sample ORDER BY rowid")
    targets = np.stack(
        [np.asarray(found[f"target_{position}"], dtype=np.float64) for position in range(len(wanted))], axis=1
    )
    if target.task == "regression":
        targets = _ranks(targets)
    cluster = None
    if tables.cluster:
        cluster = np.unique(found["unit"], return_inverse=True)[1].astype(np.int64)
    fold = np.asarray(found["fold"], dtype=np.int64)
    return Outcome(_without_rare(targets, target, leakage), fold, leakage.folds, cluster, target.task == "regression")


def _ranks(values: Floats) -> Floats:
    """Ranks of a regression's labels from 0 to 1, ties at their middle: R² would see a few huge values and no more."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - (counts + 1) / 2) / max(1, len(values) - 1)
    return np.asarray(middles[codes].reshape(values.shape), dtype=np.float64)


def _without_rare(targets: Floats, target: Target, leakage: LeakagePolicy) -> Floats:
    """Classes of many that have rows enough to be told apart; all of them where none has."""
    if target.task != "multiclass":
        return targets
    enough = np.flatnonzero(targets.sum(axis=0) >= _ROWS_A_FOLD * leakage.folds)
    return targets[:, enough] if len(enough) else targets


def _too_few(outcome: Outcome, target: Target, leakage: LeakagePolicy) -> Check | None:
    rows, least = len(outcome.fold), _ROWS_A_FOLD * leakage.folds
    counts = outcome.targets.sum(axis=0) if len(outcome.targets) else np.zeros(1)
    smaller = rows if outcome.regression else int(min(counts.min(), (rows - counts).min()))
    if smaller >= least:
        return None
    what = "rows with a label" if outcome.regression else "rows of the smaller class"
    needed = least if outcome.regression or not smaller else math.ceil(rows * least / smaller)
    reason = (
        f"{smaller:,} {what} are too few to tell whether a column gives `{target.column}` away: {least:,} are needed."
    )
    return Check("leakage", Status.INCONCLUSIVE, reason, sample_size=rows, rows_needed=needed, code=LEAKAGE)


def _codes(tables: Tables, name: str, bins: int) -> tuple[Ints, np.ndarray, int | None]:
    """A column as codes, which values are missing, and its distinct values where they are names."""
    kind, column = tables.columns[name], tables.names[name]
    if kind in ("string", "bool") or name in tables.roles.categorical:
        found = tables.arrays(f"SELECT hash({column}) AS v, ({column} IS NULL) AS m FROM sample ORDER BY rowid")
        missing = np.asarray(found["m"], dtype=bool)
        return category_codes(found["v"], missing), missing, len(np.unique(found["v"][~missing]))
    number = f"epoch_us({column})" if kind == "timestamp" else column
    found = tables.arrays(
        f"SELECT coalesce({number}::DOUBLE, 0) AS v, ({column} IS NULL) AS m FROM sample ORDER BY rowid"
    )
    missing = np.asarray(found["m"], dtype=bool)
    return quantile_codes(np.asarray(found["v"], dtype=np.float64), missing, bins), missing, None


def _names_rows(tables: Tables, name: str, distinct: int, present: int, target: Target) -> bool:
    """Whether nearly every row has a value of its own: in the sample and, about, in all rows."""
    if distinct < 2 or distinct < _IDENTIFIES * present:
        return False
    if present == target.rows:
        return True
    column = tables.names[name]
    every, counted = tables.one(f"SELECT approx_count_distinct({column}), count({column}) FROM {ROWS}")
    return bool(every >= _IDENTIFIES * counted)


def _leak(
    column: str, missing: bool, codes: Ints, outcome: Outcome, alpha: float, leakage: LeakagePolicy, identifies: bool
) -> Leak:
    power = power_of(codes, outcome, alpha)
    bound = leakage.max_r2 if outcome.regression else leakage.max_auc
    status = _status(power, bound)
    measure = "R² of ranks" if outcome.regression else "AUC"
    what = f"Whether `{column}` is filled in" if missing else f"`{column}` alone"
    numbers = f"{measure} {amount(power.value)}, {amount(power.interval[0])} to {amount(power.interval[1])}"
    if status is Status.PASS:
        reason = f"{what} does not give the label away ({numbers}; allowed: {amount(bound)})."
    elif status is Status.INCONCLUSIVE:
        reason = (
            f"{what} predicts the label so well that it may give it away ({numbers}; allowed: {amount(bound)}); these"
            f" rows cannot tell. {_mend(column)}"
        )
    else:
        reason = (
            f"{what} predicts the label almost perfectly on rows it has not seen ({numbers}; allowed: {amount(bound)})."
            f" {_mend(column)}"
        )
    if identifies:
        reason += f" `{column}` identifies rows: nearly every row has a value of its own. It is no feature; exclude it."
    name = f"leakage: {column}" + (", filled in" if missing else "")
    needed = _needed(power, bound, len(codes), alpha) if status is Status.INCONCLUSIVE else None
    check = Check(
        name,
        status,
        reason,
        power.value,
        power.interval,
        bound,
        "max",
        len(codes),
        needed,
        code=LEAKAGE,
        subject=column,
    )
    return Leak(column, missing, power, outcome.regression, identifies, check)


def _status(power: Power, bound: float) -> Status:
    """An estimate beyond the bound stops, however wide its interval: a leak that is let through becomes champion.

    It is no chance: 0.97 is many standard errors from what a column shows that says little, at the 50 rows of each
    class that there are at least, and a person can answer in one line.
    """
    return Status.FAIL if power.value > bound else decide(power.interval, bound=bound, direction="max")


def _mend(column: str) -> str:
    name = json.dumps(column, ensure_ascii=False)
    return (
        f'If it is known only after the outcome, leave it out: roles: {{"exclude": [{name}]}}. If it is known before,'
        f' accept it: integrity_policy: {{"leakage": {{"exclude": [{name}]}}}}.'
    )


def _needed(power: Power, bound: float, rows: int, alpha: float) -> int | None:
    """Rows that would take the interval off the bound, of which each is worth as much as now."""
    if power.effective is None:
        return rows_for_mean(abs(bound - power.value), power.error * math.sqrt(rows), alpha)
    effective = rows_for_share(power.value, bound, alpha)
    return None if effective is None else max(rows, math.ceil(effective * rows / power.effective))
