"""Checks of the smoke test. Arrays in, checks out: nothing is trained here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation import wording
from gauntlet.evaluation.families import differences, levels
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import Metric, resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.performance import level_check
from gauntlet.evaluation.power import rows_needed
from gauntlet.evaluation.sample import Floats, Sample, Task, sample
from gauntlet.training_check.evidence import Batch, Evidence, Held, Saved
from gauntlet.training_check.policy import TrainingPolicy
from gauntlet.verdict import Check, Status, decide

OVERFIT = "check_training.overfit"
SHUFFLED_LABELS = "check_training.shuffled_labels"
_LOSS = "check_training.loss"
_SAVED_MODEL = "check_training.saved_model"
_BASELINES = {
    "prior": ("log_loss", "always answering the shares of the classes in training"),
    "majority": ("accuracy", "always answering the most frequent class"),
    "mean": ("mse", "always answering the mean of training"),
    "median": ("mae", "always answering the median of training"),
}
_KEPT = 0.9
"""Share of the best improvement of the loss that the last round must keep; otherwise training diverges."""


@dataclass(frozen=True)
class Standing:
    """Metric of the model and of the constant baseline.

    Attributes:
        metric: the metric.
        model, baseline: its values.
    """

    metric: Metric
    model: float
    baseline: float


def as_sample(held: Held, task: Task, threshold: float, scores: Floats | None = None) -> Sample:
    """Make the sample of held-out rows, with the model's scores or others."""
    truth = held.truth
    return sample(
        truth.labels,
        held.scores if scores is None else scores,
        task=task,
        weight=truth.weights,
        cluster=truth.clusters,
        threshold=threshold,
    )


def floor_checks(evidence: Evidence, policy: TrainingPolicy) -> list[Check]:
    """Check every bound of ``policy.floor``, with simultaneous intervals."""
    task, classes = evidence.target.task, len(evidence.target.classes)
    metrics = resolve(tuple(policy.floor), task, classes)
    if not metrics:
        return []
    panel = measure([as_sample(evidence.model, task, policy.threshold)], metrics)
    family = levels(panel)
    ends = intervals(family, confidence=policy.confidence, simultaneous=True)
    checks = []
    errors = family.standard_error
    for metric, value, error, (low, high) in zip(family.metrics, family.value, errors, ends, strict=True):
        bounds = policy.floor[metric.name]
        for direction, bound in (("min", bounds.min), ("max", bounds.max)):
            if bound is not None:
                checks.append(
                    level_check(
                        metric,
                        float(value),
                        (float(low), float(high)),
                        bound=bound,
                        direction="min" if direction == "min" else "max",
                        rows=int(panel.units[0]),
                        confidence=policy.confidence,
                        code="check_training.floor",
                        standard_error=float(error),
                    )
                )
    return checks


def baseline_check(evidence: Evidence, policy: TrainingPolicy) -> tuple[Check, Standing]:
    """Check that the model beats the best constant of the training rows, on held-out rows.

    The margin is a share of the constant's loss (for accuracy: of its errors), so that a model shown to be no better
    fails, instead of being inconclusive at any sample size.
    """
    task, classes = evidence.target.task, len(evidence.target.classes)
    kind = policy.baseline or "auto"
    if kind == "auto":
        kind = "mean" if task == "regression" else "prior"
    name, what = _BASELINES[kind]
    (metric,) = resolve([name], task, classes)
    held = evidence.model
    constant = as_sample(held, task, policy.threshold, _constant(kind, evidence))
    pair = measure([as_sample(held, task, policy.threshold), constant], [metric])
    family = differences(pair)
    ((low, high),) = intervals(family, confidence=policy.confidence)
    value, interval = float(family.value[0]), (float(low), float(high))
    standing = Standing(metric, *map(float, pair.value.ravel()))
    direction = "min" if metric.direction.value == "higher" else "max"
    to_gain = policy.least_gain * (1 - standing.baseline if direction == "min" else standing.baseline)
    bound = to_gain if direction == "min" else -to_gain
    status = decide(interval, bound=bound, direction=direction, strict=True)
    model, other = (wording.level(metric, level, interval) for level in (standing.model, standing.baseline))
    finding = (
        f"{wording.title(metric)} on held-out rows is {model} against {other} for {what}, a difference of "
        f"{wording.signed_gap(metric, value, interval)} "
        f"({wording.gap_interval(metric, interval, policy.confidence)})"
    )
    units, needed = int(pair.units[0]), None
    if status is Status.PASS:
        reason = f"{finding}: shown to be better."
    elif status is Status.FAIL:
        reason = f"{finding}: no better, so the model has learned nothing that helps."
    else:
        error = float(family.standard_error[0])
        needed = rows_needed(value=value, interval=interval, bound=bound, rows=units, standard_error=error)
        reason = f"{finding}: not shown to be better{wording.about_rows(needed)}."
    check = Check(
        "baseline",
        status,
        reason,
        value,
        interval,
        bound,
        direction,
        units,
        needed,
        code="check_training.baseline",
        subject=metric.name,
    )
    return check, standing


