"""Standard mode: the next change of an InferenceService, or of its route. No I/O.

Each step is decided from what is there, and so is idempotent: one that is done, or has to wait for an earlier one, is
``None``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.targets.kserve.predictors import Json, mark_of, with_release
from gauntlet.delivery.targets.kserve.saved_state import SavedState
from gauntlet.delivery.targets.kserve.standard import routes
from gauntlet.delivery.targets.kserve.standard.view import (
    View,
    candidate_ready,
    holds,
    replicas_before,
    stands_alone,
    variant_name,
)


@dataclass(frozen=True)
class Change:
    """One step: save the state before the rollout, change ``spec``, or change the rules of our route. One of them.

    Attributes:
        note: an annotation of our route, which gives it a new version, so that a late change of ours conflicts.
    """

    keep: SavedState | None = None
    spec: Json | None = None
    rules: list[Json] | None = None
    note: str = ""


def deploy(view: View, rollout: Rollout) -> Change | None:
    """The next step to a candidate that runs beside the stable version, without requests."""
    if not view.specifies(rollout.stable) or view.service(rollout.candidate):
        return None
    if view.before is None:
        quiet = not view.entries and view.answers(rollout.stable)
        return Change(keep=SavedState(view.predictor)) if quiet else None
    if view.entries:
        return None
    return _alone(view, view.service(rollout.stable)) or _with_entry(view, rollout.candidate, weight=0)


def set_weight(view: View, rollout: Rollout) -> Change | None:
    """The next step to the rollout's weight: pods for it, then requests."""
    entry = view.entry(rollout.candidate)
    if entry is None or not candidate_ready(view, rollout):
        return None
    if entry["predictor"].get("minReplicas", 0) < _replicas(view, rollout.weight):
        return _with_entry(view, rollout.candidate, weight=entry["trafficPercent"], replicas_for=rollout.weight)
    return _shared(view, rollout.candidate, rollout.stable, rollout.weight)


def promote(view: View, rollout: Rollout) -> Change | None:
    """The next step to a specification with the candidate as the predictor: its pods stay as they are."""
    if not candidate_ready(view, rollout):
        return None
    return _make_predictor(view, rollout.candidate, rollout.stable)


def restore(view: View, rollout: Rollout) -> Change | None:
    """Add the stable version as an entry without requests, where a promotion has deleted it."""
    if view.before is None or view.service(rollout.stable):
        return None
    return _with_entry(view, rollout.stable, weight=0, replicas_for=100)


def roll_back(view: View, rollout: Rollout) -> Change | None:
    """The next step to the stable version, routes first, then the candidate out of the specification."""
    if view.before is None:
        return None
    if view.specifies(rollout.stable):
        service = view.service(rollout.stable)
        if change := _alone(view, service, mark_of("after", rollout)):
            return change
        entry = view.entry(rollout.candidate)
        # KServe's own route takes its weight from the entry, which stays until that is in force.
        if entry is not None and entry["trafficPercent"]:
            return _with_entry(view, rollout.candidate, weight=0)
        leaving = view.service(rollout.candidate)
        gone = not view.splitting(leaving) or view.share(leaving) == 0
        return _quiet(view) if gone else None
    if view.answers(rollout.stable):
        return _make_predictor(view, rollout.stable, rollout.candidate)
    if view.answers(rollout.candidate):
        return restore(view, rollout)
    # Neither answers, so there is nothing to lose by replacing one by the other in place.
    return Change(spec={"predictor": _predictor(view, rollout.stable), "canary": None})


def _make_predictor(view: View, release: Release, other: Release) -> Change | None:
    """Give all requests to one version, then move its entry's name and model into the predictor, in one change."""
    service = view.service(release)
    if view.specifies(release):
        return _alone(view, service) or _quiet(view)
    change = _shared(view, release, other, 100)
    if change is not None:
        return change
    if view.splitting(service) and view.share(service) != 100:
        return None
    return Change(spec={"predictor": _predictor(view, release), "canary": None})


def _predictor(view: View, release: Release) -> Json:
    """``spec.predictor`` with this version in it, under this version's name, and with the replicas of before."""
    entry = view.entry(release)
    name = entry["predictor"]["name"] if entry else variant_name(release)
    return {**_with_replicas_of_before(view), "name": name, "model": _model(view, release)}


def _model(view: View, release: Release) -> Json:
    """The model of a version: as before the rollout, if it was there, or else made from the present predictor."""
    if view.before is not None and holds(view.before.predictor, release):
        return dict(view.before.predictor["model"])
    return dict(with_release(view.predictor, release, view.runtime)["model"])


def _with_entry(view: View, release: Release, *, weight: int, replicas_for: int | None = None) -> Change | None:
    """Add or change a version's entry, and give the predictor as many more pods as KServe takes from it."""
    replicas = _replicas(view, weight if replicas_for is None else replicas_for)
    old = view.entry(release)
    if old is not None:
        replicas = max(replicas, int(old["predictor"].get("minReplicas", 1)))
    predictor = old["predictor"] if old else {"name": variant_name(release), "model": _model(view, release)}
    entry = {"predictor": {**predictor, "minReplicas": replicas}, "trafficPercent": weight}
    others = [
        {**other, "trafficPercent": min(other["trafficPercent"], 100 - weight)}
        for other in view.entries
        if other is not old
    ]
    spec: Json = {"predictor": dict(view.predictor), "canary": [*others, entry]}
    least = replicas_before(view)
    if least is not None:
        most = int(view.predictor.get("maxReplicas") or 0)
        spec["predictor"]["minReplicas"] = min(least + replicas, most) if most else least + replicas
    return None if spec == {"predictor": view.predictor, "canary": list(view.entries)} else Change(spec=spec)


def _shared(view: View, release: Release, other: Release, percent: int) -> Change | None:
    """Set the weights of two versions: in our route, then in the entry, where newer versions of KServe read them."""
    service, beside = view.service(release), view.service(other)
    if view.route is not None and routes.share(view.route, view.name, service) != percent:
        weights = {beside: 100 - percent, service: percent} if beside else {service: 100}
        return Change(rules=routes.weighted(view.route, view.name, weights))
    entry = view.entry(release)
    if entry is not None and entry["trafficPercent"] != percent:
        return _with_entry(view, release, weight=percent)
    return None


def _alone(view: View, service: str, note: str = "") -> Change | None:
    """Give all requests of our route to one Service, without a mirror; with this note, if one is given."""
    if view.route is None or stands_alone(view, service, note):
        return None
    bare = routes.mirrored(view.route, view.name, None)
    rules = routes.weighted({**view.route, "spec": {"rules": bare}}, view.name, {service: 100})
    return Change(rules=rules, note=note)


def _quiet(view: View) -> Change | None:
    """Remove the entries, and restore the replicas of before."""
    predictor = _with_replicas_of_before(view)
    if not view.entries and predictor == view.predictor:
        return None
    return Change(spec={"predictor": predictor, "canary": None})


def _with_replicas_of_before(view: View) -> Json:
    least = replicas_before(view)
    kept = {key: value for key, value in view.predictor.items() if key != "minReplicas"}
    return kept if least is None else {**kept, "minReplicas": least}


def _replicas(view: View, weight: int) -> int:
    return max(1, math.ceil((replicas_before(view) or 1) * weight / 100))
