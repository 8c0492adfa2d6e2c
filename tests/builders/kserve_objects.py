"""What KServe's Standard mode wants of an InferenceService: Deployments, Services and routes. Pure functions.

Names, labels and merging follow KServe 0.20 (``components/predictor.go``, ``reconcilers/deployment``); the conditions
of a Deployment are those of Kubernetes' own controller.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping
from typing import Any

from builders.knative import State

MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
SERVICE_LABEL = "serving.kserve.io/inferenceservice"
COMPONENT_LABEL = "component"
AUTOSCALER_ANNOTATION = "serving.kserve.io/autoscalerClass"
GATEWAY = "kserve-ingress-gateway"
_NOT_PROPAGATED = {
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/max-scale",
    "internal.serving.kserve.io/storage-initializer-sourceuri",
    "kubectl.kubernetes.io/last-applied-configuration",
    "modelFormat",
}
_SCALING = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")


def inference_service(name: str, namespace: str, mode: str, uri: str, **predictor: Any) -> dict[str, Any]:
    """An InferenceService to create: one MLflow model in the mode ``Knative`` or ``Standard``.

    Args:
        name: of the service.
        namespace: where.
        mode: the deployment mode.
        uri: where the model lies.
        **predictor: more of ``spec.predictor``.
    """
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": namespace, "annotations": {MODE_ANNOTATION: mode}},
        "spec": {"predictor": {"model": model(uri), **predictor}},
    }


def model(uri: str) -> dict[str, Any]:
    """The ``model`` of a predictor."""
    return {"modelFormat": {"name": "mlflow"}, "runtime": "gauntlet", "storageUri": uri}


def predictor_name(service: str, variant: str | None) -> str:
    """``{isvc}-{name}-predictor``, or ``{isvc}-predictor`` where the predictor has no name."""
    return f"{service}-{variant}-predictor" if variant else f"{service}-predictor"


def variants(isvc: Mapping[str, Any], counted: Collection[str]) -> dict[str, dict[str, Any]]:
    """Each Deployment's name and the predictor it runs: the stable one first, then an entry of ``spec.canary`` each.

    A canary is the stable predictor with the entry's fields on top, so what an entry leaves out it inherits.

    Args:
        isvc: the InferenceService.
        counted: canaries for whose replicas the stable predictor gives up as many (but never its last).
    """
    service, stable = isvc["metadata"]["name"], isvc["spec"]["predictor"]
    canaries = isvc["spec"].get("canary") or []
    replicas_of = {entry["predictor"]["name"]: _replicas(stable, entry) for entry in canaries}
    first = copy.deepcopy(stable)
    if "minReplicas" in stable:
        taken = sum(replicas for name, replicas in replicas_of.items() if name in counted)
        first["minReplicas"] = max(stable["minReplicas"] - taken, 1)
    made = {predictor_name(service, stable.get("name")): first}
    for entry, replicas in zip(canaries, replicas_of.values(), strict=True):
        merged = _merged(stable, entry["predictor"])
        for field in _SCALING:
            merged.pop(field, None)
        made[predictor_name(service, entry["predictor"]["name"])] = {**merged, "minReplicas": replicas}
    return made


def annotations(isvc: Mapping[str, Any]) -> dict[str, str]:
    """Of the pods: every annotation of the InferenceService but five, so that state kept there makes a new revision."""
    own = {**isvc["metadata"].get("annotations", {}), **isvc["spec"]["predictor"].get("annotations", {})}
    return {key: value for key, value in own.items() if key not in _NOT_PROPAGATED}


def labels(isvc: Mapping[str, Any], name: str) -> dict[str, str]:
    """Of a Deployment, its pods and its Service: the InferenceService's own among them."""
    metadata = isvc["metadata"]
    return {
        **metadata.get("labels", {}),
        **isvc["spec"]["predictor"].get("labels", {}),
        SERVICE_LABEL: metadata["name"],
        COMPONENT_LABEL: "predictor",
        "app": f"isvc.{name}",
    }


