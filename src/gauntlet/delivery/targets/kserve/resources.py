"""The Kubernetes kinds that a rollout reads and writes, and the names of its objects."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.errors import ConfigurationError


@dataclass(frozen=True)
class Resource:
    """A kind in the paths of the API.

    Attributes:
        group: its API group; empty for the core one.
        version: of the group.
        plural: as in paths and Roles.
        install: how to install it where a cluster lacks it.
        namespaced: whether objects lie in a namespace.
    """

    group: str
    version: str
    plural: str
    install: str = "Check the cluster: every Kubernetes has this kind"
    namespaced: bool = True

    def path(self, namespace: str, name: str = "") -> str:
        """Path of one object, or of all of a namespace."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{place}/{self.plural}" + (f"/{name}" if name else "")

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


_KSERVE = "Install KServe 0.20 or newer"
_KNATIVE = "Install Knative Serving, or serve in Standard mode"

INFERENCE_SERVICES = Resource("serving.kserve.io", "v1beta1", "inferenceservices", _KSERVE)
SERVING_RUNTIMES = Resource("serving.kserve.io", "v1alpha1", "servingruntimes", _KSERVE)
CLUSTER_SERVING_RUNTIMES = Resource("serving.kserve.io", "v1alpha1", "clusterservingruntimes", _KSERVE, False)
KNATIVE_SERVICES = Resource("serving.knative.dev", "v1", "services", _KNATIVE)
KNATIVE_REVISIONS = Resource("serving.knative.dev", "v1", "revisions", _KNATIVE)
DEPLOYMENTS = Resource("apps", "v1", "deployments")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "Install the Gateway API and a gateway")
CONFIG_MAPS = Resource("", "v1", "configmaps")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False)

RUNTIME = "gauntlet-serving"
"""The ServingRuntime of ``manifests/``."""


def split(service: str) -> tuple[str, str]:
    """Split ``NAMESPACE/NAME`` of an InferenceService.

    Raises:
        ConfigurationError: it is not of that form.
    """
    namespace, slash, name = service.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise ConfigurationError(
            "must be NAMESPACE/NAME", field="service", value=service, mend="Give kserve:NAMESPACE/NAME"
        )
    return namespace, name


def record_name(name: str) -> str:
    """Name of the ConfigMap and the Lease that belong to an InferenceService."""
    return f"gauntlet-rollout-{name}"


def route_name(name: str) -> str:
    """Name of the HTTPRoute whose weights a rollout sets in Standard mode."""
    return f"{name}-rollout"


def predictor_service(name: str, variant: str = "") -> str:
    """Name of a predictor's Service (and Deployment, or Knative Service), by ``predictor.name``."""
    return f"{name}-{variant}-predictor" if variant else f"{name}-predictor"
