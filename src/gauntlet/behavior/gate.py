"""The behavior gate: does the model give the expected answers to golden cases, and keep the rules of its team?

Golden cases have no tolerance: one wrong answer fails. A rule limits a failure rate and is decided by its exact
interval: pass when the upper end is within the limit, fail when the lower end is beyond it, inconclusive between.

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
from gauntlet.behavior.sampling import Drawn, Sampler, draw, hashes
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
    """Finding of a golden case; ``answered`` is ``None`` if the model failed on it."""

    case: Golden
    check: Check
    answered: Answered | None


@dataclass(frozen=True)
class BehaviorResult:
    """Result of ``check_behavior``.

    Attributes:
        verdict: all checks, worst first.
        cases: golden entries, in the file's order.
        rules: invariance and directional rules, in the file's order.
        clustered: whether units are clusters, not rows.
        split: the split of the snapshot.
        suite: the behavior file's name; empty without one.
        task: the model's task; empty if it was not loaded.
    """

    verdict: Verdict
    cases: tuple[CaseFinding, ...] = ()
    rules: tuple[RuleFinding, ...] = ()
    clustered: bool = False
    split: str = ""
    suite: str = ""
    task: str = ""


@dataclass(frozen=True)
class _Setup:
    """Model, data and settings that a suite is tested with."""

    document: Document
    subject: Subject
    snapshot: Snapshot
    split: str
    policy: BehaviorPolicy
    example: Mapping[str, Any] | None


def not_checked(reason: str) -> BehaviorResult:
    """Make the result of a behavior file that could not be checked; ``reason``: one sentence."""
    sentence = f"The behavior file could not be checked: {reason}"
    return BehaviorResult(
        Verdict(GATE, (Check("suite", Status.ERROR, sentence, code="check_behavior.not_checked"),), sentence)
    )


def nothing_asked() -> BehaviorResult:
    """Make the result without a behavior file: nothing is tested, and that passes."""
    reason = "No behavior file is given, so nothing was asked of the model beyond its metrics."
    return BehaviorResult(
        Verdict(GATE, (Check("suite", Status.NOT_ASKED, reason, code="check_behavior.nothing_asked"),), reason)
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
    """Test a model against a suite.

    Args:
        model: an MLflow model folder.
        snapshot: the rows to change.
        suite: the cases and rules.
        document: the file it was read from; errors name its lines.
        policy: confidence and limits.
        split: which rows of the snapshot.
        expected: the model's digest, if known; a model with another digest is not loaded.

    Raises:
        ConfigurationError: the suite names an unknown column or class, has a rule that would prove nothing; or no such
            split.
        DataError: the model has another digest or needs a column the snapshot lacks; bulk rows have another digest.
    """
    snapshot.require_split(split)
    if (reason := absence(model)) is not None:
        return not_checked(reason)
    with open_model(model, expected) as scorer:
        target = target_of(scorer.facts, snapshot, label_of(snapshot), split)
        threshold = decision_threshold(target.task, policy.threshold)
        subject = Subject(scorer, target, inputs_of(scorer, snapshot), snapshot.columns, threshold)
        setup = _Setup(document, subject, snapshot, split, policy, read_example(model))
        with document.located():
            require_bound(suite, subject)
            cases = [_case(path, case, setup) for path, case in suite.cases]
            rules = _rules(suite, setup)
    all_checks = [*(finding.check for finding in cases), *(finding.check for finding in rules)]
    checks = sorted(all_checks, key=lambda check: -check.status.severity)
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


def _case(path: str, case: Golden, setup: _Setup) -> CaseFinding:
    subject = setup.subject
    if case.rows is None:
        rows = inline_row(case, subject, setup.example, path)
    else:
        fill = require_example(setup.example, path) if case.fill else {}
        rows = bulk_rows(read_rows(case.rows, setup.document.name, f"{path}.rows"), subject.inputs, subject, fill, path)
    try:
        answers = subject.answer(rows)
    except DataError as error:
        return CaseFinding(case, unanswered_case(case, error), None)
    answered = compare(case, rows, answers, subject, path)
    return CaseFinding(case, case_check(case, answered), answered)


def _rules(suite: Suite, setup: _Setup) -> list[RuleFinding]:
    """Test every rule, on rows drawn in one pass over the split."""
    drawn = _drawn(suite, setup)
    return [_rule(rule, drawn[rule.name], len(suite.rules), setup) for _, rule in suite.rules]


def _drawn(suite: Suite, setup: _Setup) -> dict[str, Drawn | None]:
    policy, snapshot = setup.policy, setup.snapshot
    samplers, drawn = {}, {}
    for path, rule in suite.rules:
        keep = tuple(dict.fromkeys([*setup.subject.inputs, *rule.touched]))
        sampler = Sampler(policy.max_rows, filter_of(rule, path, snapshot.columns), keep)
        if rule.rows is None:
            samplers[rule.name] = sampler
            continue
        needed = (*keep, *(sampler.where.names if sampler.where else ()))
        rows = bulk_rows(read_rows(rule.rows, setup.document.name, f"{path}.rows"), needed, setup.subject, {}, path)
        cluster = snapshot.roles.cluster if snapshot.roles.cluster in rows.column_names else None
        sampler.add(rows, hashes(rows.column(cluster or EXAMPLE_ID), policy.seed))
        drawn[rule.name] = sampler.finish(clustered=cluster is not None)
    return drawn | (draw(snapshot, setup.split, samplers, seed=policy.seed) if samplers else {})


def _rule(rule: Rule, drawn: Drawn | None, rules: int, setup: _Setup) -> RuleFinding:
    source = f"split {setup.split}" if rule.rows is None else rule.rows.uri
    if drawn is None:
        return unmatched_rule(rule, source)
    try:
        trial = try_rule(rule, drawn, setup.subject, seed=setup.policy.seed, n_offenders=setup.policy.shown)
    except DataError as error:
        return untried_rule(rule, error)
    return judge_rule(rule, trial, setup.policy, rules=rules)


def _summary(checks: Sequence[Check]) -> str:
    """Quote the worst check, and how many more have its status. ``checks``: worst first."""
    first = checks[0]
    same = [check for check in checks if check.status is first.status]
    if first.status is Status.PASS:
        return f"All {len(checks)} known cases and rules hold." if len(checks) > 1 else first.reason
    return first.reason + (f" And {len(same) - 1} more like this." if len(same) > 1 else "")
