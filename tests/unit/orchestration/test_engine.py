from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.lineage.record import parse_chain
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord, TaskState

TASKS = {"resolve-text", "make-words", "make-more-words", "count-words", "count-all-words", "finish"}
PURE = {"make-words", "make-more-words", "count-words", "count-all-words"}


def task_of(record: RunRecord, name: str) -> TaskRecord:
    return next(task for task in record.tasks if task.name == name)


def test_every_task_runs_and_leaves_its_outputs(run):
    record, folder = run(count=3)
    by_name = {task.name: task for task in record.tasks}
    assert by_name.keys() == TASKS
    assert record.state is RunState.PASSED
    assert record.exit_status == 0
    assert {task.state for task in record.tasks} == {TaskState.SUCCEEDED}
    assert by_name["count-words"].results == {"Output": 3}
    assert (folder / "artifacts/make-words/words/words.txt").read_text() == "word\n" * 3
    report = (folder / "reports/make-words.html").read_text()
    assert report.endswith("<p>3</p>")
    assert f'<a href="../index.html">← Run {folder.name}</a>' in report
    assert "made by an earlier run" not in report
    assert by_name["make-words"].artifacts["report"].path == "reports/make-words.html"
    assert (folder / by_name["finish"].log).read_text()


def test_an_optional_artifact_arrives_when_given_and_is_none_when_not(run):
    record, _ = run(count=3)
    by_name = {task.name: task for task in record.tasks}
    assert by_name["count-words"].results == {"Output": 3}
    assert by_name["count-all-words"].results == {"Output": 4}


def test_a_task_is_handed_what_a_clusters_driver_hands_over(run):
    run.toy.edit(
        "components/toy/count_words.py",
        "    given = [words]",
        "    for one in [words, more] if more else [words]:\n"
        "        assert one.name.isdigit(), one.name\n"
        "        assert type(one) is Dataset, type(one)\n"
        "        assert isinstance(one.metadata['rows'], float), one.metadata\n"
        "        assert one.metadata['display_name'] == 'words', one.metadata\n"
        "    given = [words]",
    )
    record, _ = run(count=3)
    assert {task.name: task.error for task in record.tasks if task.error} == {}


def test_what_acts_or_resolves_is_told_its_run_and_pages_do_not_show_it(run):
    record, folder = run(count=1)
    log = (folder / task_of(record, "finish").log).read_text()
    assert '"run_id": "' in log
    assert "{{$" not in log
    assert task_of(record, "finish").parameters.keys() == {"count", "run", "how"}


def test_the_run_name_reaches_a_task_that_asks_for_the_job_name(run):
    record, _ = run({"name": "monday"}, count=1)
    assert task_of(record, "finish").results == {"Output": "1 in monday"}


def test_metadata_carries_lineage_with_lock_and_code(run):
    record, folder = run(count=3)
    written = json.loads(next((folder / ".kfp").glob("*/count-words-2/executor_output.json")).read_text())
    chain = parse_chain(written["artifacts"]["verdict"]["artifacts"][0]["metadata"]["lineage"])
    assert {record.component for record in chain} == {"make_words", "count_words"}
    assert {record.environment for record in chain} == {run.toy.lock}
    assert {link.code for link in chain} == {record.code}


def test_the_record_can_be_read_back_and_latest_points_to_the_run(run):
    record, folder = run(count=2)
    assert RunRecord.read(folder) == record
    assert (folder.parent / "latest").resolve() == folder
    run({"name": "next"}, count=2)
    assert (folder.parent / "latest").resolve().name == "next"


def test_the_observer_hears_each_task_start_and_end_once(run):
    run({"name": "heard"}, count=1)
    assert run.observer.lines[0] == "run heard"
    assert sorted(run.observer.lines[1:]) == sorted(
        [f"start {name}" for name in TASKS] + [f"succeeded {name}" for name in TASKS]
    )


