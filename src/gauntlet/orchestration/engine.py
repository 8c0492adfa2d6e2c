"""Local engine: runs a pipeline under kfp.local, each task in the virtual environment of its image.

runs/<run>/run.json      the run's record
           index.html    the same as a page
           artifacts/    <task>/<output>, written atomically
           reports/      the HTML reports, by task
           logs/         <task>.log, and kfp.log for the output of kfp.local
           run.lock      held while it runs; left behind where it was killed
runs/latest              link to the last run
runs/.cache              outputs of pure tasks, see gauntlet.orchestration.cache
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
from gauntlet.orchestration.cache import TaskCache
from gauntlet.orchestration.declaration import Declaration
from gauntlet.orchestration.definition import PipelineDefinition, declarations
from gauntlet.orchestration.environments import Environment, ensure_environment
from gauntlet.orchestration.graph import Task, tasks_of
from gauntlet.orchestration.liveness import Living, mend_records
from gauntlet.orchestration.parameters import check_parameters
from gauntlet.orchestration.process import Processes
from gauntlet.orchestration.project import Project, load_pipeline
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.revision import run_revision
from gauntlet.orchestration.run_page import PAGE, write_page
from gauntlet.orchestration.task import PreparedTask, TaskRunner
from gauntlet.orchestration.task_handler import kfp_local
from gauntlet.reports.masthead import RunLink
from gauntlet.storage import WORKDIR

CACHE = ".cache"
LATEST = "latest"
_RUN_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")

# Variables through which a task would import from outside its environment, or recompile its imports each time.
_NOT_INHERITED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)

Announce = Callable[[str], None]


class Observer(Protocol):
    """Observer of a run's progress; called from the threads that run tasks."""

    def note(self, sentence: str) -> None:
        """A message that concerns no task."""

    def run_started(self, run: RunRecord, folder: Path) -> None:
        """The run started, and has a folder."""

    def task_started(self, task: Task) -> None:
        """A task started."""

    def task_ended(self, task: TaskRecord) -> None:
        """A task ended."""


@dataclass(frozen=True)
class RunRequest:
    """Request to run a pipeline.

    Attributes:
        project: the project that defines the pipeline.
        pipeline: name of its file.
        parameters: as the user wrote them.
        runs: folder of all runs.
        name: the run's name; generated from the pipeline's name and the time when empty.
        reuse: whether pure tasks may be restored from the cache.
        variables: environment variables that tasks inherit.
        folder: base of relative paths in parameters.
        definition: the pipeline itself, where no file of the project defines it (``gauntlet.yaml``).
        modules: folders of the team's own modules (a ``recipe.trainer``), put on the import path of every task. They
            are part of the cache key and of the revision in the lineage.
        environment_of: returns the environment of an image, and builds it if necessary.
    """

    project: Project
    pipeline: str
    parameters: Mapping[str, Any]
    runs: Path
    name: str = ""
    reuse: bool = True
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = field(default_factory=Path.cwd)
    definition: PipelineDefinition | None = None
    modules: tuple[Path, ...] = ()
    environment_of: Callable[[Project, str, Announce], Environment] = ensure_environment


def run_pipeline(request: RunRequest, observer: Observer) -> tuple[RunRecord, Path]:
    """Run a pipeline to completion.

    Returns:
        The run's record and folder. A failed task is part of the record, not an exception.

    Raises:
        ConfigurationError: the pipeline, a parameter or the run's name is not valid; nothing was run.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the child processes have ended and the record is written.
    """
    definition = request.definition or load_pipeline(request.project, request.pipeline)
    graph = definition.build()
    spec = json_format.MessageToDict(graph.pipeline_spec)
    tasks = tasks_of(spec)
    parameters = check_parameters(spec, request.parameters)
    declared = {task.component: declarations()[task.component] for task in tasks}
    images = sorted({declaration.image for declaration in declared.values()})
    environments = {image: request.environment_of(request.project, image, observer.note) for image in images}

    modules = tuple(_module_folder(folder) for folder in request.modules)

    started = datetime.now(UTC).astimezone()
    for gone in mend_records(request.runs.resolve()):
        observer.note(f"The run {gone.name} was interrupted: its process is gone.")
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
    living = Living.begin(folder)
    record.write(folder)
    observer.run_started(record, folder)
    cache = TaskCache(folder.parent / CACHE, observer.note) if request.reuse else None
    if cache:
        cache.evict()
    runner = TaskRunner(
        folder=folder,
        link=RunLink(record.name, record.pipeline, record.started_at, f"../{PAGE}"),
        tasks={
            task.key: PreparedTask(task, declared[task.component], environments[declared[task.component].image])
            for task in tasks
        },
        variables=_variables(request, record.code, modules),
        modules=modules,
        cache=cache,
        processes=Processes(),
        on_start=observer.task_started,
        on_end=observer.task_ended,
    )
    clock = time.monotonic()
    state, message = RunState.INTERRUPTED, "Interrupted before it was finished."
    try:
        with (
            (folder / "logs" / "kfp.log").open("a") as log,
            _stop_on_signals(runner.processes),
            kfp_local(runner.execute, root=folder / ".kfp", log=log),
        ):
            graph(**parameters)
        state, message = _outcome(runner.results)
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
        living.end()
        write_page(record, folder)
        _replace_symlink(folder.parent / LATEST, folder.name)
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
    """Create the run's folder; a generated name gets a number if it exists already."""
    runs = request.runs.resolve()
    if request.name and not _RUN_NAME.match(request.name):
        raise ConfigurationError(
            "is not a valid folder name", field="name", value=request.name, mend="Use letters, digits, '.', '_', '-'"
        )
    base = request.name or f"{pipeline}-{started:%Y%m%d-%H%M%S}"
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
    for name in [base] if request.name else candidates:
        try:
            (runs / name).mkdir(parents=True)
        except FileExistsError:
            continue
        for subfolder in ("artifacts", "reports", "logs"):
            (runs / name / subfolder).mkdir()
        return runs / name
    raise ConfigurationError(
        "a run of this name exists already", field="name", value=base, mend="Choose another with --name"
    )


def _module_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigurationError(
            "no such folder", field="code", value=str(folder), mend="Name the folder that holds your modules"
        )
    return folder.resolve()


def _variables(request: RunRequest, revision: str, modules: Sequence[Path]) -> dict[str, str]:
    """Environment variables of every task."""
    runs = request.runs.resolve()
    inherited = {name: value for name, value in request.variables.items() if name not in _NOT_INHERITED}
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


def _outcome(results: list[TaskRecord]) -> tuple[RunState, str]:
    """State of the run, from its worst task, and that task's error."""
    failed = [result for result in results if result.state is TaskState.FAILED]
    if not failed:
        return RunState.PASSED, ""
    worst = max(failed, key=lambda result: result.exit_status)
    return RunState.STOPPED if worst.exit_status == 1 else RunState.BROKEN, f"{worst.name}: {worst.error}"


def _replace_symlink(link: Path, target: str) -> None:
    """Atomically point a symbolic link at ``target``."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


@contextmanager
def _stop_on_signals(processes: Processes) -> Iterator[None]:
    """On Ctrl-C and SIGTERM stop the child processes first: a parallel loop would otherwise wait for them."""

    def stop(number: int, frame: FrameType | None) -> None:
        processes.stop()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers; in another thread the caller handles signals
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
