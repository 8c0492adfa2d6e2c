"""The API server's rules for objects, in memory: versions, generations, merge patches, status apart, finalizers.

Fast enough to try every instant at which something can go wrong. It answers ``request`` as ``ApiServer`` does, so the
same controllers run on it; schemas, webhooks and permissions are the real server's alone.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from builders.refusal import Refused
from gauntlet.delivery.targets.kserve.api import Api, Json

_WITH_STATUS = {"inferenceservices", "httproutes", "deployments", "revisions", "services.serving.knative.dev"}
_KEPT = ("uid", "resourceVersion", "generation", "name", "namespace", "deletionTimestamp")


class MemoryServer:
    """Objects by kind, namespace and name.

    Attributes:
        schemas: path under ``/openapi/v3/`` → what is published there; other groups are not known.
        denied: (verb, plural) that an access review answers with no.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self.denied: set[tuple[str, str]] = set()
        self._objects: dict[tuple[str, str, str], Json] = {}
        self._versions = itertools.count(1)
        self._names = itertools.count(1)

    def namespace(self, prefix: str = "test") -> str:
        return f"{prefix}-{next(self._names)}"

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """One request, with ``ApiServer.request``'s arguments, answer and errors."""
        split = urlsplit(path)
        if split.path.startswith("/openapi/v3/"):
            if split.path not in self.schemas:
                raise Refused(404, '{"message": "404 page not found"}')
            return self.schemas[split.path]
        kind, namespace, name, part = _address(split.path)
        selector = parse_qs(split.query).get("labelSelector", [""])[0]
        if method == "GET" and not name:
            return {"items": [copy.deepcopy(one) for one in self._list(kind, namespace, selector)]}
        if kind == "selfsubjectaccessreviews":
            asked = body["spec"]["resourceAttributes"]
            return {"status": {"allowed": (asked["verb"], asked["resource"]) not in self.denied}}
        if method == "POST":
            return copy.deepcopy(self._create(kind, namespace, json.loads(json.dumps(body))))
        found = self._objects.get((kind, namespace, name))
        if found is None:
            raise _refused(404, "NotFound", f'{kind} "{name}" not found', {"name": name, "kind": kind})
        if method == "DELETE":
            self._delete((kind, namespace, name), found)
        elif method in ("PUT", "PATCH"):
            wanted = json.loads(json.dumps(body))
            asked = wanted.get("metadata", {}).get("resourceVersion")
            if asked and asked != found["metadata"]["resourceVersion"]:
                raise _refused(409, "Conflict", "the object has been modified", {"name": name, "kind": kind})
            if method == "PATCH":
                wanted = merged(found, wanted)
            self._replace((kind, namespace, name), found, wanted, part)
        return copy.deepcopy(self._objects.get((kind, namespace, name), found))

    def _list(self, kind: str, namespace: str, selector: str) -> list[Json]:
        wanted = dict(one.split("=", 1) for one in selector.split(",") if one)
        return [
            one
            for (found, place, _), one in sorted(self._objects.items())
            if found == kind
            and place == (namespace or place)
            and wanted.items() <= (one["metadata"].get("labels") or {}).items()
        ]

    def _create(self, kind: str, namespace: str, body: Json) -> Json:
        key = (kind, namespace, body["metadata"]["name"])
        if key in self._objects:
            raise _refused(409, "AlreadyExists", f"{kind} {key[2]!r} already exists", {"name": key[2], "kind": kind})
        version = next(self._versions)
        stamped = {"uid": f"uid-{version}", "resourceVersion": str(version), "generation": 1, "namespace": namespace}
        body["metadata"] = {**_without_nulls(body["metadata"]), **stamped}
        if kind in _WITH_STATUS:
            body.pop("status", None)
        self._objects[key] = body
        return body

    def _replace(self, key: tuple[str, str, str], found: Json, wanted: Json, part: str) -> None:
        if part == "status":
            after = {**found, "status": wanted.get("status", {})}
        else:
            metadata = {**wanted["metadata"], **{one: found["metadata"].get(one) for one in _KEPT}}
            after = {**wanted, "metadata": {field: value for field, value in metadata.items() if value is not None}}
            if key[0] in _WITH_STATUS:
                after.pop("status", None)
                after |= {"status": found["status"]} if "status" in found else {}
        if after == found:
            return  # nothing changed: no new version
        after = copy.deepcopy(after)
        if after.get("spec") != found.get("spec"):
            after["metadata"]["generation"] += 1
        after["metadata"]["resourceVersion"] = str(next(self._versions))
        self._objects[key] = after
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
            del self._objects[key]

    def _delete(self, key: tuple[str, str, str], found: Json) -> None:
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "now"
        else:
            del self._objects[key]


class MemoryApi(Api):
    """The client, with a server in memory behind it.

    Args:
        server: what answers.
        fate: called before a request takes effect and after it, with its method, its path and which of both; what it
            raises is what happens to whoever asked.
    """

    def __init__(
        self, server: MemoryServer, fate: Callable[[str, str, str], None] = lambda method, path, when: None
    ) -> None:
        self._server, self._fate = server, fate
        self._sleep, self._draw = (lambda seconds: None), (lambda: 0.5)

    def _call(
        self, method: str, path: str, body: Json | None, query: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], Json]:
        self._fate(method, path, "before")
        try:
            answer = self._server.request(method, path, body)
        except Refused as refused:
            return refused.status, {}, json.loads(str(refused))
        self._fate(method, path, "after")
        return 200, {}, answer


def merged(under: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(under) if isinstance(under, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _without_nulls(metadata: Json) -> Json:
    return {key: value for key, value in metadata.items() if value is not None}


def _address(path: str) -> tuple[str, str, str, str]:
    """Kind, namespace, name and subresource of a path; the first qualified where two groups share a plural."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, name, part = (*rest, "", "", "")[:3]
    return (
        (f"{plural}.{group}" if group == "serving.knative.dev" and plural == "services" else plural),
        (namespace),
        name,
        part,
    )


def _refused(status: int, reason: str, message: str, details: Mapping[str, str]) -> Refused:
    said = {"kind": "Status", "code": status, "reason": reason, "message": message, "details": dict(details)}
    return Refused(status, json.dumps(said))
