"""What Standard mode alone has: replicas, mirrors, routes that are not taken, and KServe's own weights."""

import math

import pytest

from builders.gateway_controller import ROUTES
from builders.kserve_rollouts import NAME, PLAN, V1, V2, Ground
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.controller import reconcile, start
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.standard.view import too_long, variant_name
from gauntlet.errors import DependencyError

CANARY = f"{NAME}-{variant_name(V2)}-predictor"


@pytest.fixture
def ground():
    return Ground(MemoryServer(), "Standard")


def deployments(ground):
    found = ground.server.request("GET", f"/apis/apps/v1/namespaces/{ground.namespace}/deployments")["items"]
    return {one["metadata"]["name"]: one["spec"]["replicas"] for one in found}


def test_the_candidate_has_pods_for_its_share_before_it_gets_it_and_stable_keeps_its_own(ground):
    ground.patch({"spec": {"predictor": {"minReplicas": 8}}})
    ground.controller.settle()
    seen = []

    def look(ground):
        share = ground.shares().get("2", 0)
        replicas = deployments(ground)
        if CANARY in replicas and f"{NAME}-predictor" in replicas:
            seen.append((share, replicas[CANARY], replicas[f"{NAME}-predictor"]))

    ground.meanwhile = look
    assert ground.run().phase is Phase.PROMOTED
    assert {share for share, _, _ in seen} >= {10, 50, 100}
    assert all(canary >= max(1, math.ceil(8 * share / 100)) for share, canary, _ in seen)
    assert all(stable == 8 for _, _, stable in seen)
    ground.controller.settle()
    assert deployments(ground) == {CANARY: 8}, "the same pods, and as many as before"


def test_a_rollback_leaves_as_many_replicas_as_before():
    ground = Ground(MemoryServer(), "Standard", harm_from=50)
    ground.patch({"spec": {"predictor": {"minReplicas": 8, "maxReplicas": 9}}})
    ground.controller.settle()
    assert ground.run().phase is Phase.ROLLED_BACK
    ground.controller.settle()
    assert deployments(ground) == {f"{NAME}-predictor": 8}


def test_the_candidates_pods_are_not_replaced_when_it_is_promoted(ground):
    uids = set()

    def look(ground):
        path = f"/apis/apps/v1/namespaces/{ground.namespace}/deployments"
        uids.update(
            (one["metadata"]["uid"], str(one["spec"]["template"]))
            for one in ground.server.request("GET", path)["items"]
            if one["metadata"]["name"] == CANARY
        )

    ground.meanwhile = look
    assert ground.run().phase is Phase.PROMOTED
    ground.controller.settle()
    look(ground)
    assert len(uids) == 1


def test_a_route_that_its_gateway_does_not_take_gives_no_weight(ground):
    ground.controller.refuse_routes(f"{NAME}-rollout")
    ground.server.request(
        "PATCH",
        f"{ROUTES}/namespaces/{ground.namespace}/httproutes/{NAME}-rollout",
        {"spec": {"hostnames": ["elsewhere.example.com"]}},
    )
    backends = ground.backends()
    start(backends.journals, ground.service, V2, V1, ground.now)
    phases = set()
    for _ in range(20):
        phases.add(reconcile(backends, PLAN, ground.service, ground.now).rollout.weight)
        ground.sleep(1)
    assert phases <= {0, 10}, "no step is entered on a weight that nobody has confirmed"


def test_without_anything_that_splits_the_candidate_never_gets_ready(ground):
    ground.server.request("DELETE", f"{ROUTES}/namespaces/{ground.namespace}/httproutes/{NAME}-rollout")
    ground.shares = dict
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "was not ready after" in end.reason


def test_requests_are_mirrored_to_a_deployed_candidate_and_stop_being(ground):
    backends = ground.backends()
    rollout = start(backends.journals, ground.service, V2, V1, ground.now)
    with pytest.raises(DependencyError, match="cannot mirror"):
        backends.target.mirror(rollout, on=True)
    backends.target.deploy(rollout)
    ground.controller.settle()
    backends.target.mirror(rollout, on=True)
    (mirror,) = ground.route()["spec"]["rules"][0]["filters"]
    assert mirror["requestMirror"]["backendRef"]["name"] == CANARY
    assert ground.shares() == {"1": 100}
    backends.target.mirror(rollout, on=False)
    assert ground.route()["spec"]["rules"][0]["filters"] == []
    backends.target.mirror(rollout, on=True)
    ground.judge.harm_from = 0
    assert ground.go_on(backends).phase is Phase.ROLLED_BACK
    assert ground.route()["spec"]["rules"][0]["filters"] == [], "nobody mirrors to what is gone"


def test_a_name_is_of_the_version_and_its_content_and_fits():
    assert variant_name(Release("7", "sha256:0123456789", "x")) == "v7-01234567"
    assert variant_name(Release("1.0-RC_2", "sha256:0123456789", "x")) == "v1-0-rc-2-01234567"
    assert not too_long("loans", V2)
    assert too_long("l" * 45, V2)
