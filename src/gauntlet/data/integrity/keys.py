"""Keys: do columns name a row, none missing and none twice; and do two splits share rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gauntlet.data.integrity.policy import AcrossSplitsRule, IntegrityPolicy, KeyRule
from gauntlet.data.integrity.shares import Examples
from gauntlet.data.integrity.sql import ROWS, SPLIT, listed, present, text, written
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import counted
from gauntlet.data.phrasing import share as percent
from gauntlet.verdict import Check, Status

TRAIN = "train"
_KEY = "check_integrity.key"
_ACROSS_SPLITS = "check_integrity.across_splits"


def check_keys(tables: Tables, policy: IntegrityPolicy) -> Iterator[Check]:
    """One check a key: ``roles.key`` first, unless ``policy.keys`` is off."""
    if policy.keys is None:
        return
    own = [KeyRule(columns=tables.roles.key, table=None)] if tables.roles.key else []
    for rule in dict.fromkeys([*own, *policy.keys]):
        yield _check_key(tables, rule, policy.examples)


def _check_key(tables: Tables, rule: KeyRule, most: int) -> Check:
    """Counted exactly: rows that share a 64-bit hash of the key are found first, then compared by the key itself."""
    source, columns = ROWS, tables.names
    if rule.table is not None:
        source, columns = tables.references[rule.table].relation, tables.references[rule.table].names
    where = "rows" if rule.table is None else f"rows of `{rule.table}`"
    key = [columns[name] for name in rule.columns]
    names, there = listed(key), present(key)
    rows, missing = tables.one(f"SELECT count(*), count(*) FILTER (WHERE NOT ({there})) FROM {source}")
    kinds = _kinds(tables, rule)
    tables.run(
        f"CREATE OR REPLACE TEMP TABLE repeated AS WITH suspects AS (SELECT hash({names}) AS h FROM {source}"
        f" WHERE {there} GROUP BY h HAVING count(*) > 1) SELECT {names}, count(*) AS n FROM {source}"
        f" WHERE {there} AND hash({names}) IN (SELECT h FROM suspects) GROUP BY {names} HAVING count(*) > 1"
    )
    keys, surplus = tables.one("SELECT count(*), coalesce(sum(n - 1), 0)::BIGINT FROM repeated")
    examples = [
        f"{found} ({count} times)"
        for found, count in tables.all(
            f"SELECT {written(key, kinds)}, n FROM repeated ORDER BY n DESC, {names} LIMIT {most + 1}"
        )
    ]
    shown = " + ".join(f"`{name}`" for name in rule.columns)
    subject = (f"{rule.table}: " if rule.table else "") + ", ".join(rule.columns)
    label = f"key: {subject}"
    broken = surplus + missing
    measured = broken / rows if rows else 0.0
    if not rows:
        reason = f"{shown} could not be checked as a key: the table has no rows."
        return Check(label, Status.ERROR, reason, code=_KEY, subject=subject)
    if not broken:
        reason = f"{shown} names each of {rows:,} {where}: no value is missing, none occurs twice."
        return Check(label, Status.PASS, reason, 0.0, None, 0.0, "max", rows, code=_KEY, subject=subject)
    said = []
    if keys:
        times = f"{counted(keys, 'value')} of {shown} {'occurs' if keys == 1 else 'occur'} more than once"
        said.append(f"{times}, in {surplus:,} {where} too many{Examples.of(examples, most).quoted}")
    if missing:
        said.append(f"{missing:,} of {rows:,} {where} have no {shown}")
    reason = f"{'; '.join(said)}. A key has to name one row."
    return Check(label, Status.FAIL, reason, measured, None, 0.0, "max", rows, code=_KEY, subject=subject)


def _kinds(tables: Tables, rule: KeyRule) -> Sequence[str]:
    return [tables.columns.get(name, "string") if rule.table is None else "string" for name in rule.columns]


def check_across_splits(tables: Tables, rule: AcrossSplitsRule) -> Iterator[Check]:
    """One check for each split but the training split: the share of its rows that training has too.

    Missing values are alike. The share is of these very splits, so it has no interval.
    """
    columns = rule.columns or tables.features
    others = [split for split in tables.splits if split != TRAIN]
    named = ", ".join(rule.columns) if rule.columns else "features"
    if TRAIN not in tables.splits or not others or not columns:
        reason = "Rows shared by splits were to be looked for, but there is no training split and another beside it."
        yield Check(f"across splits: {named}", Status.ERROR, reason, code=_ACROSS_SPLITS)
        return
    names = listed(tables.named(columns))
    own, alien = (f"count(*) FILTER (WHERE {SPLIT} {sign} {text(TRAIN)})" for sign in ("=", "<>"))
    tables.run(
        f"CREATE OR REPLACE TEMP TABLE shared AS WITH suspects AS (SELECT hash({names}) AS h FROM {ROWS} GROUP BY h"
        f" HAVING {own} > 0 AND {alien} > 0), groups AS (SELECT {names}, {SPLIT}, count(*) AS n FROM {ROWS}"
        f" WHERE hash({names}) IN (SELECT h FROM suspects) GROUP BY {names}, {SPLIT})"
        f" SELECT {SPLIT} AS split, n, bool_or({SPLIT} = {text(TRAIN)}) OVER (PARTITION BY {names}) AS seen FROM groups"
    )
    found = dict(tables.all("SELECT split, sum(n)::BIGINT FROM shared WHERE seen GROUP BY split"))
    what = "the same " + " + ".join(f"`{name}`" for name in rule.columns) if rule.columns else "the very same features"
    for split in others:
        rows, hits = tables.splits[split], found.get(split, 0)
        measured = hits / rows if rows else 0.0
        status = Status.FAIL if measured > rule.max_share else Status.PASS
        reason = f"{hits:,} of {rows:,} rows of {split} ({percent(measured)}) have {what} as a row of {TRAIN}"
        reason += f"; allowed: {percent(rule.max_share)}."
        if status is Status.FAIL:
            reason += " A model that remembers them looks better than it is."
        yield Check(
            f"across splits: {split}, {named}",
            status,
            reason,
            measured,
            None,
            rule.max_share,
            "max",
            rows,
            code=_ACROSS_SPLITS,
            subject=split,
        )
