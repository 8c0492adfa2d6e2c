"""What a run of ``continuous_training`` did, in a few lines for somebody who was not watching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gauntlet.orchestration.record import RunRecord, RunState, TaskState
from gauntlet.verdict import Verdict

VERDICT = "verdict"
SUBJECTS: Mapping[str, str] = {
    "validate_schema": "data",
    "detect_skew": "drift",
    "evaluate_model": "model",
    "evaluate_slices": "people",
    "compare_champion": "champion",
}


def tell(record: RunRecord, folder: Path) -> list[str]:
    """One line a gate, in the pipeline's order, and one for how it ended.

    Args:
        record: the run.
        folder: its folder, in which the verdicts lie.
    """
    width = max(len(subject) for subject in SUBJECTS.values())
    lines = [
        f"{SUBJECTS.get(verdict.gate, verdict.gate):<{width}}  {verdict.status.value}: {verdict.summary}"
        for verdict in _verdicts(record, folder)
    ]
    return [*lines, f"{'outcome':<{width}}  {_outcome(record)}"]


def _verdicts(record: RunRecord, folder: Path) -> Iterator[Verdict]:
    for gate in SUBJECTS:
        for task in record.tasks:
            if task.component == gate and task.state in {TaskState.SUCCEEDED, TaskState.REUSED}:
                yield Verdict.read(folder / task.artifacts[VERDICT].path)


def _outcome(record: RunRecord) -> str:
    if record.state is not RunState.PASSED:
        return record.message
    before = next(task for task in record.tasks if task.component == "fetch_champion").results["Output"]
    version = next(task for task in record.tasks if task.component == "register_model").results["Output"]
    model = record.parameters["model_name"]
    if not before:
        return f"{model} version {version} is the champion."
    return f"{model} version {version} is the challenger of version {before}."
