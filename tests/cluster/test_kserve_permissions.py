"""A whole rollout under the account of ``manifests/``, and nothing beyond it."""

import pytest

from builders.kserve_rollouts import NAME, V1, V2, Ground
from builders.manifests import MANIFESTS, RBAC, apply
from gauntlet.delivery.deployment import preflight_warnings, roll_out
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.api import Api
from gauntlet.delivery.targets.kserve.modes import Mode
from gauntlet.delivery.targets.kserve.preflight import preflight
from gauntlet.delivery.targets.kserve.resources import HTTP_ROUTES
from gauntlet.delivery.targets.kserve.resources import INFERENCE_SERVICES as SERVICES
from gauntlet.delivery.targets.kserve.service import ClusterHandle, open_on
from gauntlet.errors import ConfigurationError

pytestmark = pytest.mark.cluster

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


@pytest.fixture
def ground_of(api):
    def made(mode):
        ground = Ground(api, mode)
        apply(api, MANIFESTS / "base", ground.namespace)
        token = api.token(ground.namespace, "gauntlet-delivery")
        return ground, Api(api.client(token), sleep=lambda seconds: None)

    return made


@MODES
def test_a_whole_rollout_and_its_way_back_need_no_more_than_the_role(ground_of, mode):
    ground, api = ground_of(mode)
    assert ground.run(api).phase is Phase.PROMOTED
    ground.journals.approvals(ground.journals.read(ground.service)[0].rollout)
    ground.server.request(
        "PATCH",
        f"/api/v1/namespaces/{ground.namespace}/configmaps/gauntlet-rollout-{NAME}",
        {"metadata": {"annotations": {"gauntlet.dev/abort": "customers complain"}}},
        "application/merge-patch+json",
    )
    backends = ground.backends(api)
    rollout = backends.journals.read(ground.service)[0].rollout
    assert backends.journals.approvals(rollout) == (0, "customers complain")


@MODES
def test_a_verb_outside_the_role_is_refused_by_name(ground_of, mode):
    ground, api = ground_of(mode)
    body = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "other"}}
    with pytest.raises(ConfigurationError, match="verb 'create' on 'inferenceservices"):
        api.create(SERVICES, ground.namespace, {**body, "spec": ground.get()["spec"]})
    with pytest.raises(ConfigurationError, match="verb 'list' on 'httproutes"):
        api.list(HTTP_ROUTES, ground.namespace)
    with pytest.raises(ConfigurationError, match="may not do it"):
        ClusterHandle(api, f"{ground.namespace}/other", Mode(mode)).install(V1)


@MODES
def test_the_preflight_says_which_permission_is_missing(ground_of, mode):
    ground, api = ground_of(mode)
    patch = {"spec": {"predictor": {"minReplicas": 2, "model": {"runtime": "gauntlet-serving"}}}}
    ground.patch(patch)
    ground.controller.settle()
    assert preflight(api, ground.service) == ()
    role = f"{RBAC}/namespaces/{ground.namespace}/roles/gauntlet-delivery"
    rules = [rule for rule in ground.server.request("GET", role)["rules"] if rule["resources"] != ["leases"]]
    ground.server.request("PATCH", role, {"rules": rules}, "application/merge-patch+json")
    found = preflight(api, ground.service)
    assert [one.about for one in found] == [f"{verb} leases.coordination.k8s.io" for verb in ("get", "create", "patch")]
    service, before = open_on(api, ground.service), ground.get()
    with pytest.raises(ConfigurationError, match="for 3 reasons") as caught:
        roll_out(service, V2, ground.judge, ground.plan, ground.time(), on_decision=lambda decision: None)
    assert all(f"{verb} leases.coordination.k8s.io" in str(caught.value) for verb in ("get", "create", "patch"))
    with pytest.raises(ConfigurationError, match="for 3 reasons"):
        preflight_warnings(service, V2.digest)
    assert ground.get() == before
    assert ground.timeline() == []
    with pytest.raises(ConfigurationError, match="'get' on 'leases"):
        ground.run(api)


@MODES
def test_a_delivery_looks_before_it_begins_and_needs_no_more_than_the_role(ground_of, mode):
    ground, api = ground_of(mode)
    ground.patch({"spec": {"predictor": {"minReplicas": 2, "model": {"runtime": "gauntlet-serving"}}}})
    ground.controller.settle()
    heard = []
    options = {"on_decision": lambda decision: None, "on_warning": heard.append}
    journal = roll_out(open_on(api, ground.service), V2, ground.judge, ground.plan, ground.time(), **options)
    assert journal.rollout.phase is Phase.PROMOTED
    assert heard == []
    assert preflight(api, ground.service) == ()


def test_a_first_version_needs_somebody_who_may_create_it(ground_of):
    ground, api = ground_of("Standard")
    with pytest.raises(ConfigurationError, match="Create it with its first version"):
        preflight_warnings(open_on(api, f"{ground.namespace}/other"), V1.digest)


@pytest.mark.parametrize("example", ["knative", "standard"])
def test_the_examples_are_what_the_api_server_takes(api, namespace, example):
    apply(api, MANIFESTS / "examples" / example, namespace)
