"""Who may act: leases of several controllers on one service, each with a clock of its own."""

import pytest

from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.targets.kserve.lease import ClusterLease, identity
from gauntlet.errors import DependencyError

SERVICE = "ml/loans"
PATH = "/apis/coordination.k8s.io/v1/namespaces/ml/leases/gauntlet-rollout-loans"


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def server():
    return MemoryServer()


def lease(server, holder, now=0.0, fate=lambda *where: None):
    clock = Clock(now)
    return ClusterLease(MemoryApi(server, fate), holder=holder, seconds=10.0, monotonic=clock), clock


def test_one_holds_it_and_the_other_does_not(server):
    first, _ = lease(server, "first")
    second, _ = lease(server, "second")
    first.acquire(SERVICE)
    first.check(SERVICE)
    with pytest.raises(LeaseTaken, match="first holds"):
        second.acquire(SERVICE)
    with pytest.raises(LeaseTaken):
        second.check(SERVICE)
    first.acquire(SERVICE)


def test_it_is_taken_over_only_after_it_was_not_renewed_for_its_whole_time_on_ones_own_clock(server):
    first, _ = lease(server, "first")
    second, clock = lease(server, "second", now=1_000_000.0)
    first.acquire(SERVICE)
    for passed in (0.0, 6.0):
        clock.now = 1_000_000.0 + passed
        with pytest.raises(LeaseTaken):
            second.acquire(SERVICE)
    first.acquire(SERVICE)  # renewed: the other one has to wait anew
    clock.now += 6.0
    with pytest.raises(LeaseTaken):
        second.acquire(SERVICE)
    clock.now += 10.0
    with pytest.raises(LeaseTaken):
        second.acquire(SERVICE)
    clock.now += 0.1
    second.acquire(SERVICE)
    assert server.request("GET", PATH)["spec"]["leaseTransitions"] == 1
    with pytest.raises(LeaseTaken, match="second holds"):
        first.acquire(SERVICE)


def test_it_is_over_here_before_it_is_over_anywhere_else(server):
    first, clock = lease(server, "first")
    first.acquire(SERVICE)
    clock.now = 7.9
    first.check(SERVICE)
    clock.now = 8.0
    with pytest.raises(LeaseTaken, match="not renewed in time"):
        first.check(SERVICE)


def test_its_time_counts_from_before_the_request(server):
    clock = Clock(0.0)

    def slow(method, path, when):
        clock.now += 4.0

    slowly, _ = lease(server, "first", fate=slow)
    slowly.monotonic = clock
    slowly.acquire(SERVICE)
    with pytest.raises(LeaseTaken):
        slowly.check(SERVICE)


def test_given_back_it_is_free_at_once(server):
    first, _ = lease(server, "first")
    second, _ = lease(server, "second")
    first.acquire(SERVICE)
    first.release(SERVICE)
    with pytest.raises(LeaseTaken):
        first.check(SERVICE)
    second.acquire(SERVICE)
    first.release(SERVICE)
    second.acquire(SERVICE)


def test_one_that_was_taken_over_is_not_given_back(server):
    first, _ = lease(server, "first")
    second, clock = lease(server, "second")
    first.acquire(SERVICE)
    with pytest.raises(LeaseTaken):
        second.acquire(SERVICE)
    clock.now = 11.0
    second.acquire(SERVICE)
    first.release(SERVICE)
    assert server.request("GET", PATH)["spec"]["holderIdentity"] == "second"


def test_a_conflict_means_that_somebody_else_was_faster(server):
    def fate(method, path, when):
        if method == "PATCH":
            raise Conflict

    lease(server, "first")[0].acquire(SERVICE)
    with pytest.raises(LeaseTaken, match="at this moment"):
        lease(server, "first", fate=fate)[0].acquire(SERVICE)


def test_giving_it_back_needs_no_answer(server):
    answers = [True]

    def fate(method, path, when):
        if not answers[0]:
            raise DependencyError("does not answer", field=path, value=503, mend="Wait")

    first, _ = lease(server, "first", fate=fate)
    first.acquire(SERVICE)
    answers[0] = False
    first.release(SERVICE)
    with pytest.raises(LeaseTaken):
        first.check(SERVICE)


def test_no_two_processes_have_one_name():
    assert identity() != identity()
