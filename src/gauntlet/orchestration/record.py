"""Record of a local run: ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gauntlet.errors import EXIT_BROKEN, EXIT_PASS, EXIT_STOPPED, EXIT_USAGE, ConfigurationError, DataError, GateStopped
from gauntlet.storage import write_json

FORMAT = "gauntlet.run/1"
RUN_FILE = "run.json"
EXIT_INTERRUPTED = 130
"""Exit status of a command ended by Ctrl-C, as shells define it."""


class TaskState(StrEnum):
    """Final state of a task."""

    SUCCEEDED = "succeeded"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunState(StrEnum):
    """State of a run."""

    RUNNING = "running"
    PASSED = "passed"
    STOPPED = "stopped"
    BROKEN = "broken"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class OutputArtifact:
    """Output artifact of a task.

    Attributes:
        type: its schema title.
        path: relative to the run's folder.
        metadata: scalars that the task attached to it, without its lineage.
    """

    type: str
    path: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskRecord:
    """Record of one task.

    Attributes:
        name: unique in the run.
        component: the function's name.
        image: the image's name.
        caching: its class: pure, resolving, acting.
        state: its final state.
        after: names of the tasks it waited for.
        seconds: wall-clock time; ``None`` if it never started.
        exit_code: of its process; ``None`` if there was none.
        error: the error message, one paragraph.
        log: its log, relative to the run's folder; empty if there is none.
        parameters: input parameters.
        results: output parameters.
        artifacts: output artifacts.
        error_code: code of the ``GauntletError`` (``gauntlet.errors``); empty for any other error.
    """

    name: str
    component: str
    image: str
    caching: str
    state: TaskState
    after: tuple[str, ...] = ()
    seconds: float | None = None
    exit_code: int | None = None
    error: str = ""
    log: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, OutputArtifact] = field(default_factory=dict)
    error_code: str = ""

    @property
    def exit_status(self) -> int:
        """Exit status of the command if this task is the worst one.

        1 means that a gate stopped the run; a crash of Python exits with 1 too, so the error code decides.
        """
        if self.state is not TaskState.FAILED:
            return EXIT_PASS
        if self.exit_code == EXIT_STOPPED and self.error_code == GateStopped.code:
            return EXIT_STOPPED
        return EXIT_USAGE if self.exit_code == EXIT_USAGE else EXIT_BROKEN


@dataclass(frozen=True)
class RunRecord:
    """Record of one run.

    Attributes:
        name: its folder's name.
        pipeline: the pipeline's name.
        started: start time with time zone, ISO 8601.
        state: its state.
        seconds: wall-clock time.
        message: why it did not pass, one paragraph.
        code: revision of the code.
        parameters: as given.
        tasks: every task of the pipeline, in the order they ended; those that never started come last.
    """

    name: str
    pipeline: str
    started: str
    state: RunState
    seconds: float = 0.0
    message: str = ""
    code: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[TaskRecord, ...] = ()

    @property
    def exit_status(self) -> int:
        """Exit status of ``gauntlet run``."""
        if self.state is RunState.INTERRUPTED:
            return EXIT_INTERRUPTED
        if self.state is RunState.PASSED:
            return EXIT_PASS
        return max((task.exit_status for task in self.tasks), default=EXIT_PASS) or EXIT_BROKEN

    @property
    def data_at_fault(self) -> bool:
        """Whether what stopped it is something in the data, and nothing in the configuration."""
        codes = [task.error_code for task in self.tasks if task.exit_status == self.exit_status == EXIT_USAGE]
        return bool(codes) and all(code.split(".")[0] == DataError.code for code in codes)

    @property
    def started_at(self) -> datetime:
        """Start time."""
        return datetime.fromisoformat(self.started)

    def write(self, folder: Path) -> None:
        """Write ``run.json`` into the run's folder, atomically."""
        write_json(folder / RUN_FILE, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """Read the record of a run.

        Raises:
            ConfigurationError: the folder holds no run record.
        """
        try:
            document = json.loads((folder / RUN_FILE).read_text())
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            tasks = tuple(_task(fields) for fields in document.pop("tasks"))
            return cls(**{**document, "state": RunState(document["state"])}, tasks=tasks)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                "holds no readable run record",
                field="run",
                value=str(folder),
                mend="Name the folder of a run under runs/",
            ) from error


def _task(fields: dict[str, Any]) -> TaskRecord:
    return TaskRecord(
        **{
            **fields,
            "state": TaskState(fields["state"]),
            "after": tuple(fields["after"]),
            "artifacts": {name: OutputArtifact(**artifact) for name, artifact in fields["artifacts"].items()},
            "error_code": fields.get("error_code", _legacy_error_code(fields)),
        }
    )


def _legacy_error_code(fields: Mapping[str, Any]) -> str:
    """Error code for a record written before errors had codes: a stopped gate is known by its class name."""
    return GateStopped.code if str(fields["error"]).startswith(f"{GateStopped.__name__}: ") else ""
