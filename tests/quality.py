"""What the last full run showed: ``docs/quality.md``, written by ``make test-all``, and the record of simulations."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import unchanged
from groups import ROOT

if TYPE_CHECKING:
    from run_groups import Outcome, Phase

PAGE = ROOT / "docs" / "quality.md"


@dataclass(frozen=True)
class Case:
    """One test in a report.

    Attributes:
        name: file and function, with the parameters.
        file: its file, below the repository.
        seconds: with set-up and tear-down.
        outcome: ``passed``, ``skipped`` or ``failed``.
        numbers: what it recorded.
    """

    name: str
    file: str
    seconds: float
    outcome: str
    numbers: tuple[tuple[str, str], ...]


def cases(report: Path) -> Iterator[Case]:
    """The tests of a report, as pytest writes it for JUnit (``xunit1``); none if it was not written."""
    if not report.exists():
        return
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        skipped, broken = (case.find(kind) is not None for kind in ("skipped", "failure"))
        outcome = "failed" if broken or case.find("error") is not None else "skipped" if skipped else "passed"
        yield Case(
            name=f"{case.attrib['file']}::{case.attrib['name']}",
            file=case.attrib["file"],
            seconds=float(case.attrib["time"]),
            outcome=outcome,
            numbers=tuple(
                (entry.attrib["name"], entry.attrib["value"])
                for entry in case.iter("property")
                if not entry.attrib["name"].startswith("hypothesis-")
            ),
        )


def keep_simulations(reports: Sequence[Path]) -> None:
    """Record every file of simulations of which all tests passed, with what they measured."""
    by_file: dict[str, list[Case]] = {}
    for report in reports:
        for case in cases(report):
            by_file.setdefault(case.file, []).append(case)
    passed = {}
    for name, ran in by_file.items():
        simulated = "simulation" in (ROOT / name).read_text()
        if simulated and all(case.outcome == "passed" for case in ran):
            numbers = {f"{case.name.partition('::')[2]}: {key}": value for case in ran for key, value in case.numbers}
            passed[ROOT / name] = {"date": _today(), "tests": len(ran), "numbers": numbers}
    unchanged.record(passed)


def page(phases: Sequence[Phase], before: str = "") -> str:
    """The page after a run: a row for each step that it holds, and the rows of a page before for the others."""
    rows = {_step(row): row for row in before.splitlines() if _ROW.match(row)}
    rows |= {outcome.step.name: _row(outcome) for phase in phases for outcome in phase.outcomes}
    return "\n".join(
        [
            "# The last full run of each part of the tests",
            "",
            "Written by `make test-all`: every test at full counts. `make test-all GROUPS=…` runs some of the parts",
            "and leaves the rows of the others. What simulations measured is in",
            "[`tests/simulations.json`](../tests/simulations.json); the last search for new counterexamples has",
            "[its own record](../tests/PROPERTY_SEARCH.md).",
            "",
            f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}. The processor time is",
            "that of a step and of all processes it waited for.",
            "",
            "| part | date | commit | passed | skipped | failed | clock | processor |",
            "|---|---|---|---|---|---|---|---|",
            *rows.values(),
            "",
        ]
    )


_ROW = re.compile(r"\| [^|]+ \| \d{4}-\d{2}-\d{2} \|")


def _step(row: str) -> str:
    return row.split("|")[1].strip()


def _row(outcome: Outcome) -> str:
    ran = [] if outcome.step.report is None else [case.outcome for case in cases(outcome.step.report)]
    counts = [f"{ran.count(kind):,}" for kind in ("passed", "skipped", "failed")]
    if outcome.step.report is None:
        counts = ["yes" if outcome.status == 0 else "no", "", "" if outcome.status == 0 else "yes"]
    times = [f"{seconds / 60:.1f} min" for seconds in (outcome.seconds, outcome.processor)]
    return f"| {' | '.join([outcome.step.name, _today(), _revision(), *counts, *times])} |"


def _today() -> str:
    return f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"


def _revision() -> str:
    """The commit, and whether more than the records of runs differs from it."""
    records = [f":!{path.relative_to(ROOT)}" for path in (PAGE, unchanged.RECORD)]
    commit, changed = (
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "-uno", "--", ".", *records])
    )
    if commit.returncode:
        return "none"
    return commit.stdout.strip() + (" and more" if changed.stdout.strip() else "")