def test_kfp_says_nothing_on_standard_output_but_in_its_log(run, capfd):
    _, folder = run(count=1)
    assert capfd.readouterr() == ("", "")
    assert "count-words" in (folder / "logs/kfp.log").read_text()


def test_mlflow_is_a_file_beside_the_runs_unless_a_server_is_named(run):
    run.toy.edit("components/toy/finish.py", 'return f"{count} in {run}"', 'return os.environ["MLFLOW_TRACKING_URI"]')
    local, folder = run(count=1)
    assert task_of(local, "finish").results == {"Output": f"sqlite:///{folder.parent}/mlflow.db"}
    named, _ = run({"variables": {**os.environ, "MLFLOW_TRACKING_URI": "http://mlflow"}}, count=1)
    assert task_of(named, "finish").results == {"Output": "http://mlflow"}


def test_a_task_cannot_import_from_the_callers_python_path(run):
    run.toy.write("elsewhere/stray.py", "")
    run.toy.edit("components/toy/finish.py", "    import os\n", "    import os\n    import stray\n")
    record, _ = run({"variables": {**os.environ, "PYTHONPATH": str(run.toy.folder / "elsewhere")}}, count=1)
    assert "No module named 'stray'" in record.message


def test_a_teams_own_modules_can_be_imported_and_are_named_in_the_revision(run):
    run.toy.write("models/greeting.py", "WORD = 'hello'\n")
    run.toy.edit("components/toy/finish.py", 'return f"{count} in {run}"', "import greeting; return greeting.WORD")
    record, _ = run({"modules": (run.toy.folder / "models",)}, count=1)
    assert task_of(record, "finish").results == {"Output": "hello"}
    assert re.fullmatch(r".+, models [0-9a-f]{12}", record.code)


def test_modules_that_are_not_there_are_refused(run):
    with pytest.raises(ConfigurationError, match="code: no such folder"):
        run({"modules": (run.toy.folder / "models",)}, count=1)
    assert not (run.toy.folder / "runs").exists()


# -- reuse ---------------------------------------------------------------------------------------------------------


def states_with(reused: set[str]) -> dict[str, str]:
    return {name: "reused" if name in reused else "succeeded" for name in TASKS}


def test_the_second_run_reuses_what_is_pure_and_nothing_else(run):
    assert run.states(count=3) == states_with(set())
    record, folder = run(count=3)
    assert {task.name: task.state.value for task in record.tasks} == states_with(PURE)
    assert (folder / "artifacts/make-words/words/words.txt").read_text() == "word\n" * 3
    report = (folder / "reports/make-words.html").read_text()
    assert report.endswith("<p>3</p>")
    assert report.count(f"Run {folder.name}") == 1
    assert "made by an earlier run from the same inputs" in report


def test_reuse_can_be_declined(run):
    run(count=3)
    record, _ = run({"reuse": False}, count=3)
    assert {task.state for task in record.tasks} == {TaskState.SUCCEEDED}


def test_a_changed_parameter_runs_the_task_and_what_follows_from_it(run):
    run(count=3)
    assert run.states(count=4) == states_with({"make-more-words"})


def test_what_changed_and_changed_back_is_reused(run):
    run(count=3)
    run(count=4)
    assert run.states(count=3) == states_with(PURE)


def test_a_changed_input_runs_the_task_again(run):
    run.toy.write("text.txt", "one")
    run(count=3, path="text.txt")
    run.toy.write("text.txt", "two")
    assert run.states(count=3, path="text.txt") == states_with({"make-words", "count-words"})


def test_the_same_content_made_by_other_code_is_the_same_input(run):
    run(count=3)
    run.toy.edit("components/toy/make_words.py", "(folder / ", "# a comment\n    (folder / ")
    assert run.states(count=3) == states_with({"count-words", "count-all-words"})


def test_a_changed_component_runs_again_and_the_others_do_not(run):
    run(count=3)
    run.toy.edit("components/toy/count_words.py", "for one in given)\n    assert", "for one in given) + 0\n    assert")
    assert run.states(count=3) == states_with({"make-words", "make-more-words"})


