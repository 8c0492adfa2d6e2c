"""A stage's gates: one page that says what they found, then their enforcement."""

from collections.abc import Sequence
from typing import Any

from components.evaluation.enforce_gates import enforce_gates
from components.evaluation.summarize_gates import summarize_gates

_INPUTS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def enforced(stage: str, gates: Sequence[Any], *, name: str, policy: Any, earlier: Any = None) -> Any:
    """Wire a stage into the pipeline that is being traced.

    The page comes first: a task that fails uploads nothing.

    Args:
        stage: what comes next: ``before training``.
        gates: the tasks whose verdicts are enforced, at most eight.
        name: of the stage, in the tasks' names: ``data-gates``.
        policy: the enforcement policy.
        earlier: the verdicts that an earlier stage let through.

    Returns:
        The task that enforces them; its output ``verdicts`` holds what was let through.
    """
    verdicts = {place: gate.outputs["verdict"] for place, gate in zip(_INPUTS, gates, strict=False)}
    summary = summarize_gates(stage=stage, policy=policy, **verdicts).set_display_name(f"summarize-{name}")
    before = {} if earlier is None else {"earlier": earlier}
    task = enforce_gates(stage=stage, policy=policy, **verdicts, **before).after(summary)
    return task.set_display_name(f"enforce-{name}")
