"""Knative mode: the next change of an InferenceService's predictor. No I/O.

Each step is decided from what is there, and so is idempotent: one that is done, or has to wait for an earlier one, is
``None``.
"""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.targets.kserve.knative.view import View, candidate_ready, is_restored, remainder
from gauntlet.delivery.targets.kserve.predictors import Json, mark_of, marked, with_percent, with_release
from gauntlet.delivery.targets.kserve.saved_state import SavedState


@dataclass(frozen=True)
class Change:
    """One step: save the state before the rollout, or change the predictor. Either, never both."""

    keep: SavedState | None = None
    predictor: Json | None = None


def deploy(view: View, rollout: Rollout) -> Change | None:
    """The next step to a candidate that runs without requests; ``None`` where it has to wait."""
    before = view.before
    if view.specifies(rollout.candidate) and before is not None:
        return None if view.percent is not None else Change(predictor=with_percent(view.predictor, 0))
    if not view.specifies(rollout.stable) or not view.settled:
        return None
    if before is None:
        return Change(keep=SavedState(view.predictor))
    if view.previous and not view.runs(view.previous, rollout.stable):
        copied = marked(view.predictor, mark_of("before", rollout))
        return Change(predictor=copied) if copied != view.predictor else None
    if before.revision != view.ready:
        return Change(keep=SavedState(before.predictor, view.ready))
    return Change(predictor=with_percent(with_release(view.predictor, rollout.candidate, view.runtime), 0))


def set_weight(view: View, rollout: Rollout) -> Change | None:
    """The next step to the rollout's weight, never before the candidate answers."""
    ready = candidate_ready(view, rollout) and view.runs(remainder(view, rollout), rollout.stable)
    return _share(view, rollout.weight) if ready else None


def promote(view: View, rollout: Rollout) -> Change | None:
    """The next step to a specification of the candidate alone."""
    if not candidate_ready(view, rollout):
        return None
    return _share(view, None if view.share(rollout.candidate) == 100 else 100)


def restore(view: View, rollout: Rollout) -> Change | None:
    """Restore the old template, at the candidate's share: Knative moves that once the new revision is ready."""
    return None if view.before is None else _put_back(view, rollout, view.before, view.percent)


def roll_back(view: View, rollout: Rollout) -> Change | None:
    """The next step to the stable version, routes first: share 0, then the old template still at 0, then no share."""
    if view.before is None:
        return None
    if is_restored(view, rollout):
        back = view.arrived and view.created == view.ready and view.answers(view.ready, rollout.stable)
        return _share(view, None) if back else None
    if view.specifies(rollout.stable) and view.percent is None:
        return _put_back(view, rollout, view.before, None)
    if not view.answers(remainder(view, rollout), rollout.stable):
        return _put_back(view, rollout, view.before, view.percent)
    if view.percent != 0:
        return _share(view, 0)
    return _put_back(view, rollout, view.before, 0) if view.share(rollout.stable) == 100 else None


def _put_back(view: View, rollout: Rollout, before: SavedState, percent: int | None) -> Change | None:
    if is_restored(view, rollout):
        return None
    return Change(predictor=with_percent(marked(before.predictor, mark_of("after", rollout)), percent))


def _share(view: View, percent: int | None) -> Change | None:
    return None if view.percent == percent else Change(predictor=with_percent(view.predictor, percent))
