"""The local engine: a real pipeline under kfp.local, each task in the environment of its image.

runs/<run>/run.json      what happened
           index.html    the same for people
           artifacts/    <task>/<output>, whole or not there
           reports/      the HTML reports, by task
           logs/         <task>.log, and kfp.log for the orchestrator's own chatter
runs/latest              the last run
runs/.cache              what pure tasks made, see gauntlet.orchestration.reuse
runs/mlflow.db           the local MLflow, unless MLFLOW_TRACKING_URI names another
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from google.protobuf import json_format

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.bridge import kfp_local
from gauntlet.orchestration.declaration import Declaration
from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.environments import Environment, ensure_environment
from gauntlet.orchestration.graph import Task, tasks_of
from gauntlet.orchestration.parameters import check_parameters
from gauntlet.orchestration.process import Processes
from gauntlet.orchestration.project import Project, load_pipeline
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.reuse import Reuse
from gauntlet.orchestration.revision import run_revision
from gauntlet.orchestration.runpage import write_page
from gauntlet.orchestration.task import Job, TaskRunner
from gauntlet.storage import WORKDIR

CACHE = ".cache"
LATEST = "latest"
_RUN_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")

# What would let a task import from outside its own environment, or compile its imports anew each time.
_LEAKS = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)

Announce = Callable[[str], None]


class Observer(Protocol):
    """Hears how a run goes on, from whichever thread runs a task."""

    def note(self, sentence: str) -> None:
        """Take a sentence that concerns no task."""

    def began(self, run: RunRecord, folder: Path) -> None:
        """The run has a folder now."""

    def started(self, task: Task) -> None:
        """A task starts."""

    def ended(self, task: TaskRecord) -> None:
        """A task ended."""


@dataclass(frozen=True)
class RunRequest:
    """What to run.

    Attributes:
        project: where the pipeline is defined.
        pipeline: its file's name.
        parameters: as the user wrote them.
        runs: folder of all runs.
        name: the run's name; made from the pipeline's and the time when empty.
        reuse: whether pure tasks may be spared.
        variables: the environment variables that tasks inherit.
        folder: what relative paths in parameters are relative to.
        modules: folders of the team's own modules (a ``recipe.trainer``), put on the import path of every task. They
            count in what may be reused and in the revision that lineage records.
        environment_of: finds, or builds, the environment of an image.
    """

    project: Project
    pipeline: str
    parameters: Mapping[str, Any]
    runs: Path
    name: str = ""
    reuse: bool = True
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = field(default_factory=Path.cwd)
    modules: tuple[Path, ...] = ()
    environment_of: Callable[[Project, str, Announce], Environment] = ensure_environment


def run_pipeline(request: RunRequest, observer: Observer) -> tuple[RunRecord, Path]:
    """Run a pipeline to its end.

    Returns:
        What happened, and the run's folder. A task that failed is in the record, not an exception.

    Raises:
        ConfigurationError: the pipeline, a parameter or the run's name cannot be used; nothing was run.
        KeyboardInterrupt: the user or SIGTERM stopped it; its children are ended and the record is written.
    """
    definition = load_pipeline(request.project, request.pipeline)
    graph = definition.build()
    spec = json_format.MessageToDict(graph.pipeline_spec)
    tasks = tasks_of(spec)
    parameters = check_parameters(spec, request.parameters)
    declared = {task.component: declarations()[task.component] for task in tasks}
    images = sorted({declaration.image for declaration in declared.values()})
    environments = {image: request.environment_of(request.project, image, observer.note) for image in images}

    modules = tuple(_module_folder(folder) for folder in request.modules)

    started = datetime.now(UTC).astimezone()
    folder = _claim_folder(request, definition.name, started)
    record = RunRecord(
        name=folder.name,
        pipeline=definition.name,
        started=started.isoformat(timespec="seconds"),
        state=RunState.RUNNING,
        code=run_revision(request.project.root, modules),
        parameters=dict(request.parameters),
        tasks=tuple(_not_started(task, declared[task.component]) for task in tasks),
    )
    record.write(folder)
    observer.began(record, folder)
    reuse = Reuse(folder.parent / CACHE, observer.note) if request.reuse else None
    if reuse:
        reuse.forget()
    runner = TaskRunner(
        folder=folder,
        jobs={
            task.key: Job(
                task,
                declared[task.component],
                environments[declared[task.component].image],
            )
            for task in tasks
        },
        variables=_variables(request, record.code, modules),
        modules=modules,
        reuse=reuse,
        processes=Processes(),
        started=observer.started,
        ended=observer.ended,
    )
    clock = time.monotonic()
    state, message = RunState.INTERRUPTED, "Interrupted before it was finished."
    try:
        with (
            (folder / "logs" / "kfp.log").open("a") as log,
            _stopping(runner.processes),
            kfp_local(runner.execute, root=folder / ".kfp", log=log),
        ):
            graph(**parameters)
        state, message = _end_of(runner.results)
    finally:
        ended = {result.name for result in runner.results}
        record = replace(
            record,
            state=state,
            message=message,
            seconds=time.monotonic() - clock,
            tasks=(*runner.results, *(task for task in record.tasks if task.name not in ended)),
        )
        record.write(folder)
        write_page(record, folder)
        _point(folder.parent / LATEST, folder.name)
    return record, folder


def _not_started(task: Task, declaration: Declaration) -> TaskRecord:
    return TaskRecord(
        name=task.name,
        component=task.component,
        image=declaration.image,
        caching=declaration.caching.value,
        state=TaskState.SKIPPED,
        after=task.after,
    )


def _claim_folder(request: RunRequest, pipeline: str, started: datetime) -> Path:
    """Make the run's folder; a name that was made up gets a number if it is taken."""
    runs = request.runs.resolve()
    if request.name and not _RUN_NAME.match(request.name):
        raise ConfigurationError(
            "is not a name for a folder", field="name", value=request.name, mend="Use letters, digits, '.', '_', '-'"
        )
    base = request.name or f"{pipeline}-{started:%Y%m%d-%H%M%S}"
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
    for name in [base] if request.name else candidates:
        try:
            (runs / name).mkdir(parents=True)
        except FileExistsError:
            continue
        for part in ("artifacts", "reports", "logs"):
            (runs / name / part).mkdir()
        return runs / name
    raise ConfigurationError(
        "there is a run of this name already", field="name", value=base, mend="Choose another with --name"
    )


