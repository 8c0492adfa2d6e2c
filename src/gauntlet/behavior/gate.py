"""The behavior gate: does the model answer known cases as it must, and keep the rules its team wrote down?

Golden cases allow nothing: one wrong answer fails. A rule is about a rate, and is judged by the exact interval of that
rate: kept when the upper end is within the limit, broken when the lower end is beyond it, undecided between.

The gate passes only when every rule is kept, so each upper end stands at the policy's own confidence (an
intersection-union test, Berger 1982: all must be shown, so nothing is gained by having many). It stops a model when any
rule is broken, so the lower ends share the error between them (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.behavior.binding import filter_of, require_bound
from gauntlet.behavior.cases import Answered, bulk_rows, compare, inline_row, read_example, require_example
from gauntlet.behavior.document import Document
from gauntlet.behavior.findings import (
    Rule,
    RuleFinding,
    case_check,
    judge_rule,
    unanswered_case,
    unmatched_rule,
    untried_rule,
)
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sampling import Draw, Drawn, draw, hashes
from gauntlet.behavior.sources import read_rows
from gauntlet.behavior.subject import Subject, decision_threshold
from gauntlet.behavior.suite import Golden, Suite
from gauntlet.behavior.trial import try_rule
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import DataError
from gauntlet.prediction.batch import inputs_of, label_of, target_of
from gauntlet.prediction.model import open_model
from gauntlet.storage import absence
from gauntlet.verdict import Check, Status, Verdict

GATE = "check_behavior"


@dataclass(frozen=True)
class CaseFinding:
    """A golden entry and what came of it; ``answered`` is ``None`` when the model could not be asked."""

    case: Golden
    check: Check
    answered: Answered | None


@dataclass(frozen=True)
class BehaviorResult:
    """What ``check_behavior`` found.

    Attributes:
        verdict: every check, the worst first.
        cases: golden entries, in the file's order.
        rules: invariance and directional rules, in the file's order.
        clustered: units are clusters, not rows.
        split: where rows come from.
        suite: the behavior file's name; empty when there is none.
        task: what the model does; empty when it was not asked.
    """

    verdict: Verdict
    cases: tuple[CaseFinding, ...] = ()
    rules: tuple[RuleFinding, ...] = ()
    clustered: bool = False
    split: str = ""
    suite: str = ""
    task: str = ""


@dataclass(frozen=True)
class _Bench:
    """Everything a suite is tried with."""

    document: Document
    subject: Subject
    snapshot: Snapshot
    split: str
    policy: BehaviorPolicy
    example: Mapping[str, Any] | None


def not_checked(reason: str) -> BehaviorResult:
    """The verdict where something was asked and there is nothing to ask it of; ``reason``: one sentence."""
    said = f"The behavior file could not be checked: {reason}"
    return BehaviorResult(Verdict(GATE, (Check("suite", Status.ERROR, said, code="check_behavior.not_checked"),), said))


def nothing_asked() -> BehaviorResult:
    """The verdict without a behavior file: nothing was asked, and it says so."""
    reason = "No behavior file is given, so nothing was asked of the model beyond its metrics."
    return BehaviorResult(
        Verdict(GATE, (Check("suite", Status.PASS, reason, code="check_behavior.nothing_asked"),), reason)
    )


def judge_behavior(
    model: Path,
    snapshot: Snapshot,
    suite: Suite,
    document: Document,
    policy: BehaviorPolicy,
    *,
    split: str = "test",
    expected: str = "",
) -> BehaviorResult:
    """Try a model against a suite.

    Args:
        model: an MLflow model folder.
        snapshot: whose rows are changed.
        suite: what is asked.
        document: the file it was read from; errors name its lines.
        policy: how it is judged.
        split: which rows of the snapshot.
        expected: the model's digest where it is known; another model is not loaded.

    Raises:
        ConfigurationError: the suite names a column or class that is not there, or asks what would prove nothing; or
            no such split.
        DataError: the model is not the one expected or needs a column the snapshot lacks; bulk rows are not those the
            digest names.
    """
    snapshot.require_split(split)
    if (reason := absence(model)) is not None:
        return not_checked(reason)
    with open_model(model, expected) as scorer:
        target = target_of(scorer.facts, snapshot, label_of(snapshot), split)
        threshold = decision_threshold(target.task, policy.threshold)
        subject = Subject(scorer, target, inputs_of(scorer, snapshot), snapshot.columns, threshold)
        bench = _Bench(document, subject, snapshot, split, policy, read_example(model))
        with document.located():
            require_bound(suite, subject)
            cases = [_case(path, case, bench) for path, case in suite.cases]
            rules = _rules(suite, bench)
    found = [*(one.check for one in cases), *(one.check for one in rules)]
    checks = sorted(found, key=lambda check: -check.status.severity)
    verdict = Verdict(
        gate=GATE,
        checks=tuple(checks),
        summary=_summary(checks),
        facts={
            "golden": len(cases),
            "rules": len(rules),
            "split": split,
            "confidence": policy.confidence,
            "seed": policy.seed,
            "model": scorer.digest,
        },
    )
    clustered = snapshot.roles.cluster is not None
    return BehaviorResult(verdict, tuple(cases), tuple(rules), clustered, split, document.name, target.task)


def _case(path: str, case: Golden, bench: _Bench) -> CaseFinding:
    subject = bench.subject
    if case.rows is None:
        rows = inline_row(case, subject, bench.example, path)
    else:
        fill = require_example(bench.example, path) if case.fill else {}
        rows = bulk_rows(read_rows(case.rows, bench.document.name, f"{path}.rows"), subject.inputs, subject, fill, path)
    try:
        answers = subject.answer(rows)
    except DataError as error:
        return CaseFinding(case, unanswered_case(case, error), None)
    answered = compare(case, rows, answers, subject, path)
    return CaseFinding(case, case_check(case, answered), answered)


def _rules(suite: Suite, bench: _Bench) -> list[RuleFinding]:
    """Every rule tried, on rows drawn in one pass over the split."""
    drawn = _drawn(suite, bench)
    return [_rule(rule, drawn[rule.name], len(suite.rules), bench) for _, rule in suite.rules]


def _drawn(suite: Suite, bench: _Bench) -> dict[str, Drawn | None]:
    policy, snapshot = bench.policy, bench.snapshot
    draws, found = {}, {}
    for path, rule in suite.rules:
        keep = tuple(dict.fromkeys([*bench.subject.inputs, *rule.touched]))
        one = Draw(policy.max_rows, filter_of(rule, path, snapshot.columns), keep)
        if rule.rows is None:
            draws[rule.name] = one
            continue
        needed = (*keep, *(one.where.names if one.where else ()))
        rows = bulk_rows(read_rows(rule.rows, bench.document.name, f"{path}.rows"), needed, bench.subject, {}, path)
        cluster = snapshot.roles.cluster if snapshot.roles.cluster in rows.column_names else None
        one.take(rows, hashes(rows.column(cluster or EXAMPLE_ID), policy.seed))
        found[rule.name] = one.done(clustered=cluster is not None)
    return found | (draw(snapshot, bench.split, draws, seed=policy.seed) if draws else {})


def _rule(rule: Rule, drawn: Drawn | None, rules: int, bench: _Bench) -> RuleFinding:
    source = f"split {bench.split}" if rule.rows is None else rule.rows.uri
    if drawn is None:
        return unmatched_rule(rule, source)
    try:
        trial = try_rule(rule, drawn, bench.subject, seed=bench.policy.seed, shown=bench.policy.shown)
    except DataError as error:
        return untried_rule(rule, error)
    return judge_rule(rule, trial, bench.policy, rules=rules)


def _summary(checks: Sequence[Check]) -> str:
    """The worst finding, and how many there are of its kind. ``checks``: worst first."""
    first = checks[0]
    same = [check for check in checks if check.status is first.status]
    if first.status is Status.PASS:
        return f"All {len(checks)} known cases and rules hold." if len(checks) > 1 else first.reason
    return first.reason + (f" And {len(same) - 1} more like this." if len(same) > 1 else "")
