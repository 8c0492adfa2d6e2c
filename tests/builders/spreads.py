"""What ``measure_stability`` would have written, made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gauntlet.evaluation.training_variance import Component, MetricVariance, TrainingVariance


def stability(
    deviations: Mapping[str, float],
    *,
    caps: Mapping[str, float] | None = None,
    runs: int = 5,
    split: str = "test",
    threshold: float = 0.5,
    model: str = "",
    task: str = "binary",
) -> TrainingVariance:
    """Seeds that move these metrics by that much."""
    metrics = {
        name: MetricVariance(
            value=0.8, seed=Component(one, runs - 1, (0.6 * one, 2.9 * one)), cap=(caps or {}).get(name)
        )
        for name, one in deviations.items()
    }
    return TrainingVariance(
        snapshot="sha256:" + "a" * 64,
        split=split,
        task=task,
        model=model,
        recipe="sha256:" + "c" * 64,
        threshold=threshold,
        runs=runs,
        resamples=0,
        metrics=metrics,
    )


def write_stability(path: Path, found: TrainingVariance) -> Path:
    """On disk, as a component reads it."""
    found.write(path)
    return path