def _module_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigurationError(
            "there is no such folder", field="code", value=str(folder), mend="Name the folder that holds your modules"
        )
    return folder.resolve()


def _variables(request: RunRequest, revision: str, modules: Sequence[Path]) -> dict[str, str]:
    """What every task finds in its environment."""
    runs = request.runs.resolve()
    inherited = {name: value for name, value in request.variables.items() if name not in _LEAKS}
    local = {"MLFLOW_TRACKING_URI": f"sqlite:///{runs / 'mlflow.db'}"}
    return {
        **({} if inherited.get("MLFLOW_TRACKING_URI") else local),
        **inherited,
        WORKDIR: str(request.folder.resolve()),
        "GAUNTLET_CODE_REVISION": revision,
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "_KFP_RUNTIME": "true",
        **({"PYTHONPATH": os.pathsep.join(map(str, modules))} if modules else {}),
    }


def _end_of(results: list[TaskRecord]) -> tuple[RunState, str]:
    """How a run ended, from the worst of its tasks, and that task's error."""
    failed = [result for result in results if result.state is TaskState.FAILED]
    if not failed:
        return RunState.PASSED, ""
    worst = max(failed, key=lambda result: result.exit_status)
    return RunState.STOPPED if worst.exit_status == 1 else RunState.BROKEN, f"{worst.name}: {worst.error}"


def _point(link: Path, target: str) -> None:
    """Point a symbolic link at ``target``, without a moment in which there is none."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


@contextmanager
def _stopping(processes: Processes) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM end the children first: a parallel loop would otherwise wait for them."""

    def stop(number: int, frame: FrameType | None) -> None:
        processes.stop()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread; whoever runs us elsewhere handles them
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
