"""The test controller in Standard mode does what KServe's source says, surprises included."""

import pytest

from builders.cluster import Refused
from builders.kserve_controller import KServeController
from builders.kserve_objects import AUTOSCALER_ANNOTATION, model

pytestmark = pytest.mark.cluster

STABLE, NEXT, BAD = "s3://models/1", "s3://models/2", "s3://models/bad"


@pytest.fixture
def loans(cluster):
    """A service with a stable predictor that is ready."""
    cluster.create("loans", "Standard", STABLE, minReplicas=2)
    cluster.controller.settle()
    return cluster


def entry(uri, percent, name="next", **predictor):
    return {"trafficPercent": percent, "predictor": {"name": name, "model": model(uri), **predictor}}


def set_canary(cluster, *entries):
    cluster.patch("loans", {"spec": {"canary": list(entries) or None}})
    cluster.controller.settle()


def backends(cluster, route):
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{cluster.namespace}/httproutes/{route}"
    (rule,) = cluster.api.request("GET", path)["spec"]["rules"]
    return [(item["name"], item["weight"]) for item in rule["backendRefs"]]


def arguments(deployment):
    return deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_service_is_a_deployment_a_service_and_routes(loans):
    assert loans.condition("loans") == "True"
    assert set(loans.deployments()) == {"loans-predictor"}
    found = loans.api.request("GET", f"/api/v1/namespaces/{loans.namespace}/services/loans-predictor")
    assert found["spec"]["ports"][0]["port"] == 80
    assert backends(loans, "loans") == backends(loans, "loans-predictor") == [("loans-predictor", 1)]


def test_a_percentage_is_ignored_in_silence(loans):
    loans.set_predictor("loans", model=model(NEXT), canaryTrafficPercent=10)
    loans.controller.settle()
    (deployment,) = loans.deployments().values()
    assert f"--storage={NEXT}" in arguments(deployment)  # all of it, at once
    assert "traffic" not in loans.predictor("loans")
    assert loans.condition("loans") == "True"


def test_a_canary_is_a_deployment_beside_the_stable_one_without_traffic(loans):
    set_canary(loans, entry(NEXT, 10))
    deployments = loans.deployments()
    assert set(deployments) == {"loans-predictor", "loans-next-predictor"}
    assert f"--storage={STABLE}" in arguments(deployments["loans-predictor"])
    assert f"--storage={NEXT}" in arguments(deployments["loans-next-predictor"])
    (canary,) = loans.get("loans")["status"]["canaryStatuses"]
    assert (canary["name"], canary["ready"], canary["trafficPercent"]) == ("next", True, 10)
    assert loans.condition("loans", "CanaryPredictorReady") == "True"
    assert backends(loans, "loans") == [("loans-predictor", 1)]


def test_canaries_take_their_replicas_from_the_stable_predictor(loans):
    set_canary(loans, entry(NEXT, 10))
    replicas = {name: item["spec"]["replicas"] for name, item in loans.deployments().items()}
    assert replicas == {"loans-predictor": 1, "loans-next-predictor": 1}


def test_a_broken_canary_leaves_the_service_ready(loans):
    loans.controller.behave("loans", broken={BAD})
    set_canary(loans, entry(BAD, 10))
    (canary,) = loans.get("loans")["status"]["canaryStatuses"]
    assert not canary["ready"]
    assert loans.condition("loans", "CanaryPredictorReady") == "False"
    assert loans.condition("loans") == "True"


def test_a_canary_that_was_ready_stays_so_when_its_model_changes_for_a_broken_one(loans):
    loans.controller.behave("loans", broken={BAD})
    set_canary(loans, entry(NEXT, 10))
    set_canary(loans, entry(BAD, 10))
    (canary,) = loans.get("loans")["status"]["canaryStatuses"]
    assert canary["ready"]  # the old pods are


def test_dropping_the_entry_rolls_back(loans):
    set_canary(loans, entry(NEXT, 10))
    set_canary(loans)
    assert set(loans.deployments()) == {"loans-predictor"}
    assert loans.deployments()["loans-predictor"]["spec"]["replicas"] == 2
    assert "canaryStatuses" not in loans.get("loans")["status"]
    assert loans.condition("loans", "CanaryPredictorReady") == "absent"


def test_promoting_keeps_the_pods_of_the_canary(loans):
    set_canary(loans, entry(NEXT, 10))
    before = loans.deployments()["loans-next-predictor"]
    loans.patch("loans", {"spec": {"predictor": {"name": "next", "model": model(NEXT)}, "canary": None}})
    loans.controller.settle()
    ((name, after),) = loans.deployments().items()
    assert name == "loans-next-predictor"
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["template"] == before["spec"]["template"]
    assert backends(loans, "loans") == backends(loans, name) == [("loans-next-predictor", 1)]
    assert backends(loans, "loans-predictor") == [("loans-predictor", 1)]  # left behind, to a Service that is gone
    with pytest.raises(Refused, match="not found"):
        loans.api.request("GET", f"/api/v1/namespaces/{loans.namespace}/services/loans-predictor")


