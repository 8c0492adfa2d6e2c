"""Verdicts among the outputs of a run's tasks."""

from __future__ import annotations

import json
from pathlib import Path

from gauntlet.errors import DataError
from gauntlet.orchestration.record import TaskRecord
from gauntlet.verdict import FORMAT, Verdict


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