def overfit_check(batch: Batch, evidence: Evidence, policy: TrainingPolicy) -> Check:
    """Check that the trainer can overfit a tiny batch; otherwise labels or features do not reach the model."""
    task = evidence.target.task
    left = loss(batch.labels, batch.scores, task) / _constant_loss(batch.labels, task)
    kept = left <= policy.overfit_share
    rows = len(batch.labels)
    finding = f"Given {rows} rows to learn by heart, the model still has {_percent(left)} of the best constant's loss"
    allowed = f"{_percent(policy.overfit_share)} {'are' if kept else 'would be'} allowed"
    why = "" if kept else ": labels or features do not get through to what is trained"
    status = Status.PASS if kept else Status.FAIL
    reason = f"{finding}; {allowed}{why}."
    return Check("overfit", status, reason, left, None, policy.overfit_share, "max", rows, code=OVERFIT)


def loss_check(evidence: Evidence) -> Check:
    """Check that training lowers the loss on the training rows, and does not diverge.

    With a learning curve, the last round must keep 90 % of the best improvement; without one, the model's loss on its
    training rows must be lower than the best constant's.
    """
    curve = np.asarray(evidence.curve.get("train", ()), dtype=np.float64)
    if len(curve) < 2:
        truth, task = evidence.learned.truth, evidence.target.task
        model_loss, constant = loss(truth.labels, evidence.learned.scores, task), _constant_loss(truth.labels, task)
        status = Status.PASS if model_loss < constant else Status.FAIL
        how = "lower" if model_loss < constant else "no lower"
        reason = (
            f"On its own training rows the model's loss is {model_loss:.3g}, {how} than the best constant's "
            f"{constant:.3g}."
        )
        return Check("loss goes down", status, reason, model_loss, None, constant, "max", truth.rows, code=_LOSS)
    falling = -curve if evidence.watched == "auc" else curve
    if not np.isfinite(falling).all():
        bad = int(np.flatnonzero(~np.isfinite(falling))[0]) + 1
        reason = f"The training loss ({evidence.watched}) is no finite number from round {bad} on: training diverges."
        return Check("loss goes down", Status.FAIL, reason, code=_LOSS)
    gained, best = float(falling[0] - falling[-1]), float(falling[0] - falling.min())
    ends = f"from {curve[0]:.4g} in the first round to {curve[-1]:.4g} in the last of {len(curve)}"
    if best <= 0:
        status, reason = Status.FAIL, f"The training loss ({evidence.watched}) never falls: {ends}."
    elif gained < _KEPT * best:
        top = float(curve[falling.argmin()])
        status = Status.FAIL
        reason = f"The training loss ({evidence.watched}) goes {ends}, after {top:.4g} in between: training diverges."
    else:
        status, reason = Status.PASS, f"The training loss ({evidence.watched}) falls {ends}."
    return Check("loss goes down", status, reason, gained, None, 0.0, "min", code=_LOSS)


def saved_checks(saved: Saved, policy: TrainingPolicy) -> list[Check]:
    """Check that the saved model gives the same scores as the one in memory, by every path."""
    if saved.failure:
        reason = f"The model cannot be saved, loaded and asked again: {saved.failure.rstrip('.')}."
        return [Check("saved model", Status.FAIL, reason, code=_SAVED_MODEL)]
    checks = []
    for way, (largest, rows) in saved.differences.items():
        kept = largest <= policy.tolerance
        if kept:
            reason = f"The saved model, asked {way}, answers as in memory: {_alike(largest, rows)}."
        else:
            reason = (
                f"The saved model, asked {way}, is not the one in memory: a score differs by {largest:.3g} "
                f"over {rows:,} rows; up to {_plain(policy.tolerance)} counts as none."
            )
        status = Status.PASS if kept else Status.FAIL
        check = Check(
            f"saved model: {way}",
            status,
            reason,
            largest,
            None,
            policy.tolerance,
            "max",
            rows,
            code=_SAVED_MODEL,
            subject=way,
        )
        checks.append(check)
    return checks


def same_seed_check(evidence: Evidence, policy: TrainingPolicy) -> Check:
    """Check that the same seed on the same sample gives the same scores."""
    assert evidence.again is not None
    change = np.abs(evidence.model.scores - evidence.again)
    largest, rows = float(change.max()), len(change)
    kept = largest <= policy.tolerance
    if kept:
        reason = f"Trained twice with one seed, the model is the same: {_alike(largest, rows)}."
    else:
        reason = (
            f"Trained twice with one seed on the same rows, the models differ: a score by {largest:.3g}, in the median "
            f"by {float(np.median(change)):.3g}. Something random does not depend on the seed."
        )
    status = Status.PASS if kept else Status.FAIL
    return Check(
        "same seed",
        status,
        reason,
        largest,
        None,
        policy.tolerance,
        "max",
        rows,
        code="check_training.same_seed",
    )


