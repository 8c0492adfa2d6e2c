"""KServe's Knative mode: one Knative Service for the predictor, its traffic split by ``canaryTrafficPercent``.

Semantics of KServe 0.20 (``reconcilers/knative/ksvc_reconciler.go``). The Knative Service is a model in memory; the API
server knows its kind but holds none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from builders import kserve_objects, kserve_status
from builders.knative import KnativeService, Revision
from builders.kserve_behavior import Behavior


def reconcile(service: KnativeService, isvc: Mapping[str, Any], status: dict[str, Any], behavior: Behavior) -> bool:
    """One pass of KServe, then one of Knative.

    Args:
        service: of the predictor.
        isvc: the InferenceService.
        status: its status, written in place.
        behavior: how the revisions fare.

    Returns:
        Whether Knative moved, or has revisions under way.
    """
    seen = copy.deepcopy(service.status)  # the answer to an update still carries the status from before it
    rolled_out = status["components"].get("predictor", {}).get("latestRolledoutRevision", "")
    service.apply(_template(isvc), _traffic(isvc["spec"]["predictor"].get("canaryTrafficPercent"), rolled_out))
    _propagate(status, seen, service, behavior)
    before = copy.deepcopy(service.status)
    service.tick(
        lambda revision: behavior.outcome(revision.age, storage_uri(revision)), route_first=behavior.route_first
    )
    return before != service.status or any(revision.state == "pending" for revision in service.revisions)


def storage_uri(revision: Revision) -> str:
    """The model of a revision."""
    return str(revision.template["spec"].get("model", {}).get("storageUri", ""))


def _propagate(status: dict[str, Any], seen: Mapping[str, Any], service: KnativeService, behavior: Behavior) -> None:
    kserve_status.propagate_knative(status, seen)
    kserve_status.propagate_ingress(status, waits_as="Unknown")
    created, ready = (seen.get(f"latest{kind}RevisionName", "") for kind in ("Created", "Ready"))
    latest = next((revision for revision in service.revisions if revision.name == created), None)
    is_ready = latest is not None and latest.state == "ready"
    pods = 0 if latest is None or (behavior.idle and is_ready) else 1
    kserve_status.propagate_model(
        status,
        pods=pods,
        ready_pods=pods if is_ready else 0,
        failure=f"cannot load {storage_uri(latest)}" if latest and latest.state == "failed" else None,
        is_settled=created == ready,
        is_broken=any(condition[0] == "False" for condition in seen.get("conditions", {}).values()),
    )


def _template(isvc: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of the predictor but the percentage, and what the pods carry of annotations and labels."""
    predictor = {key: value for key, value in isvc["spec"]["predictor"].items() if key != "canaryTrafficPercent"}
    name = kserve_objects.predictor_name(isvc["metadata"]["name"], predictor.get("name"))
    metadata = {"annotations": kserve_objects.annotations(isvc), "labels": kserve_objects.labels(isvc, name)}
    return {"metadata": metadata, "spec": predictor}


def _traffic(percent: int | None, rolled_out: str) -> list[dict[str, Any]]:
    """The percentage to the latest revision, the rest to the one last seen with all traffic, whichever that is."""
    if percent is None or not rolled_out:
        return [{"latestRevision": True, "percent": 100}]
    targets: list[dict[str, Any]] = [{"latestRevision": True, "percent": percent}]
    if percent < 100:
        targets.append({"revisionName": rolled_out, "percent": 100 - percent, "tag": "prev"})
    return targets
