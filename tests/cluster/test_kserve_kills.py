"""Rollouts whose controller dies, again and again, at any instant; and whose network fails in every way there is."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.kserve_rollouts import Ground, Killed, without_retries
from builders.unreliable import Fault, UnreliableProxy
from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.api import Api
from gauntlet.errors import DependencyError
from tiers import count

pytestmark = pytest.mark.cluster

HERE = Path(__file__).parent
KILLS_EACH = count(10, full=26)
REAL_KILLS_EACH = count(3, full=5)
CASES = pytest.mark.parametrize("harm_from", [101, 50], ids=["good", "harmful"])
MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])
RATES = {
    Fault.CONFLICT: 0.03,
    Fault.THROTTLED: 0.03,
    Fault.ERROR: 0.03,
    Fault.LOST_REQUEST: 0.03,
    Fault.LOST_ANSWER: 0.03,
    Fault.SILENT_REQUEST: 0.01,
    Fault.SILENT_ANSWER: 0.01,
    Fault.CUT: 0.03,
}


def ends_well(ground, phase):
    ground.controller.settle()
    if ground.harm_from > 100:
        assert phase is Phase.PROMOTED
        assert ground.shares() == {"2": 100}
    else:
        assert phase is Phase.ROLLED_BACK
        assert ground.shares() == {"1": 100}
        assert ground.most <= 50
    assert not ground.strange


@MODES
@CASES
def test_killed_at_random_instants_it_still_ends_well(api, mode, harm_from):
    """Over both modes and ends 40 deaths (104 in ``make test-all``), half after the server did what it was asked."""
    draw = random.Random(f"{mode} {harm_from}")
    deaths = 0
    while deaths < KILLS_EACH:
        ground = Ground(api, mode, harm_from=harm_from)
        phase = None
        while phase is None:
            left = [draw.randrange(1, 60)]

            def fate(method, path, when, left=left):
                left[0] -= 1
                if left[0] <= 0:  # once dead, dead: the lease is not given back either
                    raise Killed(f"{when} {method} {path}")

            try:
                phase = ground.run(ground.api(fate)).phase
            except Killed:
                deaths += 1
        ends_well(ground, phase)


@pytest.mark.parametrize(("mode", "harm_from"), [("Knative", 50), ("Standard", 101)], ids=["Knative", "Standard"])
def test_killed_by_the_system_it_still_ends_well(api, mode, harm_from, tmp_path):
    """``kill -9`` of the controller's process; the next one has to wait for the lease of the dead."""
    ground = Ground(api, mode, harm_from=harm_from)
    draw = random.Random(f"{mode} {harm_from}")
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    with ground.controller.running(0.02):
        for life in range(REAL_KILLS_EACH):
            with controller(ground, kubeconfig, f"life-{life}") as process:
                assert process.stdout.readline() == "started\n", process.stderr.read()
                until = time.monotonic() + draw.uniform(0.0, 2.0)
                while time.monotonic() < until:
                    look(ground)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        with controller(ground, kubeconfig, "last") as process:
            assert process.stdout.readline() == "started\n", process.stderr.read()
            while process.poll() is None:
                look(ground)
            said = process.stdout.read()
            assert process.returncode == 0, process.stderr.read()
    ends_well(ground, Phase(said.strip()))


def look(ground):
    ground.watch()
    time.sleep(0.05)


def controller(ground, kubeconfig, holder):
    arguments = [str(kubeconfig), ground.service, ground.mode, str(ground.harm_from), holder]
    tests = HERE.parent
    path = os.pathsep.join([str(tests.parent / "src"), str(tests), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(HERE / "run_controller.py"), *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@MODES
@CASES
def test_through_a_network_that_fails_in_every_way_it_still_ends_well(api, mode, harm_from):
    """Conflicts, refusals, errors, lost requests and lost answers, silence and half an answer: one request in five."""
    ground = Ground(api, mode, harm_from=harm_from)
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    token = api.service_account(ground.namespace, "controller", everything)
    certificate = api.certificate("proxy")
    with UnreliableProxy(
        api.url, authority=api.authority, certificate=certificate, seed=harm_from, silence=0.3, retry_after=0
    ) as proxy:
        proxy.rates = RATES
        for fault in RATES:
            proxy.next(fault, method="PATCH")
        client = Api(
            without_retries(api.client(token, url=proxy.url)),
            patience=(1.0, 0.2),
            sleep=lambda seconds: None,
            draw=lambda: 0.5,
        )
        phase = None
        for _ in range(100):
            try:
                phase = ground.run(client).phase
            except (DependencyError, Conflict, LeaseTaken):
                ground.sleep(60)
                continue
            break
        assert {one.fault for one in proxy.passed} >= set(RATES), "every fault befell a request"
    ends_well(ground, phase)