def shuffled_check(evidence: Evidence, policy: TrainingPolicy) -> Check:
    """Check for leakage: a model trained on shuffled labels must not predict those of held-out rows.

    Measured by ranking, which does not depend on calibration: P(a row with the label scores above one without it),
    0.5 for chance. For several classes its mean over classes; for numbers the label is "above the median".
    """
    held = evidence.shuffled
    assert held is not None
    task = evidence.target.task
    name = "macro_auc" if task == "multiclass" else "auc"
    rows = _ranking(held, task)
    panel = measure([rows], resolve([name], rows.task, rows.classes))
    ((low, high),) = intervals(levels(panel), confidence=policy.shuffled_confidence)
    value, interval, units = float(panel.value[0, 0, 0]), (float(low), float(high)), int(panel.units[0])
    if np.isnan(value):
        reason = "With shuffled labels the held-out rows have one label only, so nothing can be said."
        return Check("shuffled labels", Status.ERROR, reason, sample_size=units, code=SHUFFLED_LABELS)
    (metric,) = panel.metrics
    finding = (
        f"With labels shuffled, {metric.title} on held-out rows is {wording.level(metric, value, interval)} "
        f"({wording.level_interval(metric, interval, policy.shuffled_confidence)})"
    )
    if decide(interval, bound=0.5, direction="max") is Status.FAIL:
        reason = (
            f"{finding}, better than chance: the model knows held-out labels. Look for an identifier among the "
            f"features, the same rows or people in two splits, or a trainer that reads rows it should not."
        )
        return Check("shuffled labels", Status.FAIL, reason, value, interval, 0.5, "max", units, code=SHUFFLED_LABELS)
    reason = f"{finding}: not shown to be better than chance, 0.5, as it should be."
    return Check("shuffled labels", Status.PASS, reason, value, interval, 0.5, "max", units, code=SHUFFLED_LABELS)


def loss(labels: Floats, scores: Floats, task: Task) -> float:
    """Mean log loss, or root mean squared error, of unweighted rows."""
    if task == "regression":
        return float(np.sqrt(np.mean((labels - scores) ** 2)))
    codes = labels.astype(np.int64)
    probabilities = (
        scores[np.arange(len(codes)), codes] if task == "multiclass" else np.where(codes == 1, scores, 1 - scores)
    )
    return float(0.0 - np.mean(np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))))


def _constant_loss(labels: Floats, task: Task) -> float:
    """Loss of the best constant: entropy of the classes, or standard deviation of the labels."""
    if task == "regression":
        return float(np.std(labels))
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(shares * np.log(shares)).sum())


def _constant(kind: str, evidence: Evidence) -> Floats:
    """(n,) or (n, classes): constant prediction from the training rows, for every held-out row."""
    truth, task, n = evidence.learned.truth, evidence.target.task, evidence.model.truth.rows
    if kind == "median":
        return np.full(n, _weighted_median(truth.labels, truth.weights))
    if kind == "mean":
        return np.full(n, np.average(truth.labels, weights=truth.weights))
    totals = np.bincount(truth.labels.astype(np.int64), truth.weights, minlength=len(evidence.target.classes))
    shares = totals / totals.sum()
    if kind == "majority":
        shares = np.eye(len(shares))[shares.argmax()]
    return np.tile(shares, (n, 1)) if task == "multiclass" else np.full(n, shares[1])


def _weighted_median(values: Floats, weights: Floats | None) -> float:
    order = np.argsort(values)
    total = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _ranking(held: Held, task: Task) -> Sample:
    """Make a sample that has an AUC; of numbers, whether they are above the median."""
    if task != "regression":
        return as_sample(held, task, 0.5)
    above = held.truth.labels > np.median(held.truth.labels)
    order = np.unique(held.scores, return_inverse=True)[1]
    ranks = (order + 1) / (order.max() + 2)
    truth = held.truth
    return sample(above.astype(np.float64), ranks, task="binary", weight=truth.weights, cluster=truth.clusters)


def _alike(largest: float, rows: int) -> str:
    if largest == 0:
        return f"all scores of {rows:,} rows are equal, to the last digit"
    return f"no score of {rows:,} rows differs by more than {largest:.2g}"


def _plain(value: float) -> str:
    """Format a small number without an exponent."""
    return str(np.format_float_positional(value, trim="-"))


def _percent(share: float) -> str:
    return "less than 0.01%" if 0 < share < 1e-4 else f"{100 * share:.3g}%"
