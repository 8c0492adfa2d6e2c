"""Page of a pipeline run, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gauntlet.reports.flow import Edge, Node
from gauntlet.reports.format import duration
from gauntlet.verdict import Status


class TaskStatus(StrEnum):
    """Status of a task."""

    SUCCEEDED = "succeeded"
    REUSED = "reused"
    """A pure task whose inputs did not change: its earlier outputs were taken."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Never started: a predecessor failed, or its condition did not hold."""


class Outcome(StrEnum):
    """Outcome of a run."""

    PASSED = "passed"
    """All tasks that had to run succeeded."""
    STOPPED = "stopped"
    """``enforce_gates`` stopped the run."""
    BROKEN = "broken"
    """A task failed for any other reason."""


@dataclass(frozen=True)
class Link:
    """Link to a file: its name, and its path relative to the page."""

    name: str
    href: str


@dataclass(frozen=True)
class TaskView:
    """One task.

    Attributes:
        name: unique in the run, as in the pipeline: ``compute-statistics-2``.
        component: the component's function name.
        image: the image, or its local environment, that it ran in.
        caching: ``pure``, ``resolving`` or ``acting``.
        status: how it ended.
        seconds: wall-clock time; ``None`` if it never started.
        verdict: the status of the verdict it wrote, if it is a gate.
        summary: that verdict's summary, one sentence.
        report: its HTML report, relative to the page.
        log: its log, relative to the page.
        artifacts: its other outputs.
        error: the message it failed with; may have several lines.
    """

    name: str
    component: str
    image: str
    caching: str
    status: TaskStatus
    seconds: float | None = None
    verdict: Status | None = None
    summary: str = ""
    report: str | None = None
    log: str | None = None
    artifacts: tuple[Link, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class RunView:
    """One run.

    Attributes:
        name: the run's name.
        pipeline: the pipeline's name.
        started: when it started, with its time zone.
        seconds: how long it took.
        outcome: how it ended.
        tasks: all tasks, in the order they ran or would have run.
        edges: (from, to) task names, one per dependency.
        message: for a run that did not pass, why, in one sentence (the gate's message or the error).
        parameters: the run's parameters as given, shown as text.
        results: (name, sentence) of what came out: version, performance, champion, registry; empty for none.
    """

    name: str
    pipeline: str
    started: datetime
    seconds: float
    outcome: Outcome
    tasks: tuple[TaskView, ...]
    edges: tuple[tuple[str, str], ...] = ()
    message: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    results: tuple[tuple[str, str], ...] = ()

    def with_status(self, status: TaskStatus) -> tuple[TaskView, ...]:
        """The tasks with this status."""
        return tuple(task for task in self.tasks if task.status is status)

    @property
    def gates(self) -> tuple[TaskView, ...]:
        """The tasks that wrote a verdict."""
        return tuple(task for task in self.tasks if task.verdict is not None)

    @property
    def headline(self) -> str:
        """Summary in one sentence."""
        failed = self.with_status(TaskStatus.FAILED)
        culprit = f" {failed[0].name}" if failed else ""
        took = f"after {duration(self.seconds)}"
        match self.outcome:
            case Outcome.PASSED:
                return f"No gate stopped this run; it finished {took}." if self.gates else f"Finished {took}."
            case Outcome.STOPPED:
                return f"Stopped by{culprit or ' a gate'} {took}."
            case Outcome.BROKEN:
                return f"Broke at{culprit or ' an unknown task'} {took}."

    @property
    def counts(self) -> str:
        """Counts of tasks by status: ``12 succeeded, 4 reused``."""
        counted = [(len(self.with_status(status)), status.value) for status in TaskStatus]
        return ", ".join(f"{n} {name}" for n, name in counted if n) or "no tasks"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Nodes of the graph: a gate shows its verdict, unless it failed to run."""
        return tuple(_node(task) for task in self.tasks)

    @property
    def links(self) -> tuple[Edge, ...]:
        """Edges of the graph."""
        return tuple(Edge(start, end) for start, end in self.edges)


def _node(task: TaskView) -> Node:
    finished = task.status in {TaskStatus.SUCCEEDED, TaskStatus.REUSED}
    status = task.verdict.value if task.verdict is not None and finished else task.status.value
    detail = [task.status.value] if task.status is not TaskStatus.SUCCEEDED else []
    if task.verdict is not None and finished:
        detail.insert(0, task.verdict.value)
    if task.seconds is not None and task.status is not TaskStatus.REUSED:
        detail.append(duration(task.seconds))
    href = task.report or task.log
    return Node(task.name, task.name, status=status, detail=" · ".join(detail), href=href or "", tip=task.summary)
