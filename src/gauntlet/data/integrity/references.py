"""References: foreign keys that resolve, categories that a table lists, joins that keep their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gauntlet.data.integrity.policy import CategoryRule, IntegrityPolicy, JoinRule, ReferenceRule
from gauntlet.data.integrity.shares import NO_EXAMPLES, Examples, count_share, judge_share
from gauntlet.data.integrity.sql import ROWS, Name, listed, present, written
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import amount, counted
from gauntlet.verdict import Check, Status

_JOIN_GROWTH = "check_integrity.join_growth"


def check_references(tables: Tables, policy: IntegrityPolicy) -> Iterator[Check]:
    """One check a foreign key, then one a column of categories; each block's intervals hold together (Bonferroni)."""
    for rule in policy.references:
        yield _check_reference(tables, rule, policy.examples, (1 - policy.confidence) / len(policy.references))
    for category in policy.categories:
        yield _check_category(tables, category, policy.examples, (1 - policy.confidence) / len(policy.categories))


def check_joins(tables: Tables, policy: IntegrityPolicy) -> Iterator[Check]:
    """For each join whether it multiplies rows; for an inner one also whether it loses any."""
    for rule in policy.joins:
        yield _check_growth(tables, rule, policy.examples)
        if rule.kind == "inner":
            yield _check_loss(tables, rule, policy.examples, (1 - policy.confidence) / len(policy.joins))


def _check_reference(tables: Tables, rule: ReferenceRule, most: int, alpha: float) -> Check:
    """A row without a value refers to nothing and breaks nothing, unless ``required`` (SQL's MATCH SIMPLE)."""
    references = rule.references or rule.columns
    shown = _shown(rule.columns)
    share = count_share(tables, _looked_up(tables, rule.columns, rule.table, references, rule.required), "NOT found")
    examples = _orphans(tables, rule.columns, rule.table, references, most) if share.hits else NO_EXAMPLES
    missing = " or have none" if rule.required else ""
    return judge_share(
        f"reference: {', '.join(rule.columns)} in {rule.table}",
        share,
        rule.max_share,
        alpha,
        code="check_integrity.reference",
        subject=", ".join(rule.columns),
        broken=f"have a {shown} that is not in `{rule.table}`{missing}",
        kept=f"Every {shown} is in `{rule.table}`",
        examples=examples,
    )


def _check_category(tables: Tables, rule: CategoryRule, most: int, alpha: float) -> Check:
    values = (rule.values or rule.column,)
    share = count_share(tables, _looked_up(tables, (rule.column,), rule.table, values, False), "NOT found")
    examples = _orphans(tables, (rule.column,), rule.table, values, most) if share.hits else NO_EXAMPLES
    return judge_share(
        f"categories: {rule.column} in {rule.table}",
        share,
        rule.max_share,
        alpha,
        code="check_integrity.category",
        subject=rule.column,
        broken=f"have a category of `{rule.column}` that `{rule.table}` does not list",
        kept=f"`{rule.table}` lists every category of `{rule.column}`",
        examples=examples,
    )


