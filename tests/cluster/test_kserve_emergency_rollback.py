"""The rollback without a journal that can be written, read or found, on a real API server and by its own refusals."""

import pytest

from builders.kserve_emergencies import at_half, emergencies, gives_up, killed_on_the_way, record, torn
from builders.kserve_rollouts import without_retries
from builders.kserve_scenarios import stands
from builders.unreliable import Fault, UnreliableProxy
from gauntlet.delivery.emergency_rollback import UnrecordedRollback
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.api import Api

pytestmark = pytest.mark.cluster

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])
CASES = emergencies(killed_on_the_way)  # the API server in memory is killed at every change
OTHERS = {
    "apiGroups": ["apps", "coordination.k8s.io", "gateway.networking.k8s.io", "serving.knative.dev"],
    "resources": ["*"],
    "verbs": ["*"],
}
SERVICES = {"apiGroups": ["serving.kserve.io"], "resources": ["*"], "verbs": ["*"]}


def account(api, ground, *verbs):
    """Somebody who may do everything but to ConfigMaps, of which these verbs are left."""
    maps = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}] if verbs else []
    return api.service_account(ground.namespace, "controller", [OTHERS, SERVICES, *maps])


def client(api, token, url=None):
    return Api(without_retries(api.client(token, url=url)), sleep=lambda seconds: None, draw=lambda: 0.5)


@pytest.mark.parametrize(("emergency", "mode"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_all_requests_go_to_stable_again(api, emergency, mode):
    emergency(api, mode)


@MODES
@pytest.mark.parametrize("verbs", [("get",), ()], ids=["may read", "may not even read"])
def test_by_an_account_that_may_not_write_the_journal(api, mode, verbs):
    ground = at_half(api, mode)
    before = ground.server.request("GET", record(ground))["data"]
    with pytest.raises(UnrecordedRollback, match="this account may not do it"):
        gives_up(ground, client(api, account(api, ground, *verbs)))
    stands(ground, "1")
    assert ground.server.request("GET", record(ground))["data"] == before
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")


@MODES
@pytest.mark.parametrize("what", ["writes", "writes of a torn one", "everything"])
def test_through_a_network_that_loses_what_concerns_the_journal(api, mode, what):
    ground = at_half(api, mode)
    if what == "writes of a torn one":
        torn(ground, "journal")
    token = account(api, ground, "get", "create", "patch")
    with UnreliableProxy(api.url, authority=api.authority, certificate=api.certificate("proxy"), silence=0.3) as proxy:
        proxy.next(Fault.ERROR, method="PATCH", part="/configmaps/", times=1_000)
        proxy.next(Fault.LOST_REQUEST, method="POST", part="/configmaps", times=1_000)
        if what == "everything":
            proxy.next(Fault.ERROR, method="GET", part="/configmaps/", times=1_000)
        with pytest.raises(UnrecordedRollback, match=r"no usable answer|did not answer"):
            gives_up(ground, client(api, token, proxy.url))
        assert {one.fault for one in proxy.passed} & {Fault.ERROR, Fault.LOST_REQUEST}
    stands(ground, "1")
