from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from builders.verdicts import verdict
from gauntlet.cli.progress import Progress
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.record import OutputArtifact, RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.task import progress_file
from gauntlet.progress import Done
from gauntlet.storage import write_json
from gauntlet.verdict import Status


def printed(folder: Path, status: Status, *, advisory: bool = False) -> list[str]:
    """What the console says when a gate's task ends with such a verdict."""
    verdict("detect_skew", status, summary="`income` may have\nmoved.", advisory=advisory).write(folder / "verdict")
    task = TaskRecord(
        "detect-skew",
        "detect_skew",
        "data",
        "pure",
        TaskState.SUCCEEDED,
        seconds=1.0,
        artifacts={"verdict": OutputArtifact("system.Artifact", "verdict")},
    )
    output = io.StringIO()
    progress = Progress(Console(file=output, width=40))
    progress.run_started(RunRecord("one", "training", "2026-01-01T00:00:00+00:00", RunState.RUNNING), folder)
    progress.task_ended(task)
    return output.getvalue().splitlines()[1:]


@pytest.mark.parametrize("status", [Status.INCONCLUSIVE, Status.FAIL, Status.ERROR])
@pytest.mark.parametrize("advisory", [False, True])
def test_whatever_a_gate_found_has_its_line(tmp_path: Path, status: Status, advisory: bool) -> None:
    first, second = printed(tmp_path, status, advisory=advisory)
    assert first.split() == ["done", "detect-skew", "1.0", "s"]
    assert second.strip() == f"{status.value}: `income` may have moved."


@pytest.mark.parametrize("status", [Status.PASS, Status.NOT_ASKED])
def test_a_gate_without_findings_has_none(tmp_path: Path, status: Status) -> None:
    assert len(printed(tmp_path, status)) == 1


def test_a_long_task_says_how_far_it_is_where_there_is_no_live_line(tmp_path: Path) -> None:
    output = io.StringIO()
    (tmp_path / "logs").mkdir()
    with Progress(Console(file=output, width=40), every=0.02) as progress:
        progress.run_started(RunRecord("one", "training", "2026-01-01T00:00:00+00:00", RunState.RUNNING), tmp_path)
        for name in ("import-snapshot", "quick-task"):
            progress.task_started(Task(name, name, name, "data", cached=True))
        write_json(progress_file(tmp_path, "import-snapshot"), vars(Done("reading", 1_200_000, 0.4, 13_333.4)))
        for _ in range(200):
            if "rows" in output.getvalue():
                break
            time.sleep(0.02)
    lines = output.getvalue().splitlines()[1:]
    assert lines[0].strip() == "running import-snapshot 0.0 s: reading 1,200,000 rows (40%), 13,333 a second"
    assert not any("quick-task" in line for line in lines)


def test_the_live_line_says_how_far_tasks_are(tmp_path: Path) -> None:
    progress = Progress(Console(file=io.StringIO()))
    progress.run_started(RunRecord("one", "training", "2026-01-01T00:00:00+00:00", RunState.RUNNING), tmp_path)
    progress.task_started(Task("train-model", "train-model", "train_model", "model", cached=True))
    assert progress._status_line().plain.split() == ["running", "train-model", "0.0", "s"]
    (tmp_path / "logs").mkdir()
    write_json(progress_file(tmp_path, "train-model"), vars(Done("scoring", 10, None, 5.0)))
    assert progress._status_line().plain.endswith("train-model 0.0 s: scoring 10 rows, 5 a second")


def test_what_is_to_be_known_of_the_data_has_its_lines(tmp_path: Path) -> None:
    notes = {"notes": "Column k has the same value in every row.\nLabel y has a class of 2 rows."}
    task = TaskRecord(
        "import-snapshot",
        "import_snapshot",
        "data",
        "pure",
        TaskState.SUCCEEDED,
        seconds=1.0,
        artifacts={"snapshot": OutputArtifact("system.Dataset", "snapshot", notes)},
    )
    output = io.StringIO()
    progress = Progress(Console(file=output, width=40))
    progress.run_started(RunRecord("one", "training", "2026-01-01T00:00:00+00:00", RunState.RUNNING), tmp_path)
    progress.task_ended(task)
    assert [line.strip() for line in output.getvalue().splitlines()[2:]] == notes["notes"].splitlines()
