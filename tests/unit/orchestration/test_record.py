from __future__ import annotations

import json

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.record import OutputArtifact, RunRecord, RunState, TaskRecord, TaskState


def task(
    state: TaskState = TaskState.SUCCEEDED, exit_code: int | None = 0, error: str = "", error_code: str = ""
) -> TaskRecord:
    artifacts = {"words": OutputArtifact("system.Dataset", "artifacts/a/words")}
    return TaskRecord(
        "a", "f", "toy", "pure", state, ("b",), 1.5, exit_code, error, "logs/a.log", {"n": 1}, {}, artifacts, error_code
    )


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
    ("exit_code", "error_code", "status"),
    [
        (1, "gate_stopped", 1),
        (1, "", 3),
        (2, "configuration", 2),
        (2, "", 2),
        (3, "data", 3),
        (-9, "", 3),
        (77, "", 3),
    ],
)
@pytest.mark.parametrize("words", ["", "GateStopped: too few rows", "ValueError: Python's crashes end with 1 too"])
def test_the_exit_status_of_a_failed_task_hangs_on_codes_and_not_on_words(exit_code, error_code, status, words):
    failed = task(TaskState.FAILED, exit_code, words, error_code)
    assert failed.exit_status == status
    assert run(RunState.BROKEN, task(), failed).exit_status == status


@pytest.mark.parametrize(
    ("error", "code"), [("GateStopped: too few rows", "gate_stopped"), ("ValueError: a crash", ""), ("", "")]
)
def test_a_record_from_before_errors_had_codes_is_read(tmp_path, error, code):
    run(RunState.BROKEN, task(TaskState.FAILED, 1, error)).write(tmp_path)
    document = json.loads((tmp_path / "run.json").read_text())
    del document["tasks"][0]["error_code"]
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert RunRecord.read(tmp_path).tasks[0].error_code == code


@pytest.mark.parametrize(
    ("state", "status"),
    [(RunState.PASSED, 0), (RunState.INTERRUPTED, 130), (RunState.RUNNING, 3), (RunState.BROKEN, 3)],
)
def test_the_exit_status_of_a_run_whose_tasks_all_succeeded(state, status):
    assert run(state, task()).exit_status == status
