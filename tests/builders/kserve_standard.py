"""KServe's Standard mode against the API server: Deployments, Services and routes, and the pods behind them.

Release 0.20 splits no traffic. What follows it (pull requests 5912 and 5984 of kserve/kserve) gives each canary that is
ready its ``trafficPercent`` in KServe's own route, and takes replicas from the stable predictor for such canaries only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from builders import kserve_objects, kserve_status
from builders.cluster import ApiServer, Refused
from builders.gateway_controller import ROUTES
from builders.kserve_behavior import Behavior

_WANTED = "tests.gauntlet/wanted"
_APPS, _CORE = "/apis/apps/v1", "/api/v1"

Release = Literal["0.20", "0.21"]
Ages = dict[tuple[str, int], int]
"""Steps since a Deployment (its UID) was given the generation."""


def reconcile(
    api: ApiServer,
    isvc: Mapping[str, Any],
    status: dict[str, Any],
    ages: Ages,
    behavior: Behavior,
    *,
    release: Release,
    makes_routes: bool,
) -> bool:
    """One pass of KServe, then one of the controllers of its Deployments.

    Args:
        api: where the objects are.
        isvc: the InferenceService.
        status: its status, written in place.
        ages: kept from pass to pass.
        behavior: how the pods fare.
        release: of KServe.
        makes_routes: whether KServe creates HTTPRoutes.

    Returns:
        Whether something was written, or pods are under way.
    """
    ready = {item["name"] for item in status.get("canaryStatuses", ()) if item["ready"]}
    percents = {item["predictor"]["name"]: item["trafficPercent"] for item in isvc["spec"].get("canary") or []}
    wanted = kserve_objects.variants(isvc, counted=ready if release == "0.21" else percents)
    found = {}
    for name, predictor in wanted.items():
        found[name] = _ensure(api, _APPS, "deployments", kserve_objects.deployment(isvc, name, predictor))
        _ensure(api, _CORE, "services", kserve_objects.service(isvc, name))
    moved = drop_others(api, isvc, set(wanted))
    _propagate(status, isvc, wanted, found)
    if makes_routes and status["conditions"]["PredictorReady"][0] == "True":
        split = {name: percent for name, percent in percents.items() if name in ready} if release == "0.21" else {}
        _ensure_routes(api, isvc, split, release)
    for name, made in found.items():
        moved |= _run_pods(api, made, _uri(wanted[name]), ages, behavior)
    return moved


def _ensure_routes(api: ApiServer, isvc: Mapping[str, Any], split: Mapping[str, int], release: Release) -> None:
    service, variant = isvc["metadata"]["name"], isvc["spec"]["predictor"].get("name")
    stable = kserve_objects.predictor_name(service, variant)
    weights = {stable: 100 - sum(split.values()) if split else 1}
    weights |= {kserve_objects.predictor_name(service, name): percent for name, percent in split.items()}
    # Before, the route was named after the predictor's variant, and a promotion left the one before behind.
    own = kserve_objects.predictor_name(service, None if release == "0.21" else variant)
    for name in (service, own):
        _ensure(api, ROUTES, "httproutes", kserve_objects.http_route(isvc, name, weights))


def drop_others(api: ApiServer, isvc: Mapping[str, Any], wanted: set[str]) -> bool:
    """Delete the predictors that the specification no longer names, at once; say whether there was one."""
    selector = f"{kserve_objects.SERVICE_LABEL}={isvc['metadata']['name']},{kserve_objects.COMPONENT_LABEL}=predictor"
    dropped = False
    for group, plural in ((_APPS, "deployments"), (_CORE, "services")):
        collection = f"{group}/namespaces/{isvc['metadata']['namespace']}/{plural}"
        for item in api.request("GET", f"{collection}?labelSelector={selector}")["items"]:
            if item["metadata"]["name"] not in wanted:
                api.request("DELETE", f"{collection}/{item['metadata']['name']}")
                dropped = True
    return dropped


def _propagate(
    status: dict[str, Any], isvc: Mapping[str, Any], wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> None:
    stable, *canaries = wanted
    seen = found[stable].get("status", {})
    status["url"] = f"http://{isvc['metadata']['name']}-{isvc['metadata']['namespace']}.example.com"
    kserve_status.propagate_deployment(status, seen, status["url"])
    entries = isvc["spec"].get("canary") or []
    available = [found[name].get("status", {}).get("availableReplicas", 0) for name in canaries]
    kserve_status.propagate_canaries(status, list(zip(entries, available, strict=True)))
    kserve_status.propagate_ingress(status, waits_as="False")
    has_failed = any(item.get("reason") == "ProgressDeadlineExceeded" for item in seen.get("conditions", ()))
    kserve_status.propagate_model(
        status,
        pods=found[stable]["spec"]["replicas"],
        ready_pods=seen.get("availableReplicas", 0),
        failure=f"cannot load {_uri(wanted[stable])}" if has_failed else None,
        is_settled=True,
        is_broken=False,
    )


def _run_pods(api: ApiServer, made: dict[str, Any], uri: str, ages: Ages, behavior: Behavior) -> bool:
    """Bring up the pods of a Deployment's present generation, as far as they come."""
    metadata, before = made["metadata"], made.get("status", {})
    key = (metadata["uid"], metadata["generation"])
    state = behavior.outcome(ages.get(key, 0), uri)
    ages[key] = ages.get(key, 0) + 1
    after = kserve_objects.deployment_status(made, before, state)
    if _told(after) == _told(before):
        return state == "pending"
    path = f"{_APPS}/namespaces/{metadata['namespace']}/deployments/{metadata['name']}/status"
    api.request("PUT", path, {**made, "status": after})
    return True


def _told(status: Mapping[str, Any]) -> dict[str, Any]:
    """A Deployment's status without the times that the server adds to it."""
    conditions = [(item["type"], item["status"], item["reason"]) for item in status.get("conditions", ())]
    return {**status, "conditions": conditions}


def _ensure(api: ApiServer, group: str, plural: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The object, created or replaced when it is not what is wanted. What the server adds to it does not count."""
    metadata = wanted["metadata"]
    collection = f"{group}/namespaces/{metadata['namespace']}/{plural}"
    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    noted = {**metadata, "annotations": {**metadata.get("annotations", {}), _WANTED: digest}}
    try:
        found = api.request("GET", f"{collection}/{metadata['name']}")
    except Refused as refused:
        if refused.status != 404:
            raise
        return api.request("POST", collection, {**wanted, "metadata": noted})
    if found["metadata"].get("annotations", {}).get(_WANTED) == digest:
        return found
    noted["resourceVersion"] = found["metadata"]["resourceVersion"]
    return api.request("PUT", f"{collection}/{metadata['name']}", {**wanted, "metadata": noted})


def _uri(predictor: Mapping[str, Any]) -> str:
    return str(predictor.get("model", {}).get("storageUri", ""))
