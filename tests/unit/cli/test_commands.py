"""The command as a user meets it: its own process, its exit status, its words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.disks import fill, small_disk
from toy import ToyProject


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ToyProject:
    return ToyProject.create(tmp_path_factory.mktemp("cli") / "project")


def gauntlet(toy: ToyProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gauntlet.cli.main", *arguments]
    return subprocess.run(command, cwd=toy.folder, capture_output=True, text=True, check=False, env=plain())


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "MLFLOW_TRACKING_URI"}}


def test_a_run_prints_a_line_a_task_and_where_its_report_is(toy):
    toy.write("params.yaml", "count: 3\n")
    process = gauntlet(toy, "run", "words", "--params", "params.yaml", "--name", "first")
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    assert lines[0] == "words  run first, 6 tasks"
    assert sorted(line.split()[:2] for line in lines[1:7]) == [
        ["done", name]
        for name in ("count-all-words", "count-words", "finish", "make-more-words", "make-words", "resolve-text")
    ]
    assert all(line.endswith(" s") for line in lines[1:7])
    assert lines[7].startswith("Passed after ")
    assert lines[8] == "Report: runs/first/index.html"
    assert (toy.folder / "runs/first/index.html").is_file()
    assert process.stderr == ""
    assert "\x1b" not in process.stdout


def test_the_report_of_a_run(toy):
    gauntlet(toy, "run", "words", "--params", str(toy.write("params.yaml", "count: 3\n")), "--name", "reported")
    for name in ("reported", "latest", "runs/reported"):
        process = gauntlet(toy, "report", name)
        assert process.returncode == 0
        assert "words  run reported, started " in process.stdout
        assert process.stdout.splitlines()[-1].startswith("Report: ")


@pytest.mark.parametrize(
    ("how", "status", "word"),
    [
        ("gate", 1, "Stopped by a gate"),
        ("configuration", 2, "Wrong configuration"),
        ("data", 2, "Unusable data"),
        ("crash", 3, "Broken"),
    ],
)
def test_a_failure_names_task_cause_and_log_and_its_report_has_the_same_status(toy, how, status, word):
    params = toy.write("failing.yaml", f"count: 1\nhow: {how}\n")
    process = gauntlet(toy, "run", "words", "--params", str(params), "--name", how)
    assert process.returncode == status
    lines = process.stdout.splitlines()
    failed = next(position for position, line in enumerate(lines) if line.split()[:2] == ["failed", "finish"])
    assert lines[failed + 1].strip() in {
        "GateStopped: too few words.",
        "DataError: words: has no words.",
        "ConfigurationError: how: is not a way; found 'configuration'. Choose another.",
        "RuntimeError: a defect",
    }
    assert lines[failed + 2].strip() == f"log: runs/{how}/logs/finish.log"
    assert any(line.startswith(word) for line in lines)
    assert "Traceback" not in process.stdout + process.stderr
    assert gauntlet(toy, "report", how).returncode == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "wrods"], "Did you mean 'words'?"),
        (["run", "words"], "ConfigurationError: count: is required: How many words."),
        (["run", "words", "--params", "nowhere.yaml"], "nowhere.yaml"),
        (["rnu"], "No such command"),
        (["report", "nothing"], "holds no readable run"),
        (["compile", "wrods"], "Did you mean 'words'?"),
    ],
)
def test_wrong_use_ends_with_2_and_one_paragraph(toy, arguments, message):
    process = gauntlet(toy, *arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_compile_check_and_diff(toy, tmp_path):
    copy = ToyProject.create(tmp_path / "copy")
    assert gauntlet(copy, "compile", "--check").returncode == 1
    assert gauntlet(copy, "compile").returncode == 0
    assert (copy.folder / "pipelines/compiled/words.yaml").is_file()
    assert gauntlet(copy, "compile", "--check").stdout == "5 specs are up to date.\n"
    assert gauntlet(copy, "diff").returncode == 0
    copy.edit("pipelines/words.py", 'text: str = "word"', 'text: str = "other"')
    check = gauntlet(copy, "compile", "--check")
    assert check.returncode == 1
    assert "+        defaultValue: other" in check.stdout
    changed = gauntlet(copy, "diff", "words")
    assert changed.returncode == 1
    assert '  parameter text: defaultValue "word" → "other"' in changed.stdout.splitlines()


def test_control_c_ends_the_run_and_its_children_with_130(toy):
    params = toy.write("slow.yaml", "count: 1\nhow: slow\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "gauntlet.cli.main", "run", "words", "--params", str(params), "--name", "slow"],
        cwd=toy.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=plain(),
    )
    log = toy.folder / "runs/slow/logs/finish.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and "Got executor_input" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130
    assert errors.strip() == "Interrupted."
    assert gauntlet(toy, "report", "slow").returncode == 130


@pytest.mark.parametrize("command", ["run", "report", "compile", "diff"])
def test_every_command_has_help_with_an_example(toy, command):
    process = gauntlet(toy, command, "--help")
    assert process.returncode == 0
    assert f"  gauntlet {command}" in process.stdout.split("Options:")[0]


def test_help_and_version_do_not_wait_for_kfp(toy):
    code = "import sys; from gauntlet.cli import main; assert not {'kfp', 'numpy', 'jinja2'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=toy.folder).returncode == 0
    assert gauntlet(toy, "--version").stdout.startswith("gauntlet, version ")


@pytest.mark.parametrize("size", ["8k", "24k", "60k"], ids=["at once", "at its record", "on the way"])
def test_a_full_disk_is_told_with_its_mend(toy, tmp_path, size):
    params = toy.write("good.yaml", "count: 200000\n")
    with small_disk(tmp_path / "full", size) as disk:
        if size == "8k":
            fill(disk)
        ended = gauntlet(toy, "run", "words", "--params", str(params), "--run-dir", str(disk / "runs"))
    assert ended.returncode == 3, ended.stdout
    said = ended.stdout + ended.stderr
    assert "No space left on device. Free disk space, or name a folder on another disk" in " ".join(said.split())
    if size != "60k":
        assert f"DependencyError: {disk}/runs/" in said
    assert "a defect of Gauntlet" not in said
    assert "Traceback" not in said


def test_a_defect_ends_with_3_and_its_trace_in_a_file(tmp_path):
    code = (
        "import sys, gauntlet.orchestration.project as p\n"
        "p.find_project = lambda start: 1 / 0\n"
        "sys.argv = ['gauntlet', 'compile']\n"
        "from gauntlet.cli.main import main; main()\n"
    )
    environment = {**plain(), "TMPDIR": str(tmp_path)}
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert process.returncode == 3
    assert process.stderr.startswith("ZeroDivisionError: division by zero. This is a defect")
    assert "Traceback" in Path(process.stderr.strip().rsplit(" ", 1)[1].rstrip(".")).read_text()
