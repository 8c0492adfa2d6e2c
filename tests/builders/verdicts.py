"""Checks and verdicts for those who read them: whatever a test does not name is as good as anything."""

from __future__ import annotations

from typing import Any

from gauntlet.verdict import Check, Status, Verdict

GATE = "evaluate_performance"


def check(
    name: str = "auc",
    status: Status = Status.PASS,
    reason: str = "A sentence.",
    *numbers: Any,
    gate: str = GATE,
    kind: str = "bound",
    **fields: Any,
) -> Check:
    """A check; ``numbers`` as in ``Check``, after its reason."""
    return Check(name, status, reason, *numbers, code=f"{gate}.{kind}", **fields)


def verdict(gate: str = GATE, *statuses: Status, summary: str = "A summary.", **flags: bool) -> Verdict:
    """A gate's verdict with one check a status; no two of them say the same."""
    checks = (
        check(f"check {i}", status, f"{gate} sentence {i} says {status.value}", gate=gate, **flags)
        for i, status in enumerate(statuses)
    )
    return Verdict(gate, tuple(checks), summary)
