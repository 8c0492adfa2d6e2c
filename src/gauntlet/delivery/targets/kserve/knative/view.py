"""Knative mode: the state of an InferenceService and its revisions. No I/O.

A revision is identified by the model in its template, never by its name alone, so a new controller recognises it.

Traps that shape this module:

- Less than 100 % sends the rest to the revision that last had everything (``latestRolledoutRevision``). KServe tells
  which one that is from the traffic of one moment. While a new template's route is seen before its revision, that
  moment looks like a rollback, and the rest goes to the revision *before* it. So a deployment first makes sure that
  this one runs the stable version too, by a copy of it.
- A rollback that ends with percent 0 leaves the bad model in the specification, and the next change rolls it out.
- ``status`` may be of an earlier specification, and its ``observedGeneration`` counts something else. What Knative's
  own Service says of the template that it has tells whether ours has arrived; the mark in a restored one makes sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.ports import TargetStatus
from gauntlet.delivery.rollout.state import Phase, Rollout
from gauntlet.delivery.targets.kserve.predictors import (
    PERCENT,
    Identity,
    Json,
    identity_in_pods,
    identity_of,
    mark_of,
)
from gauntlet.delivery.targets.kserve.saved_state import SavedState

SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
"""KServe's annotation of a revision: the URI that its pods load the model from."""


@dataclass(frozen=True)
class Revision:
    """One revision: its model, whether it is ready, why it cannot be, if Knative says so, and the model's URI."""

    identity: Identity | None
    ready: bool
    failed: str = ""
    uri: str = ""


@dataclass(frozen=True)
class View:
    """An InferenceService and its revisions, at one moment.

    Attributes:
        predictor: ``spec.predictor``.
        arrived: Knative has reconciled this very template, and the status is of that.
        created: the latest revision; ``ready``: the latest that is; ``rolled_out``, ``previous``: the latest that had
            all requests, and the one before it; each empty if there is none.
        traffic: revision → percent of the requests, as routed.
        revisions: by name, as far as they exist.
        runtime: that KServe chose.
        before: the state saved before the rollout.
    """

    predictor: Json
    arrived: bool = False
    created: str = ""
    ready: str = ""
    rolled_out: str = ""
    previous: str = ""
    traffic: Mapping[str, int] = field(default_factory=dict)
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    runtime: str = ""
    before: SavedState | None = None

    @property
    def percent(self) -> int | None:
        """The share that the specification gives its template; ``None`` for all."""
        return self.predictor.get(PERCENT)

    def specifies(self, release: Release) -> bool:
        """Whether ``spec.predictor`` holds this version."""
        identity = identity_of(self.predictor)
        return identity is not None and identity.runs(release)

    def runs(self, name: str, release: Release) -> bool:
        """Whether the revision of this name is there and holds this version."""
        revision = self.revisions.get(name)
        return revision is not None and revision.identity is not None and revision.identity.runs(release)

    def answers(self, name: str, release: Release) -> bool:
        """Whether that revision holds this version and is ready."""
        return self.runs(name, release) and self.revisions[name].ready

    def share(self, release: Release) -> int | None:
        """Percent of the requests that go to revisions of this version; ``None`` if nothing is routed."""
        if not self.traffic:
            return None
        return sum(percent for name, percent in self.traffic.items() if self.runs(name, release))

    @property
    def settled(self) -> bool:
        """One revision, of the template specified, has all requests."""
        latest = {self.created, self.ready, self.rolled_out}
        return self.arrived and self.percent is None and len(latest) == 1 and dict(self.traffic) == {self.created: 100}


def read(isvc: Json, service: Json | None, revisions: Mapping[str, Revision], before: SavedState | None) -> View:
    """Read the state off the objects.

    Args:
        isvc: the InferenceService.
        service: Knative's Service of its predictor, read after it; ``None`` if there is none.
        revisions: those named in the status, and the one Knative made last.
        before: the state saved before the rollout.
    """
    predictor, status = isvc["spec"]["predictor"], isvc.get("status") or {}
    component = (status.get("components") or {}).get("predictor") or {}
    traffic: dict[str, int] = {}
    for target in component.get("traffic") or ():
        name = target.get("revisionName", "")
        traffic[name] = traffic.get(name, 0) + int(target.get("percent") or 0)
    return View(
        predictor=predictor,
        arrived=_arrived(predictor, component, service, revisions),
        created=component.get("latestCreatedRevision", ""),
        ready=component.get("latestReadyRevision", ""),
        rolled_out=component.get("latestRolledoutRevision", ""),
        previous=component.get("previousRolledoutRevision", ""),
        traffic={name: percent for name, percent in traffic.items() if percent},
        revisions=revisions,
        runtime=status.get("servingRuntimeName") or status.get("clusterServingRuntimeName") or "",
        before=before,
    )


