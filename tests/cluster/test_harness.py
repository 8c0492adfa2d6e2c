"""What makes the API server of these tests a real one: schemas, conflicts, subresources, watches, RBAC, webhooks."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

from builders.cluster import ASSETS_VARIABLE, ApiServer, Refused, missing_tools
from builders.gateway_controller import ROUTES, accept_routes
from builders.kserve_objects import MODE_ANNOTATION, inference_service, model

pytestmark = pytest.mark.cluster

SERVICES = ("serving.kserve.io", "v1beta1")
PLURAL = "inferenceservices"
MERGE = "application/merge-patch+json"
READER = [{"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"], "verbs": ["get", "patch"]}]


@pytest.fixture
def loans(cluster):
    cluster.create("loans", "Standard", "s3://models/1")
    return cluster


# -- schemas, conflicts, subresources --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"predictor": {"model": {"modelFormat": {"version": "3"}}}}, "modelFormat.name"),
        ({"predictor": {"canaryTrafficPercent": "ten"}}, "must be of type integer"),
        ({"predictor": {"name": "Next"}}, "predictor.name"),
        ({"canary": [{"predictor": {"name": "next", "model": model("s3://models/2")}}]}, "trafficPercent"),
        (
            {"canary": [{"trafficPercent": 101, "predictor": {"name": "next", "model": model("s3://models/2")}}]},
            "should be less than or equal to 100",
        ),
    ],
)
def test_the_schema_refuses_a_bad_inference_service(api, namespace, spec, said):
    body = inference_service("loans", namespace, "Standard", "s3://models/1")
    predictor = {**body["spec"]["predictor"], **spec.get("predictor", {})}
    body["spec"] = {**body["spec"], **spec, "predictor": predictor}
    with pytest.raises(ApiException, match=said) as refused:
        client.CustomObjectsApi(api.client()).create_namespaced_custom_object(*SERVICES, namespace, PLURAL, body)
    assert refused.value.status == 422
    with pytest.raises(Refused, match="not found"):
        api.request("GET", f"/apis/{'/'.join(SERVICES)}/namespaces/{namespace}/{PLURAL}/loans")


def test_an_unknown_field_is_dropped(loans):
    loans.set_predictor("loans", canaryTraficPercent=10)
    assert "canaryTraficPercent" not in loans.get("loans")["spec"]["predictor"]


def test_the_status_is_written_apart(loans):
    status = {"observedGeneration": 7, "modelStatus": {"transitionStatus": "UpToDate"}}
    loans.patch("loans", {"status": status})
    assert "status" not in loans.get("loans")

    body = {"status": status, "spec": {"predictor": {"minReplicas": 3}}}
    loans.api.request("PATCH", f"{loans.services}/loans/status", body, MERGE)
    found = loans.get("loans")
    assert found["status"]["observedGeneration"] == 7
    assert "minReplicas" not in found["spec"]["predictor"]
    assert found["metadata"]["generation"] == 1


def test_a_merge_patch_with_an_old_version_is_a_conflict(loans):
    custom = client.CustomObjectsApi(loans.api.client())
    version = loans.get("loans")["metadata"]["resourceVersion"]

    def patch(percent, version):
        body = {"metadata": {"resourceVersion": version}, "spec": {"predictor": {"canaryTrafficPercent": percent}}}
        return custom.patch_namespaced_custom_object(*SERVICES, loans.namespace, PLURAL, "loans", body)

    now = patch(10, version)["metadata"]["resourceVersion"]
    with pytest.raises(ApiException) as refused:
        patch(20, version)
    assert refused.value.status == 409
    assert loans.get("loans")["spec"]["predictor"]["canaryTrafficPercent"] == 10
    patch(20, now)
    assert loans.get("loans")["spec"]["predictor"]["canaryTrafficPercent"] == 20


def test_a_null_in_a_merge_patch_removes_the_field(loans):
    loans.set_predictor("loans", canaryTrafficPercent=10)
    loans.set_predictor("loans", canaryTrafficPercent=None)
    assert "canaryTrafficPercent" not in loans.get("loans")["spec"]["predictor"]


def test_a_watch_sees_changes(loans):
    custom = client.CustomObjectsApi(loans.api.client())
    version = custom.list_namespaced_custom_object(*SERVICES, loans.namespace, PLURAL)["metadata"]["resourceVersion"]
    change = threading.Timer(0.2, loans.set_predictor, ("loans",), {"minReplicas": 3})
    change.start()
    events = watch.Watch().stream(
        custom.list_namespaced_custom_object,
        *(*SERVICES, loans.namespace, PLURAL),
        resource_version=version,
        timeout_seconds=20,
    )
    event = next(iter(events))
    change.join()
    assert (event["type"], event["object"]["spec"]["predictor"]["minReplicas"]) == ("MODIFIED", 3)


# -- who may do what -------------------------------------------------------------------------------------------------
def test_a_role_is_all_that_an_account_may_do(loans):
    token = loans.api.service_account(loans.namespace, "delivery", READER)
    custom = client.CustomObjectsApi(loans.api.client(token))
    mine = (*SERVICES, loans.namespace, PLURAL, "loans")
    assert custom.get_namespaced_custom_object(*mine)["metadata"]["name"] == "loans"
    custom.patch_namespaced_custom_object(*mine, {"spec": {"predictor": {"minReplicas": 3}}})
    for refuse in (
        lambda: custom.delete_namespaced_custom_object(*mine),
        lambda: custom.list_namespaced_custom_object(*SERVICES, loans.namespace, PLURAL),
        lambda: custom.patch_namespaced_custom_object_status(*mine, {"status": {"observedGeneration": 1}}),
        lambda: custom.get_namespaced_custom_object(*SERVICES, "default", PLURAL, "loans"),
        lambda: client.CoreV1Api(loans.api.client(token)).list_namespaced_secret(loans.namespace),
    ):
        with pytest.raises(ApiException) as refused:
            refuse()
        assert refused.value.status == 403
        assert f"system:serviceaccount:{loans.namespace}:delivery" in refused.value.body


def test_a_cluster_role_holds_everywhere(api, namespace):
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]
    token = api.service_account(namespace, "reader", cluster_rules=rules)
    names = [item.metadata.name for item in client.CoreV1Api(api.client(token)).list_namespace().items]
    assert namespace in names


@pytest.mark.parametrize("token", ["nobody", None])
def test_without_a_token_of_this_server_nobody_is_let_in(api, token):
    configuration = api.client(token).configuration
    configuration.cert_file = configuration.key_file = None
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(client.ApiClient(configuration)).list_namespace()
    assert refused.value.status == 401


def test_a_kubeconfig_lets_another_process_in(loans, tmp_path):
    token = loans.api.service_account(loans.namespace, "delivery", READER)
    loaded = config.new_client_from_config(str(loans.api.kubeconfig(tmp_path / "config", token)))
    found = client.CustomObjectsApi(loaded).get_namespaced_custom_object(*SERVICES, loans.namespace, PLURAL, "loans")
    assert found["spec"]["predictor"]["model"]["storageUri"] == "s3://models/1"


# -- KServe's webhooks -----------------------------------------------------------------------------------------------
def canary(name="next", percent=10, **predictor):
    return {"trafficPercent": percent, "predictor": {"name": name, "model": model("s3://models/2"), **predictor}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"predictor": {"model": {"name": "kserve-container"}}}, "'name' field is not allowed"),
        ({"predictor": {"model": None}}, "exactly one of"),
        ({"predictor": {"minReplicas": 3, "maxReplicas": 2}}, "cannot be greater than MaxReplicas"),
        ({"predictor": {"minReplicas": -1}}, "less than 0"),
        ({"predictor": {"name": "next"}}, "requires a model change"),
        ({"canary": [canary(None)]}, "predictor.name is required"),
        ({"canary": [canary("one"), canary("one")]}, "duplicated"),
        ({"canary": [canary("one", 60), canary("two", 60)]}, "sum of canary trafficPercent"),
        ({"canary": [canary(maxReplicas=2)]}, "must not set maxReplicas"),
        ({"canary": [canary(minReplicas=2)]}, "must not exceed stable"),
    ],
)
def test_the_webhook_refuses_what_the_schema_lets_pass(loans, spec, said):
    for entry in spec.get("canary", ()):
        if entry["predictor"]["name"] is None:
            del entry["predictor"]["name"]
    before = loans.get("loans")["spec"]
    with pytest.raises(Refused, match=said) as refused:
        loans.patch("loans", {"spec": spec})
    assert refused.value.status == 403
    assert loans.get("loans")["spec"] == before


def test_a_canary_needs_standard_mode(cluster):
    cluster.create("loans", "Knative", "s3://models/1")
    with pytest.raises(Refused, match="only supported in Standard"):
        cluster.patch("loans", {"spec": {"canary": [canary()]}})


def test_the_webhook_fills_in_what_nobody_wrote(cluster):
    made = cluster.create("loans", "RawDeployment", "s3://models/1")
    assert made["metadata"]["annotations"] == {MODE_ANNOTATION: "Standard", "modelFormat": "mlflow"}
    assert made["spec"]["predictor"]["model"] == {**model("s3://models/1"), "name": "", "resources": {}}
    patched = cluster.patch("loans", {"spec": {"canary": [canary()]}})
    assert patched["spec"]["canary"][0]["predictor"]["model"]["name"] == ""


# -- Gateway API -----------------------------------------------------------------------------------------------------
def route(namespace, **backend):
    backend = {"name": "loans-predictor", "port": 80, "weight": 90, **backend}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "split", "namespace": namespace},
        "spec": {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [backend]}]},
    }


def conditions(api, namespace):
    accept_routes(api, f"/namespaces/{namespace}")
    (parent,) = api.request("GET", f"{ROUTES}/namespaces/{namespace}/httproutes/split")["status"]["parents"]
    return {item["type"]: (item["status"], item["observedGeneration"]) for item in parent["conditions"]}


def test_the_schema_refuses_a_bad_route(api, namespace):
    with pytest.raises(ApiException, match="less than or equal to 1000000"):
        api.create(route(namespace, weight=1_000_001), namespace)


def test_a_gateway_tells_of_each_generation_of_a_route(loans):
    loans.api.create(route(loans.namespace), loans.namespace)
    assert conditions(loans.api, loans.namespace) == {"Accepted": ("True", 1), "ResolvedRefs": ("False", 1)}
    loans.controller.settle()  # which makes the Service
    assert conditions(loans.api, loans.namespace) == {"Accepted": ("True", 1), "ResolvedRefs": ("True", 1)}
    path = f"{ROUTES}/namespaces/{loans.namespace}/httproutes/split"
    rules = route(loans.namespace, weight=80)["spec"]["rules"]
    loans.api.request("PATCH", path, {"spec": {"rules": rules}}, MERGE)
    assert conditions(loans.api, loans.namespace)["Accepted"] == ("True", 2)
    loans.controller.refuse_routes("split")
    loans.controller.settle()
    (parent,) = loans.api.request("GET", path)["status"]["parents"]
    assert {item["type"]: item["status"] for item in parent["conditions"]}["Accepted"] == "False"


# -- the harness itself ----------------------------------------------------------------------------------------------
def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_outlives_the_block():
    with ApiServer() as server:
        pids = server.children.pids
        assert [runs(pid) for pid in pids] == [True, True]
        assert server.request("GET", "/readyz") == {"text": "ok"}
    assert [runs(pid) for pid in pids] == [False, False]
    assert not server.folder.exists()


def test_nothing_outlives_a_test_process_that_is_killed(tmp_path):
    program = (
        "import time\nfrom builders.cluster import ApiServer\n"
        "with ApiServer() as server:\n    print(*server.children.pids, flush=True)\n    time.sleep(600)\n"
    )
    paths = os.pathsep.join(str(Path(__file__).parents[2] / name) for name in ("src", "tests"))
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    deadline = time.monotonic() + 30
    while any(runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [runs(pid) for pid in pids] == [False, False]


def test_a_server_that_does_not_start_shows_its_log(monkeypatch, tmp_path):
    for program in ("etcd", "kube-apiserver"):
        (tmp_path / program).write_text("#!/bin/sh\necho no such luck\nexit 3\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    with pytest.raises(RuntimeError, match="no such luck"), ApiServer():
        pass


def test_missing_programs_are_named_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    assert "make cluster-tools" in missing_tools()
    assert str(tmp_path / "etcd") in missing_tools()
