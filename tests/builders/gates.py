"""Running the evaluation gates' components as the executor does, on folders of predictions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from builders.artifacts import artifact, load_component
from gauntlet.verdict import Verdict

_OUTPUTS = {
    "evaluate_performance": {"metrics": "Metrics", "curves": "ClassificationMetrics"},
    "evaluate_slices": {},
    "compare_champion": {},
}


def run_gate(name: str, out: Path, policy: dict[str, Any] | None = None, **inputs: Path) -> SimpleNamespace:
    """Run a gate and read back what it wrote.

    Returns:
        ``verdict``, ``page`` (HTML) and ``outputs`` (the artifacts).
    """
    outputs = {key: artifact(kind, out / key) for key, kind in _OUTPUTS[name].items()}
    outputs |= {"verdict": artifact("Artifact", out / "verdict"), "report": artifact("HTML", out / "report")}
    given = {key: artifact("Dataset", path) for key, path in inputs.items()}
    load_component("evaluation", name)(**given, **outputs, policy=policy or {})
    return SimpleNamespace(
        verdict=Verdict.read(out / "verdict"), page=(out / "report").read_text(), outputs=SimpleNamespace(**outputs)
    )