def test_a_changed_library_runs_everything(run):
    run(count=3)
    (run.library / "evaluation" / "metrics.py").write_text("one = 2\n")
    assert run.states(count=3) == states_with(set())


def test_a_teams_changed_module_runs_everything(run):
    run.toy.write("models/greeting.py", "WORD = 'hello'\n")
    own = {"modules": (run.toy.folder / "models",)}
    run(own, count=3)
    states = {task.name: task.state.value for task in run(own, count=3)[0].tasks}
    assert states == states_with(PURE)
    run.toy.write("models/greeting.py", "WORD = 'goodbye'\n")
    states = {task.name: task.state.value for task in run(own, count=3)[0].tasks}
    assert states == states_with(set())


def test_a_changed_lock_runs_everything(run):
    run(count=3)
    run.toy.write("containers/toy/requirements.lock", "# something\n")
    run.toy.stamp()
    assert run.states(count=3) == states_with(set())


def test_code_edited_while_a_task_runs_is_not_what_its_result_is_stored_under(run):
    run.toy.edit(
        "components/toy/make_words.py", "    folder.mkdir", "    Path(__file__).open('a').write('#')\n    folder.mkdir"
    )
    assert run.states(count=3)["make-words"] == "succeeded"
    assert run.states(count=3)["make-words"] == "succeeded"


def test_an_artifact_edited_after_its_run_does_not_reach_the_next(run):
    _, folder = run(count=3)
    words = folder / "artifacts/make-words/words/words.txt"
    words.write_text("edited\n")
    _, second = run(count=3)
    assert (second / "artifacts/make-words/words/words.txt").read_text() == "word\n" * 3
    (second / "artifacts/make-words/words/words.txt").write_text("edited\n")
    assert run.states(count=3) == states_with(PURE)


def test_a_damaged_entry_is_a_miss_and_says_so(run):
    run(count=3)
    for path in (run.toy.folder / "runs/.cache").glob("*/outputs/words/words.txt"):
        path.write_text("damaged\n")
    assert run.states(count=3) == states_with({"count-words", "count-all-words"})
    assert len(run.observer.notes) == 2
    assert all("damaged" in note for note in run.observer.notes)
    assert run.states(count=3) == states_with(PURE)


# -- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "exit_status", "state", "message"),
    [
        ("gate", 1, RunState.STOPPED, "finish: GateStopped: too few words."),
        ("configuration", 2, RunState.BROKEN, "ConfigurationError: how: is not a way; found 'configuration'."),
        ("data", 2, RunState.BROKEN, "finish: DataError: words: has no words."),
        ("crash", 3, RunState.BROKEN, "finish: RuntimeError: a defect"),
        ("silent-one", 3, RunState.BROKEN, "finish: "),
        ("killed", 3, RunState.BROKEN, "finish: ended by signal 9"),
    ],
)
def test_a_failure_names_task_and_cause_and_has_its_exit_status(run, how, exit_status, state, message):
    record, folder = run(count=1, how=how)
    assert record.exit_status == exit_status
    assert record.state is state
    assert message in record.message
    failed = task_of(record, "finish")
    assert failed.state is TaskState.FAILED
    assert (folder / failed.log).is_file()
    page = (folder / "index.html").read_text()
    assert "finish" in page
    assert failed.log in page


def test_a_task_that_cannot_even_be_imported_is_broken_not_stopped(run):
    run.toy.edit("components/toy/finish.py", "from typing", "import nothing_of_this_name\nfrom typing")
    run.toy.write("nothing_of_this_name.py", "")  # importable where it is compiled, not where it runs
    record, _ = run(count=1)
    assert record.exit_status == 3
    assert "No module named 'nothing_of_this_name'" in record.message


def test_what_follows_a_failure_is_skipped_and_has_no_outputs(run):
    run.toy.edit("components/toy/make_words.py", "    folder.mkdir", "    raise ValueError('no')\n    folder.mkdir")
    record, folder = run(count=1)
    states = {task.name: task.state.value for task in record.tasks}
    assert states["count-words"] == states["finish"] == "skipped"
    assert not any((folder / "artifacts").glob("make*"))


