"""A rollout run by a process of its own, so that it can be killed: at a place it names, or from outside."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.local import Running
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.controller import run_to_end, start
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment, Backends
from gauntlet.delivery.rollout.state import AnalysisRun, Rollout
from gauntlet.settings import parse
from gauntlet.verdict import Status

PLAN = parse(
    RolloutPlan,
    {
        "steps": [10, 50, 100],
        "interval_seconds": 0.02,
        "step_seconds": 0.06,
        "min_requests": 1,
        "budgets": {"errors": 500, "inconclusive": 500},
    },
    field="plan",
)
HARM_AT = 50


@dataclass
class Scripted:
    """A judge that finds harm at ``HARM_AT`` percent, or never."""

    harmful: bool

    def assess(self, rollout: Rollout, memory: str, now: float) -> tuple[Assessment, str]:
        number = int(memory or 0) + 1
        status = Status.FAIL if self.harmful and rollout.weight >= HARM_AT else Status.PASS
        return Assessment(AnalysisRun(number, status, "answers differ"), requests=10), str(number)


class Watched:
    """One part of a stage; every call of it is a place before and a place after, told with the rollout's state."""

    def __init__(self, part: Any, passed: Callable[[str], None]) -> None:
        self._part, self._passed = part, passed

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)

        def call(*arguments: Any) -> Any:
            self._passed(f"before {name}")
            found = method(*arguments)
            self._passed(f"after {name}")
            return found

        return call


class ControllerProcess:
    """A process that runs a controller, forked from this one.

    Args:
        host: whose service.
        candidate: what it rolls out.
        harmful: what its judge finds.
        attempt: the rollout's name.
        fatal: the place at which it kills itself; ``None`` for nowhere.
        places: file that gets the places it passes.
    """

    def __init__(
        self, host: Running, candidate: Release, *, harmful: bool, attempt: str, fatal: str | None = None, places: Path
    ) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _run_controller(host, candidate, Scripted(harmful), attempt, fatal, places)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)

    def end(self, timeout: float = 120) -> int:
        """Its exit status, negative for the signal that killed it."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        self.kill()
        raise AssertionError("the rollout does not end")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _run_controller(
    host: Running, candidate: Release, judge: Scripted, attempt: str, fatal: str | None, places: Path
) -> None:
    service = host.service
    state = "beginning"

    def passed(place: str) -> None:
        nonlocal state
        name = f"{place} at {state}"
        with places.open("a") as lines:
            lines.write(name + "\n")
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    journals, lease, target, looking = (
        Watched(one, passed) for one in (service.journals, service.lease, service.target, judge)
    )
    found = service.journals.read(service.name)
    unfinished = found is not None and found[0].rollout.attempt == attempt
    stable = found[0].rollout.stable if unfinished else service.handle.current()
    start(journals, service.name, candidate, stable, time.time(), attempt)

    def seen(decision: Any) -> None:
        nonlocal state
        state = f"{decision.rollout.phase.value} {decision.rollout.step}"

    backends = Backends(journals, lease, target, looking)
    run_to_end(backends, PLAN, service.name, clock=time.time, sleep=time.sleep, on_decision=seen, patience=500)
