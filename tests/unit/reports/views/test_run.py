from dataclasses import replace

import pytest

from builders.reports import HOSTILE, run, words
from gauntlet.reports.flow import flow
from gauntlet.reports.page import render
from gauntlet.reports.views.run import Outcome, TaskStatus
from gauntlet.verdict import Status


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.PASSED, "No gate stopped this run; it finished after 4 min 31 s."),
        (Outcome.STOPPED, "Stopped by enforce-gates after 4 min 31 s."),
        (Outcome.BROKEN, "Broke at enforce-gates after 4 min 31 s."),
    ],
)
def test_the_page_opens_with_what_happened(outcome, sentence):
    view = run(outcome)
    assert view.headline == sentence
    assert sentence in render("run.html.j2", title=view.name, view=view)


def test_tasks_are_counted_by_how_they_ended():
    assert run().counts == "6 succeeded, 1 reused, 1 failed, 1 skipped"
    assert replace(run(), tasks=()).counts == "no tasks"


def test_a_gate_shows_its_verdict_in_the_drawing():
    nodes = {node.id: node for node in run().nodes}
    assert nodes["evaluate-slices"].status == "fail"
    assert nodes["evaluate-slices"].detail == "fail · 2.4 s"
    assert nodes["import-snapshot"].detail == "reused"
    assert nodes["register-model"].status == "skipped"


def test_a_gate_that_could_not_run_is_a_failed_task():
    task = replace(run().tasks[6], status=TaskStatus.FAILED, verdict=Status.PASS)
    assert replace(run(), tasks=(task,)).nodes[0].status == "failed"


def test_every_task_is_drawn_once():
    found = words(flow(run().nodes, run().links))
    for task in run().tasks:
        assert found.count(task.name) == 1


def test_a_broken_run_shows_the_error_and_its_log():
    html = render("run.html.j2", title="x", view=run(Outcome.BROKEN))
    assert "enforce-gates failed" in html
    assert "<pre>The gate: stop</pre>" in html
    assert 'href="logs/enforce-gates.log"' in html


def test_a_run_of_nothing_and_hostile_names_still_make_a_page():
    assert "no tasks" in render("run.html.j2", title="x", view=replace(run(), tasks=(), edges=()))
    task = replace(run().tasks[0], name=HOSTILE, error=HOSTILE, report="javascript:alert(1)")
    html = render(
        "run.html.j2", title=HOSTILE, view=replace(run(Outcome.BROKEN), tasks=(task,), edges=(), message=HOSTILE)
    )
    assert "<script" not in html
    assert "javascript:" not in html
