"""The service outside rollouts, how it is opened, and what the preflight finds."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from builders.gateway_controller import ROUTES
from builders.kserve_rollouts import NAME, V1, V2, V3, Ground
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.deployment import Time, preflight_warnings, roll_out
from gauntlet.delivery.rollout.controller import start
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.rollout.verdict import verdict_of
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget
from gauntlet.delivery.targets.kserve.modes import ANNOTATION, Mode, mode_of
from gauntlet.delivery.targets.kserve.service import ClusterHandle, open_on
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.verdict import Status

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


@MODES
def test_a_service_is_opened_in_its_mode_with_all_a_rollout_needs(mode):
    ground = Ground(MemoryServer(), mode)
    service = open_on(ground.api(), ground.service)
    assert isinstance(service.target, KnativeTarget if mode == "Knative" else StandardTarget)
    assert service.handle.current() == V1
    assert service.handle.ready(V1)
    assert not service.handle.ready(V2)
    assert service.approvals == service.journals.approvals
    rollout = start(service.journals, service.name, V2, V1, 0.0)
    with pytest.raises(ConfigurationError, match="Prometheus"):
        service.counter_source.read(rollout)


@MODES
def test_while_a_rollout_is_under_way_the_stable_version_is_current(mode):
    ground = Ground(MemoryServer(), mode)
    service = open_on(ground.api(), ground.service)
    rollout = start(service.journals, service.name, V2, V1, 0.0)
    service.target.deploy(rollout)
    ground.controller.settle()
    assert service.handle.current() == V1
    assert service.handle.url_of(V2) != service.handle.url_of(V1)
    with pytest.raises(ConfigurationError, match="Roll it out"):
        service.handle.install(V3, replace=True)


@MODES
def test_the_first_version_is_installed_and_others_only_where_that_is_asked_for(mode):
    server = MemoryServer()
    place = ClusterHandle(MemoryApi(server), "ml/loans", Mode(mode))
    assert place.current() is None
    place.install(V1)
    place.install(V1)
    assert place.current() == V1
    with pytest.raises(ConfigurationError, match="serves version 1 already"):
        place.install(V2)
    place.install(V2, replace=True)
    assert place.current() == V2


def test_a_service_that_does_not_say_its_version_is_told_how_to():
    ground = Ground(MemoryServer(), "Knative")
    ground.patch({"spec": {"predictor": {"model": {"env": None}}}})
    with pytest.raises(ConfigurationError, match="GAUNTLET_MODEL_DIGEST"):
        open_on(ground.api(), ground.service).handle.current()


@pytest.mark.parametrize(("mode", "host"), [("Standard", NAME), ("Knative", f"{NAME}-predictor")])
def test_requests_go_to_our_route_in_standard_mode_and_to_kserves_host_otherwise(mode, host):
    ground = Ground(MemoryServer(), mode)
    assert open_on(ground.api(), ground.service).handle.url() == f"http://{host}.{ground.namespace}.example.com"


def test_what_is_not_there_yet_has_no_address():
    place = ClusterHandle(MemoryApi(MemoryServer()), "ml/loans", Mode.KNATIVE)
    with pytest.raises(DependencyError, match="no address yet"):
        place.url()


@pytest.mark.parametrize(
    ("isvc", "mode"),
    [
        (
            {"status": {"deploymentMode": "Knative"}, "metadata": {"annotations": {ANNOTATION: "Standard"}}},
            Mode.KNATIVE,
        ),
        ({"metadata": {"annotations": {ANNOTATION: "Serverless"}}}, Mode.KNATIVE),
        ({"metadata": {"annotations": {ANNOTATION: "RawDeployment"}}}, Mode.STANDARD),
        ({"metadata": {}}, Mode.STANDARD),
        (None, Mode.STANDARD),
    ],
    ids=["as decided", "an old name", "another", "KServe's default", "none yet"],
)
def test_a_mode_is_as_decided_then_as_asked_for_then_the_clusters(isvc, mode):
    assert mode_of(MemoryApi(MemoryServer()), isvc) is mode


def test_the_clusters_own_default_is_read():
    server = MemoryServer()
    body = {"metadata": {"name": "inferenceservice-config"}, "data": {"deploy": '{"defaultDeploymentMode": "Knative"}'}}
    server.request("POST", "/api/v1/namespaces/kserve/configmaps", body)
    assert mode_of(MemoryApi(server), None) is Mode.KNATIVE


def test_a_mode_without_rollouts_is_refused():
    with pytest.raises(ConfigurationError, match="ModelMesh"):
        mode_of(MemoryApi(MemoryServer()), {"status": {"deploymentMode": "ModelMesh"}})


@pytest.mark.parametrize("address", ["loans", "a/b/c", "/loans", "ml/"])
def test_an_address_is_a_namespace_and_a_name(address):
    with pytest.raises(ConfigurationError, match="NAMESPACE/NAME"):
        open_on(MemoryApi(MemoryServer()), address)


def test_routes_are_found_by_name():
    ground = Ground(MemoryServer(), "Standard")
    ground.server.request("DELETE", f"{ROUTES}/namespaces/{ground.namespace}/httproutes/{NAME}-rollout")
    assert open_on(ground.api(), ground.service).handle.url() == ground.get()["status"]["url"]


KSERVE, KNATIVE, GATEWAY = (
    f"/openapi/v3/apis/{group}"
    for group in ("serving.kserve.io/v1beta1", "serving.knative.dev/v1", "gateway.networking.k8s.io/v1")
)
KIND = {"x-kubernetes-group-version-kind": [{"kind": "InferenceService"}]}
SCHEMAS = {
    KSERVE: {"components": {"schemas": {"one": {**KIND, "properties": {"spec": {"properties": {"canary": {}}}}}}}},
    KNATIVE: {"known": True},
    GATEWAY: {"known": True},
}


def cluster(namespace, runtime="gauntlet"):
    server = MemoryServer()
    server.schemas = dict(SCHEMAS)
    runtimes = f"/apis/serving.kserve.io/v1alpha1/namespaces/{namespace}/servingruntimes"
    server.request("POST", runtimes, {"metadata": {"name": runtime}})
    return server


def ground_of(mode):
    server = cluster("rollout-1")
    return Ground(server, mode)


def deliver(ground, release=V2, heard=None):
    service = open_on(ground.api(), ground.service)
    warned = [].append if heard is None else heard.append
    return roll_out(
        service, release, ground.judge, ground.plan, ground.time(), on_decision=lambda decision: None, on_warning=warned
    )


@MODES
def test_a_whole_delivery_looks_first_and_is_not_in_its_own_way(mode):
    ground, heard = ground_of(mode), []
    assert verdict_of(deliver(ground, heard=heard)).status is Status.PASS
    assert [one.about for one in heard] == (["spec.predictor.minReplicas"] if mode == "Standard" else [])
    assert verdict_of(deliver(ground)).status is Status.PASS, "delivered again, nothing begins"
    assert preflight_warnings(open_on(ground.api(), ground.service), V2.digest) == ()


@MODES
def test_missing_permissions_are_said_all_at_once_and_nothing_was_changed(mode):
    ground = ground_of(mode)
    ground.server.denied = {("patch", "inferenceservices"), ("create", "leases"), ("get", "configmaps")}
    before = ground.get()
    for delivered in (deliver, lambda ground: preflight_warnings(open_on(ground.api(), ground.service), V2.digest)):
        with pytest.raises(ConfigurationError, match="for 3 reasons") as caught:
            delivered(ground)
        assert "patch inferenceservices" in str(caught.value)
        assert "create leases" in str(caught.value)
        assert "get configmaps" in str(caught.value)
    assert ground.get() == before
    assert ground.timeline() == []


@MODES
def test_somebody_elses_canary_stands_in_the_way_and_ones_own_does_not(mode):
    ground = ground_of(mode)
    foreign = {
        "Knative": {"predictor": {"canaryTrafficPercent": 10}},
        "Standard": {"canary": [{"predictor": {"name": "other"}, "trafficPercent": 0}]},
    }
    ground.patch({"spec": foreign[mode]})
    with pytest.raises(ConfigurationError, match="another canary is under way"):
        deliver(ground)
    ground = ground_of(mode)

    def died(ground):
        if len(ground.timeline()) > 4:
            raise KeyboardInterrupt

    ground.meanwhile = died
    with pytest.raises(KeyboardInterrupt):
        deliver(ground)
    ground.meanwhile = lambda ground: None
    assert deliver(ground).rollout.phase is Phase.PROMOTED


def test_a_first_version_is_installed_where_nothing_serves():
    server = cluster("ml", "gauntlet-serving")
    service = open_on(MemoryApi(server), "ml/loans")
    assert [one.blocks for one in preflight_warnings(service, V1.digest)] == [False]
    ready = SimpleNamespace(current=service.handle.current, install=service.handle.install, ready=lambda release: True)
    time = Time(lambda: 0.0, lambda seconds: None)
    journal = roll_out(replace(service, handle=ready), V1, None, Ground.plan, time, on_decision=lambda decision: None)
    assert (journal.rollout.phase, service.handle.current()) == (Phase.PROMOTED, V1)


def test_a_first_version_that_this_account_may_not_install_is_refused_with_the_way_out():
    server = cluster("ml", "gauntlet-serving")
    server.denied = {("create", "inferenceservices")}
    with pytest.raises(ConfigurationError, match="Create it with its first version"):
        preflight_warnings(open_on(MemoryApi(server), "ml/loans"), V1.digest)
