"""Summaries of the demo's runs: one line per gate, and the outcome."""

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
    """Format one line of the summary, with aligned columns."""
    width = max(len(name) for name in SUBJECTS.values())
    return f"{subject:<{width}}  {words}"


def summarise_training(record: RunRecord, folder: Path) -> list[str]:
    """Summarize a training run: one line per gate in the pipeline's order, the outcome, and why gates stopped it.

    Args:
        record: the run.
        folder: its folder, with the verdicts.
    """
    verdicts = list(_verdicts(record, folder))
    lines = [line(SUBJECTS[verdict.gate], f"{verdict.status.words}: {verdict.summary}") for verdict in verdicts]
    meaning = [line("in short", in_plain_language(verdict)) for verdict in _blocking(record, verdicts)]
    return [*lines, line("outcome", _outcome(record, verdicts)), *meaning]


def summarise_delivery(record: RunRecord, folder: Path, calls: Mapping[str, Any]) -> list[str]:
    """Summarize a delivery: one line per gate, one for the callers, and the outcome.

    Args:
        record: the run.
        folder: its folder.
        calls: ``requests``, ``errors``, ``p99_first``, ``p99_worst`` of callers; empty without callers.
    """
    lines = [
        line(SUBJECTS[verdict.gate], f"{verdict.status.words}: {verdict.summary}")
        for verdict in _verdicts(record, folder, _DELIVERED)
    ]
    if calls.get("requests"):
        failed = sum(calls["errors"].values())
        share = f"{failed / calls['requests']:.2%}"
        callers = f"{calls['requests']:,} requests, {failed:,} without an answer ({share})"
        quick = f"p99 {calls['p99_first'] * 1e3:,.0f} ms at first, {calls['p99_worst'] * 1e3:,.0f} ms at worst"
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
    """The verdicts that stopped the run; () if none did."""
    stopped = _stopped_at(record)
    if stopped is None:
        return ()
    policy = parse(EnforcementPolicy, record.parameters.get("enforcement_policy", {}), field="enforcement_policy")
    return decide_stage(stopped, verdicts, policy).blocking


def _stopped_at(record: RunRecord) -> str | None:
    """Stage at which enforcement stopped the run; ``None`` if it did not."""
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