def test_the_service_stays_ready_while_pods_are_replaced(loans):
    loans.controller.behave("loans", ready_after=4)
    loans.set_predictor("loans", model=model(NEXT))
    for _ in range(4):
        loans.controller.step()
        assert loans.condition("loans") == "True"
        assert loans.deployments()["loans-predictor"]["status"]["availableReplicas"] == 2
    loans.controller.settle()
    assert loans.deployments()["loans-predictor"]["status"]["updatedReplicas"] == 2


def test_a_broken_model_in_place_of_the_stable_one_is_seen_though_old_pods_serve(loans):
    loans.controller.behave("loans", broken={BAD})
    loans.set_predictor("loans", model=model(BAD))
    loans.controller.settle()
    assert loans.condition("loans") == "False"
    assert loans.get("loans")["status"]["modelStatus"]["lastFailureInfo"]["message"] == f"cannot load {BAD}"
    assert loans.deployments()["loans-predictor"]["status"]["availableReplicas"] == 2


@pytest.mark.parametrize(("replicas", "is_ready"), [({}, False), ({"minReplicas": 1}, True)])
def test_a_canary_without_traffic_has_no_pods_unless_it_asks(cluster, replicas, is_ready):
    cluster.create("loans", "Standard", STABLE, minReplicas=2)
    cluster.patch("loans", {"metadata": {"annotations": {AUTOSCALER_ANNOTATION: "none"}}})
    set_canary(cluster, entry(NEXT, 0, **replicas))
    (canary,) = cluster.get("loans")["status"]["canaryStatuses"]
    assert canary["ready"] is is_ready


def test_what_a_canary_does_not_say_it_inherits(loans):
    loans.set_predictor("loans", model={"env": [{"name": "THREADS", "value": "2"}]})
    set_canary(loans, entry(NEXT, 10))
    (container,) = loans.deployments()["loans-next-predictor"]["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "THREADS", "value": "2"}]


@pytest.fixture
def newer(loans):
    """The same service under the release after 0.20."""
    loans.controller = KServeController(loans.api, namespace=loans.namespace, release="0.21")
    loans.controller.settle()
    return loans


def test_the_next_release_splits_by_itself_once_the_canary_is_ready(newer):
    newer.controller.behave("loans", ready_after=6)
    newer.patch("loans", {"spec": {"canary": [entry(NEXT, 10)]}})
    for _ in range(6):
        newer.controller.step()
        assert backends(newer, "loans") == [("loans-predictor", 1)]
        assert newer.deployments()["loans-predictor"]["spec"]["replicas"] == 2
    newer.controller.settle()
    assert backends(newer, "loans") == [("loans-predictor", 90), ("loans-next-predictor", 10)]
    assert newer.deployments()["loans-predictor"]["spec"]["replicas"] == 1


def test_the_next_release_keeps_the_name_of_its_route(newer):
    set_canary(newer, entry(NEXT, 10))
    newer.patch("loans", {"spec": {"predictor": {"name": "next", "model": model(NEXT)}, "canary": None}})
    newer.controller.settle()
    assert backends(newer, "loans-predictor") == [("loans-next-predictor", 1)]
    with pytest.raises(Refused, match="not found"):
        backends(newer, "loans-next-predictor")


def test_a_deleted_service_takes_its_children_along(loans):
    loans.api.request("DELETE", f"{loans.services}/loans")
    assert "deletionTimestamp" in loans.get("loans")["metadata"]
    loans.controller.settle()
    assert loans.deployments() == {}
    with pytest.raises(Refused, match="not found"):
        loans.get("loans")


def test_a_thread_does_the_same(cluster):
    import time

    cluster.create("loans", "Standard", STABLE)
    with cluster.controller.running(interval=0.01):
        for _ in range(500):
            if "status" in cluster.get("loans") and cluster.condition("loans") == "True":
                break
            time.sleep(0.02)
    assert cluster.condition("loans") == "True"


def test_an_error_of_the_thread_is_not_swallowed(cluster, monkeypatch):
    import threading

    raised = threading.Event()

    def fail(*_):
        raised.set()
        raise ValueError("a mistake in the controller")

    monkeypatch.setattr(cluster.controller, "step", fail)
    with pytest.raises(ValueError, match="a mistake"), cluster.controller.running(interval=0.01):
        assert raised.wait(10)
