"""One task of a local run: reused, or run in its image's environment, its outputs whole or not there."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from gauntlet.digest import digest_json
from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.bridge import Order
from gauntlet.orchestration.declaration import ERROR_FILE, RUN_ID, Declaration
from gauntlet.orchestration.environments import Environment
from gauntlet.orchestration.exchange import Artifact, TaskInput, TaskOutput
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.process import Processes
from gauntlet.orchestration.record import Made, TaskRecord, TaskState
from gauntlet.orchestration.reuse import Reuse
from gauntlet.orchestration.revision import code_digest, modules_digest
from gauntlet.storage import whole_folder

_HTML = "system.HTML"
_PYTHON_COMMAND = ("python3", "-m", "kfp.dsl.executor_main")
_ANY = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Interrupt|Warning|Exit): ?")
_TAIL_BYTES = 64 * 1024
_ERROR_FILE = "error.json"

# Variables that may change what a pure task does, or where it leaves its traces.
_DECISIVE = ("MLFLOW_TRACKING_URI",)


@dataclass(frozen=True)
class Job:
    """A task with everything known about it before the run.

    Attributes:
        task: its place in the graph.
        declaration: what its component declares.
        environment: what it runs in.
    """

    task: Task
    declaration: Declaration
    environment: Environment


class _Failed(Exception):
    """The task's process did not succeed; carried out of the folder that must not appear."""

    def __init__(self, exit_code: int, own: Mapping[str, str] | None) -> None:
        self.exit_code = exit_code
        self.own = own
        """Gauntlet's own error, as ``GauntletError.to_json``; ``None``: it was none."""