def _check_growth(tables: Tables, rule: JoinRule, most: int) -> Check:
    """Rows after the join over rows with a partner, from how often each key is there on either side."""
    references = rule.references or rule.columns
    table = tables.references[rule.table]
    mine, its = tables.named(rule.columns), table.named(references)
    ours, theirs = listed(mine), listed(its)
    tables.run(
        f"CREATE OR REPLACE TEMP TABLE fanned AS SELECT a.*, m FROM (SELECT {ours}, count(*) AS n FROM {ROWS}"
        f" WHERE {present(mine)} GROUP BY {ours}) a JOIN (SELECT {theirs}, count(*) AS m"
        f" FROM {table.relation} WHERE {present(its)} GROUP BY {theirs}) b ON {_equal(mine, its)}"
    )
    partnered, after, doubled = tables.one(
        "SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n::HUGEINT * m), 0)::BIGINT, count(*) FILTER (WHERE m > 1)"
        " FROM fanned"
    )
    label, shown = f"join: {', '.join(rule.columns)} with {rule.table}, rows", _shown(rule.columns)
    if not partnered:
        reason = f"Not one row finds a partner in `{rule.table}` by {shown}: the join was to be checked and is empty."
        return Check(label, Status.ERROR, reason, sample_size=tables.rows, code=_JOIN_GROWTH, subject=rule.table)
    factor = after / partnered
    status = Status.FAIL if factor > rule.max_growth else Status.PASS
    if after == partnered:
        reason = f"Joining `{rule.table}` by {shown} keeps the number of rows: no key is there twice."
    else:
        kinds = [tables.columns[name] for name in rule.columns]
        examples = [
            f"{key} (×{times})"
            for key, times in tables.all(
                f"SELECT {written(mine, kinds)}, m FROM fanned WHERE m > 1 ORDER BY m * n DESC, {ours} LIMIT {most + 1}"
            )
        ]
        repeated = f"{counted(doubled, 'key')} {'is' if doubled == 1 else 'are'} there more than once"
        reason = (
            f"Joining `{rule.table}` by {shown} makes {after:,} rows of {partnered:,} (×{amount(factor)}):"
            f" {repeated}{Examples.of(examples, most).quoted}; allowed: ×{amount(rule.max_growth)}."
        )
    return Check(
        label,
        status,
        reason,
        factor,
        None,
        rule.max_growth,
        "max",
        partnered,
        code=_JOIN_GROWTH,
        subject=rule.table,
    )


def _check_loss(tables: Tables, rule: JoinRule, most: int, alpha: float) -> Check:
    """An inner join loses rows without a partner, those without a value among them."""
    references = rule.references or rule.columns
    share = count_share(tables, _looked_up(tables, rule.columns, rule.table, references, True), "NOT found")
    return judge_share(
        f"join: {', '.join(rule.columns)} with {rule.table}, loss",
        share,
        rule.max_loss,
        alpha,
        code="check_integrity.join_loss",
        subject=rule.table,
        broken=f"are lost when `{rule.table}` is joined by {_shown(rule.columns)}",
        kept=f"Joining `{rule.table}` by {_shown(rule.columns)} loses no row",
        examples=_orphans(tables, rule.columns, rule.table, references, most) if share.hits else NO_EXAMPLES,
    )


def _looked_up(tables: Tables, columns: Sequence[str], table: str, references: Sequence[str], required: bool) -> str:
    """The rows a reference is about, each with whether it was ``found``; for a query's FROM."""
    mine, its = tables.named(columns), tables.references[table].named(references)
    kept = listed(dict.fromkeys([*mine, *tables.cluster]))
    source = f"(SELECT {kept} FROM {ROWS}" + ("" if required else f" WHERE {present(mine)}") + ") a"
    known = f"(SELECT DISTINCT {listed(its)}, true AS there FROM {tables.references[table].relation}) b"
    return f"(SELECT a.*, there IS NOT NULL AS found FROM {source} LEFT JOIN {known} ON {_equal(mine, its)})"


def _orphans(tables: Tables, columns: Sequence[str], table: str, references: Sequence[str], most: int) -> Examples:
    """The values that most rows have and the table does not."""
    kinds = [tables.columns[name] for name in columns]
    mine, its = tables.named(columns), tables.references[table].named(references)
    names = listed(mine)
    found = tables.all(
        f"SELECT {written(mine, kinds)}, n FROM (SELECT {names}, count(*) AS n FROM {ROWS} a"
        f" WHERE {present(mine)} GROUP BY {names}) a ANTI JOIN {tables.references[table].relation} b"
        f" ON {_equal(mine, its)} ORDER BY n DESC, {names} LIMIT {most + 1}"
    )
    return Examples.of([f"{value} ({counted(count, 'row')})" for value, count in found], most)


def _equal(columns: Sequence[Name], references: Sequence[Name]) -> str:
    pairs = zip(columns, references, strict=True)
    return " AND ".join(f"a.{ours} = b.{theirs}" for ours, theirs in pairs)


def _shown(columns: Sequence[str]) -> str:
    return " + ".join(f"`{name}`" for name in columns)
