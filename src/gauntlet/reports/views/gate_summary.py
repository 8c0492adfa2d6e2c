"""Page of a stage: whether the run goes on, and what each gate before it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.gates import GATES
from gauntlet.registry.enforcement import StageDecision
from gauntlet.reports.page import render
from gauntlet.verdict import Check, Status, Verdict

_SCORES = {Status.PASS: 1.0, Status.INCONCLUSIVE: 0.0, Status.FAIL: -1.0, Status.ERROR: -2.0}


@dataclass(frozen=True)
class GateRow:
    """One gate.

    Attributes:
        verdict: what it found.
        question: what it asks; empty for a team's own gate.
        effect: what enforcement makes of the verdict: ``stops``, ``warns`` or ``goes on``.
        headline: the worst check that measured something.
    """

    verdict: Verdict
    question: str
    effect: str
    headline: Check | None


@dataclass(frozen=True)
class GateSummaryView:
    """Content of the page.

    Attributes:
        status: the worst verdict that stops the run; else the worst of all.
        headline: whether the run goes on, in a sentence.
        gates: those that stop the run first, then those that warn, then the others.
    """

    status: Status
    headline: str
    gates: tuple[GateRow, ...]


def gate_summary_page(decision: StageDecision, verdicts: Sequence[Verdict]) -> str:
    """Render the page of a stage's decision on these verdicts."""
    title = _capitalised(decision.stage)
    return render("gate_summary.html.j2", title=title, view=gate_summary_view(decision, verdicts))


def gate_summary_view(decision: StageDecision, verdicts: Sequence[Verdict]) -> GateSummaryView:
    """Make the view of a stage's decision."""
    effects = (("stops", decision.blocking), ("warns", decision.warnings), ("goes on", decision.passed))
    rows = tuple(_row(verdict, effect) for effect, those in effects for verdict in those)
    told = decision.blocking or verdicts
    status = max((verdict.enforceable for verdict in told), key=lambda one: one.severity)
    return GateSummaryView(status, f"{_capitalised(decision.summary)}.", rows)


def scalars(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Numbers to compare runs by: a score for each gate, and what its worst check measured.

    Args:
        verdicts: one for each gate.

    Returns:
        ``evaluate_slices`` → 1 (pass), 0 (inconclusive), -1 (fail) or -2 (error); a gate that was asked nothing has
        none. ``evaluate_slices: sex=female: recall`` → the value measured, in the metric's own units.
    """
    found: dict[str, float] = {}
    for verdict in verdicts:
        if verdict.enforceable in _SCORES:
            found[verdict.gate] = _SCORES[verdict.enforceable]
        check = _headline(verdict)
        if check is not None and check.measured is not None:
            found[f"{verdict.gate}: {check.name}"] = check.measured
    return found


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _row(verdict: Verdict, effect: str) -> GateRow:
    question = next((gate.question for gate in GATES if gate.name == verdict.gate), "")
    return GateRow(verdict, question, effect, _headline(verdict))


def _headline(verdict: Verdict) -> Check | None:
    asked_first = sorted(verdict.worst_first, key=lambda check: check.advisory)
    return next((check for check in asked_first if check.measured is not None), None)
