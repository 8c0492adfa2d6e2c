"""The behavior page: which known answers are lost, which rules break and how often, and the worst rows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.behavior.findings import RuleFinding
from gauntlet.behavior.gate import BehaviorResult, CaseFinding
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.trial import Offender
from gauntlet.behavior.wording import case_in_words, rule_in_words, value_in_words
from gauntlet.reports.format import number
from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.storage import write_text

_MOST_OTHERS = 30


@dataclass(frozen=True)
class CaseRow:
    """A known case: its status, name and reason, what was expected, what was answered; for bulk rows the lost ones."""

    status: str
    name: str
    why: str
    expected: str
    answered: str
    values: str


@dataclass(frozen=True)
class OffenderRow:
    """A row that breaks a rule: (column, before, after) of what changed, everything else, scores and decisions."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    others: str
    scores: tuple[str, str]
    decisions: tuple[str, str] | None


@dataclass(frozen=True)
class RuleSection:
    """A rule: in words, its status and sentence, and its worst rows."""

    status: str
    name: str
    why: str
    does: str
    reason: str
    tried: str
    offenders: tuple[OffenderRow, ...]


@dataclass(frozen=True)
class RateForest:
    """Failure rates of the rules that share a limit."""

    limit: float
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True)
class BehaviorView:
    """Everything the page shows.

    Attributes:
        suite: the behavior file; empty when there is none.
        split: where rows come from.
        unit: ``rows`` or ``clusters``.
        confidence: of each upper end.
        kept_cases, kept_rules: how many hold.
        cases: in the file's order.
        rules: the worst first.
        forests: the rules' failure rates.
    """

    suite: str
    split: str
    unit: str
    confidence: float
    kept_cases: int
    kept_rules: int
    cases: tuple[CaseRow, ...]
    rules: tuple[RuleSection, ...]
    forests: tuple[RateForest, ...]


def write_report(result: BehaviorResult, policy: BehaviorPolicy, destination: Path) -> None:
    """Render the page to a file."""
    view = behavior_view(result, policy)
    page = render("behavior.html.j2", title="Behavior", subtitle=view.suite, view=view, verdict=result.verdict)
    write_text(destination, page)


def behavior_view(result: BehaviorResult, policy: BehaviorPolicy) -> BehaviorView:
    """What the page shows of a result."""
    return BehaviorView(
        suite=result.suite,
        split=result.split,
        unit="clusters" if result.clustered else "rows",
        confidence=policy.confidence,
        kept_cases=sum(one.check.status.value == "pass" for one in result.cases),
        kept_rules=sum(one.check.status.value == "pass" for one in result.rules),
        cases=tuple(row for one in result.cases for row in _case_rows(one, policy.shown)),
        rules=tuple(_section(one) for one in sorted(result.rules, key=_severity)),
        forests=_forests(result),
    )


def _severity(found: RuleFinding) -> int:
    return -found.check.status.severity


def _case_rows(found: CaseFinding, shown: int) -> list[CaseRow]:
    """One row for a case; for bulk rows one in all, and one for each of the first lost answers."""
    case, check, answered = found.case, found.check, found.answered
    if answered is None:
        return [CaseRow(check.status.value, case.name, case.why, case_in_words(case), check.reason, "")]
    wrong = [index for index, expected in enumerate(answered.wrong) if expected]
    if case.row is not None:
        return [_case_row(found, 0, case.name, case.why, case_in_words(case))]
    kept = f"{len(answered.names) - len(wrong):,} of {len(answered.names):,} kept"
    first = CaseRow(check.status.value, case.name, case.why, case_in_words(case), kept, "")
    return [first, *(_case_row(found, i, answered.names[i], "", answered.wrong[i]) for i in wrong[:shown])]


def _case_row(found: CaseFinding, index: int, name: str, why: str, expected: str) -> CaseRow:
    answered = found.answered
    assert answered is not None
    said = f"score {number(float(answered.scores[index]), 4)}"
    if answered.decisions is not None:
        said += f", {answered.decisions[index]}"
    row = {column: answered.rows.column(column)[index].as_py() for column in answered.rows.column_names}
    return CaseRow(found.check.status.value, name, why, expected, said, _in_line(row))


def _section(found: RuleFinding) -> RuleSection:
    rule, check, trial = found.rule, found.check, found.trial
    tried = ""
    if trial is not None and trial.rows:
        tried = f"{trial.matched:,} rows match, {trial.drawn:,} were tried and {trial.rows:,} of them changed."
        if trial.clustered:
            tried += f" They belong to {trial.units:,} clusters; a cluster breaks the rule when one of its rows does."
    return RuleSection(
        status=check.status.value,
        name=rule.name,
        why=rule.why,
        does=rule_in_words(rule),
        reason=found.sentence,
        tried=tried,
        offenders=() if trial is None else tuple(_offender(one) for one in trial.offenders),
    )


def _offender(one: Offender) -> OffenderRow:
    first, second = (number(score, 4) for score in one.scores)
    if first == second:
        first, second = (number(score, 9) for score in one.scores)
    return OffenderRow(
        name=one.name,
        changes=tuple(
            (column, value_in_words(one.before[column]), value_in_words(after)) for column, after in one.after.items()
        ),
        others=_in_line({column: value for column, value in one.before.items() if column not in one.after}),
        scores=(first, second),
        decisions=one.decisions,
    )


def _in_line(row: Mapping[str, Any]) -> str:
    shown = [f"{column} {value_in_words(value)}" for column, value in list(row.items())[:_MOST_OTHERS]]
    more = len(row) - len(shown)
    return " · ".join(shown) + (f" · and {more} more" if more else "")


def _forests(result: BehaviorResult) -> tuple[RateForest, ...]:
    measured = [one for one in result.rules if one.check.interval is not None]
    limits = sorted({float(one.check.bound or 0.0) for one in measured})
    return tuple(
        RateForest(limit, tuple(_forest_row(one) for one in measured if one.check.bound == limit)) for limit in limits
    )


def _forest_row(found: RuleFinding) -> ForestRow:
    check = found.check
    low, high = check.interval or (None, None)
    return ForestRow(check.name, check.measured, low, high, check.sample_size, check.status.value)
