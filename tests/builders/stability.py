"""Running ``measure_stability`` as the executor does, and runs made up without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from builders.artifacts import artifact, load_component
from gauntlet.prediction.truth import Truth
from gauntlet.stability.reruns import Reruns, Run
from gauntlet.training.target import Target
from gauntlet.verdict import Verdict


def run_stability(inputs: dict[str, Any], out: Path, **parameters: Any) -> SimpleNamespace:
    """Run the component and read back what it wrote."""
    outputs = {
        "verdict": artifact("Artifact", out / "verdict"),
        "report": artifact("HTML", out / "report"),
        "stability": artifact("Artifact", out / "stability"),
    }
    load_component("model", "measure_stability")(**inputs, **outputs, **parameters)
    return SimpleNamespace(
        verdict=Verdict.read(out / "verdict"), page=(out / "report").read_text(), stability=out / "stability"
    )


def reruns(
    labels: np.ndarray,
    seeds: Sequence[np.ndarray],
    *,
    resamples: Sequence[np.ndarray] = (),
    repeat: np.ndarray | None = None,
    task: Any = "binary",
    classes: tuple[str, ...] = ("no", "yes"),
    weights: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    snapshot: str = "sha256:" + "a" * 64,
) -> Reruns:
    """Runs with these scores; without ``repeat`` the first seed comes out as it was."""
    again = seeds[0] if repeat is None else repeat
    return Reruns(
        target=Target("outcome", task, classes if task != "regression" else ()),
        truth=Truth(np.asarray(labels, float), weights, clusters),
        split="test",
        snapshot=snapshot,
        recipe="sha256:" + "c" * 64,
        repeat=Run("seed 0 again", "one" if repeat is None else "other", again),
        seeds=tuple(Run(f"seed {i}", "one" if i == 0 else str(i), scores) for i, scores in enumerate(seeds)),
        resamples=tuple(Run(f"seed {len(seeds) + i}, draw {i + 1}", "", one) for i, one in enumerate(resamples)),
    )
