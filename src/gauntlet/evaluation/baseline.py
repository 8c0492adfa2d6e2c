"""Is a model better than one that always gives the same answer? It must be shown to be.

Models are compared by a loss that the mean is best for: log loss, squared error. What does not win by it may still be
better than a constant, and has a second way to show it: a classifier whose scores are no probabilities (weighted
classes, say), by its ranks or decisions; a model of values with a heavy tail, whose mean squares no sample knows, by
how many rows it is nearer to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gauntlet.evaluation import wording
from gauntlet.evaluation.families import differences, levels
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import Direction, resolve
from gauntlet.evaluation.panel import Panel, measure
from gauntlet.evaluation.power import rows_needed
from gauntlet.evaluation.sample import Floats, Sample, sample
from gauntlet.evaluation.slices import ALL
from gauntlet.verdict import Check, Status, decide

CODE = "evaluate_performance.baseline"
TRIVIAL = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mse"}
"""Task → the metric that the trivial model is beaten in. Both are least for the mean, so that guessing the constant
from the evaluation rows themselves costs nothing to first order."""
_RANKS = "auc"
_ANSWER = {
    "log_loss": {
        "binary": "always answering the overall share of positives",
        "multiclass": "always answering the overall shares of the classes",
    },
    "mse": {"regression": "always answering the mean"},
    "accuracy": {"multiclass": "always answering the most frequent class"},
}


def beats_trivial(rows: Sample, panel: Panel, confidence: float) -> Check:
    """A check that asks for proof that a model beats the trivial one; each of its two ways has half the error rate.

    Args:
        rows: the predictions.
        panel: all metrics of them.
        confidence: of the check.
    """
    each = 1 - (1 - confidence) / 2
    units = int(panel.units[0])
    first = _against_constant(rows, TRIVIAL[rows.task], trivial(rows), units, each)
    if first.status is Status.PASS:
        return first
    if rows.task == "binary":
        second = _by_rank(panel, each)
    elif rows.task == "multiclass":
        usual = np.eye(rows.classes)[int(np.argmax(_shares(rows)))]
        second = _against_constant(rows, "accuracy", _constant(rows, usual), units, each)
    else:
        second = _by_nearness(rows, units, each)
    return replace(second, reason=f"{first.reason} But {second.reason}") if second.status is Status.PASS else first


def _against_constant(rows: Sample, name: str, constant: Sample, units: int, confidence: float) -> Check:
    (metric,) = resolve([name], rows.task, rows.classes)
    pair = measure([rows, constant], [metric])
    family = differences(pair)
    ((low, high),) = intervals(family, confidence=confidence)
    value, interval = float(family.value[0]), (float(low), float(high))
    if not np.ptp(rows.score, axis=0).any():  # the same answer on every row: no other row would show a difference
        interval = (value, value)
    model, baseline = (wording.level(metric, float(level), interval) for level in pair.value.ravel())
    direction = "min" if metric.direction is Direction.HIGHER else "max"
    status = decide(interval, bound=0.0, direction=direction, strict=True)
    finding = (
        f"{wording.title(metric)} is {model} against {baseline} for {_ANSWER[name][rows.task]}, a difference of "
        f"{wording.signed_gap(metric, value, interval)} ({wording.gap_interval(metric, interval, confidence)})"
    )
    needed = None
    if status is Status.PASS:
        reason = f"{finding}: shown to be better."
    elif status is Status.FAIL:
        reason = f"{finding}: no better."
    else:
        error = float(family.standard_error[0])
        needed = rows_needed(value=value, interval=interval, bound=0.0, rows=units, standard_error=error)
        reason = f"{finding}: not shown to be better{wording.about_rows(needed)}."
    return Check(
        f"{name} against the trivial model",
        status,
        reason,
        value,
        interval,
        0.0,
        direction,
        units,
        needed,
        proof=True,
        code=CODE,
        subject=name,
    )


def _by_rank(panel: Panel, confidence: float) -> Check:
    """AUC, which is 1/2 for a constant."""
    family = levels(panel, metrics=[_RANKS], slices=[ALL])
    (metric,), ((low, high),) = family.metrics, intervals(family, confidence=confidence)
    value, interval = float(family.value[0]), (float(low), float(high))
    reason = (
        f"{wording.title(metric)} is {wording.level(metric, value, interval)} "
        f"({wording.level_interval(metric, interval, confidence)}): shown to rank better than a constant does."
    )
    return Check(
        f"{metric.name} against the trivial model",
        decide(interval, bound=0.5, direction="min", strict=True),
        reason,
        value,
        interval,
        0.5,
        "min",
        int(panel.units[0]),
        proof=True,
        code=CODE,
        subject=metric.name,
    )


def _by_nearness(rows: Sample, units: int, confidence: float) -> Check:
    """The share of rows that the model is nearer to than the median is: a sign test, for errors of any tail."""
    order = np.argsort(rows.label, kind="stable")
    up_to = np.cumsum(np.ones(rows.rows) if rows.weight is None else rows.weight[order])
    median = rows.label[order][int(np.searchsorted(up_to, up_to[-1] / 2))]
    nearer = (np.abs(rows.score - rows.label) < np.abs(median - rows.label)).astype(np.float64)
    wins = sample(nearer, np.ones(rows.rows), task="binary", weight=rows.weight, cluster=rows.cluster)
    family = levels(measure([wins], resolve(["accuracy"], "binary")))
    (metric,), ((low, high),) = family.metrics, intervals(family, confidence=confidence)
    value, interval = float(family.value[0]), (float(low), float(high))
    reason = (
        f"in {wording.level(metric, value, interval)} of the rows it is nearer than the median is "
        f"({wording.level_interval(metric, interval, confidence)}): shown to be better for most."
    )
    return Check(
        "rows nearer than the median",
        decide(interval, bound=0.5, direction="min", strict=True),
        reason,
        value,
        interval,
        0.5,
        "min",
        units,
        proof=True,
        code=CODE,
        subject="nearer",
    )


def trivial(rows: Sample) -> Sample:
    """The model that gives every row the same answer: the (weighted) mean label, or the shares of the classes."""
    if rows.task == "multiclass":
        return _constant(rows, _shares(rows))
    return _constant(rows, np.average(rows.label, weights=rows.weight))


def _shares(rows: Sample) -> Floats:
    totals = np.bincount(rows.label.astype(np.int64), rows.weight, minlength=rows.classes)
    return np.asarray(totals / totals.sum(), dtype=np.float64)


def _constant(rows: Sample, answer: Floats | float) -> Sample:
    score = np.tile(answer, (rows.rows, 1)) if np.ndim(answer) else np.full(rows.rows, answer)
    return sample(rows.label, score, task=rows.task, weight=rows.weight, cluster=rows.cluster, threshold=rows.threshold)
