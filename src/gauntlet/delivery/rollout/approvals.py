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
    """What people decided of a rollout.

    Attributes:
        step: the highest step that was approved, in percent; 0: none.
        abort: why it is to be rolled back; empty: nobody aborts it.
    """

    step: int = 0
    abort: str = ""


ApprovalSource = Callable[[Rollout], Approval]


def no_approvals(rollout: Rollout) -> Approval:
    """Nobody approves or aborts anything."""
    return Approval()


def tag_approvals(store: ModelStore, model_name: str) -> ApprovalSource:
    """What the tags of the candidate's version say: ``gauntlet.approve: 50``, ``gauntlet.abort: why``.

    A registry that does not answer says nothing: approval then waits, and nothing else is held up.
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
    """The furthest approval and the first abort of several sources."""

    def decided(rollout: Rollout) -> Approval:
        found = [approvals(rollout) for approvals in sources]
        step = max((one.step for one in found), default=0)
        return Approval(step, next((one.abort for one in found if one.abort), ""))

    return decided


def approved_step(text: str) -> int:
    """``50`` or ``50 %`` as 50; anything else approves nothing.

    >>> approved_step("50 %"), approved_step("yes"), approved_step("-5")
    (50, 0, 0)
    """
    number = text.strip().removesuffix("%").strip()
    return min(int(number), 100) if number.isascii() and number.isdigit() else 0
