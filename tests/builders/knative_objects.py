"""Knative's own objects on the API server: the Service and the Revisions that ``KnativeService`` has in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from builders.cluster import ApiServer, Refused
from builders.knative import KnativeService

SERVING = "/apis/serving.knative.dev/v1"
SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
_READY = {"pending": "Unknown", "ready": "True", "failed": "False"}

Published = dict[str, str]
"""Path → what was last written there."""


def publish(api: ApiServer, service: KnativeService, published: Published) -> None:
    """Write what changed since the last call.

    Args:
        api: the server.
        service: after its tick.
        published: kept from call to call.
    """
    folder = f"{SERVING}/namespaces/{service.namespace}"
    for revision in service.revisions:
        condition = {"type": "Ready", "status": _READY[revision.state]}
        if revision.state == "failed":
            condition |= {"reason": "ExitCode1", "message": "Container failed with: exit code 1."}
        metadata = {"name": revision.name, "annotations": {SOURCE: _uri(revision.template)}}
        wanted = {"kind": "Revision", "metadata": metadata, "spec": _pods(revision.template)}
        _write(api, f"{folder}/revisions", wanted, {"conditions": [condition]}, published)
    template, traffic = service.desired
    spec = {"template": {"spec": _pods(template)}, "traffic": list(traffic)}
    status = {key: value for key, value in service.status.items() if key != "conditions"}
    wanted = {"kind": "Service", "metadata": {"name": service.name}, "spec": spec}
    _write(api, f"{folder}/services", wanted, status, published)


def forget(api: ApiServer, namespace: str, revision: str) -> None:
    """Delete a Revision, as Knative's garbage collection does with those that have no traffic."""
    api.request("DELETE", f"{SERVING}/namespaces/{namespace}/revisions/{revision}")


def _uri(template: Mapping[str, Any]) -> str:
    return str(template.get("spec", {}).get("model", {}).get("storageUri", ""))


def _pods(template: Mapping[str, Any]) -> dict[str, Any]:
    model = template.get("spec", {}).get("model", {})
    return {"containers": [{"name": "kserve-container", "image": "example.com/server", "env": model.get("env", [])}]}


def _write(
    api: ApiServer, collection: str, wanted: dict[str, Any], status: dict[str, Any], published: Published
) -> None:
    path = f"{collection}/{wanted['metadata']['name']}"
    body = json.dumps([wanted, status], sort_keys=True)
    if published.get(path) == body:
        return
    wanted = {"apiVersion": "serving.knative.dev/v1", **wanted}
    try:
        if path in published:
            found = api.request("PATCH", path, {"spec": wanted["spec"]}, "application/merge-patch+json")
        else:
            found = api.request("POST", collection, wanted)
        if "observedGeneration" in status:
            status = {**status, "observedGeneration": found["metadata"]["generation"]}
        api.request("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")
        published[path] = body
    except Refused as refused:
        if refused.status != 404:  # collected as garbage: it stays away
            raise
        published[path] = body
