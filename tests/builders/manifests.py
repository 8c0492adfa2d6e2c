"""The project's manifests, applied to an API server as ``kubectl apply -k`` does, but for the images."""

from __future__ import annotations

from pathlib import Path

import yaml

from builders.cluster import ApiServer
from builders.gateway_controller import ROUTES
from builders.kserve_controller import INFERENCE_SERVICES

MANIFESTS = Path(__file__).parents[2] / "manifests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
_COLLECTIONS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Role": f"{RBAC}/namespaces/{{}}/roles",
    "RoleBinding": f"{RBAC}/namespaces/{{}}/rolebindings",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "ServingRuntime": "/apis/serving.kserve.io/v1alpha1/namespaces/{}/servingruntimes",
    "InferenceService": f"{INFERENCE_SERVICES}/namespaces/{{}}/inferenceservices",
    "HTTPRoute": f"{ROUTES}/namespaces/{{}}/httproutes",
    "Gateway": f"{ROUTES}/namespaces/{{}}/gateways",
}


def apply(api: ApiServer, folder: Path, namespace: str) -> None:
    """Create everything that a folder's kustomization lists, in a namespace."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    for name in listed:
        if (folder / name).is_dir():
            apply(api, folder / name, namespace)
            continue
        for document in yaml.safe_load_all((folder / name).read_text()):
            for subject in document.get("subjects", ()):
                subject["namespace"] = namespace
            api.request("POST", _COLLECTIONS[document["kind"]].format(namespace), document)
