from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import quality
from run_groups import Outcome, Phase, Step

pytestmark = pytest.mark.repository

SUITE = """
import pytest

@pytest.mark.simulation
def test_a(record_property):
    record_property("rolled back", 0.01)

def test_b():
    {second}

@pytest.mark.skip(reason="not here")
def test_c():
    pass
"""


def ran(folder, suite):
    """The report that pytest wrote about a suite in a folder."""
    (folder / "test_some.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    simulation\n")
    options = ["-o", "junit_family=xunit1", "--junitxml=report.xml"]
    variables = {**os.environ, "PYTHONPATH": str(Path(pytest.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, env=variables, capture_output=True, check=False
    )
    return folder / "report.xml"


def test_a_report_is_read_with_outcomes_and_recorded_numbers(tmp_path):
    first, second, third = quality.cases(ran(tmp_path, SUITE.format(second="assert False")))
    assert (first.name, first.outcome, first.numbers) == ("test_some.py::test_a", "passed", (("rolled back", "0.01"),))
    assert (second.outcome, third.outcome) == ("failed", "skipped")


def test_a_report_that_was_not_written_has_no_tests(tmp_path):
    assert list(quality.cases(tmp_path / "none.xml")) == []


def test_the_page_counts_what_ran_and_says_when_of_what_and_on_what(tmp_path):
    report = ran(tmp_path, SUITE.format(second="pass"))
    steps = [Step("slow browser", (sys.executable,), report=report), Step("lint", ("make", "lint"))]
    outcomes = (Outcome(steps[0], 0, 120.0, 90.0), Outcome(steps[1], 2, 60.0, 60.0))
    page = quality.page([Phase("real parts", 180.0, outcomes)])
    when = f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"
    browser, lint = page.splitlines()[-2:]
    about = rf"{when} \| [0-9a-f]+( and more)?"
    assert re.fullmatch(rf"\| slow browser \| {about} \| 2 \| 1 \| 0 \| 2.0 min \| 1.5 min \|", browser)
    assert re.fullmatch(rf"\| lint \| {about} \| no \|  \| yes \| 1.0 min \| 1.0 min \|", lint)
    assert "cores (" in page


def test_a_run_of_some_parts_leaves_the_rows_of_the_others(tmp_path):
    def row(name, status=0):
        return Phase("any", 1.0, (Outcome(Step(name, ("make",)), status, 1.0, 1.0),))

    first = quality.page([row("lint"), row("slow data", status=1)]).replace("| 20", "| 19")
    second = quality.page([row("slow data")], first)
    assert len(re.findall(r"\| 19\d\d-", second)) == 1
    assert "| slow data | 20" in second
    assert "| lint | 19" in second


def recorded(folder, suite, monkeypatch):
    """What the record says after a run of the suite."""
    monkeypatch.setattr(quality, "ROOT", folder)
    monkeypatch.setattr(quality.unchanged, "ROOT", folder)
    monkeypatch.setattr(quality.unchanged, "SOURCES", (folder,))
    monkeypatch.setattr(quality.unchanged, "RECORD", folder / "simulations.json")
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text("")
    quality.keep_simulations([ran(folder, suite)])
    return json.loads((folder / "simulations.json").read_text())


@pytest.mark.parametrize("second", ["pass", "assert False"])
def test_a_file_with_a_test_that_did_not_pass_is_not_recorded(tmp_path, monkeypatch, second):
    assert recorded(tmp_path, SUITE.format(second=second), monkeypatch) == {}


def test_a_file_of_simulations_that_passed_is_recorded_with_its_numbers(tmp_path, monkeypatch):
    suite = SUITE.format(second="pass").replace('@pytest.mark.skip(reason="not here")\n', "")
    (run,) = recorded(tmp_path, suite, monkeypatch).values()
    assert run["tests"] == 3
    assert run["numbers"] == {"test_a: rolled back": "0.01"}
