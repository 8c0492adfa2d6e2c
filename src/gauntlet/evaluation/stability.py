"""How much re-training moves a model's metrics: what ``measure_stability`` writes and ``compare_champion`` reads.

    {"format": "gauntlet.stability/1", "snapshot": …, "split": …, "task": …, "model": …, "recipe": …, "threshold": 0.5,
     "runs": 5, "resamples": 5,
     "metrics": {"auc": {"seed": {"deviation": …, "df": 4, "interval": […]}, "resample": …, "total": …, "cap": …}}}

``seed`` is the spread over models that differ by their seed alone, ``total`` over models that also learned from another
draw of the training rows, ``resample`` what the draw adds to the seed; all are standard deviations in the metric's own
units, on the rows of ``split``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.prediction.format import Manifest, SeedSpread
from gauntlet.storage import absence, write_json

FORMAT = "gauntlet.stability/1"


@dataclass(frozen=True)
class Component:
    """One source of spread.

    Attributes:
        deviation: standard deviation, metric's units.
        df: degrees of freedom it rests on; 0 for a difference of two.
        interval: its confidence interval (low, high).
    """

    deviation: float
    df: int
    interval: tuple[float, float]


@dataclass(frozen=True)
class MetricStability:
    """One metric's spread.

    Attributes:
        value: of the model itself, on the same rows.
        seed: over seeds.
        resample: what another draw of the training rows adds; ``None``: not measured.
        total: over seeds and draws together; ``None``: not measured.
        cap: the largest seed deviation that the team allows; ``None``: none declared.
    """

    value: float
    seed: Component
    resample: Component | None = None
    total: Component | None = None
    cap: float | None = None


@dataclass(frozen=True)
class Stability:
    """What was measured.

    Attributes:
        snapshot: digest of the data.
        split: the rows the metrics were measured on.
        task: ``binary | multiclass | regression``.
        model: digest of the challenger whose recipe was run again; empty when it was not given.
        recipe: digest of the recipe.
        threshold: binary: where decisions are made.
        runs: models that differ by seed alone.
        resamples: models that learned from other draws.
        metrics: name → its spread.
    """

    snapshot: str
    split: str
    task: str
    model: str
    recipe: str
    threshold: float
    runs: int
    resamples: int
    metrics: Mapping[str, MetricStability]

    @property
    def seed_spread(self) -> dict[str, SeedSpread]:
        """Metric → its spread over seeds, as predictions carry it."""
        return {name: SeedSpread(one.seed.deviation, self.runs) for name, one in self.metrics.items()}

    @property
    def broken_caps(self) -> dict[str, float]:
        """Metric → its cap, where the spread found is larger."""
        return {
            name: one.cap for name, one in self.metrics.items() if one.cap is not None and one.seed.deviation > one.cap
        }

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        metrics = {name: _document(one) for name, one in self.metrics.items()}
        write_json(path, {"format": FORMAT, **fields, "metrics": metrics})

    @classmethod
    def read(cls, path: Path) -> Stability:
        """Read it back.

        Raises:
            DataError: it is not such a file.
        """
        try:
            document = json.loads(path.read_text())
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            metrics = {name: _metric(one) for name, one in document.pop("metrics").items()}
            return cls(**document, metrics=metrics)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "is not what measure_stability writes", field=path.name, value=str(error), mend="Measure it again"
            ) from error


def read_if_there(path: Path | None) -> Stability | None:
    """Read an optional input; ``None`` where it is not connected, or says that it is absent."""
    return None if path is None or absence(path) is not None else Stability.read(path)


def require_of(stability: Stability, challenger: Manifest, threshold: float) -> None:
    """Make sure that the spread was measured on the rows, and for the model, that are compared.

    Args:
        stability: the spread.
        challenger: of the predictions that are compared.
        threshold: where the comparison makes decisions.

    Raises:
        DataError: it is of other data, another split, task or model.
        ConfigurationError: decisions are made at another threshold.
    """
    for field, measured, compared in (
        ("snapshot", stability.snapshot, challenger.snapshot),
        ("split", stability.split, challenger.split),
        ("task", stability.task, challenger.task),
        ("model", stability.model or challenger.model, challenger.model),
    ):
        if measured != compared:
            raise DataError(
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


def _document(metric: MetricStability) -> dict[str, Any]:
    parts = {"seed": metric.seed, "resample": metric.resample, "total": metric.total}
    written = {
        name: None if one is None else {"deviation": one.deviation, "df": one.df, "interval": list(one.interval)}
        for name, one in parts.items()
    }
    return {"value": metric.value, "cap": metric.cap, **written}


def _metric(document: Mapping[str, Any]) -> MetricStability:
    seed = _component(document["seed"])
    if seed is None:
        raise ValueError("no spread over seeds")
    return MetricStability(
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
