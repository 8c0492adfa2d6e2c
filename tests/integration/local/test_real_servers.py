"""Rollouts on real model servers: by ``run_to_end`` with a judge that says what it is told, under open-loop load."""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from builders.controllers import ControllerProcess
from builders.local import Running, hosting, wait_for
from builders.served_models import brought, train_one
from gauntlet.delivery.analysis.increments import increments
from gauntlet.delivery.deployment import Time
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.controller import abort, run_to_end, start
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment, Backends
from gauntlet.delivery.rollout.state import AnalysisRun, Phase, begin
from gauntlet.delivery.shadow.gate import ShadowPolicy
from gauntlet.delivery.shadow.runner import run_shadow
from gauntlet.delivery.targets.service import open_service
from gauntlet.model_digest import digest_model
from gauntlet.serving.load import Load, run
from gauntlet.serving.load_result import LoadResult
from gauntlet.settings import parse
from gauntlet.verdict import Status

PLAN = parse(
    RolloutPlan,
    {"steps": [10, 50, 100], "interval_seconds": 0.2, "step_seconds": 0.4, "min_requests": 1},
    field="plan",
)
BODY = json.dumps({"instances": [{"x": 1.0}]}).encode()


@dataclass
class Scripted:
    """A judge: fine until the candidate has ``until`` percent."""

    until: int = 101

    def assess(self, rollout, memory, now):
        number = int(memory or 0) + 1
        status = Status.FAIL if rollout.weight >= self.until else Status.PASS
        return Assessment(AnalysisRun(number, status, "answers differ"), requests=10), str(number)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, Release]:
    folder = tmp_path_factory.mktemp("models")
    first = brought(folder / "1", lambda frame: frame["x"].to_numpy() * 0.25, {"x": "double"})
    second = brought(folder / "2", lambda frame: frame["x"].to_numpy() * 0.75, {"x": "double"})
    return Release("1", digest_model(first), str(first)), Release("2", digest_model(second), str(second))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service") / "x"
    words = [sys.executable, "-m", "gauntlet.delivery.targets.local.server.host", str(folder), "--port", "0"]
    with hosting(folder, words) as one:
        yield one


@contextmanager
def load(host: Running, rate: float = 60) -> Iterator[list[LoadResult]]:
    """Open-loop load for as long as the block, and a little longer; what was measured is there afterwards."""
    measured: list[LoadResult] = []
    done = threading.Event()

    def keep() -> None:
        while not done.is_set():
            asked = Load(rate, 1.0, method="POST", path="/v1/models/model:predict", bodies=(BODY,), connections=8)
            measured.append(run(asked, "127.0.0.1", host.port))

    loading = threading.Thread(target=keep)
    loading.start()
    try:
        yield measured
    finally:
        done.set()
        loading.join()


def roll(host: Running, candidate: Release, judge: Scripted, attempt: str = ""):
    service = open_service(f"local:{host.folder}")
    backends = Backends(service.journals, service.lease, service.target, judge)
    stable = service.handle.current()
    assert stable is not None
    start(service.journals, service.name, candidate, stable, time.time(), attempt)
    return run_to_end(backends, PLAN, service.name, clock=time.time, sleep=time.sleep, patience=50)


def versions(host: Running) -> set[str]:
    return {host.ask(BODY).version for _ in range(100)}


def test_promoted_and_rolled_back_no_request_is_lost(host, models):
    first, second = models
    host.installed(first)
    assert host.ask(BODY).json == {"predictions": [0.25]}
    with load(host) as measured:
        assert roll(host, second, Scripted()).phase is Phase.PROMOTED
        assert versions(host) == {"2"}
        assert host.ask(BODY).json == {"predictions": [0.75]}
        service = open_service(f"local:{host.folder}")
        abort(service.journals, service.name, "customers complain", time.time())
        backends = Backends(service.journals, service.lease, service.target, Scripted())
        end = run_to_end(backends, PLAN, service.name, clock=time.time, sleep=time.sleep)
        assert (end.phase, end.reason) == (Phase.ROLLED_BACK, "Customers complain")
        assert versions(host) == {"1"}
        harmful = roll(host, second, Scripted(until=50), attempt="again")
        assert harmful.phase is Phase.ROLLED_BACK
        assert "answers differ" in harmful.reason
        assert versions(host) == {"1"}
    assert sum(len(one.latency) for one in measured) > 300
    assert [one.errors for one in measured if one.errors] == []


