"""Recovers a rollout, and the state to roll back to, from its InferenceService where no journal tells. No I/O.

What was kept before the first change tells most, where that can be read and is of the versions that are there. Else, in
both modes, what is specified with a share of the requests is the candidate, and who has the others is stable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import Phase, Rollout, begin
from gauntlet.delivery.targets.kserve.knative.view import View as KnativeView
from gauntlet.delivery.targets.kserve.predictors import release_in, with_percent, with_release
from gauntlet.delivery.targets.kserve.saved_state import SavedRollout, SavedState
from gauntlet.delivery.targets.kserve.standard import routes
from gauntlet.delivery.targets.kserve.standard.view import View as StandardView


class InferredRollout(NamedTuple):
    """A rollout, in the phase that its candidate's share tells, and what was there before it."""

    rollout: Rollout
    before: SavedState


# -- Standard mode ----------------------------------------------------------------------------------------------------
def standard_rollout(view: StandardView, service: str, kept: SavedRollout | None, now: float) -> InferredRollout | None:
    """What ``spec.predictor``, ``spec.canary`` and the weights tell; ``None`` where only one version is there."""
    specified = release_in(view.predictor)
    beside = [one for one in map(release_in, (entry["predictor"] for entry in view.entries)) if one is not None]
    if specified is None:
        return None
    told = _told(kept, service, (specified, *beside))
    if told is not None and (beside or told.rollout.candidate == specified):
        return _with_weight(told, _weight(view, told.rollout.candidate), over=not beside)
    if not beside:
        return None
    candidate = max(beside, key=lambda release: _weight(view, release))
    shown = InferredRollout(begin(service, candidate, specified, now), standard_saved_state(view))
    return _with_weight(shown, _weight(view, candidate))


def standard_saved_state(view: StandardView) -> SavedState:
    """The predictor with as many pods fewer as it was given beside an entry; that many stay where none were added."""
    least, most = view.predictor.get("minReplicas"), int(view.predictor.get("maxReplicas") or 0)
    added = sum(int(one["predictor"].get("minReplicas", 1)) for one in view.entries)
    if least is None or not added or int(least) == most:
        return SavedState(view.predictor)
    return SavedState({**view.predictor, "minReplicas": max(int(least) - added, 0)})


def _weight(view: StandardView, release: Release) -> int:
    """Percent of the requests that a version is asked to have, by the specification or by any route."""
    entry = view.entry(release)
    if entry is None:
        others = sum(int(one.get("trafficPercent") or 0) for one in view.entries)
        return 100 - others if view.specifies(release) else 0
    service = view.service(release)
    shares = [routes.share(one, view.name, service) or 0 for one in view.splitting(service)]
    return max(int(entry.get("trafficPercent") or 0), *shares, 0)


# -- Knative mode -----------------------------------------------------------------------------------------------------
def knative_rollout(view: KnativeView, service: str, kept: SavedRollout | None, now: float) -> InferredRollout | None:
    """What the template, its percentage and the revisions with requests tell; ``None`` where one version has all."""
    specified = release_in(view.predictor)
    if specified is None:
        return None
    told = _told(kept, service, (specified,))
    if told is not None:
        weight, over = view.share(told.rollout.candidate) or 0, False
        if told.rollout.candidate == specified:
            over = view.percent is None
            weight = max(weight, 100 if over else view.percent or 0)
        return _with_weight(told, weight, over) if weight or view.percent is not None else None
    stable = next(iter(_others(view, specified)), None)
    if stable is None or view.percent is None:
        return None
    shown = InferredRollout(begin(service, specified, stable, now), knative_saved_state(view, stable))
    return _with_weight(shown, max(view.share(specified) or 0, view.percent))


def knative_saved_state(view: KnativeView, stable: Release) -> SavedState:
    """The template as it is, with the stable version in it."""
    return SavedState(with_release(with_percent(view.predictor, None), stable, view.runtime), view.rolled_out)


def _others(view: KnativeView, specified: Release) -> Iterable[Release]:
    """Versions other than the specified one that revisions run: who has the requests first."""
    for name in (*view.traffic, view.rolled_out, view.previous):
        revision = view.revisions.get(name)
        identity = None if revision is None else revision.identity
        if revision is not None and identity is not None and revision.uri and not identity.runs(specified):
            yield Release(identity.version, identity.digest, revision.uri)


# -- both -------------------------------------------------------------------------------------------------------------
def _told(kept: SavedRollout | None, service: str, there: Iterable[Release]) -> InferredRollout | None:
    """By what was kept, if it is of the versions that are there; ``None`` otherwise."""
    stable = None if kept is None else release_in(kept.before.predictor)
    if kept is None or stable is None:
        return None
    known = {kept.candidate, _identity(stable)}
    found = {_identity(one): one for one in there}
    if not set(found) <= known:
        return None
    version, digest = kept.candidate
    candidate = found.get(kept.candidate, Release(version, digest, ""))
    return InferredRollout(begin(service, candidate, stable, kept.began, kept.attempt), kept.before)


def _with_weight(shown: InferredRollout, weight: int, over: bool = False) -> InferredRollout:
    phase = Phase.PROMOTED if over else Phase.RAMPING if weight else Phase.DEPLOYING
    return InferredRollout(replace(shown.rollout, phase=phase, weight=weight), shown.before)


def _identity(release: Release) -> tuple[str, str]:
    return release.version, release.digest
