"""KServe 0.20's admission webhooks for InferenceServices: what they fill in and what they refuse.

A real HTTPS server that the API server calls. The rules are those of ``inference_service_defaults.go`` and
``inference_service_validation.go`` that predictors with a ``model`` can meet.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from builders.cluster import ApiServer
from builders.kserve_controller import OLD_MODES
from builders.kserve_objects import MODE_ANNOTATION

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_FIXED_REPLICAS = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")
_GROUP = "admissionregistration.k8s.io"


def completed(isvc: Mapping[str, Any], default_mode: str) -> dict[str, Any]:
    """The InferenceService as the defaulting webhook returns it.

    A model passes through KServe's own types on the way and comes back with an empty ``name`` and ``resources``, which
    the schema of ``spec.canary`` needs and a client that compares specifications stumbles over.
    """
    made = copy.deepcopy(dict(isvc))
    annotations = made["metadata"].setdefault("annotations", {})
    if MODE_ANNOTATION in annotations:
        annotations[MODE_ANNOTATION] = OLD_MODES.get(annotations[MODE_ANNOTATION], annotations[MODE_ANNOTATION])
    elif default_mode == "Standard":
        annotations[MODE_ANNOTATION] = default_mode
    for predictor in _predictors(made):
        if "model" in predictor:
            predictor["model"] = {"name": "", "resources": {}, **predictor["model"]}
    if model_format := made["spec"]["predictor"].get("model", {}).get("modelFormat", {}).get("name"):
        annotations.setdefault("modelFormat", model_format)
    return made


def refusal(isvc: Mapping[str, Any], before: Mapping[str, Any] | None) -> str | None:
    """Why the validating webhook refuses an InferenceService, or ``None``.

    Args:
        isvc: completed.
        before: what it replaces; ``None`` on creation.
    """
    if "deletionTimestamp" in isvc["metadata"]:
        return None
    if before is not None and (said := _refusal_of_change(isvc, before)):
        return said
    stable, canaries = isvc["spec"]["predictor"], isvc["spec"].get("canary") or []
    if not _NAME.fullmatch(isvc["metadata"]["name"]):
        return f"the InferenceService {isvc['metadata']['name']!r} is invalid: a name is lower case, dashes inside only"
    if stable.get("model", {}).get("name"):
        return "the 'name' field is not allowed in standard predictor"
    for predictor in _predictors(isvc):
        if said := _refusal_of_predictor(predictor):
            return said
    return _refusal_of_canaries(isvc, stable, canaries) if canaries else None


def _refusal_of_change(isvc: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    recorded = before.get("status", {}).get("deploymentMode")
    asked = isvc["metadata"].get("annotations", {}).get(MODE_ANNOTATION)
    if recorded and asked and asked != recorded:
        return f"update rejected: deploymentMode cannot be changed from '{recorded}' to '{asked}'"
    old, new = before["spec"]["predictor"], isvc["spec"]["predictor"]
    if old.get("name") != new.get("name") and _uri(old) == _uri(new):
        return "predictor.name change requires a model change (e.g. storageUri)"
    return None


def _refusal_of_predictor(predictor: Mapping[str, Any]) -> str | None:
    if "model" not in predictor and not predictor.get("containers"):
        return "exactly one of [model, containers, ...] must be specified in PredictorSpec"
    smallest, largest = predictor.get("minReplicas", 1), predictor.get("maxReplicas", 0)
    if smallest < 0 or largest < 0:
        return "replicas cannot be less than 0"
    if smallest > largest != 0:
        return "MinReplicas cannot be greater than MaxReplicas"
    return None


def _refusal_of_canaries(
    isvc: Mapping[str, Any], stable: Mapping[str, Any], canaries: list[dict[str, Any]]
) -> str | None:
    if isvc["metadata"].get("annotations", {}).get(MODE_ANNOTATION) != "Standard":
        return "canary is only supported in Standard deployment mode"
    names = {stable.get("name", "")}
    for position, entry in enumerate(canaries):
        predictor = entry["predictor"]
        name = predictor.get("name")
        if not name:
            return f"canary[{position}] predictor.name is required"
        if name in names:
            return f"canary predictor.name {name!r} is duplicated, or that of the stable predictor"
        names.add(name)
        for field in _FIXED_REPLICAS:
            if predictor.get(field):
                return f"canary {name!r} must not set {field} (canary uses fixed replicas)"
        if predictor.get("minReplicas", 0) > stable.get("minReplicas", 1):
            return f"canary {name!r} minReplicas must not exceed stable predictor minReplicas"
    total = sum(entry["trafficPercent"] for entry in canaries)
    return f"sum of canary trafficPercent values ({total}) must be <= 100" if total > 100 else None


class Webhooks:
    """The webhooks, called by the API server as long as the ``with`` block.

    Args:
        api: the server, the CRDs already in it.
        default_mode: what ``defaultDeploymentMode`` is in KServe's configuration.
    """

    def __init__(self, api: ApiServer, default_mode: str = "Standard") -> None:
        self._api = api
        self._server = _Server(default_mode)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = api.certificate("kserve-webhooks")
        context.load_cert_chain(certificate.certificate, certificate.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        for kind in ("Mutating", "Validating"):
            self._api.request("POST", f"/apis/{_GROUP}/v1/{kind.lower()}webhookconfigurations", self._manifest(kind))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in ("mutating", "validating"):
            path = f"/apis/{_GROUP}/v1/{name}webhookconfigurations/inferenceservice.serving.kserve.io"
            self._api.request("DELETE", path)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _manifest(self, kind: str) -> dict[str, Any]:
        rule = {
            "apiGroups": ["serving.kserve.io"],
            "apiVersions": ["v1beta1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["inferenceservices"],
        }
        address = f"https://127.0.0.1:{self._server.server_address[1]}/{kind.lower()}"
        authority = base64.b64encode(self._api.authority.read_bytes()).decode()
        webhook = {
            "name": f"inferenceservice.kserve-webhook-server.{kind.lower()}",
            "clientConfig": {"url": address, "caBundle": authority},
            "rules": [rule],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        return {"metadata": {"name": "inferenceservice.serving.kserve.io"}, "webhooks": [webhook]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, default_mode: str) -> None:
        self.default_mode = default_mode
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """A refusal is told to the client."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        judge = self._complete if self.path.startswith("/mutating") else self._judge
        try:
            answer = judge(request)
        except (AttributeError, KeyError, TypeError) as error:  # the schema is looked at only after the webhooks
            answer = _denied(400, f"cannot be decoded: {error!r}")
        answer["uid"] = request["uid"]
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        made = completed(request["object"], self.server.default_mode)
        patch = [
            {"op": "add", "path": "/metadata/annotations", "value": made["metadata"]["annotations"]},
            {"op": "replace", "path": "/spec", "value": made["spec"]},
        ]
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}

    def _judge(self, request: Mapping[str, Any]) -> dict[str, Any]:
        said = refusal(request["object"], request.get("oldObject"))
        return _denied(403, said) if said else {"allowed": True}


def _denied(code: int, said: str) -> dict[str, Any]:
    return {"allowed": False, "status": {"code": code, "message": said}}


def _predictors(isvc: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [isvc["spec"]["predictor"], *(entry["predictor"] for entry in isvc["spec"].get("canary") or [])]


def _uri(predictor: Mapping[str, Any]) -> str:
    return str(predictor.get("model", {}).get("storageUri", ""))
