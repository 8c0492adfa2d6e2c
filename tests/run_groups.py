"""Run the tests of a tier, whatever becomes of each group, and say at the end what failed and what took the time.

    python tests/run_groups.py test|check|all [GROUP …]

``test`` is the fast tests; ``check``, which continuous integration runs, adds style and types and every kind of real
part; ``all`` runs everything at full counts and writes ``docs/quality.md``. Two groups run at a time,
besides one that mostly waits, and the output of each is shown when it ends; those that bear nothing beside them run one
by one after the others. The exit status is 1 if a step failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import groups
import quality
from groups import ROOT, Group

AT_ONCE = 2
SLOWEST = 15
NO_TESTS = 5
"""Exit status of pytest when it ran none."""


@dataclass(frozen=True)
class Step:
    """Something to run.

    Attributes:
        name: what outputs call it.
        command: the words of its command line, run in the repository.
        variables: its environment variables; by default those of this process.
        alone: nothing may run beside it.
        waits: it waits most of its time, and leaves the processors to two others.
        report: where pytest writes its report for JUnit; ``None`` if it is no group of tests.
        may_be_empty: it passes if none of its tests is asked for.
    """

    name: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    alone: bool = False
    waits: bool = False
    report: Path | None = None
    may_be_empty: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        step: the step.
        status: its exit status.
        seconds: on the clock.
        processor: processor seconds of it and of every process it waited for.
    """

    step: Step
    status: int
    seconds: float
    processor: float


@dataclass(frozen=True)
class Phase:
    """Steps that ran before the next ones were begun.

    Attributes:
        name: what outputs call it.
        seconds: on the clock.
        outcomes: of its steps.
    """

    name: str
    seconds: float
    outcomes: tuple[Outcome, ...]


def run_phase(name: str, steps: Sequence[Step]) -> Phase:
    """Run the steps, two at a time and one more that waits, then those that need the machine for themselves."""
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as busy, ThreadPoolExecutor(1) as waiting:
        running = [(waiting if step.waits else busy).submit(_run, step) for step in steps if not step.alone]
        outcomes = [ended.result() for ended in as_completed(running)]
    outcomes += [_run(step) for step in steps if step.alone]
    return Phase(name, time.monotonic() - begun, tuple(outcomes))


def step_of(group: Group, reports: Path, markers: str | None = None, *options: str) -> Step:
    """A group of tests as a step that leaves a report in a folder."""
    report = reports / f"{group.kind}-{group.name}.xml"
    asked = ("-o", "junit_family=xunit1", f"--junitxml={report}", *options)
    may_be_empty = markers is not None or group.kind == "slow"  # it has no property test; or all is unchanged
    return Step(
        group.title,
        tuple(group.command(markers, *asked)),
        group.variables(),
        alone=group.alone,
        waits=group.waits,
        report=report,
        may_be_empty=may_be_empty,
    )


def made(name: str, *targets: str, nice: bool = False) -> Step:
    """Targets of the Makefile as a step."""
    make = (os.environ.get("MAKE", "make"), "--no-print-directory", *targets)
    return Step(name, ("nice", *make) if nice else make)


def summary(phases: Sequence[Phase]) -> str:
    """A line for each step with its times, one for each phase, and one that says what failed."""
    lines = [f"  {'':<34}{'':<26}{'clock':>9}{'processor':>12}"]
    for phase in phases:
        total = sum(outcome.processor for outcome in phase.outcomes)
        lines.append(f"  {phase.name:<60}{phase.seconds:7.0f} s{total:10.0f} s")
        lines += [
            f"    {outcome.step.name:<32}"
            f"{'passed' if outcome.status == 0 else f'FAILED (exit status {outcome.status})':<26}"
            f"{outcome.seconds:7.0f} s{outcome.processor:10.0f} s"
            for outcome in phase.outcomes
        ]
    outcomes = [outcome for phase in phases for outcome in phase.outcomes]
    failed = [outcome.step.name for outcome in outcomes if outcome.status != 0]
    last = f"Failed: {', '.join(failed)}" if failed else "All passed"
    last += f" ({len(failed)} of {len(outcomes)})." if failed else f" ({len(outcomes)})."
    return "\n".join(["", *lines, last, ""])


