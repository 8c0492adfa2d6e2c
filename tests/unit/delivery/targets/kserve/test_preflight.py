"""Each thing that stands in the way of a rollout is found, and nothing else."""

import pytest

from builders.gateway_controller import ROUTES
from builders.kserve_rollouts import NAME, Ground
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.targets.kserve.modes import ANNOTATION, Mode
from gauntlet.delivery.targets.kserve.preflight import NEEDS, preflight
from gauntlet.errors import ConfigurationError

KSERVE = "/openapi/v3/apis/serving.kserve.io/v1beta1"
KNATIVE = "/openapi/v3/apis/serving.knative.dev/v1"
GATEWAY = "/openapi/v3/apis/gateway.networking.k8s.io/v1"


def schema(*fields):
    kind = {"x-kubernetes-group-version-kind": [{"kind": "InferenceService"}]}
    properties = {"spec": {"properties": {field: {} for field in fields}}}
    return {"components": {"schemas": {"isvc": {**kind, "properties": properties}}}}


def ground_of(mode):
    server = MemoryServer()
    server.schemas = {KSERVE: schema("predictor", "canary"), KNATIVE: {"known": True}, GATEWAY: {"known": True}}
    ground = Ground(server, mode)
    runtimes = f"/apis/serving.kserve.io/v1alpha1/namespaces/{ground.namespace}/servingruntimes"
    server.request("POST", runtimes, {"metadata": {"name": "gauntlet"}})
    ground.patch({"spec": {"predictor": {"minReplicas": 2}}})
    ground.controller.settle()
    return ground


def found(ground):
    return preflight(ground.api(), ground.service)


@pytest.mark.parametrize("mode", ["Knative", "Standard"])
def test_nothing_is_found_where_a_rollout_can_begin(mode):
    assert found(ground_of(mode)) == ()


def without_version(ground):
    ground.patch({"spec": {"predictor": {"model": {"env": None}}}})


def without_model(ground):
    ground.patch({"spec": {"predictor": {"model": None, "sklearn": {"storageUri": "s3://models/1"}}}})


def without_runtime(ground):
    ground.patch({"spec": {"predictor": {"model": {"runtime": None}}}})


def with_an_unknown_runtime(ground):
    ground.patch({"spec": {"predictor": {"model": {"runtime": "elsewhere"}}}})


def with_a_percentage(ground):
    ground.patch({"spec": {"predictor": {"canaryTrafficPercent": 10}}})


def with_a_revision_that_fails(ground):
    ground.controller.behave(broken={"s3://models/9"})
    ground.patch({"spec": {"predictor": {"model": {"storageUri": "s3://models/9"}}}})
    ground.controller.settle()


def never_rolled_out(ground):
    status = ground.get()["status"]
    status["components"]["predictor"].pop("latestRolledoutRevision")
    ground.server.request("PUT", ground.path + "/status", {"metadata": {}, "status": status})


def without_knative(ground):
    del ground.server.schemas[KNATIVE]


def without_gateway_api(ground):
    del ground.server.schemas[GATEWAY]


def with_an_old_kserve(ground):
    ground.server.schemas[KSERVE] = schema("predictor")


def with_the_old_name_of_the_mode(ground):
    ground.patch({"metadata": {"annotations": {ANNOTATION: "RawDeployment"}}})


def with_an_entry(ground):
    ground.patch({"spec": {"canary": [{"predictor": {"name": "other"}, "trafficPercent": 0}]}})


def without_replicas(ground):
    ground.patch({"spec": {"predictor": {"minReplicas": None}}})


def route_path(ground):
    return f"{ROUTES}/namespaces/{ground.namespace}/httproutes/{NAME}-rollout"


def without_route(ground):
    ground.server.request("DELETE", route_path(ground))


def with_a_route_elsewhere(ground):
    rules = [{"backendRefs": [{"name": "docs", "port": 80}]}]
    ground.server.request("PATCH", route_path(ground), {"spec": {"rules": rules}})


def with_a_route_not_taken(ground):
    ground.server.request("PATCH", route_path(ground), {"spec": {"hostnames": ["new.example.com"]}})


