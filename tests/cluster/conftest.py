"""One API server for all tests here, with KServe's webhooks. Each test has a namespace and a controller of its own."""

from collections.abc import Mapping
from typing import Any

import pytest

from builders.cluster import ApiServer, missing_tools
from builders.kserve_controller import INFERENCE_SERVICES, KServeController
from builders.kserve_objects import inference_service
from builders.kserve_webhooks import Webhooks


@pytest.fixture(scope="session")
def api():
    if reason := missing_tools():
        pytest.skip(reason)
    with ApiServer() as server:
        server.install()
        with Webhooks(server):
            yield server


@pytest.fixture
def namespace(api):
    return api.namespace()


class Cluster:
    """A namespace of the server and the controller that serves it; requests are the administrator's."""

    def __init__(self, api: ApiServer, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self.services = f"{INFERENCE_SERVICES}/namespaces/{namespace}/inferenceservices"
        self.controller = KServeController(api, namespace=namespace)

    def create(self, name: str, mode: str, uri: str, **predictor: Any) -> dict[str, Any]:
        body = inference_service(name, self.namespace, mode, uri, **predictor)
        return self.api.request("POST", self.services, body)

    def patch(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.api.request("PATCH", f"{self.services}/{name}", body, "application/merge-patch+json")

    def set_predictor(self, name: str, **predictor: Any) -> dict[str, Any]:
        return self.patch(name, {"spec": {"predictor": predictor}})

    def get(self, name: str) -> dict[str, Any]:
        return self.api.request("GET", f"{self.services}/{name}")

    def predictor(self, name: str) -> dict[str, Any]:
        """What the status says of the predictor."""
        return self.get(name)["status"]["components"]["predictor"]

    def traffic(self, name: str) -> list[tuple[str, int]]:
        """Revisions, by number, and percentages."""
        return [(item["revisionName"][-1], item["percent"]) for item in self.predictor(name)["traffic"]]

    def condition(self, name: str, kind: str = "Ready") -> str:
        conditions = {item["type"]: item["status"] for item in self.get(name)["status"]["conditions"]}
        return conditions.get(kind, "absent")

    def deployments(self) -> dict[str, dict[str, Any]]:
        found = self.api.request("GET", f"/apis/apps/v1/namespaces/{self.namespace}/deployments")["items"]
        return {item["metadata"]["name"]: item for item in found}


@pytest.fixture
def cluster(api, namespace):
    return Cluster(api, namespace)
