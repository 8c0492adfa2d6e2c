"""Manual approvals and aborts of a rollout."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DependencyError
from gauntlet.registry.store import ModelStore

APPROVE_TAG = "gauntlet.approve"
ABORT_TAG = "gauntlet.abort"


class Approval(NamedTuple):
    """Manual decisions on a rollout.

    Attributes:
        step: the highest step that was approved, in percent; 0: none.
        abort: why a person wants it rolled back; empty: nobody aborts it.
    """

    step: int = 0
    abort: str = ""


ApprovalSource = Callable[[Rollout], Approval]


def no_approvals(rollout: Rollout) -> Approval:
    """Approve and abort nothing."""
    return Approval()


def tag_approvals(store: ModelStore, model_name: str) -> ApprovalSource:
    """Read decisions from tags of the candidate's version: ``gauntlet.approve: 50``, ``gauntlet.abort: why``.

    Where the registry does not answer there are none: an approval then waits, and nothing else is held up.
    """

    def decided(rollout: Rollout) -> Approval:
        try:
            version = store.get(model_name, int(rollout.candidate.version))
        except DependencyError:
            return Approval()
        tags = version.tags if version else {}
        return Approval(approved_step(tags.get(APPROVE_TAG, "")), tags.get(ABORT_TAG, "").strip())

    return decided


def combine_approvals(*sources: ApprovalSource) -> ApprovalSource:
    """Combine sources: the highest approval and the first abort."""

    def decided(rollout: Rollout) -> Approval:
        approvals = [source(rollout) for source in sources]
        step = max((approval.step for approval in approvals), default=0)
        return Approval(step, next((approval.abort for approval in approvals if approval.abort), ""))

    return decided


def approved_step(text: str) -> int:
    """Parse ``50`` or ``50 %`` as 50; anything else approves nothing.

    >>> approved_step("50 %"), approved_step("yes"), approved_step("-5")
    (50, 0, 0)
    """
    number = text.strip().removesuffix("%").strip()
    return min(int(number), 100) if number.isascii() and number.isdigit() else 0
