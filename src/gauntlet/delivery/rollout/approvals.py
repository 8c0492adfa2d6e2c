"""What people said of a rollout: approvals of a step, and the wish to have it back."""

from __future__ import annotations

from collections.abc import Callable

from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DependencyError
from gauntlet.registry.store import ModelStore

APPROVE_TAG = "gauntlet.approve"
ABORT_TAG = "gauntlet.abort"

Approval = tuple[int, str]
"""The highest step, in percent, that was approved (0: none), and why it is refused (empty: it is not)."""
ApprovalSource = Callable[[Rollout], Approval]


def no_approvals(rollout: Rollout) -> Approval:
    """Nobody says anything."""
    return 0, ""


def tag_approvals(store: ModelStore, model_name: str) -> ApprovalSource:
    """What the tags of the candidate's version say: ``gauntlet.approve: 50``, ``gauntlet.abort: why``.

    A registry that does not answer says nothing: approval then waits, and nothing else is held up.
    """

    def said(rollout: Rollout) -> Approval:
        try:
            version = store.get(model_name, int(rollout.candidate.version))
        except DependencyError:
            return 0, ""
        tags = version.tags if version else {}
        return approved_step(tags.get(APPROVE_TAG, "")), tags.get(ABORT_TAG, "").strip()

    return said


def combine_approvals(*all_of_them: ApprovalSource) -> ApprovalSource:
    """The furthest approval and the first refusal of several sources."""

    def said(rollout: Rollout) -> Approval:
        heard = [approvals(rollout) for approvals in all_of_them]
        return max((step for step, _ in heard), default=0), next((why for _, why in heard if why), "")

    return said


def approved_step(text: str) -> int:
    """``50`` or ``50 %`` as 50; anything else approves nothing.

    >>> approved_step("50 %"), approved_step("yes"), approved_step("-5")
    (50, 0, 0)
    """
    number = text.strip().removesuffix("%").strip()
    return min(int(number), 100) if number.isascii() and number.isdigit() else 0
