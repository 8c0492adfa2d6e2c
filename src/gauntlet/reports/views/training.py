"""Page of a training: data, learning curves, feature importance, seed variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.reports.curves import Series
from gauntlet.reports.page import render
from gauntlet.storage import write_text

if TYPE_CHECKING:
    from gauntlet.training.publish import Published
    from gauntlet.training.result import Training

_SHOWN_FEATURES = 20


@dataclass(frozen=True)
class MetricRow:
    """One validation metric: its value, and over seeds its lowest, highest and standard deviation, if any."""

    name: str
    value: float
    low: float | None
    high: float | None
    deviation: float | None


@dataclass(frozen=True)
class FeatureRow:
    """One input: its kind in words, its number of categories, its share of the gain (``None``: not known)."""

    name: str
    kind: str
    categories: int | None
    share: float | None


@dataclass(frozen=True)
class TrainingView:
    """Content of the page.

    Attributes:
        task, label, classes: what is predicted.
        rows: split → rows used.
        device, reason: the device, and why it was chosen.
        rounds, most_rounds: boosting rounds kept and allowed; 0 for a trainer of the team's own.
        seeds: all seeds used.
        metrics: one row per metric.
        curve: the learning curves; empty when there are none.
        watched: the metric they show.
        features: all inputs, most important first.
        important: (name, share) of the first features, for the bars.
        notes: remarks.
        parameters: the recipe, flat.
        digests: digests of inputs and model.
    """

    task: str
    label: str
    classes: tuple[str, ...]
    rows: Mapping[str, int]
    device: str
    reason: str
    rounds: int
    most_rounds: int
    seeds: tuple[int, ...]
    metrics: tuple[MetricRow, ...]
    curve: tuple[Series, ...]
    watched: str
    features: tuple[FeatureRow, ...]
    important: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    parameters: Mapping[str, str]
    digests: Mapping[str, str]


def view_of(training: Training, published: Published) -> TrainingView:
    """Make the view."""
    from gauntlet.training.publish import flat_parameters

    target = training.plan.target
    return TrainingView(
        task=target.task,
        label=target.column,
        classes=target.classes,
        rows=training.rows,
        device=training.device.name,
        reason=training.device.reason,
        rounds=training.rounds,
        most_rounds=0 if training.booster is None else training.recipe.parameters.n_estimators,
        seeds=training.seeds,
        metrics=_metrics(training),
        curve=tuple(Series(name, range(1, len(values) + 1), values) for name, values in training.curve.items()),
        watched=training.watched,
        features=_features(training),
        important=tuple(list(training.importance.items())[:_SHOWN_FEATURES]),
        notes=training.notes,
        parameters={name: str(value) for name, value in flat_parameters(training).items()},
        digests={
            "model": published.digest,
            "snapshot": training.snapshot.digest,
            "recipe": training.recipe_digest,
            "MLflow experiment": published.experiment,
            "MLflow run": published.run,
        },
    )


def write_report(training: Training, published: Published, destination: Path) -> None:
    """Render the page to a file."""
    view = view_of(training, published)
    subtitle = f"{view.task.capitalize()} model for {view.label}, {len(view.features)} features"
    write_text(destination, render("training.html.j2", title="Training", subtitle=subtitle, view=view))


def _metrics(training: Training) -> tuple[MetricRow, ...]:
    spread = training.seed_spread
    rows = []
    for name, value in training.metrics.items():
        over_seeds = [measured[name] for measured in training.measured]
        if name in spread:
            deviation = float(spread[name]["standard_deviation"])
            rows.append(MetricRow(name, value, min(over_seeds), max(over_seeds), deviation))
        else:
            rows.append(MetricRow(name, value, None, None, None))
    return tuple(rows)


def _features(training: Training) -> tuple[FeatureRow, ...]:
    known = training.booster is not None
    rows = [
        FeatureRow(
            feature.name,
            {"int": "whole number", "float": "number", "bool": "yes or no", "string": "text"}[feature.type]
            if feature.categories is None
            else "category",
            None if feature.categories is None else len(feature.categories),
            training.importance.get(feature.name, 0.0) if known else None,
        )
        for feature in training.plan.features
    ]
    return tuple(sorted(rows, key=lambda row: -(row.share or 0.0)))
