from __future__ import annotations

from builders.verdicts import check
from gauntlet.orchestration.record import OutputArtifact, RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.run_page import view_of, write_page
from gauntlet.reports.views.run import Outcome
from gauntlet.verdict import Status, Verdict


def record(state: RunState = RunState.PASSED) -> RunRecord:
    gate = TaskRecord(
        "check-words",
        "check_words",
        "toy",
        "pure",
        TaskState.SUCCEEDED,
        ("make-words",),
        1.0,
        artifacts={
            "verdict": OutputArtifact("system.Artifact", "artifacts/check-words/verdict"),
            "report": OutputArtifact("system.HTML", "reports/check-words.html"),
        },
    )
    artifacts = {"words": OutputArtifact("system.Artifact", "artifacts/make-words/words")}
    maker = TaskRecord("make-words", "make_words", "toy", "pure", TaskState.REUSED, artifacts=artifacts)
    late = TaskRecord("finish", "finish", "toy", "acting", TaskState.SKIPPED, ("check-words",))
    return RunRecord("r", "p", "2026-03-01T10:00:00+00:00", state, tasks=(maker, gate, late), parameters={"n": [1]})


def test_verdicts_reports_and_edges_are_on_the_view(tmp_path):
    few = check("words", Status.INCONCLUSIVE, "Too few.", gate="words")
    Verdict("words", (few,), "Nobody knows.").write(tmp_path / "artifacts/check-words/verdict")
    view = view_of(record(), tmp_path)
    by_name = {task.name: task for task in view.tasks}
    assert by_name["check-words"].verdict is Status.INCONCLUSIVE
    assert by_name["check-words"].summary == "Nobody knows."
    assert by_name["check-words"].report == "reports/check-words.html"
    assert [link.name for link in by_name["check-words"].artifacts] == ["verdict"]
    assert view.edges == (("make-words", "check-words"), ("check-words", "finish"))
    assert view.parameters == {"n": "[1]"}


def test_an_artifact_that_is_no_verdict_or_a_broken_one_is_none(tmp_path):
    words = tmp_path / "artifacts/make-words/words"
    words.parent.mkdir(parents=True)
    broken = tmp_path / "artifacts/check-words/verdict"
    broken.parent.mkdir(parents=True)
    for content in (b"\xff\xfe", b"[]", b'{"format": "other"}'):
        words.write_bytes(content)
        broken.write_text('{"format": "gauntlet.verdict/1", "status": "pass"}')
        assert [task.verdict for task in view_of(record(), tmp_path).tasks] == [None, None, None]


def test_a_page_is_written_however_the_run_ended(tmp_path):
    outcomes = {
        RunState.PASSED: Outcome.PASSED,
        RunState.STOPPED: Outcome.STOPPED,
        RunState.BROKEN: Outcome.BROKEN,
        RunState.INTERRUPTED: Outcome.BROKEN,
    }
    for state, outcome in outcomes.items():
        assert view_of(record(state), tmp_path).outcome is outcome
        write_page(record(state), tmp_path)
        page = (tmp_path / "index.html").read_text()
        assert 'href="reports/check-words.html"' in page
        assert "finish" in page