def slowest(reports: Sequence[Path], number: int = SLOWEST) -> str:
    """The tests that took the most time, with their set-up and tear-down."""
    cases = sorted((case for path in reports for case in quality.cases(path)), key=lambda case: -case.seconds)
    return "\n".join(["", "Slowest tests:", *(f"  {case.seconds:6.1f} s  {case.name}" for case in cases[:number]), ""])


def show(text: str) -> None:
    """To the standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _run(step: Step) -> Outcome:
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(step.command, env=step.variables, cwd=ROOT, stdout=output, stderr=output)
        except OSError as error:
            show(f"\n{step.name}:\n{error}\n")
            return Outcome(step, 127, 0.0, 0.0)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        show(f"\n{step.name}:\n{output.read()}")
    ended = 0 if step.may_be_empty and process.returncode == NO_TESTS else process.returncode
    return Outcome(step, ended, time.monotonic() - begun, used.ru_utime + used.ru_stime)


def _phases(tier: str, names: Sequence[str], reports: Path) -> list[Phase]:
    def of_kind(kind: str) -> list[Step]:
        return [step_of(group, reports) for group in groups.of_kind(kind, names)]

    if tier == "test":
        return [run_phase("fast", of_kind("fast"))]
    phases = []
    # Building the API server takes minutes and waits for nothing here.
    tools = None if names else _Background(made("outside tools", "tools", "cluster-tools", nice=True))
    if not names:
        phases.append(run_phase("style", [made("lint", "lint")]))
    phases.append(run_phase("fast", of_kind("fast")))
    if tools is not None:
        phases.append(Phase("outside tools", *tools.wait()))
    phases.append(run_phase("real parts", of_kind("slow")))
    if not names and os.geteuid() == 0 and shutil.which("buildah"):
        phases.append(run_phase("images", [made("images", "images-offline")]))
    return phases


class _Background:
    """A step that runs beside others; without Go, none, and the tests that need its tools say so."""

    def __init__(self, step: Step) -> None:
        self.outcomes: tuple[Outcome, ...] = ()
        self.thread = threading.Thread(target=self._run, args=(step,)) if shutil.which("go") else None
        if self.thread is not None:
            self.thread.start()

    def _run(self, step: Step) -> None:
        self.outcomes = (_run(step),)

    def wait(self) -> tuple[float, tuple[Outcome, ...]]:
        """Seconds that had to be waited, and how it ended."""
        begun = time.monotonic()
        if self.thread is not None:
            self.thread.join()
        return time.monotonic() - begun, self.outcomes


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tier", choices=["test", "check", "all"])
    parser.add_argument("groups", nargs="*", help="of groups.toml; by default all of the tier")
    asked = parser.parse_args()
    known = {group.name for group in groups.read()}
    if unknown := sorted(set(asked.groups) - known):
        parser.error(f"no such group: {', '.join(unknown)}; tests/groups.toml has {', '.join(sorted(known))}")
    os.environ["GAUNTLET_TIER"] = asked.tier
    with tempfile.TemporaryDirectory() as folder:
        phases = _phases(asked.tier, asked.groups, Path(folder))
        outcomes = [outcome for phase in phases for outcome in phase.outcomes]
        reports = [outcome.step.report for outcome in outcomes if outcome.step.report is not None]
        show(slowest(reports) + summary(phases))
        if asked.tier == "all":
            quality.keep_simulations([report for report in reports if report.name.startswith("slow-")])
            before = quality.PAGE.read_text() if quality.PAGE.exists() else ""
            quality.PAGE.write_text(quality.page(phases, before))
    return int(any(outcome.status for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
