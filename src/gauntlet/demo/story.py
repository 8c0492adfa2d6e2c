"""What runs of the pipelines did, in a few lines for somebody who was not watching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gauntlet.demo.plain_language import in_plain_language
from gauntlet.gates import Gate, Stage, gates_before
from gauntlet.orchestration.record import RunRecord, RunState, TaskState
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
from gauntlet.settings import parse
from gauntlet.verdict import Verdict

VERDICT = "verdict"
_TRAINED = gates_before(Stage.TRAINING, Stage.REGISTERING)
_DELIVERED = gates_before(Stage.PRODUCTION)
SUBJECTS: Mapping[str, str] = {gate.name: gate.subject for gate in (*_TRAINED, *_DELIVERED)}


def line(subject: str, words: object) -> str:
    """One line of the story; all of them start in the same column."""
    width = max(len(name) for name in SUBJECTS.values())
    return f"{subject:<{width}}  {words}"


def tell(record: RunRecord, folder: Path) -> list[str]:
    """One line a gate, in the pipeline's order, one for how it ended, and if gates stopped it, what that means.

    Args:
        record: the run.
        folder: its folder, in which the verdicts lie.
    """
    verdicts = list(_verdicts(record, folder))
    lines = [line(SUBJECTS[verdict.gate], f"{verdict.status.value}: {verdict.summary}") for verdict in verdicts]
    meaning = [line("in short", in_plain_language(verdict)) for verdict in _blocking(record, verdicts)]
    return [*lines, line("outcome", _outcome(record, verdicts)), *meaning]


def tell_delivery(record: RunRecord, folder: Path, seen: Mapping[str, Any]) -> list[str]:
    """One line a gate of ``continuous_delivery``, one for what callers saw, and one for how it ended.

    Args:
        record: the run.
        folder: its folder.
        seen: what callers saw: ``requests``, ``errors``, ``p99_first``, ``p99_worst``; empty if nobody called.
    """
    lines = [
        line(SUBJECTS[verdict.gate], f"{verdict.status.value}: {verdict.summary}")
        for verdict in _verdicts(record, folder, _DELIVERED)
    ]
    if seen.get("requests"):
        failed = sum(seen["errors"].values())
        share = f"{failed / seen['requests']:.2%}"
        callers = f"{seen['requests']:,} requests, {failed:,} without an answer ({share})"
        quick = f"p99 {seen['p99_first'] * 1e3:,.0f} ms at first, {seen['p99_worst'] * 1e3:,.0f} ms at worst"
        lines.append(line("callers", f"{callers}; {quick}"))
    return [*lines, line("outcome", _delivered(record))]


def _verdicts(record: RunRecord, folder: Path, gates: Sequence[Gate] = _TRAINED) -> Iterator[Verdict]:
    for gate in gates:
        for task in record.tasks:
            if task.component == gate.runs_in and task.state in {TaskState.SUCCEEDED, TaskState.REUSED}:
                yield Verdict.read(folder / task.artifacts[VERDICT].path)


def _delivered(record: RunRecord) -> str:
    if record.state is not RunState.PASSED:
        return record.message
    version = next(task for task in record.tasks if task.component == "fetch_candidate").results["Output"]
    return f"{record.parameters['model_name']} version {version} serves, and is the champion."


def _blocking(record: RunRecord, verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """The verdicts that stopped the run; none if something else ended it."""
    stopped = _stopped_at(record)
    if stopped is None:
        return ()
    policy = parse(EnforcementPolicy, record.parameters.get("enforcement_policy", {}), field="enforcement_policy")
    return decide_stage(stopped, verdicts, policy).blocking


def _stopped_at(record: RunRecord) -> str | None:
    """Before what the gates stopped it."""
    failed = next((task for task in record.tasks if task.state is TaskState.FAILED), None)
    return str(failed.parameters["stage"]) if record.state is RunState.STOPPED and failed else None


def _outcome(record: RunRecord, verdicts: Sequence[Verdict]) -> str:
    stopped = _stopped_at(record)
    if stopped is not None:
        gates = " and ".join(verdict.gate for verdict in _blocking(record, verdicts))
        return f"Stopped {stopped} by {gates}; what serves goes on serving."
    if record.state is not RunState.PASSED:
        return record.message
    before = next(task for task in record.tasks if task.component == "fetch_champion").results["Output"]
    version = next(task for task in record.tasks if task.component == "register_model").results["Output"]
    model = record.parameters["model_name"]
    if not before:
        return f"{model} version {version} is the champion."
    return f"{model} version {version} is the challenger of version {before}."
