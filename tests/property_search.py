"""Search for new counterexamples to every property test, and write down what came of it: ``make test-search``.

Each group runs its property tests in its image's environment, with fifty times their examples and a seed that is new
unless one is given. ``PROPERTY_SEARCH.md`` is the record of the last run, whatever it found.
"""

from __future__ import annotations

import base64
import datetime
import importlib.metadata
import os
import platform
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import groups
from hypothesis_profiles import SEARCHED
from run_groups import run_phase, show, step_of, summary

RECORD = Path(__file__).with_name("PROPERTY_SEARCH.md")
_EXAMPLES = re.compile(r"during generate phase.*?(\d+) passing, (\d+) failing", re.DOTALL)
_EXHAUSTED = "nothing left to do"


@dataclass(frozen=True)
class Found:
    """What one group's search came to.

    Attributes:
        group: its name.
        tests, skipped: property tests that ran, and that did not.
        examples: drawn in all; those that a strategy refused do not count.
        exhausted: tests with fewer cases than they were to draw, of which every one was tried.
        minutes: on the clock.
        findings: test → the first line of what it said.
        ended: whether the group's report is complete.
    """

    group: str
    tests: int = 0
    skipped: int = 0
    examples: int = 0
    exhausted: int = 0
    minutes: float = 0.0
    findings: tuple[tuple[str, str], ...] = ()
    ended: bool = True


def read(group: str, report: Path) -> Found:
    """A group's report, as pytest writes it for JUnit; hypothesis adds what each test drew."""
    if not report.exists():
        return Found(group, ended=False)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    drawn = [
        base64.b64decode(one.attrib["value"]).decode()
        for one in suite.iter("property")
        if one.attrib["name"].startswith("hypothesis-statistics-")
    ]
    cases = list(suite.iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Found(
        group,
        tests=len(cases) - skipped,
        skipped=skipped,
        examples=sum(int(one) for text in drawn for phase in _EXAMPLES.findall(text) for one in phase),
        exhausted=sum(_EXHAUSTED in text and ", 0 failing" in text for text in drawn),
        minutes=float(suite.attrib["time"]) / 60,
        findings=tuple(
            (f"{case.attrib['file']}::{case.attrib['name']}", (fault.attrib.get("message") or "").split("\n")[0][:200])
            for case in cases
            for fault in (*case.iter("failure"), *case.iter("error"))
        ),
    )


def page(groups: Sequence[Found], *, seed: int, circumstances: str) -> str:
    """The record of a run."""
    rows = [_row(one) for one in groups]
    findings = [f"- `{test}`: {said}" for one in groups for test, said in one.findings]
    complete = all(one.ended for one in groups)
    nothing = "Nothing was found." if complete else "Nothing was found by those that ended."
    return "\n".join(
        [
            "# The last search for new examples",
            "",
            f"Written by `make test-search`: every property test with new examples, {SEARCHED} times as many as usual.",
            "",
            circumstances,
            f"The same examples again: `make test-search SEED={seed}`.",
            "",
            "| group | property tests | examples | tests that tried every case there is | skipped | took | found |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            *(["Found:", "", *findings] if findings else [nothing]),
            "",
        ]
    )


def _row(one: Found) -> str:
    if not one.ended:
        return f"| {one.group} | did not end | | | | | |"
    counts = (one.tests, one.examples, one.exhausted, one.skipped)
    cells = [one.group, *(f"{count:,}" for count in counts), f"{one.minutes:.0f} min", str(len(one.findings))]
    return f"| {' | '.join(cells)} |"


def circumstances(now: datetime.datetime) -> str:
    """When, of what, and on what the search ran."""
    cores, version = os.cpu_count(), importlib.metadata.version("hypothesis")
    return (
        f"{now:%Y-%m-%d}, {_revision()}, {cores} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"hypothesis {version}."
    )


def _revision() -> str:
    told = ["git", "describe", "--always", "--exclude=*", "--dirty=, with changes that are not committed"]
    done = subprocess.run(told, cwd=RECORD.parent, capture_output=True, text=True)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"


def main() -> int:
    """Search in every group of fast tests, or in those that the command line names."""
    searched = groups.of_kind("fast", sys.argv[1:])
    seed = int(os.environ.get("SEED") or secrets.randbelow(2**32))
    told = circumstances(datetime.datetime.now(tz=datetime.UTC))
    options = ("--hypothesis-profile=search", f"--hypothesis-seed={seed}")
    with tempfile.TemporaryDirectory() as folder:
        show(f"Searching with the seed {seed}.\n")
        steps = [step_of(group, Path(folder), "hypothesis", *options) for group in searched]
        phase = run_phase("search", steps)
        found = [read(group.name, step.report) for group, step in zip(searched, steps, strict=True)]
    RECORD.write_text(page(found, seed=seed, circumstances=told))
    show(summary([phase]) + f"Written to {RECORD.relative_to(RECORD.parents[1])}.\n")
    missed = not any(one.tests for one in found) or not all(one.ended for one in found)
    return int(missed or any(outcome.status for outcome in phase.outcomes))


if __name__ == "__main__":
    sys.exit(main())
