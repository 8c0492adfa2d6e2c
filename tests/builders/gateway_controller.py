"""Plays a Gateway API implementation: says of each HTTPRoute whether its gateway takes it and its Services exist."""

from __future__ import annotations

import datetime
from typing import Any

from builders.cluster import ApiServer, Refused

NAME = "example.com/test-gateway"
ROUTES = "/apis/gateway.networking.k8s.io/v1"


def rfc3339() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def accept_routes(api: ApiServer, scope: str = "", *, refuse: frozenset[str] = frozenset()) -> bool:
    """Write the status of every HTTPRoute whose present generation has none, and say whether there was one.

    Args:
        api: the server.
        scope: ``/namespaces/NAME``, or nothing for all.
        refuse: names of routes that the gateway does not take.
    """
    wrote = False
    for route in api.request("GET", f"{ROUTES}{scope}/httproutes")["items"]:
        metadata = route["metadata"]
        parents = [_parent(api, route, parent, refuse) for parent in route["spec"].get("parentRefs", ())]
        if _told(parents) == _told(route.get("status", {}).get("parents", [])):
            continue
        path = f"{ROUTES}/namespaces/{metadata['namespace']}/httproutes/{metadata['name']}/status"
        try:
            api.request("PUT", path, {**route, "status": {"parents": parents}})
            wrote = True
        except Refused as refused:
            if refused.status not in (404, 409):  # changed or gone meanwhile: the next call sees it
                raise
    return wrote


def _parent(api: ApiServer, route: dict[str, Any], parent: dict[str, Any], refuse: frozenset[str]) -> dict[str, Any]:
    taken = route["metadata"]["name"] not in refuse
    found = all(_exists(api, route["metadata"]["namespace"], reference) for reference in _backends(route))
    return {
        "parentRef": parent,
        "controllerName": NAME,
        "conditions": [
            _condition(route, "Accepted", taken, "Accepted" if taken else "NotAllowedByListeners"),
            _condition(route, "ResolvedRefs", found, "ResolvedRefs" if found else "BackendNotFound"),
        ],
    }


def _backends(route: dict[str, Any]) -> list[dict[str, Any]]:
    """Services of all rules, mirrors included."""
    rules = route["spec"].get("rules", ())
    mirrors = [
        item["requestMirror"]["backendRef"]
        for rule in rules
        for item in rule.get("filters", ())
        if item["type"] == "RequestMirror"
    ]
    return [*(reference for rule in rules for reference in rule.get("backendRefs", ())), *mirrors]


def _exists(api: ApiServer, namespace: str, reference: dict[str, Any]) -> bool:
    try:
        api.request("GET", f"/api/v1/namespaces/{reference.get('namespace', namespace)}/services/{reference['name']}")
    except Refused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def _condition(route: dict[str, Any], kind: str, holds: bool, reason: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": str(holds),
        "reason": reason,
        "message": "",
        "observedGeneration": route["metadata"]["generation"],
        "lastTransitionTime": rfc3339(),
    }


def _told(parents: list[dict[str, Any]]) -> list[Any]:
    """What matters of a status: everything but the times."""
    return [
        (
            sorted(parent["parentRef"].items()),
            [(item["type"], item["status"], item["observedGeneration"]) for item in parent["conditions"]],
        )
        for parent in parents
    ]
