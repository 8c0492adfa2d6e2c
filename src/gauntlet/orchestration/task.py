"""Task execution in a local run: restore from the cache, or run in the image's environment; outputs are atomic."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from gauntlet.digest import digest_json
from gauntlet.errors import ConfigurationError
from gauntlet.lineage.record import LINEAGE_KEY
from gauntlet.orchestration.cache import TaskCache
from gauntlet.orchestration.declaration import ERROR_FILE, HTML_TYPE, RUN_ID, Declaration
from gauntlet.orchestration.environments import Environment
from gauntlet.orchestration.executor_messages import Artifact, ExecutorInput, ExecutorOutput
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.process import Processes
from gauntlet.orchestration.record import OutputArtifact, TaskRecord, TaskState
from gauntlet.orchestration.revision import code_digest, modules_digest
from gauntlet.orchestration.task_handler import ContainerSpec
from gauntlet.progress import PROGRESS_FILE
from gauntlet.reports.masthead import RunLink, with_run
from gauntlet.storage import whole_folder, write_bytes

_PYTHON_COMMAND = ("python3", "-m", "kfp.dsl.executor_main")
_EXCEPTION_LINE = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Interrupt|Warning|Exit): ?")
_TAIL_BYTES = 64 * 1024
_ERROR_FILE = "error.json"

# Variables that may change what a pure task computes, or where it logs; part of its cache key.
_CACHE_KEY_VARIABLES = ("MLFLOW_TRACKING_URI",)


@dataclass(frozen=True)
class PreparedTask:
    """Task with everything known about it before the run.

    Attributes:
        task: its place in the graph.
        declaration: its component's declaration.
        environment: the environment of its image.
    """

    task: Task
    declaration: Declaration
    environment: Environment


class _TaskFailed(Exception):
    """Non-zero exit of a task's process; raised inside ``whole_folder`` so that no outputs appear."""

    def __init__(self, exit_code: int, error: Mapping[str, str] | None) -> None:
        self.exit_code = exit_code
        self.error = error
        """``GauntletError.to_json`` of the error; ``None`` for any other exception."""


