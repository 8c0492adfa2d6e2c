"""A toy project, and a way to run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gauntlet.orchestration import task as task_module
from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.record import RunRecord, TaskRecord
from gauntlet.orchestration.revision import code_digest
from toy import ToyProject


@dataclass
class RecordingObserver:
    """Observer that records its calls."""

    notes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def run_started(self, run: RunRecord, folder: Path) -> None:
        self.lines.append(f"run {run.name}")

    def task_started(self, task: Task) -> None:
        self.lines.append(f"start {task.name}")

    def task_ended(self, task: TaskRecord) -> None:
        self.lines.append(f"{task.state.value} {task.name}")


@dataclass
class Runner:
    """Runs the toy pipeline."""

    toy: ToyProject
    library: Path
    observer: RecordingObserver = field(default_factory=RecordingObserver)

    def __call__(self, request: dict[str, Any] | None = None, **parameters: Any) -> tuple[RunRecord, Path]:
        self.observer = RecordingObserver()
        defaults = RunRequest(
            project=self.toy.project,
            pipeline="words",
            parameters=parameters,
            runs=self.toy.folder / "runs",
            folder=self.toy.folder,
        )
        return run_pipeline(replace(defaults, **(request or {})), self.observer)

    def states(self, **parameters: Any) -> dict[str, str]:
        """Run it, and say how each task ended."""
        record, _ = self(**parameters)
        return {task.name: task.state.value for task in record.tasks}


@pytest.fixture
def toy(tmp_path: Path) -> ToyProject:
    return ToyProject.create(tmp_path / "project")


@pytest.fixture
def run(toy: ToyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """The toy pipeline; as far as reuse is concerned, the library is one file that a test can change."""
    library = tmp_path / "library"
    (library / "evaluation").mkdir(parents=True)
    (library / "evaluation" / "metrics.py").write_text("one = 1\n")

    def digest(component: Path) -> str:
        return code_digest(component, library)

    digested: Callable[[Path], str] = digest
    monkeypatch.setattr(task_module, "code_digest", digested)
    return Runner(toy, library)