def test_a_failed_task_is_not_reused_and_what_it_wrote_is_gone(run):
    run.toy.edit(
        "components/toy/make_words.py", "    Path(report.path)", "    raise ValueError('late')\n    Path(report.path)"
    )
    _, folder = run(count=1)
    assert list((folder / "artifacts").glob("*make*")) == []
    assert list((folder / "artifacts").glob(".*make*")) == []
    assert run.states(count=1)["make-words"] in {"failed", "skipped"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "count: is required: How many words"),
        ({"count": "three"}, "count: must be a whole number"),
        ({"count": 1, "cuont": 2}, "Did you mean 'count'?"),
        ({"count": 1, "options": {"a": None}}, "options.a: null cannot be passed"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_written(run, parameters, message):
    with pytest.raises(ConfigurationError) as caught:
        run(**parameters)
    assert message in str(caught.value)
    assert not (run.toy.folder / "runs").exists()


def test_a_run_is_never_written_over(run):
    run({"name": "once"}, count=1)
    with pytest.raises(ConfigurationError, match="a run of this name"):
        run({"name": "once"}, count=1)


@pytest.mark.parametrize("name", ["../up", "a/b", "-x", ""])
def test_a_name_is_one_folder(run, name):
    if name:
        with pytest.raises(ConfigurationError, match="not a valid folder name"):
            run({"name": name}, count=1)
    else:
        assert run({"name": name}, count=1)[0].name.startswith("words-")


# -- interruption --------------------------------------------------------------------------------------------------

SLOW_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from recording_observer import RecordingObserver
from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.project import Project
root = Path(sys.argv[1])
run_pipeline(
    RunRequest(Project(root), "words", {"count": 1, "how": "slow"}, root / "runs", name="slow", folder=root),
    RecordingObserver(),
)
"""

LISTENER = """
class RecordingObserver:
    def note(self, sentence): ...
    def run_started(self, run, folder): ...
    def task_started(self, task): print("start", task.name, file=sys.stderr, flush=True)
    def task_ended(self, task): ...
import sys
"""


def start_slow_run(toy) -> subprocess.Popen[str]:
    toy.write("recording_observer.py", LISTENER)
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(toy.folder), str(toy.folder)], stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line == "start finish\n":
            break
    log = toy.folder / "runs/slow/logs/finish.log"
    deadline = time.monotonic() + 30
    while not (log.exists() and "Got executor_input" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_a_run_ends_its_children_and_leaves_nothing_half_written(toy, number):
    child = start_slow_run(toy)
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode != 0
    folder = toy.folder / "runs/slow"
    record = RunRecord.read(folder)
    assert record.state is RunState.INTERRUPTED
    assert record.exit_status == 130
    assert not [path for path in (folder / "artifacts").iterdir() if "finish" in path.name]
    assert (folder / "index.html").is_file()
    assert not processes_mentioning(str(folder))


def test_a_killed_run_takes_its_task_along_and_the_next_run_says_it_was_interrupted(toy, run):
    child = start_slow_run(toy)
    folder = toy.folder / "runs/slow"
    assert processes_mentioning(str(folder))
    child.kill()
    child.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while processes_mentioning(str(folder)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not processes_mentioning(str(folder)), "no task runs on beside the next run"
    assert not (folder / "artifacts/finish").exists()
    assert RunRecord.read(folder).state is RunState.RUNNING
    run(count=1)
    assert RunRecord.read(folder).state is RunState.INTERRUPTED


def processes_mentioning(text: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if text.encode() in command and b"executor_main" in command:
                found.append(int(folder.name))
    return found


def test_the_engine_can_run_outside_the_main_thread(run):
    ended: list[RunState] = []
    thread = threading.Thread(target=lambda: ended.append(run(count=1)[0].state))
    thread.start()
    thread.join(timeout=60)
    assert ended == [RunState.PASSED]
