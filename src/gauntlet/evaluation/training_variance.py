"""Artifact of the retraining variance, which ``measure_stability`` writes and ``compare_champion`` reads.

    {"format": "gauntlet.stability/1", "snapshot": …, "split": …, "task": …, "model": …, "recipe": …, "threshold": 0.5,
     "runs": 5, "resamples": 5,
     "metrics": {"auc": {"seed": {"deviation": …, "df": 4, "interval": […]}, "resample": …, "total": …, "cap": …}}}

``seed`` is the spread over models that differ by their seed alone, ``total`` over models that were also trained on
resampled rows, ``resample`` what resampling adds to the seed; all are standard deviations in the metric's own
units, on the rows of ``split``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import BrokenArtifact, ConfigurationError
from gauntlet.prediction.format import Manifest, SeedSpread
from gauntlet.storage import absence, write_json

FORMAT = "gauntlet.stability/1"


@dataclass(frozen=True)
class Component:
    """Variance component, as a standard deviation.

    Attributes:
        deviation: standard deviation, metric's units.
        df: degrees of freedom it rests on; 0 for a difference of two.
        interval: its confidence interval (low, high).
    """

    deviation: float
    df: int
    interval: tuple[float, float]


@dataclass(frozen=True)
class MetricVariance:
    """Variance components of one metric.

    Attributes:
        value: the model's own, on the same rows.
        seed: spread over seeds.
        resample: what resampled training rows add; ``None``: not measured.
        total: spread over seeds and resampled rows together; ``None``: not measured.
        cap: the largest seed deviation that the team allows; ``None``: none declared.
    """

    value: float
    seed: Component
    resample: Component | None = None
    total: Component | None = None
    cap: float | None = None


@dataclass(frozen=True)
class TrainingVariance:
    """Retraining variance of a model.

    Attributes:
        snapshot: digest of the data.
        split: the evaluation rows.
        task: ``binary | multiclass | regression``.
        model: digest of the challenger of this recipe; empty if it was not given.
        recipe: digest of the recipe.
        threshold: binary: the decision threshold.
        runs: number of models that differ by seed alone.
        resamples: number of models trained on resampled rows.
        metrics: name → its components.
    """

    snapshot: str
    split: str
    task: str
    model: str
    recipe: str
    threshold: float
    runs: int
    resamples: int
    metrics: Mapping[str, MetricVariance]

    @property
    def seed_spread(self) -> dict[str, SeedSpread]:
        """Metric → its spread over seeds, as predictions carry it."""
        return {name: SeedSpread(metric.seed.deviation, self.runs) for name, metric in self.metrics.items()}

    @property
    def broken_caps(self) -> dict[str, float]:
        """Metric → its cap, where the measured spread is larger."""
        return {
            name: metric.cap
            for name, metric in self.metrics.items()
            if metric.cap is not None and metric.seed.deviation > metric.cap
        }

    def write(self, path: Path) -> None:
        """Write as JSON, atomically."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        metrics = {name: _document(metric) for name, metric in self.metrics.items()}
        write_json(path, {"format": FORMAT, **fields, "metrics": metrics})

    @classmethod
    def read(cls, path: Path) -> TrainingVariance:
        """Read the artifact.

        Raises:
            DataError: it is no such file.
        """
        try:
            document = json.loads(path.read_text())
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            metrics = {name: _metric(entry) for name, entry in document.pop("metrics").items()}
            return cls(**document, metrics=metrics)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not what measure_stability writes", field=path.name, value=str(error), mend="Measure it again"
            ) from error


def read_if_there(path: Path | None) -> TrainingVariance | None:
    """Read an optional input; ``None`` where it is not connected, or says that it is absent."""
    return None if path is None or absence(path) is not None else TrainingVariance.read(path)


def require_of(stability: TrainingVariance, challenger: Manifest, threshold: float) -> None:
    """Check that the spread was measured on the rows, and for the model, that are compared.

    Args:
        stability: the spread.
        challenger: manifest of the compared predictions.
        threshold: decision threshold of the comparison.

    Raises:
        DataError: other data, split, task or model.
        ConfigurationError: decisions are made at another threshold.
    """
    for field, measured, compared in (
        ("snapshot", stability.snapshot, challenger.snapshot),
        ("split", stability.split, challenger.split),
        ("task", stability.task, challenger.task),
        ("model", stability.model or challenger.model, challenger.model),
    ):
        if measured != compared:
            raise BrokenArtifact(
                f"the stability is of another {field} than the challenger's predictions ({compared!r})",
                field=f"stability.{field}",
                value=measured,
                mend="Give measure_stability the snapshot, split and predictions that are compared",
            )
    if stability.task == "binary" and stability.threshold != threshold:
        raise ConfigurationError(
            f"decisions are compared at {threshold:g}, and their stability was measured at another threshold",
            field="stability_policy.threshold",
            value=stability.threshold,
            mend="Give both policies one threshold",
        )


def _document(metric: MetricVariance) -> dict[str, Any]:
    parts = {"seed": metric.seed, "resample": metric.resample, "total": metric.total}
    written = {
        name: None
        if component is None
        else {"deviation": component.deviation, "df": component.df, "interval": list(component.interval)}
        for name, component in parts.items()
    }
    return {"value": metric.value, "cap": metric.cap, **written}


def _metric(document: Mapping[str, Any]) -> MetricVariance:
    seed = _component(document["seed"])
    if seed is None:
        raise ValueError("no spread over seeds")
    return MetricVariance(
        value=float(document["value"]),
        seed=seed,
        resample=_component(document["resample"]),
        total=_component(document["total"]),
        cap=None if document["cap"] is None else float(document["cap"]),
    )


def _component(document: Mapping[str, Any] | None) -> Component | None:
    if document is None:
        return None
    low, high = (float(end) for end in document["interval"])
    return Component(float(document["deviation"]), int(document["df"]), (low, high))