@dataclass
class TaskRunner:
    """Runs the tasks of one run, as kfp.local asks for them.

    Attributes:
        folder: the run's folder.
        jobs: by kfp's key.
        variables: environment variables of every task.
        modules: folders of the team's own modules, on the import path of every task.
        reuse: where pure tasks are looked up; ``None`` to run them all.
        processes: the children.
        started: told when a task starts.
        ended: told when a task ended.
        results: what happened so far; of a task that was retried, the last attempt. The second and further turns of
            a loop are called ``<task>.2`` and so on.
    """

    folder: Path
    jobs: Mapping[str, Job]
    variables: Mapping[str, str]
    modules: Sequence[Path]
    reuse: Reuse | None
    processes: Processes
    started: Callable[[Task], None]
    ended: Callable[[TaskRecord], None]
    results: list[TaskRecord] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _taken: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    def execute(self, order: Order) -> bool:
        """Run, or reuse, the task that kfp.local asks for. Says whether it succeeded."""
        given = TaskInput.of(order.command)
        job = self.jobs[given.task_key]
        place = self._claim(job.task.name)
        record = TaskRecord(
            name=place.name,
            component=job.task.component,
            image=job.declaration.image,
            caching=job.declaration.caching.value,
            state=TaskState.FAILED,
            after=job.task.after,
            parameters={name: value for name, value in given.parameters.items() if name != RUN_ID},
            log=f"logs/{place.name}.log",
        )
        self.started(job.task)
        clock = time.monotonic()
        key = self._key(job, given, order)
        output = self.reuse.restore(key, place) if self.reuse and key else None
        if output is not None:
            record = replace(record, state=TaskState.REUSED, log="")
        else:
            try:
                output = self._run(job, given, order, place)
            except _Failed as failure:
                own = failure.own or {"code": "", "error": _cause(self.folder / record.log, failure.exit_code)}
                record = replace(record, exit_code=failure.exit_code, error=own["error"], error_code=own["code"])
            else:
                record = replace(record, state=TaskState.SUCCEEDED, exit_code=0)
                if self.reuse and key and self._key(job, given, order) == key:  # nobody edited the code meanwhile
                    self.reuse.store(key, place, output)
        if output is not None:
            output.write(given.output_file)
            made = self._made(given.outputs, output, place)
            record = replace(record, results=output.parameters, artifacts=made)
        record = replace(record, seconds=time.monotonic() - clock)
        with self._lock:
            if output is None:
                self._taken.discard(place.name)  # a retry takes its place
            self.results[:] = [*(one for one in self.results if one.name != record.name), record]
        self.ended(record)
        return output is not None

    def _claim(self, name: str) -> Path:
        """The folder for a task's artifacts; each turn of a loop has its own."""
        with self._lock:
            number, place = 2, name
            while place in self._taken:
                place, number = f"{name}.{number}", number + 1
            self._taken.add(place)
        return self.folder / "artifacts" / place

    def _identity(self, uri: str) -> int:
        """The number of an artifact, as a metadata store would count them."""
        with self._lock:
            return self._numbers.setdefault(uri, len(self._numbers) + 1)

    def _key(self, job: Job, given: TaskInput, order: Order) -> str:
        """The task's key for reuse; empty if it must run."""
        if self.reuse is None or not job.declaration.caching.cached:
            return ""
        decisive = {name: self.variables[name] for name in _DECISIVE if name in self.variables}
        reachable = code_digest(job.declaration.file)
        return self.reuse.key(
            given,
            component=job.task.component,
            code=digest_json([reachable, modules_digest(self.modules)]) if self.modules else reachable,
            environment=job.environment.lock,
            variables={**decisive, **order.env},
        )

    def _run(self, job: Job, given: TaskInput, order: Order, place: Path) -> TaskOutput:
        if tuple(order.command[:3]) != _PYTHON_COMMAND:
            raise ConfigurationError(
                "is not a Python component, which the local engine cannot run",
                field=job.task.name,
                value=order.command[0],
                mend="Use components under @component",
            )
        given.output_file.parent.mkdir(parents=True, exist_ok=True)
        given.output_file.unlink(missing_ok=True)
        error_file = given.output_file.with_name(_ERROR_FILE)
        error_file.unlink(missing_ok=True)
        python = job.environment.python
        variables = {
            **self.variables,
            **order.env,
            "GAUNTLET_LOCK_DIGEST": job.environment.lock,
            ERROR_FILE: str(error_file),
            "PATH": f"{python.parent}:{self.variables.get('PATH', '')}",
        }
        with whole_folder(place) as work:
            settled = given.settled(work, self.folder.name, self._identity)
            exit_code = self.processes.run(
                [str(python), *settled.into(order.command)[1:]],
                folder=job.declaration.file.parent,
                env=variables,
                log=self.folder / "logs" / f"{place.name}.log",
            )
            if exit_code != 0:
                raise _Failed(exit_code, _own_error(error_file))
        return TaskOutput.read(given.output_file).moved(work, place)

    def _made(self, expected: Sequence[Artifact], output: TaskOutput, place: Path) -> dict[str, Made]:
        """The artifacts that are there. HTML is copied to ``reports/``, under a name that browsers understand."""
        types = {artifact.name: artifact.type for artifact in expected}
        made: dict[str, Made] = {}
        for artifact in output.artifacts:
            path, kind = artifact.path, types.get(artifact.name, "")
            if not path.exists() or not path.is_relative_to(self.folder):
                continue
            if kind == _HTML and path.is_file():
                copy = self.folder / "reports" / f"{place.name}{_suffix(artifact.name)}.html"
                shutil.copyfile(path, copy)
                path = copy
            made[artifact.name] = Made(kind, path.relative_to(self.folder).as_posix())
        return made


def _suffix(output: str) -> str:
    return "" if output == "report" else f"-{output}"


def _own_error(file: Path) -> Mapping[str, str] | None:
    """What the component left behind of an error of Gauntlet's own."""
    return json.loads(file.read_text()) if file.is_file() else None


def _cause(log: Path, exit_code: int) -> str:
    """Why a task failed that left no error of Gauntlet's: the last error in its log, else the last words."""
    if exit_code < 0:
        return f"ended by signal {-exit_code} (out of memory, if nobody sent it)"
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    for line in reversed(lines):
        if _ANY.match(line):
            return line
    return lines[-1] if lines else f"ended with status {exit_code} and without a word"
