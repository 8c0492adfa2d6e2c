from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from builders.verdicts import verdict
from gauntlet.cli.progress import Progress
from gauntlet.orchestration.record import OutputArtifact, RunRecord, RunState, TaskRecord, TaskState
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