def test_another_model_than_the_digest_says_never_answers(host, models):
    first, second = models
    host.installed(first)
    swapped = replace(second, version="3", digest="sha256:" + "0" * 64)
    end = roll(host, swapped, Scripted())
    assert end.phase is Phase.ROLLED_BACK
    assert "another model than expected" in end.reason
    page = host.client.metrics()
    assert 'gauntlet_router_requests_total{code="200",version="3"} 0.0' in page
    assert set(host.client.state().revisions) == {"1"}


def test_a_shadow_is_compared_and_answers_nobody(host, models):
    first, second = models
    host.installed(first)
    with load(host):
        shadowed = shadow(host, replace(second, version="4"))
    assert shadowed.verdict.status is Status.FAIL
    assert "decided otherwise" in shadowed.verdict.summary
    assert shadowed.counts.flips == shadowed.counts.pairs >= 50
    assert (shadowed.counts.candidate_errors, shadowed.counts.stable_errors) == (0, 0)
    page = host.client.metrics()
    assert 'gauntlet_router_requests_total{code="200",version="4"} 0.0' in page, "no caller heard it"
    wait_for(lambda: set(host.client.state().revisions) == {"1"})
    assert host.client.state().desired.mirror is None


def test_a_shadow_of_the_same_answers_passes_and_leaves_the_candidate_ready(host, models, tmp_path):
    first, _ = models
    host.installed(first)
    alike = brought(tmp_path / "5", lambda frame: frame["x"].to_numpy() * 0.5 * 0.5, {"x": "double"})
    candidate = Release("5", digest_model(alike), str(alike))
    with load(host):
        shadowed = shadow(host, candidate, min_pairs=200, max_flip_rate=0.1)
        assert shadowed.verdict.status is Status.PASS
        again = shadow(host, candidate, min_pairs=200, max_flip_rate=0.1)
    assert shadowed.counts.flips == 0
    counted = re.search(r'gauntlet_mirror_pairs_total\{version="5"\} (\S+)', host.client.metrics())
    assert 200 <= again.counts.pairs <= float(counted[1]) - shadowed.counts.pairs, "each shadow counts its own"
    assert set(host.client.state().revisions) == {"1", "5"}


def test_a_server_that_is_killed_between_two_readings_is_counted_from_zero(host, models, tmp_path):
    """By the time it is read again it has answered more than the process before it, and all of that is new."""
    folder = train_one("binary", tmp_path)
    example = json.loads((folder / "input_example.json").read_text())
    body = json.dumps({"instances": [dict(zip(example["columns"], example["data"][0], strict=True))]}).encode()
    stable = host.installed(Release("6", digest_model(folder), str(folder)))
    rollout = begin("x", models[1], stable, time.time())

    def answer(requests):
        assert {host.ask(body).status for _ in range(requests)} == {200}
        return host.service.counter_source.read(rollout).stable

    before, since = answer(3), time.time()
    killed = host.client.state().revisions["6"].pid
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: (now := host.client.state().revisions["6"]).ready and now.pid != killed)
    after = answer(7)
    grown = increments(before, after, since=since)
    (router,) = set(grown) - {"server"}
    assert before["server"].scores[math.inf] == 3
    assert after["server"].started > before["server"].started
    assert grown["server"].scores[math.inf] == grown[router].requests == 7
    assert (grown[router].errors, grown[router].latency[math.inf]) == (0, 7)


@pytest.mark.kills
@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_while_real_servers_load_and_answer(host, models, tmp_path, harmful):
    first, second = models
    draw = random.Random(int(harmful))
    for number in range(2):
        host.installed(first)
        told = {"harmful": harmful, "attempt": f"killed-{harmful}-{number}", "places": tmp_path / "places"}
        with load(host) as measured:
            for _ in range(4):
                controller = ControllerProcess(host, second, **told)
                time.sleep(draw.uniform(0, 2))
                controller.kill()
                controller.end()
            assert ControllerProcess(host, second, **told).end() == 0
            assert versions(host) == ({"1"} if harmful else {"2"})
        assert [one.errors for one in measured if one.errors] == []


def shadow(host, candidate, **policy):
    settings = parse(ShadowPolicy, {"min_pairs": 50, "latency_ratio": None, **policy}, field="policy")
    time_ = Time(time.time, time.sleep)
    return run_shadow(host.service, candidate, settings, time_, seconds=120.0, share=1.0, patience=120.0)
