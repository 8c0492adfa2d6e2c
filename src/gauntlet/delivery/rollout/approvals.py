"""What people said of a rollout: approvals of a step, and the wish to have it back."""

from __future__ import annotations

from collections.abc import Callable

from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DependencyError
from gauntlet.registry.store import ModelStore

APPROVE_TAG = "gauntlet.approve"
REFUSE_TAG = "gauntlet.refuse"

Said = tuple[int, str]
"""The highest step, in percent, that was approved (0: none), and why it is refused (empty: it is not)."""
People = Callable[[Rollout], Said]


def nobody(rollout: Rollout) -> Said:
    """Nobody says anything."""
    return 0, ""


def by_tags(store: ModelStore, model_name: str) -> People:
    """What the tags of the candidate's version say: ``gauntlet.approve: 50``, ``gauntlet.refuse: why``.

    A registry that does not answer says nothing: approval then waits, and nothing else is held up.
    """

    def said(rollout: Rollout) -> Said:
        try:
            version = store.get(model_name, int(rollout.candidate.version))
        except DependencyError:
            return 0, ""
        tags = version.tags if version else {}
        return approved_step(tags.get(APPROVE_TAG, "")), tags.get(REFUSE_TAG, "").strip()

    return said


def either(*all_of_them: People) -> People:
    """The furthest approval and the first refusal of several sources."""

    def said(rollout: Rollout) -> Said:
        heard = [people(rollout) for people in all_of_them]
        return max((step for step, _ in heard), default=0), next((why for _, why in heard if why), "")

    return said


def approved_step(text: str) -> int:
    """``50`` or ``50 %`` as 50; anything else approves nothing.

    >>> approved_step("50 %"), approved_step("yes"), approved_step("-5")
    (50, 0, 0)
    """
    number = text.strip().removesuffix("%").strip()
    return min(int(number), 100) if number.isascii() and number.isdigit() else 0