@dataclass
class TaskRunner:
    """Runner of one run's tasks, called by kfp.local for each.

    Attributes:
        folder: the run's folder.
        link: how its reports name the run and lead back to it.
        tasks: the tasks by kfp's key.
        variables: environment variables of every task.
        modules: folders of the team's own modules, on the import path of every task.
        cache: cache of pure tasks; ``None`` to run them all.
        processes: the child processes.
        on_start: called when a task starts.
        on_end: called when a task ended.
        results: records of the tasks so far; of a task that was retried, the last attempt. The second and further
            iterations of a loop are called ``<task>.2`` and so on.
    """

    folder: Path
    link: RunLink
    tasks: Mapping[str, PreparedTask]
    variables: Mapping[str, str]
    modules: Sequence[Path]
    cache: TaskCache | None
    processes: Processes
    on_start: Callable[[Task], None]
    on_end: Callable[[TaskRecord], None]
    results: list[TaskRecord] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _claimed: set[str] = field(default_factory=set)
    _artifact_numbers: dict[str, int] = field(default_factory=dict)

    def execute(self, container: ContainerSpec) -> bool:
        """Run, or restore from the cache, one task of kfp.local. Returns whether it succeeded."""
        executor_input = ExecutorInput.of(container.command)
        prepared = self.tasks[executor_input.task_key]
        destination = self._claim_folder(prepared.task.name)
        record = TaskRecord(
            name=destination.name,
            component=prepared.task.component,
            image=prepared.declaration.image,
            caching=prepared.declaration.caching.value,
            state=TaskState.FAILED,
            after=prepared.task.after,
            parameters={name: value for name, value in executor_input.parameters.items() if name != RUN_ID},
            log=f"logs/{destination.name}.log",
        )
        self.on_start(prepared.task)
        started = time.monotonic()
        key = self._cache_key(prepared, executor_input, container)
        output = self.cache.restore(key, destination) if self.cache and key else None
        if output is not None:
            record = replace(record, state=TaskState.REUSED, log="")
        else:
            try:
                output = self._run(prepared, executor_input, container, destination)
            except _TaskFailed as failure:
                error = failure.error or {"code": "", "error": _cause(self.folder / record.log, failure.exit_code)}
                record = replace(record, exit_code=failure.exit_code, error=error["error"], error_code=error["code"])
            else:
                record = replace(record, state=TaskState.SUCCEEDED, exit_code=0)
                # The key is computed again, because the code may have been edited meanwhile.
                if self.cache and key and self._cache_key(prepared, executor_input, container) == key:
                    self.cache.store(key, destination, output)
        if output is not None:
            output.write(executor_input.output_file)
            link = replace(self.link, reused=record.state is TaskState.REUSED)
            artifacts = self._collect_artifacts(executor_input.outputs, output, destination, link)
            record = replace(record, results=output.parameters, artifacts=artifacts)
        record = replace(record, seconds=time.monotonic() - started)
        with self._lock:
            if output is None:
                self._claimed.discard(destination.name)  # for a retry
            self.results[:] = [*(result for result in self.results if result.name != record.name), record]
        self.on_end(record)
        return output is not None

    def _claim_folder(self, name: str) -> Path:
        """Reserve the folder for a task's artifacts; each iteration of a loop has its own."""
        with self._lock:
            number, unique = 2, name
            while unique in self._claimed:
                unique, number = f"{name}.{number}", number + 1
            self._claimed.add(unique)
        return self.folder / "artifacts" / unique

    def _artifact_number(self, uri: str) -> int:
        """Number an artifact as a metadata store would."""
        with self._lock:
            return self._artifact_numbers.setdefault(uri, len(self._artifact_numbers) + 1)

    def _cache_key(self, prepared: PreparedTask, executor_input: ExecutorInput, container: ContainerSpec) -> str:
        """Cache key of a task; empty if it must run."""
        if self.cache is None or not prepared.declaration.caching.cached:
            return ""
        variables = {name: self.variables[name] for name in _CACHE_KEY_VARIABLES if name in self.variables}
        library = code_digest(prepared.declaration.file)
        return self.cache.key(
            executor_input,
            component=prepared.task.component,
            code=digest_json([library, modules_digest(self.modules)]) if self.modules else library,
            environment=prepared.environment.lock,
            variables={**variables, **container.env},
        )

    def _run(
        self, prepared: PreparedTask, executor_input: ExecutorInput, container: ContainerSpec, destination: Path
    ) -> ExecutorOutput:
        if tuple(container.command[:3]) != _PYTHON_COMMAND:
            raise ConfigurationError(
                "is not a Python component; the local engine runs no others",
                field=prepared.task.name,
                value=container.command[0],
                mend="Use components declared with @component",
            )
        output_file = executor_input.output_file
        output_file.parent.mkdir(parents=True, exist_ok=True)
        output_file.unlink(missing_ok=True)
        error_file = output_file.with_name(_ERROR_FILE)
        error_file.unlink(missing_ok=True)
        python = prepared.environment.python
        variables = {
            **self.variables,
            **container.env,
            "GAUNTLET_LOCK_DIGEST": prepared.environment.lock,
            ERROR_FILE: str(error_file),
            PROGRESS_FILE: str(progress_file(self.folder, destination.name)),
            "PATH": f"{python.parent}:{self.variables.get('PATH', '')}",
        }
        with whole_folder(destination) as work:
            as_on_cluster = executor_input.as_on_cluster(work, self.folder.name, self._artifact_number)
            exit_code = self.processes.run(
                [str(python), *as_on_cluster.in_command(container.command)[1:]],
                folder=prepared.declaration.file.parent,
                env=variables,
                log=self.folder / "logs" / f"{destination.name}.log",
            )
            if exit_code != 0:
                raise _TaskFailed(exit_code, _read_error(error_file))
        progress_file(self.folder, destination.name).unlink(missing_ok=True)
        return ExecutorOutput.read(output_file).moved(work, destination)

    def _collect_artifacts(
        self, declared: Sequence[Artifact], output: ExecutorOutput, destination: Path, link: RunLink
    ) -> dict[str, OutputArtifact]:
        """List the output artifacts that exist; copy HTML to ``reports/``, where it leads back to the run."""
        types = {artifact.name: artifact.type for artifact in declared}
        artifacts: dict[str, OutputArtifact] = {}
        for artifact in output.artifacts:
            path, kind = artifact.path, types.get(artifact.name, "")
            if not path.exists() or not path.is_relative_to(self.folder):
                continue
            if kind == HTML_TYPE and path.is_file():
                copy = self.folder / "reports" / f"{destination.name}{_suffix(artifact.name)}.html"
                page = path.read_bytes().decode(errors="surrogateescape")  # a page of the team's may be in any encoding
                write_bytes(copy, with_run(page, link).encode(errors="surrogateescape"))
                path = copy
            metadata = {key: value for key, value in artifact.metadata.items() if key != LINEAGE_KEY}
            artifacts[artifact.name] = OutputArtifact(kind, path.relative_to(self.folder).as_posix(), metadata)
        return artifacts


def progress_file(run: Path, task: str) -> Path:
    """Where a task of a run writes down how far it is, while it runs."""
    return run / "logs" / f"{task}.progress"


def _suffix(output: str) -> str:
    return "" if output == "report" else f"-{output}"


def _read_error(file: Path) -> Mapping[str, str] | None:
    """Read the ``GauntletError`` that a component left in its error file."""
    return json.loads(file.read_text()) if file.is_file() else None


def _cause(log: Path, exit_code: int) -> str:
    """Cause of a failure without a ``GauntletError``: the last exception in its log, else the last line."""
    if exit_code < 0:
        return f"ended by signal {-exit_code} (probably out of memory, unless you sent it)"
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    for line in reversed(lines):
        if _EXCEPTION_LINE.match(line):
            return line
    return lines[-1] if lines else f"exited with status {exit_code} and logged nothing"
