"""Page of the training check: the smoke test of training code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.evaluation import wording
from gauntlet.reports.curves import Series
from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.training_check.checks import SHUFFLED_LABELS
from gauntlet.training_check.gate import TrainingCheckResult


@dataclass(frozen=True)
class TrainingCheckView:
    """Content of the page.

    Attributes:
        asked: whether anything was checked.
        task: the task.
        rows: split and its rows, written out.
        model, baseline: the metric of the model and of the constant; empty when not checked.
        metric: that metric.
        curve, watched: the model's learning curves.
        batch, batch_rows: the learning curve of the tiny batch, and its rows.
        ways: scoring paths of the saved model, largest difference, rows.
        chance: ranking of held-out rows by the model of shuffled labels; chance is 0.5.
    """

    asked: bool
    task: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    model: str = ""
    baseline: str = ""
    metric: str = ""
    curve: tuple[Series, ...] = ()
    watched: str = ""
    batch: tuple[Series, ...] = ()
    batch_rows: int = 0
    ways: tuple[tuple[str, str, str], ...] = ()
    chance: tuple[ForestRow, ...] = ()


def training_check_page(result: TrainingCheckResult) -> str:
    """Render the page."""
    view = training_check_view(result)
    return render("training_check.html.j2", title="Training check", view=view, verdict=result.verdict)


def training_check_view(result: TrainingCheckResult) -> TrainingCheckView:
    """Make the view of a result."""
    evidence, standing = result.evidence, result.standing
    if evidence is None:
        return TrainingCheckView(asked=False)
    width = (0.0, 0.0) if standing is None else (standing.model, standing.baseline)
    model, baseline = (
        ("", "")
        if standing is None
        else (wording.level(standing.metric, value, width) for value in (standing.model, standing.baseline))
    )
    batch = evidence.batch
    return TrainingCheckView(
        asked=True,
        task=evidence.target.task,
        rows=tuple((name, f"{count:,}") for name, count in evidence.rows.items()),
        model=model,
        baseline=baseline,
        metric="" if standing is None else wording.title(standing.metric),
        curve=_series(evidence.curve),
        watched=evidence.watched,
        batch=() if batch is None or not batch.curve else _series({"batch": batch.curve}),
        batch_rows=0 if batch is None else len(batch.labels),
        ways=_ways(result),
        chance=_chance(result),
    )


def _series(curves: Mapping[str, tuple[float, ...]]) -> tuple[Series, ...]:
    return tuple(Series(name, range(1, len(values) + 1), values) for name, values in curves.items())


def _ways(result: TrainingCheckResult) -> tuple[tuple[str, str, str], ...]:
    saved = None if result.evidence is None else result.evidence.saved
    if saved is None:
        return ()
    return tuple((way, f"{largest:.2g}", f"{rows:,}") for way, (largest, rows) in saved.differences.items())


def _chance(result: TrainingCheckResult) -> tuple[ForestRow, ...]:
    measured = [(check, check.interval) for check in result.verdict.checks if check.code == SHUFFLED_LABELS]
    return tuple(
        ForestRow(check.name, check.measured, ends[0], ends[1], n=check.sample_size, status=check.status.value)
        for check, ends in measured
        if ends is not None
    )
