"""Waiting for a lease: whoever begins has watched nobody yet, and tells the dead from the living by their renewals."""

import pytest

from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.rollout.lease import RENEW_SECONDS, LeaseTaken, renew, renewing_sleep, wait_for_lease
from gauntlet.delivery.targets.kserve.lease import ClusterLease
from gauntlet.errors import DependencyError

SERVICE = "ml/loans"
PATH = "/apis/coordination.k8s.io/v1/namespaces/ml/leases/gauntlet-rollout-loans"


class World:
    """A cluster, and a clock that goes on while somebody sleeps; meanwhile others may act."""

    def __init__(self):
        self.server, self.now, self.heard = MemoryServer(), 0.0, []
        self.meanwhile = lambda: None
        self.down = False

    def lease(self, holder, seconds=120.0):
        """Of a process that has just begun."""
        return ClusterLease(MemoryApi(self.server, self.fate), holder=holder, seconds=seconds, monotonic=self.clock)

    def clock(self):
        return self.now

    def fate(self, method, path, when):
        if self.down:
            raise DependencyError("does not answer", field=path, mend="Wait")

    def sleep(self, seconds):
        self.now += seconds
        self.meanwhile()

    def wait_for_lease(self, holder, seconds=120.0):
        wait_for_lease(self.lease(holder, seconds), SERVICE, self.sleep, self.heard.append)

    def holder(self):
        return self.server.request("GET", PATH)["spec"]["holderIdentity"]


@pytest.fixture
def world():
    return World()


def test_what_is_free_is_taken_without_waiting(world):
    world.wait_for_lease("first")
    assert (world.now, world.heard, world.holder()) == (0.0, [], "first")


def test_a_process_that_has_just_begun_takes_over_from_a_dead_one(world):
    world.lease("dead").acquire(SERVICE)
    world.now += 1_000_000.0  # however long ago: nobody has watched
    began = world.now
    world.wait_for_lease("next")
    assert world.holder() == "next"
    assert 120.0 < world.now - began < 130.0
    (said,) = world.heard
    assert "lease of ml/loans: is held by dead, last renewed 20" in str(said)
    assert "within 120 s" in str(said)
    assert not said.blocks


def test_it_is_watched_for_as_long_as_its_holder_asked_for(world):
    world.lease("dead", seconds=300.0).acquire(SERVICE)
    world.wait_for_lease("next", seconds=10.0)
    assert 300.0 < world.now < 310.0


def test_a_holder_that_renews_lives_and_nobody_acts_beside_it(world):
    living = world.lease("living")
    living.acquire(SERVICE)

    def renewed():
        if world.now >= 60.0:
            living.acquire(SERVICE)

    world.meanwhile = renewed
    with pytest.raises(
        DependencyError, match=r"held by another controller.*living.*gauntlet\.abort"
    ) as lease_taken_error:
        world.wait_for_lease("next")
    assert lease_taken_error.value.retryable
    assert 60.0 <= world.now < 62.0, "told as soon as it has shown itself"
    assert world.holder() == "living"


def test_one_that_gives_it_back_is_followed_at_once(world):
    living = world.lease("living")
    living.acquire(SERVICE)
    world.meanwhile = lambda: world.now >= 5.0 and living.release(SERVICE)
    world.wait_for_lease("next")
    assert world.holder() == "next"
    assert world.now < 7.0


def test_of_two_that_wait_one_follows(world):
    world.lease("dead").acquire(SERVICE)
    other = world.lease("other")

    def waiting():
        try:
            other.acquire(SERVICE)
        except LeaseTaken:
            return

    waiting()  # a little earlier than the next one
    world.meanwhile = waiting
    with pytest.raises(DependencyError, match="other holds the lease"):
        world.wait_for_lease("next")
    assert world.holder() == "other"


def test_a_cluster_that_does_not_answer_for_a_moment_does_not_end_the_wait(world):
    world.lease("dead").acquire(SERVICE)

    def hiccup():
        world.down = 50.0 < world.now < 80.0

    world.meanwhile = hiccup
    world.wait_for_lease("next")
    assert world.holder() == "next"


def test_one_that_never_answers_ends_it(world):
    world.down = True
    with pytest.raises(DependencyError, match="does not answer"):
        world.wait_for_lease("next")
    assert world.now == 0.0
    world.down = False
    world.lease("dead").acquire(SERVICE)

    def gone():
        world.down = True

    world.meanwhile = gone
    with pytest.raises(DependencyError, match="does not answer"):
        world.wait_for_lease("next")
    assert world.now < 130.0


def test_where_the_kernel_says_that_somebody_lives_nobody_waits(world):
    class Locked:
        def acquire(self, service):
            raise LeaseTaken("process 7 acts on loans")

    with pytest.raises(DependencyError, match="process 7 acts on loans"):
        wait_for_lease(Locked(), "loans", world.sleep, world.heard.append)
    assert (world.now, world.heard) == (0.0, [])


def test_who_waits_for_long_is_not_taken_for_dead(world):
    holder = world.lease("holder")
    holder.acquire(SERVICE)
    other = world.lease("other")

    def watched():
        with pytest.raises(LeaseTaken):
            other.acquire(SERVICE)

    world.meanwhile = watched
    rest = renewing_sleep(holder, SERVICE, world.sleep)
    rest(3_600.0)
    for _ in range(600):
        rest(1.0)
    assert world.holder() == "holder"
    assert world.now == pytest.approx(4_200.0)


def test_a_short_rest_asks_nobody(world):
    world.down = True
    renewing_sleep(world.lease("holder"), SERVICE, world.sleep)(RENEW_SECONDS)
    renewing_sleep(world.lease("holder"), SERVICE, world.sleep)(10 * RENEW_SECONDS)  # and a failure is passed over
    assert world.now == 11 * RENEW_SECONDS


def test_what_was_lost_while_waiting_is_said(world):
    world.lease("holder").acquire(SERVICE)
    renew(world.lease("holder"), SERVICE)
    with pytest.raises(DependencyError, match="another controller"):
        renew(world.lease("other"), SERVICE)
