"""Times: what comes first comes first, moments lie in their span, splits follow each other, sequences do not fall."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

from gauntlet.data.integrity.policy import IntegrityPolicy, OrderRule, PeriodRule, SequenceRule
from gauntlet.data.integrity.shares import count_share, judge_share
from gauntlet.data.integrity.sql import ROWS, SPLIT, listed, micros, present, text
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.split import USUAL_ORDER, microseconds
from gauntlet.verdict import Check, Status

_SPLITS_IN_TIME = "check_integrity.splits_in_time"


def check_times(tables: Tables, policy: IntegrityPolicy) -> Iterator[Check]:
    """One check a rule; each block's intervals hold together (Bonferroni)."""
    for order in policy.order:
        yield _check_order(tables, order, (1 - policy.confidence) / len(policy.order))
    for period in policy.period:
        yield _check_period(tables, period, (1 - policy.confidence) / len(policy.period))
    for sequence in policy.sequence:
        yield _check_sequence(tables, sequence, (1 - policy.confidence) / len(policy.sequence))
    if policy.splits_in_time:
        yield from _check_splits(tables, 1 - policy.confidence)


def _check_order(tables: Tables, rule: OrderRule, alpha: float) -> Check:
    """Rows in which one of the two is missing are not looked at."""
    both = earlier, later = tables.named([rule.earlier, rule.later])
    broken = f"{earlier} {'>=' if rule.strict else '>'} {later}"
    return judge_share(
        f"order: {rule.earlier}, {rule.later}",
        count_share(tables, f"(SELECT * FROM {ROWS} WHERE {present(both)})", broken),
        rule.max_share,
        alpha,
        code="check_integrity.order",
        subject=f"{rule.earlier}, {rule.later}",
        broken=f"have `{rule.later}` {'not after' if rule.strict else 'before'} `{rule.earlier}`",
        kept=f"`{rule.later}` never comes {'at or ' if rule.strict else ''}before `{rule.earlier}`",
    )


def _check_period(tables: Tables, rule: PeriodRule, alpha: float) -> Check:
    name = rule.column or tables.roles.time
    assert name is not None, "the gate has made sure"
    own = tables.names[name]
    moment = micros(own, tables.columns[name])
    broken, said = [], []
    if rule.not_before is not None:
        broken.append(f"{moment} < {microseconds(rule.not_before)}")
        said.append(f"before {_moment(rule.not_before)}")
    if rule.not_after is not None:
        broken.append(f"{moment} > {microseconds(rule.not_after)}")
        said.append(f"after {_moment(rule.not_after)}")
    return judge_share(
        f"period: {name}",
        count_share(tables, f"(SELECT * FROM {ROWS} WHERE {present([own])})", f"({' OR '.join(broken)})"),
        rule.max_share,
        alpha,
        code="check_integrity.period",
        subject=name,
        broken=f"have `{name}` {' or '.join(said)}",
        kept=f"No `{name}` lies {' or '.join(said)}",
    )


def _check_sequence(tables: Tables, rule: SequenceRule, alpha: float) -> Check:
    """Each row against the one before it in its group; the first of a group has none and is not counted."""
    column, along, *within = tables.named([rule.column, rule.along, *rule.within])
    order = f"ORDER BY {along}, {column}"
    over = f"PARTITION BY {listed(within)} {order}" if within else order
    named = dict.fromkeys([column, along, *within, *tables.cluster])
    relation = (
        f"(SELECT * FROM (SELECT {listed(named)}, lag({column}) OVER ({over}) AS previous_one"
        f" FROM {ROWS} WHERE {present([column, along])}) WHERE previous_one IS NOT NULL)"
    )
    group = f" within {', '.join(f'`{name}`' for name in rule.within)}" if rule.within else ""
    return judge_share(
        f"sequence: {rule.column} along {rule.along}",
        count_share(tables, relation, f"{column} < previous_one"),
        rule.max_share,
        alpha,
        code="check_integrity.sequence",
        subject=rule.column,
        broken=f"have a smaller `{rule.column}` than the row before them along `{rule.along}`{group}",
        kept=f"`{rule.column}` never falls along `{rule.along}`{group}",
    )


def _check_splits(tables: Tables, alpha: float) -> Iterator[Check]:
    """Rows of a split that are later than the first row of the next one: the model would learn from the future."""
    name = tables.roles.time
    assert name is not None, "the gate has made sure"
    moment, kind = tables.names[name], tables.columns[name]
    ordered = [split for split in USUAL_ORDER if split in tables.splits]
    for before, after in itertools.pairwise(ordered):
        earliest = f"min({moment})::VARCHAR, min({micros(moment, kind)})::DOUBLE"
        first, since = tables.one(f"SELECT {earliest} FROM {ROWS} WHERE {SPLIT} = {text(after)}")
        label = f"splits in time: {before}, {after}"
        if first is None:
            reason = f"No row of {after} has a `{name}`, so the splits could not be compared."
            yield Check(label, Status.ERROR, reason, code=_SPLITS_IN_TIME, subject=before)
            continue
        begins = f"{after} begins ({_moment(since / 1e6) if kind == 'timestamp' else first})"
        share = count_share(
            tables,
            f"(SELECT * FROM {ROWS} WHERE {SPLIT} = {text(before)} AND {present([moment])})",
            f"{moment} > (SELECT min({moment}) FROM {ROWS} WHERE {SPLIT} = {text(after)})",
        )
        yield judge_share(
            label,
            share,
            0.0,
            alpha,
            code=_SPLITS_IN_TIME,
            subject=before,
            broken=f"of {before} are later than {begins}",
            kept=f"No row of {before} is later than {begins}",
        )


def _moment(moment: float | str) -> str:
    try:
        return f"{datetime.fromtimestamp(microseconds(moment) / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(moment)
