"""The behavior page on a model that breaks some rules, with cases and rules of every status."""

from __future__ import annotations

import numpy as np

from builders.behavior import logistic, rows, subject_of
from gauntlet.behavior.cases import compare, inline_row
from gauntlet.behavior.findings import case_check, judge_rule, unmatched_rule, untried_rule
from gauntlet.behavior.gate import GATE, BehaviorResult, CaseFinding
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sampling import Drawn
from gauntlet.behavior.suite import Suite
from gauntlet.behavior.trial import try_rule
from gauntlet.errors import DataError
from gauntlet.reports.page import render
from gauntlet.reports.views.behavior import behavior_view
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict

POLICY = BehaviorPolicy.model_validate({"shown": 3})
_LATE = [{"add": {"column": "late", "by": 1}}]
_GOOD = {"income": 9000, "late": 0, "region": "north", "member": True}
_LATE_PAYER = {**_GOOD, "late": 9, "member": False}
_STILL = {"max_change": 0.05}
_SUITE = {
    "golden": [
        {"name": "a good applicant", "why": "Nobody would refuse her.", "row": _GOOD, "expect": {"class": "yes"}},
        {"name": "an applicant deep in arrears", "row": _LATE_PAYER, "expect": {"score": {"min": 0.5}}},
    ],
    "invariance": [
        {
            "name": "spaces do not matter",
            "why": "Forms send them.",
            "change": [{"whitespace": {"column": "region"}}],
            "expect": _STILL,
        },
        {
            "name": "a region in capitals is the same region",
            "change": [{"case": {"column": "region", "to": "upper"}}],
            "expect": _STILL,
            "max_failures": 0.1,
        },
        {"name": "what the model would not answer", "change": [{"typo": {"column": "region"}}], "expect": _STILL},
    ],
    "directional": [
        {
            "name": "late payments never help",
            "change": _LATE,
            "expect": {"score": "not_increases"},
            "where": "late < 3",
        },
        {"name": "late payments hurt members", "change": _LATE, "expect": {"score": "decreases"}, "where": "member"},
        {"name": "nobody matches", "change": _LATE, "expect": {"score": "decreases"}, "where": "late > 99"},
    ],
}


def _model(columns):
    """Sound, but for members of the north who gain by being late, and a loss of nerve about spaces."""
    score = logistic(columns)
    spaced = np.array([bool(text) and text != text.strip() for text in columns["region"]])
    odd = (columns["region"] == "north") & columns["member"] & (columns["income"] > 3500)
    return np.where(spaced, score * 0.8, np.where(odd, np.minimum(0.6 + 0.1 * columns["late"], 1), score))


def behavior_result(suite: dict | None = None, count: int = 1500) -> BehaviorResult:
    """What the gate finds, without a model to load."""
    asked = parse(Suite, suite or _SUITE, field="suite")
    subject, table = subject_of(_model), rows(count)
    cases = []
    for path, case in asked.cases:
        row = inline_row(case, subject, None, path)
        answered = compare(case, row, subject.answer(row), subject, path)
        cases.append(CaseFinding(case, case_check(case, answered), answered))
    found = []
    for _, rule in asked.rules:
        if rule.name.startswith("what"):
            refusal = DataError("the model failed to score", field="model", mend="Try it on a few rows by hand")
            found.append(untried_rule(rule, refusal))
        elif rule.name.startswith("nobody"):
            found.append(unmatched_rule(rule, "split test"))
        else:
            drawn = Drawn(table, np.arange(count, dtype=np.uint64) // 2, count, True)
            trial = try_rule(rule, drawn, subject, seed=0, n_offenders=POLICY.shown)
            found.append(judge_rule(rule, trial, POLICY, rules=len(asked.rules)))
    checks = tuple(one.check for one in (*cases, *found))
    worst = [check for check in checks if check.status is Status.FAIL] or checks
    verdict = Verdict(GATE, checks, worst[0].reason, {"golden": len(cases), "rules": len(found)})
    return BehaviorResult(verdict, tuple(cases), tuple(found), True, "test", "examples/loans-behavior.yaml", "binary")


def behavior_page() -> tuple[str, list[str]]:
    """The page, and words a reader must find in it."""
    result = behavior_result()
    view = behavior_view(result, POLICY)
    html = render("behavior.html.j2", title="Behavior", subtitle=view.suite, view=view, verdict=result.verdict)
    return html, [
        "Known cases",
        "How often rules break",
        "late payments never help",
        "What was changed",
        "must not raise",
    ]
