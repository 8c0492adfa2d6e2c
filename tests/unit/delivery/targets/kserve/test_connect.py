"""Deliveries on a service as it is opened: what stands in the way is said first, and only then is anything done."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from builders.kserve_rollouts import V1, V2, Ground
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.deployment import Time, clear_way, roll_out
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.rollout.verdict import verdict_of
from gauntlet.delivery.targets.kserve.connect import open_on
from gauntlet.errors import ConfigurationError
from gauntlet.verdict import Status

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])
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
        service, release, ground.judge, ground.plan, ground.time(), told=lambda decision: None, warned=warned
    )


@MODES
def test_a_whole_delivery_looks_first_and_is_not_in_its_own_way(mode):
    ground, heard = ground_of(mode), []
    assert verdict_of(deliver(ground, heard=heard)).status is Status.PASS
    assert [one.about for one in heard] == (["spec.predictor.minReplicas"] if mode == "Standard" else [])
    assert verdict_of(deliver(ground)).status is Status.PASS, "delivered again, nothing begins"
    assert clear_way(open_on(ground.api(), ground.service), V2.digest) == ()


@MODES
def test_missing_permissions_are_said_all_at_once_and_nothing_was_changed(mode):
    ground = ground_of(mode)
    ground.server.denied = {("patch", "inferenceservices"), ("create", "leases"), ("get", "configmaps")}
    before = ground.get()
    for delivered in (deliver, lambda ground: clear_way(open_on(ground.api(), ground.service), V2.digest)):
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
    assert [one.blocks for one in clear_way(service, V1.digest)] == [False]
    ready = SimpleNamespace(current=service.place.current, install=service.place.install, ready=lambda release: True)
    time = Time(lambda: 0.0, lambda seconds: None)
    journal = roll_out(replace(service, place=ready), V1, None, Ground.plan, time, told=lambda decision: None)
    assert (journal.rollout.phase, service.place.current()) == (Phase.PROMOTED, V1)


def test_a_first_version_that_this_account_may_not_install_is_refused_with_the_way_out():
    server = cluster("ml", "gauntlet-serving")
    server.denied = {("create", "inferenceservices")}
    with pytest.raises(ConfigurationError, match="Create it with its first version"):
        clear_way(open_on(MemoryApi(server), "ml/loans"), V1.digest)