@pytest.mark.parametrize(
    ("mode", "spoil", "about", "said", "blocks"),
    [
        ("Knative", without_version, "spec.predictor.model.env", "which version", True),
        ("Standard", without_model, "spec.predictor", "has minReplicas, sklearn and no model", True),
        ("Knative", without_runtime, "spec.predictor.model.runtime", "none is named", True),
        ("Standard", with_an_unknown_runtime, "ServingRuntime", "elsewhere is not there", True),
        ("Knative", with_a_percentage, "spec.predictor.canaryTrafficPercent", "another canary", True),
        ("Knative", with_a_revision_that_fails, "status", "00003 is not ready", True),
        ("Knative", never_rolled_out, "status", "ever had all requests", True),
        ("Knative", without_knative, "Knative Serving", "does not have it", True),
        ("Standard", without_gateway_api, "Gateway API", "does not have it", True),
        ("Standard", with_an_old_kserve, "KServe", "no spec.canary", True),
        ("Standard", with_the_old_name_of_the_mode, f"annotation {ANNOTATION}", "is 'RawDeployment'", True),
        ("Standard", with_an_entry, "spec.canary", "another canary", True),
        ("Standard", without_replicas, "spec.predictor.minReplicas", "one pod at every step", False),
        ("Standard", without_route, f"HTTPRoute {NAME}-rollout", "is not there", False),
        ("Standard", with_a_route_elsewhere, f"HTTPRoute {NAME}-rollout", "no rule whose backends", True),
        ("Standard", with_a_route_not_taken, f"HTTPRoute {NAME}-rollout", "not accepted", True),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_stands_in_the_way_is_named_with_its_mend(mode, spoil, about, said, blocks):
    ground = ground_of(mode)
    spoil(ground)
    (obstacle,) = found(ground)
    assert (obstacle.about, obstacle.blocks) == (about, blocks)
    assert said in obstacle.sentence
    assert obstacle.mend


@pytest.mark.parametrize("mode", Mode)
def test_each_permission_that_is_missing_is_named(mode):
    ground = ground_of(mode)
    for resource, verbs in NEEDS[mode].items():
        for verb in verbs:
            ground.server.denied = {(verb, resource.plural)}
            assert [one.about for one in found(ground)] == [f"{verb} {resource}"]


def nowhere(**denied):
    server = MemoryServer()
    server.denied = {(verb, plural) for plural, verb in denied.items()}
    server.request(
        "POST",
        "/apis/serving.kserve.io/v1alpha1/namespaces/ml/servingruntimes",
        {"metadata": {"name": "gauntlet-serving"}},
    )
    return server


def test_a_service_that_is_not_there_is_made_by_its_first_version():
    (obstacle,) = preflight(MemoryApi(nowhere()), "ml/loans")
    assert (obstacle.about, obstacle.sentence) == ("InferenceService ml/loans", "is not there")
    assert not obstacle.blocks


def test_a_service_that_is_not_there_and_may_not_be_made_has_to_be_made_by_others():
    first, second = preflight(MemoryApi(nowhere(inferenceservices="create")), "ml/loans")
    assert "manifests/examples" in first.mend
    assert second.about == "create inferenceservices.serving.kserve.io"
    assert first.blocks
    assert second.blocks


def test_a_first_version_needs_the_runtime_that_it_names():
    _, runtime = preflight(MemoryApi(MemoryServer()), "ml/loans")
    assert (runtime.about, runtime.sentence) == ("ServingRuntime", "gauntlet-serving is not there")
    assert runtime.blocks


@pytest.mark.parametrize("mode", ["Knative", "Standard"])
@pytest.mark.parametrize("harm_from", [101, 50], ids=["promoted", "rolled back"])
def test_nothing_is_found_once_a_rollout_is_over(mode, harm_from):
    ground = ground_of(mode)
    ground.judge.harm_from = harm_from
    assert ground.run().phase.final
    assert found(ground) == ()


def test_a_cluster_without_kserve_is_a_finding():
    ground = ground_of("Knative")

    def absent(method, path, when):
        raise ConfigurationError("the cluster has no such kind", field="get x", mend="Install KServe 0.20 or newer")

    (obstacle,) = preflight(ground.api(absent), ground.service)
    assert obstacle.mend == "Install KServe 0.20 or newer"
