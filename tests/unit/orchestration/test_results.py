"""What came out of a run: the same lines on its page, at its end on the console, and in ``gauntlet report``."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from builders.reports import text
from builders.verdicts import check
from gauntlet.cli.progress import print_outcome
from gauntlet.orchestration.record import OutputArtifact, RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.results import about, results_of
from gauntlet.orchestration.run_page import PAGE, write_page
from gauntlet.verdict import Status, Verdict

REGISTERED = {
    "model": "loans",
    "version": "2",
    "role": "challenger",
    "champion": "1",
    "registry": "sqlite:////home/me/runs/mlflow.db",
}
PARAMETERS = {"model_name": "loans", "roles": {"label": "repaid"}, "data": [{"uri": "a.csv"}, {"uri": "b.csv"}]}
BETTER = "AUC is 0.016 better than the champion's (0.775 against 0.759; 95% interval 0.008 to 0.024): shown."


def task(component: str, state: TaskState = TaskState.SUCCEEDED, **artifacts: OutputArtifact) -> TaskRecord:
    return TaskRecord(component.replace("_", "-"), component, "i", "pure", state, seconds=1.0, artifacts=artifacts)


@pytest.fixture
def run(tmp_path) -> RunRecord:
    tasks = []
    for gate, reason in (("evaluate_performance", "AUC is 0.775, above 0.7."), ("compare_champion", BETTER)):
        found = check("auc", Status.PASS, reason, gate=gate)
        Verdict(gate, (found,), f"{reason} And more.").write(tmp_path / gate)
        tasks.append(task(gate, verdict=OutputArtifact("system.Artifact", gate)))
    tasks.append(task("register_model", lineage=OutputArtifact("system.Artifact", "lineage", REGISTERED)))
    return RunRecord(
        "march", "training", "2026-03-01T10:00:00+00:00", RunState.PASSED, tasks=tuple(tasks), parameters=PARAMETERS
    )


def with_registration(run: RunRecord, registering: TaskRecord) -> RunRecord:
    return replace(run, tasks=(*run.tasks[:-1], registering))


def test_version_performance_champion_and_registry_are_said(run, tmp_path):
    assert results_of(run, tmp_path) == (
        ("Registered", "loans version 2, challenger; the champion is version 1"),
        ("Performance", "AUC is 0.775, above 0.7."),
        ("Champion", BETTER),
        ("Registry", "sqlite:////home/me/runs/mlflow.db"),
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"role": "champion", "champion": "2"}, "loans version 2, champion"),
        ({"role": "", "champion": ""}, "loans version 2, without an alias"),
    ],
)
def test_what_the_version_is_now_is_said(run, tmp_path, said, expected):
    artifact = OutputArtifact("system.Artifact", "lineage", {**REGISTERED, **said})
    assert results_of(with_registration(run, task("register_model", lineage=artifact)), tmp_path)[0][1] == expected


def test_a_run_that_was_stopped_registered_nothing(run, tmp_path):
    stopped = with_registration(run, task("register_model", TaskState.SKIPPED))
    lines = dict(results_of(stopped, tmp_path))
    assert lines["Registered"] == "nothing"
    assert "Registry" not in lines
    assert lines["Champion"] == BETTER


def test_a_run_that_registers_no_model_has_no_such_lines(run, tmp_path):
    assert results_of(replace(run, tasks=run.tasks[:-1]), tmp_path) == ()


def test_a_run_is_about_the_model_label_and_files_of_its_parameters(run):
    assert about(run) == (("Model", "loans"), ("Label", "repaid"), ("Data", "a.csv, b.csv"))
    many = {"data": [{"uri": f"{i}.csv"} for i in range(5)], "roles": "wrong"}
    assert about(replace(run, parameters=many)) == (("Data", "0.csv, 1.csv, 2.csv and 2 more"),)


def test_page_and_console_say_the_same(run, tmp_path):
    write_page(run, tmp_path)
    page = text((tmp_path / PAGE).read_text())
    output = io.StringIO()
    print_outcome(Console(file=output, width=40), run, tmp_path)
    printed = output.getvalue().splitlines()
    assert "Model loans Label repaid Data a.csv, b.csv" in page
    assert printed[0].startswith("Passed after")
    assert printed[-1] == f"Report: {tmp_path / PAGE}"
    for name, sentence in results_of(run, tmp_path):
        assert f"{name} {sentence}" in page
        assert f"  {name.lower():<13}{sentence}" in printed


def test_the_record_keeps_what_a_task_attached_to_an_artifact(run, tmp_path):
    run.write(tmp_path)
    assert RunRecord.read(tmp_path) == run
