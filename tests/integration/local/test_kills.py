"""``kill -9``: of the controller of a rollout, at every step and at random instants; of servers; of the host.

It always ends promoted or rolled back as its candidate deserves; no request goes to a version that was not given it in
writing; none is lost unless the one who had to answer it was killed itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders.controllers import ControllerProcess
from builders.local import Running, hosting, stub, wait_for
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import Phase
from tiers import count, sample

pytestmark = pytest.mark.kills

RANDOM_KILLS = count(20, full=60)
TROUBLED = count(8, full=24)


@dataclass
class Trials:
    """Rollouts one after another on one host, under one caller's eyes."""

    host: Running
    log: Path
    places: Path
    first: Release
    second: Release
    number: int = 0
    since: float = 0.0

    def prepared(self, harmful: bool) -> tuple[Release, Release, str]:
        """(candidate, stable, name of the attempt): whoever does not serve is the next candidate."""
        serving = self.host.service.handle.current()
        stable, candidate = (self.first, self.second) if serving == self.first else (self.second, self.first)
        wait_for(lambda: self.host.service.handle.ready(stable))
        self.number += 1
        self.log.write_text("")
        self.since = time.time()
        self.places.write_text("")
        return candidate, stable, f"{self.number}{'h' if harmful else 'g'}"

    def controller(
        self, candidate: Release, harmful: bool, attempt: str, fatal: str | None = None
    ) -> ControllerProcess:
        return ControllerProcess(
            self.host, candidate, harmful=harmful, attempt=attempt, fatal=fatal, places=self.places
        )

    def ends_well(self, candidate: Release, stable: Release, *, harmful: bool) -> None:
        """The journal, the service and the callers agree on an end that the candidate deserves."""
        journal, _ = self.host.service.journals.read(self.host.service.name)
        state = self.host.client.state()
        expected, left = (Phase.ROLLED_BACK, stable) if harmful else (Phase.PROMOTED, candidate)
        assert (journal.rollout.phase, journal.rollout.candidate) == (expected, candidate), journal.rollout.reason
        assert (state.desired.served, dict(state.weights)) == (left, {left.version: 100})
        assert set(state.revisions) == {left.version}
        weights = [entry.weight for entry in journal.entries]
        assert weights == sorted(weights) or harmful
        assert set(weights) <= {0, 10, 50} if harmful else {10, 50, 100} <= set(weights)

    def nobody_was_harmed(self, candidate: Release, *, statuses: frozenset[str] = frozenset({"200"})) -> None:
        """What the caller saw: every answer, nothing from a version before it had a weight in writing."""
        journal, _ = self.host.service.journals.read(self.host.service.name)
        given = min((entry.at for entry in journal.entries if entry.weight > 0), default=float("inf"))
        lines = self.log.read_text().splitlines()[:-1]
        answers = [line.split() for line in lines if not line.startswith("weights")]
        answers = [one for one in answers if float(one[0]) > self.since]  # one may have been asked in the trial before
        assert answers
        assert {status for _, _, status, _ in answers} <= statuses
        assert not [one for one in answers if one[3] == candidate.version and float(one[1]) < given]
        for line in lines:
            if line.startswith("weights"):
                _, in_force, written = line.split("\t")
                allowed = json.loads(written).get(candidate.version)
                assert allowed is None or json.loads(in_force).get(candidate.version, 0) <= allowed


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    folder = tmp_path_factory.mktemp("kills") / "loans"
    log = folder.parent / "answers.log"
    with hosting(folder, seconds=60) as host:  # a busy machine may stall; what is lost here is lost for good
        first, second = stub(folder.parent, "1", score=0.25), stub(folder.parent, "2", score=0.75)
        host.installed(first)
        words = [sys.executable, "-S", str(Path(__file__).parents[2] / "builders" / "caller.py"), str(folder), str(log)]
        caller = subprocess.Popen(words)
        try:
            yield Trials(host, log, folder.parent / "places.log", first, second)
        finally:
            caller.kill()
            caller.wait()


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_at_every_boundary(trials, harmful):
    candidate, stable, attempt = trials.prepared(harmful)
    assert trials.controller(candidate, harmful, attempt).end() == 0
    trials.ends_well(candidate, stable, harmful=harmful)
    places = sorted(set(trials.places.read_text().splitlines()))
    assert len(places) > 50
    killed = 0
    tried = sample(places, every=4)
    for place in tried:
        candidate, stable, attempt = trials.prepared(harmful)
        killed += trials.controller(candidate, harmful, attempt, fatal=place).end() == -signal.SIGKILL
        assert trials.controller(candidate, harmful, attempt).end() == 0
        trials.ends_well(candidate, stable, harmful=harmful)
        trials.nobody_was_harmed(candidate)
    assert killed > 0.7 * len(tried)


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_at_random_instants(trials, harmful):
    draw = random.Random(int(harmful))
    killed = 0
    while killed < RANDOM_KILLS // 2:
        candidate, stable, attempt = trials.prepared(harmful)
        for _ in range(3):
            controller = trials.controller(candidate, harmful, attempt)
            time.sleep(draw.uniform(0, 0.6))
            controller.kill()
            killed += controller.end() == -signal.SIGKILL
        assert trials.controller(candidate, harmful, attempt).end() == 0
        trials.ends_well(candidate, stable, harmful=harmful)
        trials.nobody_was_harmed(candidate)


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_servers_and_the_host_are_killed_as_well(trials, harmful):
    """Callers see that; the rollout ends as it should, and what was written is not lost."""
    draw = random.Random(10 + harmful)
    for _ in range(TROUBLED // 2):
        candidate, stable, attempt = trials.prepared(harmful)
        controller = trials.controller(candidate, harmful, attempt)
        time.sleep(draw.uniform(0, 0.8))
        what = draw.choice(["host", "server", "server", "host and controller"])
        if what.startswith("host"):
            before = trials.host.client.state().desired.generation
            trials.host.kill()
            if what == "host and controller":
                controller.kill()
            trials.host.start()
            assert trials.host.client.state().desired.generation >= before
        else:
            running = [one.pid for one in trials.host.client.state().revisions.values() if one.pid]
            if running:
                os.kill(draw.choice(running), signal.SIGKILL)
        if controller.end() != 0:
            assert trials.controller(candidate, harmful, attempt).end() == 0
        trials.ends_well(candidate, stable, harmful=harmful)
        trials.nobody_was_harmed(candidate, statuses=frozenset({"200", "0", "502", "503"}))
