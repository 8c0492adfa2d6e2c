"""HTML page of a run: its tasks, their verdicts, and links to their reports."""

from __future__ import annotations

import json
from pathlib import Path

from gauntlet.errors import DataError
from gauntlet.orchestration.declaration import HTML_TYPE
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord
from gauntlet.reports.page import render
from gauntlet.reports.views.run import Link, Outcome, RunView, TaskStatus, TaskView
from gauntlet.storage import write_text
from gauntlet.verdict import FORMAT, Verdict

PAGE = "index.html"
_OUTCOMES = {RunState.PASSED: Outcome.PASSED, RunState.STOPPED: Outcome.STOPPED}


def write_page(run: RunRecord, folder: Path) -> None:
    """Write the run's page into its folder."""
    view = view_of(run, folder)
    subtitle = f"{run.pipeline}, code {run.code}" if run.code else run.pipeline
    write_text(folder / PAGE, render("run.html.j2", title=f"Run {run.name}", view=view, subtitle=subtitle))


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


def verdict_of(task: TaskRecord, folder: Path) -> Verdict | None:
    """The verdict among a task's output artifacts, by its format field; ``None`` where there is none."""
    for artifact in task.artifacts.values():
        path = folder / artifact.path
        if artifact.type == "system.Artifact" and path.is_file() and _is_verdict(path):
            try:
                return Verdict.read(path)
            except DataError:
                continue  # an older format: the page omits its status
    return None


def _is_verdict(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
