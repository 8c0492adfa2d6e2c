"""A task that is killed while it acts on a local service: the kernel gives its lease back, and the next one goes on."""

import pytest

from builders.deliverer import Delivery
from builders.local import hosting, stub, wait_for

ACTIONS = ["roll_out", "roll_back", "deploy_to_staging"]


@pytest.fixture
def host(tmp_path):
    with hosting(tmp_path / "loans", seconds=30) as host:
        yield host


@pytest.fixture
def versions(host, tmp_path):
    first, second = stub(tmp_path, "1", score=0.25), stub(tmp_path, "2", score=0.75)
    host.installed(first)
    return first, second


def begun(host, action, release, *options):
    return Delivery(f"local:{host.folder}", action, release, *options)


def ended(delivery):
    status, said = delivery.end()
    assert status == 0, said
    assert delivery.waited_for == [], "whoever died does not hold a lock"
    return delivery.lines[-1]


def test_a_rollout_is_gone_on_with_by_the_next_process(host, versions):
    dying = begun(host, "roll_out", versions[1], "--approve", "50")
    dying.until("Waiting for approval of 50 %")
    dying.kill()
    assert ended(begun(host, "roll_out", versions[1])) == "ended: promoted"
    assert host.client.state().weights == {"2": 100}


def test_a_rollout_left_behind_is_rolled_back_by_the_next_process(host, versions):
    dying = begun(host, "roll_out", versions[1], "--approve", "50")
    dying.until("Waiting for approval of 50 %")
    dying.kill()
    dying = begun(host, "roll_back", versions[1])
    dying.until("turn: ")
    dying.kill()
    assert ended(begun(host, "roll_back", versions[1])) == "ended: rolled_back"
    assert host.client.state().weights == {"1": 100}


def test_a_version_is_staged_by_the_next_process(host, versions, tmp_path):
    slow = stub(tmp_path, "3", score=0.5, exit=1)
    dying = begun(host, "deploy_to_staging", slow)
    wait_for(lambda: "3" in host.client.state().revisions)
    dying.kill()
    stub(tmp_path, "3", score=0.5)
    assert ended(begun(host, "deploy_to_staging", slow)).startswith("ended: http://127.0.0.1:")
    assert host.client.state().weights == {"3": 100}


@pytest.mark.parametrize("action", ACTIONS)
def test_beside_one_that_lives_nobody_acts_and_nobody_hangs(host, versions, action):
    living = begun(host, "roll_out", versions[1], "--approve", "50")
    try:
        living.until("Waiting for approval of 50 %")
        beside = begun(host, action, versions[0] if action == "deploy_to_staging" else versions[1])
        status, said = beside.end()
    finally:
        living.kill()
    assert status == 3, beside.lines
    assert f"process {living.process.pid} acts on loans" in said
    assert host.client.state().weights == {"1": 90, "2": 10}
