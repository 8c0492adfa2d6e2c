import re
from dataclasses import replace

import pytest

from builders.reports import HOSTILE, rows, run, text, words
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


def test_a_run_that_passed_says_what_came_out():
    html = render("run.html.j2", title="x", view=run(Outcome.PASSED))
    assert "What came out Registered adult version 2, challenger; the champion is version 1" in text(html)


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
    failure = html[html.index('<section class="failure">') :].partition("</section>")[0]
    assert 'href="logs/enforce-gates.log"' in failure


def test_a_run_of_nothing_and_hostile_names_still_make_a_page():
    assert "no tasks" in render("run.html.j2", title="x", view=replace(run(), tasks=(), edges=()))
    task = replace(run().tasks[0], name=HOSTILE, error=HOSTILE, report="javascript:alert(1)")
    html = render(
        "run.html.j2", title=HOSTILE, view=replace(run(Outcome.BROKEN), tasks=(task,), edges=(), message=HOSTILE)
    )
    assert "<script" not in html
    assert "javascript:" not in html


def test_the_page_of_a_stopped_run_says_why_and_shows_no_traceback():
    html = render("run.html.j2", title="adult-span-2", view=run())
    assert text(html[html.index('<section class="verdict s-fail">') :]).startswith("stopped Stopped by enforce-gates")
    assert '<p class="message">Women are approved 18.2 points less often than men.</p>' in html
    assert "The gate: stop" not in html
    assert "Started 2026-03-01 14:05:09 UTC" in text(html)
    assert "Took 4 min 31 s" in text(html)
    assert "Tasks 9 6 succeeded, 1 reused, 1 failed, 1 skipped" in text(html)
    assert "n_seeds 3" in text(html)
    assert re.findall("<h2>(.*?)</h2>", html) == ["Gates", "What ran", "Tasks"]
    assert 'aria-label="Tasks and what they depend on"' in html


def test_every_gate_has_a_row_with_its_verdict_and_report():
    html = render("run.html.j2", title="x", view=run())
    assert ["fail", "evaluate-slices Women are approved 18.2 points less often than men.", "report"] in rows(html)
    assert 'href="r/slices.html"' in html
    without = replace(run().tasks[6], report="")
    assert "–" in rows(render("run.html.j2", title="x", view=replace(run(), tasks=(without,), edges=())))[1]


def test_every_task_has_a_row_with_its_image_caching_time_and_links():
    html = render("run.html.j2", title="x", view=run())
    assert ["Status", "Task", "Image", "Caching", "Time", "Open"] in rows(html)
    found = {row[1].split()[0]: row for row in rows(html) if len(row) == 6}
    assert found["resolve-source"] == [
        "succeeded",
        "resolve-source resolve_source",
        "data",
        "resolving",
        "0.4 s",
        "log",
    ]
    assert found["import-snapshot"][4:] == ["–", "log snapshot"]
    assert found["compute-statistics"][4:] == ["11 s", "report log"]
    assert found["register-model"][0] == "skipped"
    assert 'href="a/snapshot"' in html
    assert 'href="logs/register-model.log"' in html


def test_a_task_named_like_its_component_is_named_once():
    task = replace(run().tasks[0], name="resolve_source")
    html = render("run.html.j2", title="x", view=replace(run(), tasks=(task,), edges=()))
    assert rows(html)[-1][1] == "resolve_source"
