"""A run that says it runs, and whose process is gone."""

from __future__ import annotations

import json

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.liveness import LOCK, Living, mend_records, read_run
from gauntlet.orchestration.record import RunRecord, RunState


def written(folder, state):
    folder.mkdir(parents=True)
    RunRecord(folder.name, "p", "2026-03-01T10:00:00+00:00", state).write(folder)
    return folder


def test_a_run_whose_process_lives_is_read_as_it_is(tmp_path):
    folder = written(tmp_path / "one", RunState.RUNNING)
    living = Living.begin(folder)
    assert read_run(folder).state is RunState.RUNNING
    assert mend_records(tmp_path) == []
    living.end()
    assert not (folder / LOCK).exists()


@pytest.mark.parametrize("locked", [True, False], ids=["its lock is free", "there is no lock"])
def test_a_run_whose_process_is_gone_was_interrupted_and_says_so_from_then_on(tmp_path, locked):
    folder = written(tmp_path / "one", RunState.RUNNING)
    if locked:
        (folder / LOCK).touch()
    record = read_run(folder)
    assert (record.state, record.exit_status) == (RunState.INTERRUPTED, 130)
    assert record.message == "Interrupted: its process is gone, killed or stopped with the machine."
    assert json.loads((folder / "run.json").read_text())["state"] == "interrupted"
    assert (folder / "index.html").is_file()
    assert not (folder / LOCK).exists()
    assert read_run(folder) == record


def test_of_all_runs_those_are_mended_that_were_killed(tmp_path):
    states = {"killed": RunState.RUNNING, "over": RunState.PASSED, "alive": RunState.RUNNING}
    folders = {name: written(tmp_path / name, state) for name, state in states.items()}
    (folders["killed"] / LOCK).touch()
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / LOCK).touch()
    living = Living.begin(folders["alive"])
    assert [record.name for record in mend_records(tmp_path)] == ["killed"]
    assert {name: RunRecord.read(folder).state for name, folder in folders.items()} == {
        "killed": RunState.INTERRUPTED,
        "over": RunState.PASSED,
        "alive": RunState.RUNNING,
    }
    living.end()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="holds no readable run record"):
        read_run(tmp_path)
