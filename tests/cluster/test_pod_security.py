"""A namespace that enforces Kubernetes' restricted standard admits serving pods, and none that lacks what it asks."""

import copy
import json

import pytest
import yaml

from builders.manifests import MANIFESTS, apply

pytestmark = pytest.mark.cluster

RUNTIME = yaml.safe_load((MANIFESTS / "base" / "serving-runtime.yaml").read_text())["spec"]
MODES = ("knative", "standard")


def serving_pod(mode):
    """A serving pod as KServe makes it: the runtime's containers, the service's own words, and its downloader."""
    service = yaml.safe_load((MANIFESTS / "examples" / mode / "inferenceservice.yaml").read_text())
    server = copy.deepcopy(RUNTIME["containers"][0])
    server["volumeMounts"] = [*server["volumeMounts"], {"name": "models", "mountPath": "/mnt/models", "readOnly": True}]
    download = {
        "name": "storage-initializer",
        "image": "kserve/storage-initializer",
        "securityContext": copy.deepcopy(server["securityContext"]),
        "volumeMounts": [{"name": "models", "mountPath": "/mnt/models"}],
    }
    spec = {
        "automountServiceAccountToken": service["spec"]["predictor"]["automountServiceAccountToken"],
        "initContainers": [download],
        "containers": [server],
        "volumes": [*RUNTIME["volumes"], {"name": "models", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loans"}, "spec": spec}


@pytest.fixture
def restricted(api, namespace):
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    api.request("PATCH", f"/api/v1/namespaces/{namespace}", label, "application/merge-patch+json")
    return f"/api/v1/namespaces/{namespace}/pods?dryRun=All"


@pytest.mark.parametrize("mode", MODES)
def test_serving_pods_are_admitted(api, restricted, mode):
    assert api.request("POST", restricted, serving_pod(mode))["kind"] == "Pod"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("allowPrivilegeEscalation", "allowPrivilegeEscalation != false"),
        ("runAsNonRoot", "runAsNonRoot != true"),
        ("capabilities", "unrestricted capabilities"),
        ("seccompProfile", "seccompProfile"),
    ],
)
def test_a_serving_pod_without_one_of_them_is_refused(api, restricted, missing, said):
    pod = serving_pod("standard")
    del pod["spec"]["containers"][0]["securityContext"][missing]
    with pytest.raises(Exception, match=said):
        api.request("POST", restricted, pod)


def test_serving_pods_write_to_tmp_alone_and_hold_no_token():
    for mode in MODES:
        spec = serving_pod(mode)["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert "hostPath" not in json.dumps(spec)
    server = RUNTIME["containers"][0]
    assert server["securityContext"]["readOnlyRootFilesystem"] is True
    assert [mount["mountPath"] for mount in server["volumeMounts"]] == ["/tmp"]
    assert "sizeLimit" in RUNTIME["volumes"][0]["emptyDir"]
    assert all("ephemeral-storage" in server["resources"][kind] for kind in ("requests", "limits"))


def test_the_network_policy_is_one_that_the_api_takes(api, namespace):
    apply(api, MANIFESTS / "network", namespace)
    found = api.request("GET", f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/gauntlet-serving")
    assert found["spec"]["policyTypes"] == ["Ingress", "Egress"]
