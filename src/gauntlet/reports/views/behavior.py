"""Page of the behavior gate: failed cases, failure rates of rules, and the worst rows of each."""

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
    """Row of a golden case: status, name, reason, expected and actual answer; for bulk rows the wrong ones."""

    status: str
    name: str
    why: str
    expected: str
    answered: str
    values: str


@dataclass(frozen=True)
class OffenderRow:
    """Row that breaks a rule: (column, before, after) of changes, other columns, scores and decisions."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    others: str
    scores: tuple[str, str]
    decisions: tuple[str, str] | None


@dataclass(frozen=True)
class RuleSection:
    """Section of a rule: description, status, sentence, worst rows."""

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
    """Content of the page.

    Attributes:
        suite: the behavior file; empty when there is none.
        split: the split of the snapshot.
        unit: ``rows`` or ``clusters``.
        confidence: of each upper end.
        kept_cases, kept_rules: number that pass.
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
    """Make the view of a result."""
    return BehaviorView(
        suite=result.suite,
        split=result.split,
        unit="clusters" if result.clustered else "rows",
        confidence=policy.confidence,
        kept_cases=sum(case.check.status.value == "pass" for case in result.cases),
        kept_rules=sum(rule.check.status.value == "pass" for rule in result.rules),
        cases=tuple(row for case in result.cases for row in _case_rows(case, policy.shown)),
        rules=tuple(_section(rule) for rule in sorted(result.rules, key=_severity)),
        forests=_forests(result),
    )


def _severity(finding: RuleFinding) -> int:
    return -finding.check.status.severity


def _case_rows(finding: CaseFinding, n_rows: int) -> list[CaseRow]:
    """Make the rows of a case; for bulk rows a total, and one for each of the first wrong answers."""
    case, check, answered = finding.case, finding.check, finding.answered
    if answered is None:
        return [CaseRow(check.status.value, case.name, case.why, case_in_words(case), check.reason, "")]
    wrong = [index for index, expected in enumerate(answered.wrong) if expected]
    if case.row is not None:
        return [_case_row(finding, 0, case.name, case.why, case_in_words(case))]
    kept = f"{len(answered.names) - len(wrong):,} of {len(answered.names):,} kept"
    first = CaseRow(check.status.value, case.name, case.why, case_in_words(case), kept, "")
    return [first, *(_case_row(finding, i, answered.names[i], "", answered.wrong[i]) for i in wrong[:n_rows])]


def _case_row(finding: CaseFinding, index: int, name: str, why: str, expected: str) -> CaseRow:
    answered = finding.answered
    assert answered is not None
    answer = f"score {number(float(answered.scores[index]), 4)}"
    if answered.decisions is not None:
        answer += f", {answered.decisions[index]}"
    row = {column: answered.rows.column(column)[index].as_py() for column in answered.rows.column_names}
    return CaseRow(finding.check.status.value, name, why, expected, answer, _in_line(row))


def _section(finding: RuleFinding) -> RuleSection:
    rule, check, trial = finding.rule, finding.check, finding.trial
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
        reason=finding.sentence,
        tried=tried,
        offenders=() if trial is None else tuple(_offender(offender) for offender in trial.offenders),
    )


def _offender(offender: Offender) -> OffenderRow:
    first, second = (number(score, 4) for score in offender.scores)
    if first == second:
        first, second = (number(score, 9) for score in offender.scores)
    return OffenderRow(
        name=offender.name,
        changes=tuple(
            (column, value_in_words(offender.before[column]), value_in_words(after))
            for column, after in offender.after.items()
        ),
        others=_in_line({column: value for column, value in offender.before.items() if column not in offender.after}),
        scores=(first, second),
        decisions=offender.decisions,
    )


def _in_line(row: Mapping[str, Any]) -> str:
    values = [f"{column} {value_in_words(value)}" for column, value in list(row.items())[:_MOST_OTHERS]]
    more = len(row) - len(values)
    return " · ".join(values) + (f" · and {more} more" if more else "")


def _forests(result: BehaviorResult) -> tuple[RateForest, ...]:
    measured = [rule for rule in result.rules if rule.check.interval is not None]
    limits = sorted({float(finding.check.bound or 0.0) for finding in measured})
    return tuple(
        RateForest(limit, tuple(_forest_row(finding) for finding in measured if finding.check.bound == limit))
        for limit in limits
    )


def _forest_row(finding: RuleFinding) -> ForestRow:
    check = finding.check
    low, high = check.interval or (None, None)
    return ForestRow(check.name, check.measured, low, high, check.sample_size, check.status.value)
