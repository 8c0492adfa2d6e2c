"""Recovers a rollout without a journal, and the state to roll back to, from its InferenceService. No I/O.

The state saved before the first change is used where it can be read and is of the versions that are there. Else, in
both modes, the version specified with a share of the requests is the candidate, and the one with the others is stable.
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
    """A rollout, in the phase that its candidate's share implies, and the state before it."""

    rollout: Rollout
    before: SavedState


# -- Standard mode ----------------------------------------------------------------------------------------------------
def standard_rollout(view: StandardView, service: str, kept: SavedRollout | None, now: float) -> InferredRollout | None:
    """Infer a rollout from ``spec.predictor``, ``spec.canary`` and the weights; ``None`` with one version alone."""
    specified = release_in(view.predictor)
    releases = (release_in(entry["predictor"]) for entry in view.entries)
    beside = [release for release in releases if release is not None]
    if specified is None:
        return None
    saved = _saved(kept, service, (specified, *beside))
    if saved is not None and (beside or saved.rollout.candidate == specified):
        return _with_weight(saved, _weight(view, saved.rollout.candidate), over=not beside)
    if not beside:
        return None
    candidate = max(beside, key=lambda release: _weight(view, release))
    inferred = InferredRollout(begin(service, candidate, specified, now), standard_saved_state(view))
    return _with_weight(inferred, _weight(view, candidate))


def standard_saved_state(view: StandardView) -> SavedState:
    """The predictor less the pods that were added for entries; unchanged where none were added."""
    least, most = view.predictor.get("minReplicas"), int(view.predictor.get("maxReplicas") or 0)
    added = sum(int(entry["predictor"].get("minReplicas", 1)) for entry in view.entries)
    if least is None or not added or int(least) == most:
        return SavedState(view.predictor)
    return SavedState({**view.predictor, "minReplicas": max(int(least) - added, 0)})


def _weight(view: StandardView, release: Release) -> int:
    """Percent of the requests that the specification or any route gives a version."""
    entry = view.entry(release)
    if entry is None:
        others = sum(int(other.get("trafficPercent") or 0) for other in view.entries)
        return 100 - others if view.specifies(release) else 0
    service = view.service(release)
    shares = [routes.share(route, view.name, service) or 0 for route in view.splitting(service)]
    return max(int(entry.get("trafficPercent") or 0), *shares, 0)


# -- Knative mode -----------------------------------------------------------------------------------------------------
def knative_rollout(view: KnativeView, service: str, kept: SavedRollout | None, now: float) -> InferredRollout | None:
    """Infer a rollout from the template, its percentage and the traffic; ``None`` where one version has all."""
    specified = release_in(view.predictor)
    if specified is None:
        return None
    saved = _saved(kept, service, (specified,))
    if saved is not None:
        weight, over = view.share(saved.rollout.candidate) or 0, False
        if saved.rollout.candidate == specified:
            over = view.percent is None
            weight = max(weight, 100 if over else view.percent or 0)
        return _with_weight(saved, weight, over) if weight or view.percent is not None else None
    stable = next(iter(_others(view, specified)), None)
    if stable is None or view.percent is None:
        return None
    inferred = InferredRollout(begin(service, specified, stable, now), knative_saved_state(view, stable))
    return _with_weight(inferred, max(view.share(specified) or 0, view.percent))


def knative_saved_state(view: KnativeView, stable: Release) -> SavedState:
    """The template as it is, with the stable version in it."""
    return SavedState(with_release(with_percent(view.predictor, None), stable, view.runtime), view.rolled_out)


def _others(view: KnativeView, specified: Release) -> Iterable[Release]:
    """Versions other than the specified one that revisions run; those with requests first."""
    for name in (*view.traffic, view.rolled_out, view.previous):
        revision = view.revisions.get(name)
        identity = None if revision is None else revision.identity
        if revision is not None and identity is not None and revision.uri and not identity.runs(specified):
            yield Release(identity.version, identity.digest, revision.uri)


# -- both -------------------------------------------------------------------------------------------------------------
def _saved(kept: SavedRollout | None, service: str, there: Iterable[Release]) -> InferredRollout | None:
    """The rollout of the saved state, if that is of the versions that are there; ``None`` otherwise."""
    stable = None if kept is None else release_in(kept.before.predictor)
    if kept is None or stable is None:
        return None
    known = {kept.candidate, _identity(stable)}
    releases = {_identity(release): release for release in there}
    if not set(releases) <= known:
        return None
    version, digest = kept.candidate
    candidate = releases.get(kept.candidate, Release(version, digest, ""))
    return InferredRollout(begin(service, candidate, stable, kept.began, kept.attempt), kept.before)


def _with_weight(inferred: InferredRollout, weight: int, over: bool = False) -> InferredRollout:
    phase = Phase.PROMOTED if over else Phase.RAMPING if weight else Phase.DEPLOYING
    return InferredRollout(replace(inferred.rollout, phase=phase, weight=weight), inferred.before)


def _identity(release: Release) -> tuple[str, str]:
    return release.version, release.digest