def named(isvc: Json) -> set[str]:
    """Names of all revisions in the status of an InferenceService."""
    component = ((isvc.get("status") or {}).get("components") or {}).get("predictor") or {}
    kinds = ("latestCreatedRevision", "latestReadyRevision", "latestRolledoutRevision", "previousRolledoutRevision")
    names = {component.get(kind, "") for kind in kinds}
    return (names | {target.get("revisionName", "") for target in component.get("traffic") or ()}) - {""}


def revision(document: Json) -> Revision:
    """Read a Knative Revision."""
    conditions = (document.get("status") or {}).get("conditions") or ()
    ready: Json = next((condition for condition in conditions if condition["type"] == "Ready"), {})
    failed = f"{ready.get('reason', '')}: {ready.get('message', '')}" if ready.get("status") == "False" else ""
    uri = (document["metadata"].get("annotations") or {}).get(SOURCE, "")
    return Revision(identity_in_pods(document["spec"]), ready.get("status") == "True", failed, uri)


def _arrived(predictor: Json, component: Json, service: Json | None, revisions: Mapping[str, Revision]) -> bool:
    """Whether the latest revision of the status was made of the template specified, and of no earlier one."""
    if service is None:
        return False
    status, wanted = service.get("status") or {}, identity_of(predictor)
    pods = ((service["spec"].get("template") or {}).get("spec")) or {}
    latest = (status.get("latestCreatedRevisionName"), status.get("latestReadyRevisionName"))
    created = revisions.get(component.get("latestCreatedRevision", ""))
    return (
        identity_in_pods(pods) == wanted
        and status.get("observedGeneration") == service["metadata"]["generation"]
        and latest == (component.get("latestCreatedRevision"), component.get("latestReadyRevision"))
        and created is not None
        and created.identity == wanted
    )


# -- status of the rollout --------------------------------------------------------------------------------------------
def target_status(view: View, rollout: Rollout) -> TargetStatus:
    """The status of a rollout."""
    back = rollout.phase is Phase.ROLLING_BACK
    return TargetStatus(
        candidate_ready=_answering(view, rollout.candidate) if back else candidate_ready(view, rollout),
        stable_ready=stable_ready(view, rollout),
        weight=view.share(rollout.candidate),
        failed="" if back else _failed(view, rollout),
        done=_is_back(view, rollout) if back else _is_promoted(view, rollout),
    )


def candidate_ready(view: View, rollout: Rollout) -> bool:
    """The specified template is the candidate's, and its revision is the latest and answers."""
    return (
        view.before is not None
        and view.specifies(rollout.candidate)
        and view.arrived
        and view.created == view.ready != view.before.revision
        and view.answers(view.ready, rollout.candidate)
    )


def stable_ready(view: View, rollout: Rollout) -> bool:
    """The stable version answers, or would if it were given the requests that the candidate has."""
    if _answering(view, rollout.stable) or (view.arrived and view.answers(view.ready, rollout.stable)):
        return True
    return view.answers(remainder(view, rollout), rollout.stable)


def _answering(view: View, release: Release) -> bool:
    return any(view.answers(name, release) for name in view.traffic)


def remainder(view: View, rollout: Rollout) -> str:
    """The revision that gets the other requests: where the candidate has had all, KServe takes the previous one."""
    return view.previous if view.runs(view.rolled_out, rollout.candidate) else view.rolled_out


def _failed(view: View, rollout: Rollout) -> str:
    candidate, stable = rollout.candidate, rollout.stable
    if (candidate.version, candidate.digest) == (stable.version, stable.digest):
        return "it is the version that serves already"
    identity = identity_of(view.predictor)
    if view.before is None:
        return "" if view.specifies(stable) else f"the InferenceService specifies {_named(identity)}, not {stable}"
    if view.specifies(stable):
        return "" if rollout.phase is Phase.DEPLOYING else f"somebody put {stable} back"
    if not view.specifies(candidate):
        return f"somebody changed the model to {_named(identity)}"
    if view.rolled_out and not (view.runs(view.rolled_out, stable) or view.runs(view.rolled_out, candidate)):
        return f"KServe sends the other requests to {view.rolled_out}, which is not {stable}"
    latest = view.revisions.get(view.created)
    return latest.failed if view.arrived and latest and view.created != view.ready else ""


def _named(identity: Identity | None) -> str:
    return "no version" if identity is None else f"version {identity.version}"


def _is_promoted(view: View, rollout: Rollout) -> bool:
    return view.settled and view.specifies(rollout.candidate) and view.answers(view.ready, rollout.candidate)


def _is_back(view: View, rollout: Rollout) -> bool:
    """The stable version is specified and has all requests, by a template that no late change of ours can undo."""
    if view.before is None:
        return True  # this rollout has changed nothing, or the state before would be saved
    return is_restored(view, rollout) and view.settled and view.answers(view.ready, rollout.stable)


def is_restored(view: View, rollout: Rollout) -> bool:
    """Whether the template specified is the one that this rollout puts back."""
    identity = identity_of(view.predictor)
    restored = mark_of("after", rollout)
    return identity is not None and identity.runs(rollout.stable) and identity.mark == restored
