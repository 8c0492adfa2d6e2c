"""What a run leaves behind about itself: ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gauntlet.errors import EXIT_BROKEN, EXIT_PASS, EXIT_STOPPED, EXIT_USAGE, ConfigurationError, GateStopped
from gauntlet.storage import write_json

FORMAT = "gauntlet.run/1"
RUN_FILE = "run.json"
EXIT_INTERRUPTED = 130
"""What a shell says of a command ended by Ctrl-C."""


class TaskState(StrEnum):
    """How a task ended."""

    SUCCEEDED = "succeeded"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunState(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    PASSED = "passed"
    STOPPED = "stopped"
    BROKEN = "broken"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Made:
    """An output artifact of a task: its schema title, and its path relative to the run's folder."""

    type: str
    path: str


@dataclass(frozen=True)
class TaskRecord:
    """One task.

    Attributes:
        name: unique in the run.
        component: the function's name.
        image: the image's name.
        caching: its class: pure, resolving, acting.
        state: how it ended.
        after: names of the tasks it waited for.
        seconds: wall-clock time; ``None`` if it never started.
        exit_code: of its process; ``None`` if there was none.
        error: what it failed with, one paragraph for people.
        log: its log, relative to the run's folder; empty if there is none.
        parameters: what it was given.
        results: output parameters.
        artifacts: output artifacts.
        error_code: what kind of error it failed with (``gauntlet.errors``); empty: none of Gauntlet's own.
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
    artifacts: Mapping[str, Made] = field(default_factory=dict)
    error_code: str = ""

    @property
    def exit_status(self) -> int:
        """What this task asks the command to return.

        1 means that a gate stopped the run, and any crash of Python ends with 1 too: only the gate says so.
        """
        if self.state is not TaskState.FAILED:
            return EXIT_PASS
        if self.exit_code == EXIT_STOPPED and self.error_code == GateStopped.code:
            return EXIT_STOPPED
        return EXIT_USAGE if self.exit_code == EXIT_USAGE else EXIT_BROKEN


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        name: its folder's name.
        pipeline: the pipeline's name.
        started: when, with time zone, ISO 8601.
        state: how it ended.
        seconds: how long it took.
        message: why it did not pass, one paragraph.
        code: revision of the code.
        parameters: as given.
        tasks: every task of the pipeline, in the order they ended, those that never started last.
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
        """Exit status of the command that ran it."""
        if self.state is RunState.INTERRUPTED:
            return EXIT_INTERRUPTED
        if self.state is RunState.PASSED:
            return EXIT_PASS
        return max((task.exit_status for task in self.tasks), default=EXIT_PASS) or EXIT_BROKEN

    @property
    def started_at(self) -> datetime:
        """When it started."""
        return datetime.fromisoformat(self.started)

    def write(self, folder: Path) -> None:
        """Write ``run.json`` into the run's folder, whole or not at all."""
        write_json(folder / RUN_FILE, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """Read a run back.

        Raises:
            ConfigurationError: the folder holds no run.
        """
        try:
            document = json.loads((folder / RUN_FILE).read_text())
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            tasks = tuple(_task(fields) for fields in document.pop("tasks"))
            return cls(**{**document, "state": RunState(document["state"])}, tasks=tasks)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                "holds no readable run", field="run", value=str(folder), mend="Name the folder of a run under runs/"
            ) from error


def _task(fields: dict[str, Any]) -> TaskRecord:
    return TaskRecord(
        **{
            **fields,
            "state": TaskState(fields["state"]),
            "after": tuple(fields["after"]),
            "artifacts": {name: Made(**made) for name, made in fields["artifacts"].items()},
            "error_code": fields.get("error_code", _before_codes(fields)),
        }
    )


def _before_codes(fields: Mapping[str, Any]) -> str:
    """The code in a record from before errors had one: only a gate's mattered, and its class stood first."""
    return GateStopped.code if str(fields["error"]).startswith(f"{GateStopped.__name__}: ") else ""
