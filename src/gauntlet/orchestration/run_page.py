"""HTML page of a run: its tasks, their verdicts, and links to their reports."""

from __future__ import annotations

import json
from pathlib import Path

from gauntlet.orchestration.declaration import HTML_TYPE
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord
from gauntlet.orchestration.results import about, results_of
from gauntlet.orchestration.verdicts import verdict_of
from gauntlet.reports.masthead import with_facts
from gauntlet.reports.page import render
from gauntlet.reports.views.run import Link, Outcome, RunView, TaskStatus, TaskView
from gauntlet.storage import write_text

PAGE = "index.html"
_OUTCOMES = {RunState.PASSED: Outcome.PASSED, RunState.STOPPED: Outcome.STOPPED}


def write_page(run: RunRecord, folder: Path) -> None:
    """Write the run's page into its folder."""
    view = view_of(run, folder)
    subtitle = f"{run.pipeline}, code {run.code}" if run.code else run.pipeline
    page = render("run.html.j2", title=f"Run {run.name}", view=view, subtitle=subtitle)
    write_text(folder / PAGE, with_facts(page, about(run)))


def view_of(run: RunRecord, folder: Path) -> RunView:
    """Build the view of a run."""
    return RunView(
        name=run.name,
        pipeline=run.pipeline,
        started=run.started_at,
        seconds=run.seconds,
        outcome=_OUTCOMES.get(run.state, Outcome.BROKEN),
        tasks=tuple(_task(task, folder) for task in run.tasks),
        edges=tuple((before, task.name) for task in run.tasks for before in task.after),
        message=run.message,
        results=results_of(run, folder),
        parameters={name: _text(value) for name, value in run.parameters.items()},
    )


def _task(task: TaskRecord, folder: Path) -> TaskView:
    verdict = verdict_of(task, folder)
    reports = {name: artifact.path for name, artifact in task.artifacts.items() if artifact.type == HTML_TYPE}
    first = reports.get("report") or next(iter(reports.values()), None)
    return TaskView(
        name=task.name,
        component=task.component,
        image=task.image,
        caching=task.caching,
        status=TaskStatus(task.state.value),
        seconds=task.seconds,
        verdict=verdict.status if verdict else None,
        summary=verdict.summary if verdict else "",
        report=first,
        log=task.log or None,
        artifacts=tuple(
            Link(name, artifact.path) for name, artifact in task.artifacts.items() if artifact.path != first
        ),
        error=task.error,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
