"""What came out of a run, in a few lines for its page and the console: version, champion or not, how good, where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gauntlet.orchestration.record import RunRecord, TaskRecord, TaskState
from gauntlet.orchestration.verdicts import verdict_of
from gauntlet.verdict import Verdict

_ENDED_WELL = (TaskState.SUCCEEDED, TaskState.REUSED)
_MOST_FILES = 3

Lines = tuple[tuple[str, str], ...]
"""(name, sentence)."""


def results_of(run: RunRecord, folder: Path) -> Lines:
    """What came out of a run that registers a model; nothing for any other."""
    registering = _task(run, "register_model")
    if registering is None:
        return ()
    registered = next((artifact.metadata for artifact in registering.artifacts.values() if artifact.metadata), {})
    lines = [("Registered", _registered(registered) if registering.state in _ENDED_WELL else "nothing")]
    for name, component in (("Performance", "evaluate_performance"), ("Champion", "compare_champion")):
        verdict = _verdict(run, component, folder)
        if verdict is not None:
            lines.append((name, verdict.checks[0].reason if verdict.checks else verdict.summary))
    if registered.get("registry"):
        lines.append(("Registry", str(registered["registry"])))
    return tuple(lines)


def about(run: RunRecord) -> Lines:
    """What a run is about, by its parameters: model, label and data."""
    given = run.parameters
    roles = given.get("roles")
    data = given.get("data")
    files = [str(file.get("uri", "?")) for file in data if isinstance(file, Mapping)] if isinstance(data, list) else []
    more = f" and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else ""
    known = (
        ("Model", str(given.get("model_name", ""))),
        ("Label", str(roles.get("label") or "") if isinstance(roles, Mapping) else ""),
        ("Data", ", ".join(files[:_MOST_FILES]) + more),
    )
    return tuple((name, value) for name, value in known if value)


def _registered(metadata: Mapping[str, Any]) -> str:
    if not metadata.get("version"):
        return "a version"
    words = f"{metadata['model']} version {metadata['version']}, {metadata.get('role') or 'without an alias'}"
    champion = metadata.get("champion")
    return f"{words}; the champion is version {champion}" if champion and champion != metadata["version"] else words


def _task(run: RunRecord, component: str) -> TaskRecord | None:
    return next((task for task in run.tasks if task.component == component), None)


def _verdict(run: RunRecord, component: str, folder: Path) -> Verdict | None:
    task = _task(run, component)
    return verdict_of(task, folder) if task is not None else None
