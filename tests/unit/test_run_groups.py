from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import run_groups
from run_groups import Outcome, Phase, Step, run_phase, slowest, step_of, summary


def python(name: str, code: str, **options: object) -> Step:
    return Step(name, (sys.executable, "-c", code), **options)


GOOD = python("good", "print('three passed')")
BAD = python("bad", "print('one failed'); raise SystemExit(3)")
ALONE = python("lone", "print('two failed'); raise SystemExit(1)", alone=True)
LAST = python("last", "print('nobody kept us')", alone=True)


def test_a_step_that_fails_keeps_no_other_from_running_and_is_named_at_the_end(capsys):
    phase = run_phase("fast", [BAD, GOOD, ALONE, LAST])
    shown = capsys.readouterr().out
    for sentence in ("three passed", "one failed", "two failed", "nobody kept us"):
        assert sentence in shown
    *_, lone, last, failed = summary([phase]).splitlines()
    assert lone.split()[:2] == ["lone", "FAILED"]
    assert last.split()[:2] == ["last", "passed"]
    named, _, counts = failed.removeprefix("Failed: ").partition(" (")
    assert sorted(named.split(", ")) == ["bad", "lone"]
    assert counts == "2 of 4)."


def test_the_summary_has_times_by_phase_and_by_step():
    outcomes = (Outcome(GOOD, 0, 60.0, 45.0), Outcome(LAST, 0, 30.0, 10.0))
    text = summary([Phase("fast", 65.0, outcomes), Phase("real parts", 5.0, ())])
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["fast", "65", "s", "55", "s"],
        ["good", "passed", "60", "s", "45", "s"],
        ["last", "passed", "30", "s", "10", "s"],
        ["real", "parts", "5", "s", "0", "s"],
        ["All", "passed", "(2)."],
    ]


def test_processor_time_is_that_of_the_step_and_its_children():
    burn = "sum(i * i for i in range(3_000_000))"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    (idle,) = run_phase("fast", [python("idle", "import time; time.sleep(0.3)")]).outcomes
    (busy,) = run_phase("fast", [python("busy", child)]).outcomes
    assert busy.processor > idle.processor
    assert idle.seconds >= 0.3


def test_a_step_that_waits_takes_no_place_of_the_two(tmp_path):
    """Two that end only once the third has begun."""
    until = f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / 'begun')!r}).exists(): time.sleep(0.01)"
    begin = python("waits", f"import pathlib; pathlib.Path({str(tmp_path / 'begun')!r}).touch()", waits=True)
    phase = run_phase("real parts", [python("one", until), python("two", until), begin])
    assert [outcome.status for outcome in phase.outcomes] == [0, 0, 0]


def test_a_program_that_is_not_there_is_a_step_that_failed(capsys):
    (outcome,) = run_phase("fast", [Step("gone", ("/nowhere/python", "-c", "pass"))]).outcomes
    assert outcome.status == 127
    assert "/nowhere/python" in capsys.readouterr().out


@pytest.mark.parametrize(("may_be_empty", "status"), [(True, 0), (False, 5)])
def test_no_test_at_all_passes_only_where_it_may(may_be_empty, status):
    step = python("empty", "raise SystemExit(5)", may_be_empty=may_be_empty)
    assert run_phase("fast", [step]).outcomes[0].status == status


def test_fast_groups_are_never_empty(tmp_path):
    steps = [step_of(group, tmp_path) for group in run_groups.groups.of_kind("fast")]
    assert [step.may_be_empty for step in steps] == [False] * len(steps)


def test_real_servers_under_load_run_alone(tmp_path):
    steps = [step_of(group, tmp_path) for group in run_groups.groups.read()]
    assert [step.name for step in steps if step.alone] == ["slow serving"]


def test_the_slowest_tests_of_all_groups_are_listed(tmp_path):
    report = '<testsuites><testsuite><testcase file="tests/{0}.py" name="test_it" time="{1}"/></testsuite></testsuites>'
    for name, seconds in [("a", 1.5), ("b", 30.0), ("c", 4.0)]:
        (tmp_path / f"{name}.xml").write_text(report.format(name, seconds))
    text = slowest([tmp_path / f"{name}.xml" for name in "abc"] + [tmp_path / "not_written.xml"], number=2)
    assert text.split("\n")[1:4] == [
        "Slowest tests:",
        "    30.0 s  tests/b.py::test_it",
        "     4.0 s  tests/c.py::test_it",
    ]


def test_a_group_that_is_not_listed_is_refused():
    command = [sys.executable, run_groups.__file__, "test", "evaluations"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert "no such group: evaluations; tests/groups.toml has browser, cluster, command" in done.stderr
    assert Path(run_groups.__file__).name in done.stderr
