"""The service outside rollouts, how it is opened, and what the preflight finds."""

import pytest

from builders.gateway_controller import ROUTES
from builders.kserve_rollouts import NAME, V1, V2, V3, Ground
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.rollout.controller import start
from gauntlet.delivery.targets.kserve.connect import open_on
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget
from gauntlet.delivery.targets.kserve.modes import ANNOTATION, Mode, mode_of
from gauntlet.delivery.targets.kserve.service import ClusterPlace
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget
from gauntlet.errors import ConfigurationError, DependencyError

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


@MODES
def test_a_service_is_opened_in_its_mode_with_all_a_rollout_needs(mode):
    ground = Ground(MemoryServer(), mode)
    service = open_on(ground.api(), ground.service)
    assert isinstance(service.target, KnativeTarget if mode == "Knative" else StandardTarget)
    assert service.place.current() == V1
    assert service.place.ready(V1)
    assert not service.place.ready(V2)
    assert service.people == service.ledger.people
    rollout = start(service.ledger, service.name, V2, V1, 0.0)
    with pytest.raises(ConfigurationError, match="Prometheus"):
        service.meter.read(rollout)


@MODES
def test_while_a_rollout_is_under_way_the_stable_version_is_current(mode):
    ground = Ground(MemoryServer(), mode)
    service = open_on(ground.api(), ground.service)
    rollout = start(service.ledger, service.name, V2, V1, 0.0)
    service.target.deploy(rollout)
    ground.controller.settle()
    assert service.place.current() == V1
    assert service.place.url_of(V2) != service.place.url_of(V1)
    with pytest.raises(ConfigurationError, match="Roll it out"):
        service.place.install(V3, replace=True)


@MODES
def test_the_first_version_is_installed_and_others_only_where_that_is_asked_for(mode):
    server = MemoryServer()
    place = ClusterPlace(MemoryApi(server), "ml/loans", Mode(mode))
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
        open_on(ground.api(), ground.service).place.current()


@pytest.mark.parametrize(("mode", "host"), [("Standard", NAME), ("Knative", f"{NAME}-predictor")])
def test_requests_go_to_our_route_in_standard_mode_and_to_kserves_host_otherwise(mode, host):
    ground = Ground(MemoryServer(), mode)
    assert open_on(ground.api(), ground.service).place.url() == f"http://{host}.{ground.namespace}.example.com"


def test_what_is_not_there_yet_has_no_address():
    place = ClusterPlace(MemoryApi(MemoryServer()), "ml/loans", Mode.KNATIVE)
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
    assert open_on(ground.api(), ground.service).place.url() == ground.get()["status"]["url"]
