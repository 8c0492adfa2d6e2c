"""Standard mode: the state of an InferenceService, its Deployments and its route. No I/O.

The stable version is ``spec.predictor``, the candidate an entry of ``spec.canary``: two Deployments, each behind its
Service. A candidate's name holds its version and digest, so its Deployment tells what it runs.

Traps that shape this module:

- An entry that names no ``minReplicas`` gets its share of the stable ones: none at all at 0 %. It may not have more
  than the predictor asks for, and KServe takes as many from the predictor, ready or not. So the entry always names
  them, enough for its share, and the predictor is given that many more for as long as the rollout lasts.
- KServe 0.20 takes ``trafficPercent`` and sends nothing: an HTTPRoute of our own splits. Newer ones split in their own
  route as well, which then lists the entry's Service. Whatever splits has to show the weight before it is believed.
- Changing ``predictor.name`` deletes the Deployment of the old one: routes leave it first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.ports import TargetStatus
from gauntlet.delivery.rollout.state import Phase, Rollout
from gauntlet.delivery.targets.kserve.predictors import (
    Identity,
    Json,
    identity_in_pods,
    identity_of,
    mark_of,
)
from gauntlet.delivery.targets.kserve.resources import predictor_service
from gauntlet.delivery.targets.kserve.saved_state import SavedState
from gauntlet.delivery.targets.kserve.standard import routes
from gauntlet.digest import short

NOTE = "gauntlet.dev/rollout"
"""Annotation of our HTTPRoute; unlike one of the InferenceService it reaches no pod."""
_DIGITS = 8
_LONGEST_NAME = 63
"""Of a Service."""


@dataclass(frozen=True)
class Workload:
    """A Deployment: its model, how many of its pods answer, and why no more ever will, if that is known."""

    identity: Identity | None
    available: int = 0
    wanted: int = 1
    failed: str = ""

    @property
    def ready(self) -> bool:
        """Whether all the pods asked for answer."""
        return self.available >= max(self.wanted, 1)


@dataclass(frozen=True)
class View:
    """An InferenceService with its Deployments and routes, at one moment.

    Attributes:
        name: of it.
        predictor: ``spec.predictor``.
        entries: ``spec.canary``.
        workloads: Deployments by name, which are their Services' names; one whose template is not yet the one
            specified, or whose pods are not of it, is left out.
        route: our HTTPRoute, if there is one.
        kserve_route: KServe's, if there is one.
        runtime: that KServe chose.
        before: what was there before the rollout.
    """

    name: str
    predictor: Json
    entries: tuple[Json, ...] = ()
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    route: Json | None = None
    kserve_route: Json | None = None
    runtime: str = ""
    before: SavedState | None = None

    def specifies(self, release: Release) -> bool:
        """Whether ``spec.predictor`` holds this version."""
        return holds(self.predictor, release)

    def entry(self, release: Release) -> Json | None:
        """The entry of ``spec.canary`` that holds this version."""
        return next((entry for entry in self.entries if holds(entry["predictor"], release)), None)

    def service(self, release: Release) -> str:
        """The Service of this version; empty where the specification does not have it."""
        entry = self.entry(release)
        holder = self.predictor if self.specifies(release) else entry and entry["predictor"]
        return predictor_service(self.name, holder.get("name", "")) if holder else ""

    def answers(self, release: Release) -> bool:
        """Whether this version is specified, and pods of it answer."""
        workload = self.workloads.get(self.service(release))
        return bool(workload and workload.identity and workload.identity.runs(release) and workload.available)

    def splitting(self, service: str) -> list[Json]:
        """The routes whose weights a rollout sets: ours, and KServe's where that knows the entry's Service."""
        both = [self.route] if self.route is not None else []
        theirs = self.kserve_route
        if theirs is not None and routes.knows(theirs, self.name, service) and routes.accepted(theirs):
            both.append(theirs)
        return both

    def share(self, service: str) -> int | None:
        """Percent of the requests for a Service; ``None`` where routes differ, or one is not taken as it is."""
        every = self.splitting(service)
        shares = {routes.share(route, self.name, service) if routes.taken(route) else None for route in every}
        return shares.pop() if len(shares) == 1 else None


def variant_name(release: Release) -> str:
    """``predictor.name`` of a version: ``v7-0123abcd``."""
    version = re.sub(r"[^a-z0-9]+", "-", release.version.lower()).strip("-")
    return f"v{version}-{short(release.digest, _DIGITS)}"


def workload(document: Json) -> Workload | None:
    """A Deployment; ``None`` as long as its pods may be of an earlier template."""
    status, spec = document.get("status") or {}, document["spec"]
    wanted = int(spec.get("replicas", 1))
    if status.get("observedGeneration") != document["metadata"]["generation"]:
        return None
    progressing: Mapping[str, Any] = next(
        (condition for condition in status.get("conditions") or () if condition["type"] == "Progressing"), {}
    )
    late = progressing.get("reason") == "ProgressDeadlineExceeded"
    available = min(int(status.get("availableReplicas", 0)), int(status.get("updatedReplicas", 0)))
    failed = f"{progressing['reason']}: {progressing.get('message', '')}" if late else ""
    return Workload(identity_in_pods(spec["template"]["spec"]), available, wanted, failed)


# -- status of the rollout --------------------------------------------------------------------------------------------
def target_status(view: View, rollout: Rollout) -> TargetStatus:
    """The status of a rollout."""
    back = rollout.phase is Phase.ROLLING_BACK
    candidate = view.service(rollout.candidate)
    return TargetStatus(
        candidate_ready=view.answers(rollout.candidate) if back else candidate_ready(view, rollout),
        stable_ready=view.answers(rollout.stable),
        weight=view.share(candidate) if candidate else 0,
        failed="" if back else _failed(view, rollout),
        done=_is_back(view, rollout) if back else _is_promoted(view, rollout),
    )


def candidate_ready(view: View, rollout: Rollout) -> bool:
    """All its pods answer, and something there can split the requests."""
    workload = view.workloads.get(view.service(rollout.candidate))
    return bool(
        view.before is not None
        and view.answers(rollout.candidate)
        and workload
        and workload.ready
        and view.splitting(view.service(rollout.candidate))
    )


def _failed(view: View, rollout: Rollout) -> str:
    candidate, stable = rollout.candidate, rollout.stable
    if (candidate.version, candidate.digest) == (stable.version, stable.digest):
        return "it is the version that serves already"
    if candidate.uri == stable.uri:
        return f"it lies where {stable} does ({candidate.uri}), and KServe promotes no such predictor"
    identity = identity_of(view.predictor)
    specified = "no version" if identity is None else f"version {identity.version}"
    if view.before is None:
        return "" if view.specifies(stable) else f"the InferenceService specifies {specified}, not {stable}"
    if not (view.specifies(stable) or view.specifies(candidate)):
        return f"somebody changed the model to {specified}"
    if rollout.phase is not Phase.DEPLOYING and not view.service(candidate):
        return "somebody took it out of the specification"
    if too_long(view.name, candidate):
        return f"the name of its Service would be longer than {_LONGEST_NAME} characters"
    workload = view.workloads.get(view.service(candidate))
    return workload.failed if workload and not view.answers(candidate) else ""


def _is_promoted(view: View, rollout: Rollout) -> bool:
    service = view.service(rollout.candidate)
    promoted = view.specifies(rollout.candidate) and not view.entries and view.answers(rollout.candidate)
    return promoted and all(routes.taken(route) and routes.only(route, view.name, service) for route in ours(view))


def _is_back(view: View, rollout: Rollout) -> bool:
    if view.before is None:
        return True  # nothing was changed by this rollout, for that is written down before
    back = view.specifies(rollout.stable) and not view.service(rollout.candidate) and view.answers(rollout.stable)
    service = view.service(rollout.stable)
    return (
        back
        and view.predictor.get("minReplicas") == replicas_before(view)
        and all(routes.taken(route) for route in ours(view))
        and stands_alone(view, service, mark_of("after", rollout))
    )


def ours(view: View) -> list[Json]:
    """Our route, if there is one."""
    return [view.route] if view.route is not None else []


def stands_alone(view: View, service: str, note: str = "") -> bool:
    """Whether our route, if there is one, knows this Service alone, mirrors nothing, and has this note."""
    return all(
        routes.only(route, view.name, service) and note in ("", (route["metadata"].get("annotations") or {}).get(NOTE))
        for route in ours(view)
    )


def holds(predictor: Mapping[str, Any], release: Release) -> bool:
    """Whether a predictor, or that of an entry, holds this version."""
    identity = identity_of(predictor)
    return identity is not None and identity.runs(release)


def replicas_before(view: View) -> int | None:
    """``minReplicas`` of the predictor as it was before the rollout; ``None`` where it names none."""
    predictor = view.predictor if view.before is None else view.before.predictor
    replicas = predictor.get("minReplicas")
    return None if replicas is None else int(replicas)


def too_long(name: str, release: Release) -> bool:
    """Whether the Service of this version would have a name longer than a Service may have."""
    return len(predictor_service(name, variant_name(release))) > _LONGEST_NAME