def deployment(isvc: Mapping[str, Any], name: str, predictor: Mapping[str, Any]) -> dict[str, Any]:
    """The Deployment of a predictor. ``canaryTrafficPercent`` has no part in it: Standard mode never reads it.

    An autoscaler keeps at least one replica. Without one (``autoscalerClass: none``) a canary of 0 % that doesn't say
    ``minReplicas`` has none, and never becomes ready.
    """
    notes, replicas = annotations(isvc), predictor.get("minReplicas", 1)
    if notes.get(AUTOSCALER_ANNOTATION) != "none":
        replicas = max(replicas, 1)
    model = predictor.get("model", {})
    container = {
        "name": "kserve-container",
        "image": f"example.com/runtime:{model.get('runtime', 'auto')}",
        "args": [f"--model_name={isvc['metadata']['name']}", f"--storage={model.get('storageUri', '')}"],
        "env": model.get("env", []),
        "resources": model.get("resources", {}),
    }
    tags = labels(isvc, name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_owned(isvc, name), "labels": tags, "annotations": notes},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": tags["app"]}},
            "template": {"metadata": {"labels": tags, "annotations": notes}, "spec": {"containers": [container]}},
        },
    }


def service(isvc: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The Service before a predictor's Deployment: port 80 to the server's 8080."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**_owned(isvc, name), "labels": labels(isvc, name)},
        "spec": {
            "selector": {"app": f"isvc.{name}"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
        },
    }


def http_route(isvc: Mapping[str, Any], name: str, weights: Mapping[str, int]) -> dict[str, Any]:
    """KServe's own route to the predictor.

    Args:
        isvc: the InferenceService.
        name: of the route.
        weights: of the Services behind it.
    """
    backends = [
        {"group": "", "kind": "Service", "name": service, "port": 80, "weight": weight}
        for service, weight in weights.items()
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": _owned(isvc, name),
        "spec": {
            "hostnames": [f"{name}-{isvc['metadata']['namespace']}.example.com"],
            "parentRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "kserve", "name": GATEWAY}
            ],
            "rules": [
                {
                    "matches": [{"path": {"type": "RegularExpression", "value": "^/.*$"}}],
                    "backendRefs": backends,
                }
            ],
        },
    }


def deployment_status(made: Mapping[str, Any], before: Mapping[str, Any], state: State) -> dict[str, Any]:
    """A Deployment's status.

    Args:
        made: the Deployment.
        before: its status so far. Replicas that were available stay so while new ones come up, or fail to.
        state: of the pods that the present template asks for.
    """
    replicas = made["spec"]["replicas"]
    available = replicas if state == "ready" else min(before.get("availableReplicas", 0), replicas)
    is_enough = available >= min(replicas, 1)
    enough = ("True", "MinimumReplicasAvailable") if is_enough else ("False", "MinimumReplicasUnavailable")
    progressing = {
        "pending": ("True", "ReplicaSetUpdated", "ReplicaSet is progressing."),
        "ready": ("True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
        "failed": ("False", "ProgressDeadlineExceeded", "ReplicaSet has timed out progressing."),
    }[state]
    counts = {
        "replicas": replicas,
        "updatedReplicas": replicas if state == "ready" else 0,
        "readyReplicas": available,
        "availableReplicas": available,
    }
    return {
        "observedGeneration": made["metadata"]["generation"],
        **{name: count for name, count in counts.items() if count},  # the server leaves zeros out
        "conditions": [
            {"type": "Available", "status": enough[0], "reason": enough[1], "message": ""},
            {"type": "Progressing", "status": progressing[0], "reason": progressing[1], "message": progressing[2]},
        ],
    }


def _replicas(stable: Mapping[str, Any], entry: Mapping[str, Any]) -> int:
    asked = entry["predictor"].get("minReplicas")
    return int(asked) if asked is not None else math.ceil(stable.get("minReplicas", 1) * entry["trafficPercent"] / 100)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, anything else is replaced, but for what is empty, which overrides nothing."""
    result = copy.deepcopy(dict(under))
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        elif value not in (None, "", 0, [], {}):
            result[key] = copy.deepcopy(value)
    return result


def _owned(isvc: Mapping[str, Any], name: str) -> dict[str, Any]:
    metadata = isvc["metadata"]
    owner = {
        "apiVersion": isvc["apiVersion"],
        "kind": isvc["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {"name": name, "namespace": metadata["namespace"], "ownerReferences": [owner]}
