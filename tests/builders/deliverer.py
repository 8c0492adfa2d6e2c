"""A delivery in a process of its own, as a pipeline's task is one: ``deliverer.py ADDRESS ACTION VERSION DIGEST URI``.

It prints a line a turn (``turn: …``), a line for what a person should know (``heard: …``), and how it ended
(``ended: …``). ``Delivery`` runs it from a test.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gauntlet.delivery.deployment import Time, deploy_to_staging, roll_back, roll_out
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment
from gauntlet.delivery.rollout.state import AnalysisRun, Rollout
from gauntlet.delivery.targets.service import open_service
from gauntlet.errors import GauntletError
from gauntlet.settings import parse
from gauntlet.verdict import Status

REASON = "customers complain"
TIME = Time(time.time, time.sleep)


class Judge:
    """Finds harm from a weight on, or as soon as there is a file."""

    def __init__(self, harm_from: int, harm_file: Path | None) -> None:
        self._harm_from, self._harm_file = harm_from, harm_file

    def assess(self, rollout: Rollout, memory: str, now: float) -> tuple[Assessment, str]:
        number = int(memory or 0) + 1
        told = self._harm_file is not None and self._harm_file.exists()
        status = Status.FAIL if told or rollout.weight >= self._harm_from else Status.PASS
        return Assessment(AnalysisRun(number, status, "answers differ"), requests=1_000), str(number)


def say(what: str, text: object) -> None:
    sys.stdout.write(f"{what}: {text}\n")
    sys.stdout.flush()


def main(options: argparse.Namespace) -> None:
    service = open_service(options.address)
    if options.lease:
        service = replace(service, lease=replace(service.lease, seconds=options.lease))
    release = Release(options.version, options.digest, options.uri)
    steps: dict[str, Any] = {"steps": [10, 50, 100], "interval_seconds": 0.05, "step_seconds": 0.05, "min_requests": 1}
    plan = parse(RolloutPlan, {**steps, "approve_before": options.approve}, field="plan")
    heard = {"on_warning": lambda obstacle: say("heard", obstacle)}
    told = {"on_decision": lambda decision: say("turn", decision.sentence)}
    if options.action == "deploy_to_staging":
        say("turn", "staging")
        say("ended", deploy_to_staging(service, release, TIME, patience=120.0, **heard))
        return
    judge = Judge(options.harm_from, options.harm_file)
    if options.action == "roll_out":
        journal = roll_out(service, release, judge, plan, TIME, **told, **heard)
    else:
        journal = roll_back(service, judge, plan, REASON, TIME, **told, **heard)
    say("ended", journal.rollout.phase.value)


class Delivery:
    """One in a process of its own, which a test may kill.

    Args:
        address: of the service.
        action: what it does.
        release: the version.
        options: more words for it.
        kubeconfig: of its cluster, if it needs one.
    """

    def __init__(
        self, address: str, action: str, release: Release, *options: str, kubeconfig: Path | None = None
    ) -> None:
        words = [sys.executable, __file__, address, action, release.version, release.digest, release.uri, *options]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KUBECONFIG": str(kubeconfig or "")}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, env=env, stdout=pipe, stderr=pipe, text=True)
        self.lines: list[str] = []

    def until(self, text: str) -> None:
        """Read what it prints up to a line with this text."""
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())
            if text in line:
                return
        raise AssertionError(f"never said {text!r}: {self.lines} {self.process.communicate()[1]}")

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """Wait for its end: its exit status, and what it said of an error; all its lines are read then."""
        rest, said = self.process.communicate(timeout=180)
        self.lines += rest.splitlines()
        return self.process.returncode, said

    @property
    def waited_for(self) -> list[str]:
        """What it said of leases that it waited for."""
        return [line for line in self.lines if line.startswith("heard: lease of ")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("address", "action", "version", "digest", "uri"):
        parser.add_argument(name)
    parser.add_argument("--harm-from", type=int, default=101)
    parser.add_argument("--harm-file", type=Path)
    parser.add_argument("--lease", type=float, default=0.0)
    parser.add_argument("--approve", type=int, action="append", default=[])
    try:
        main(parser.parse_args())
    except GauntletError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(error.exit_code)
