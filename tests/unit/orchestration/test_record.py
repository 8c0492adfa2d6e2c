from __future__ import annotations

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.record import Made, RunRecord, RunState, TaskRecord, TaskState


def task(state: TaskState = TaskState.SUCCEEDED, exit_code: int | None = 0, error: str = "") -> TaskRecord:
    made = {"words": Made("system.Dataset", "artifacts/a/words")}
    return TaskRecord("a", "f", "toy", "pure", state, ("b",), 1.5, exit_code, error, "logs/a.log", {"n": 1}, {}, made)


def run(state: RunState, *tasks: TaskRecord) -> RunRecord:
    return RunRecord("r", "p", "2026-03-01T10:00:00+00:00", state, 2.0, "why", "abc", {"n": 1}, tasks)


def test_what_was_written_is_read(tmp_path):
    record = run(RunState.BROKEN, task(), task(TaskState.FAILED, 2, "ConfigurationError: no"))
    record.write(tmp_path)
    assert RunRecord.read(tmp_path) == record


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other/1", "tasks": []}'])
def test_what_is_no_run_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigurationError, match="holds no readable run"):
        RunRecord.read(tmp_path)


@pytest.mark.parametrize(
    ("exit_code", "error", "status"),
    [
        (1, "GateStopped: too few rows", 1),
        (1, "ValueError: a crash of Python ends with 1 too", 3),
        (1, "", 3),
        (2, "ConfigurationError: no", 2),
        (3, "DataError: no", 3),
        (-9, "ended by signal 9", 3),
        (77, "whatever", 3),
    ],
)
def test_the_exit_status_of_a_failed_task(exit_code, error, status):
    assert task(TaskState.FAILED, exit_code, error).exit_status == status
    assert run(RunState.BROKEN, task(), task(TaskState.FAILED, exit_code, error)).exit_status == status


@pytest.mark.parametrize(
    ("state", "status"),
    [(RunState.PASSED, 0), (RunState.INTERRUPTED, 130), (RunState.RUNNING, 3), (RunState.BROKEN, 3)],
)
def test_the_exit_status_of_a_run_whose_tasks_all_succeeded(state, status):
    assert run(state, task()).exit_status == status
