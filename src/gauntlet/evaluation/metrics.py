"""The metrics, and how each depends on the rows.

Every metric but the area under the ROC curve is a smooth function g of weighted sums S = Σ wᵢ φ(rowᵢ), homogeneous of
degree 0 (weights in another unit change nothing). Its first-order influence of row i is then wᵢ ∇g(S)·φ(rowᵢ), and
these sum to zero (Euler). AUC is a two-sample U-statistic; its influence comes from placements (``auc``).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.sample import Floats, Task


class Direction(StrEnum):
    """Direction of improvement."""

    HIGHER = "higher"
    LOWER = "lower"
    ZERO = "zero"


class Scale(StrEnum):
    """On which scale a metric's interval is made."""

    PROPORTION = "proportion"
    """A share of rows: score (Wilson) interval at the effective sample size."""
    UNIT = "unit"
    """A value in (0, 1) that is not a simple share: the same interval, with t quantiles."""
    POSITIVE = "positive"
    """A value in (0, ∞): log scale."""
    REAL = "real"
    """As it is."""


_DUST = 1e-12
"""Sums that cancel to less than this share of their terms are rounding: there are no rows."""

Linear = Mapping[str, float]
"""A linear combination of column sums: column → coefficient."""


@dataclass(frozen=True)
class Metric:
    """One metric of one task.

    Attributes:
        name: as written in a policy: ``true_positive_rate``.
        title: as a reader sees it: ``true-positive rate``.
        definition: one line of what it is, with its degenerate cases.
        direction: which way is better.
        low, high: natural range.
        scale: where its interval is made.
        columns: names of the k sums it is a function of (``columns``); empty for rank metrics.
        value: sums (..., k) → metric (...); NaN where undefined.
        gradient: sums (..., k) → (..., k) partial derivatives; anything where the metric is undefined.
        support: the groups of rows the metric is a mean over, as combinations of 0/1 columns; its sample size is that
            of the smallest: the positives for a true-positive rate, the smaller class for an AUC.
        rank: True for AUC, which is no function of sums.
        ratio: numerator and denominator, where the metric is one ratio or its root.
        root: the metric is the square root of its ratio.
        explained: the metric is 1 less a mean loss in units of what explains nothing: R².
    """

    name: str
    title: str
    definition: str
    direction: Direction
    low: float
    high: float
    scale: Scale
    columns: tuple[str, ...]
    value: Callable[[Floats], Floats]
    gradient: Callable[[Floats], Floats]
    support: tuple[Linear, ...] = ({"one": 1.0},)
    rank: bool = False
    ratio: tuple[Linear, Linear] | None = None
    root: bool = False
    explained: bool = False

    @property
    def areas(self) -> int:
        """Number of areas that a rank metric is the mean of: one of a binary model, one for each class of others."""
        return 1 if len(self.support) == 2 else len(self.support)


def names(task: Task) -> tuple[str, ...]:
    """The metrics a task knows, in the order reports show them."""
    return tuple(metric.name for metric in _catalogue(task, 2))


def resolve(requested: Sequence[str], task: Task, classes: int = 2) -> tuple[Metric, ...]:
    """Look metrics up by name.

    Args:
        requested: names.
        task: the task they are for.
        classes: number of classes of a multiclass task.

    Raises:
        ConfigurationError: a name the task does not know, with the nearest one it does.

    >>> recall, loss = resolve(["true_positive_rate", "log_loss"], "binary")
    >>> recall.definition
    'share of positives decided positive; undefined without positives'
    >>> recall.direction.value, loss.direction.value
    ('higher', 'lower')
    >>> resolve(["acuracy"], "binary")
    Traceback (most recent call last):
        ...
    gauntlet.errors.ConfigurationError: metric: unknown metric for a binary model; found 'acuracy'. Did you mean
        'accuracy'?
    """
    known = {metric.name: metric for metric in _catalogue(task, classes)}
    for name in requested:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}"
            raise ConfigurationError(f"unknown metric for a {task} model", field="metric", value=name, mend=mend)
    return tuple(known[name] for name in requested)


def _catalogue(task: Task, classes: int) -> tuple[Metric, ...]:
    if task == "binary":
        return _BINARY
    return _REGRESSION if task == "regression" else _multiclass(classes)


# What the columns' sums mean: one = all rows, positive = label 1, predicted = decision 1, hit = both.
_NEGATIVE: Linear = {"one": 1, "positive": -1}
_REJECTED: Linear = {"one": 1, "predicted": -1}
_CORRECT: Linear = {"one": 1, "positive": -1, "predicted": -1, "hit": 2}
_FALSE_POSITIVE: Linear = {"predicted": 1, "hit": -1}
_TRUE_NEGATIVE: Linear = {"one": 1, "positive": -1, "predicted": -1, "hit": 1}
_ONE: Linear = {"one": 1}
_POSITIVE: Linear = {"positive": 1}
_PREDICTED: Linear = {"predicted": 1}


def _ratios(
    name: str,
    definition: str,
    direction: Direction,
    scale: Scale,
    ratios: Sequence[tuple[Linear, Linear]],
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    support: Sequence[Linear] | None = None,
    title: str | None = None,
    root: bool = False,
    present: bool = False,
) -> Metric:
    """A mean of ratios of linear combinations of sums, or its square root.

    Args:
        ratios: (numerator, denominator) each.
        root: take the square root at the end.
        present: leave out ratios whose denominator is zero (classes absent from the slice); else one such makes the
            metric undefined.
    """
    columns = tuple(dict.fromkeys(key for pair in ratios for side in pair for key in side))
    top = np.array([[pair[0].get(key, 0.0) for key in columns] for pair in ratios])
    bottom = np.array([[pair[1].get(key, 0.0) for key in columns] for pair in ratios])

    def parts(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Each ratio, its share in the mean, its denominator (1 where unusable), and whether the metric is defined."""
        denominator = sums @ bottom.T
        # Differences of equal sums leave rounding dust where there are no rows at all.
        usable = denominator > _DUST * (np.abs(sums) @ np.abs(bottom).T)
        safe = np.where(usable, denominator, 1.0)
        ratio = np.where(usable, sums @ top.T / safe, 0.0)
        number = np.maximum(usable.sum(axis=-1, keepdims=True), 1) if present else len(ratios)
        return ratio, usable / number, safe, usable.any(axis=-1) if present else usable.all(axis=-1)

    def value(sums: Floats) -> Floats:
        ratio, share, _, defined = parts(sums)
        mean = np.clip((share * ratio).sum(axis=-1), *bounds)
        return np.where(defined, np.sqrt(mean) if root else mean, np.nan)

    def gradient(sums: Floats) -> Floats:
        ratio, share, safe, _ = parts(sums)
        slope = (share / safe) @ top - (share / safe * ratio) @ bottom
        if not root:
            return np.asarray(slope)
        twice = 2 * np.sqrt(np.maximum((share * ratio).sum(axis=-1, keepdims=True), 0.0))
        return np.asarray(np.where(twice > 0, slope / np.where(twice > 0, twice, 1.0), 0.0))

    chosen = tuple(support) if support is not None else tuple(dict(pair[1]) for pair in ratios)
    words = title or name.replace("_", " ")
    single = ratios[0] if len(ratios) == 1 else None
    return Metric(
        name, words, definition, direction, *bounds, scale, columns, value, gradient, chosen, ratio=single, root=root
    )


def _auc(name: str, title: str, definition: str, support: tuple[Linear, ...]) -> Metric:
    def none(sums: Floats) -> Floats:
        return np.full(sums.shape[:-1], np.nan)

    return Metric(
        name, title, definition, Direction.HIGHER, 0.0, 1.0, Scale.UNIT, (), none, np.zeros_like, support, rank=True
    )


def _r2() -> Metric:
    columns = ("error²", "label²", "label", "one")

    def value(sums: Floats) -> Floats:
        error, square, label, one = np.moveaxis(sums, -1, 0)
        safe = np.where(one > 0, one, 1.0)
        total = square - label**2 / safe
        usable = (one > 0) & (total > _DUST * square)
        return np.where(usable, 1 - error / np.where(usable, total, 1.0), np.nan)

    def gradient(sums: Floats) -> Floats:
        error, square, label, one = np.moveaxis(sums, -1, 0)
        safe = np.where(one > 0, one, 1.0)
        total = square - label**2 / safe
        total = np.where(total > 0, total, 1.0)
        mean = label / safe
        by_total = error / total**2
        return np.stack([-1 / total, by_total, -2 * mean * by_total, mean**2 * by_total], axis=-1)

    definition = "1 - Σw(y - s)² / Σw(y - ȳ)², ȳ the mean label of the same rows; undefined where labels are constant"
    return Metric(
        "r2", "R²", definition, Direction.HIGHER, -np.inf, 1.0, Scale.REAL, columns, value, gradient, explained=True
    )


_UP, _DOWN, _ZERO = Direction.HIGHER, Direction.LOWER, Direction.ZERO
_SHARE, _UNIT, _ABOVE, _REAL = Scale.PROPORTION, Scale.UNIT, Scale.POSITIVE, Scale.REAL
_UNBOUNDED = (-np.inf, np.inf)

_BINARY: tuple[Metric, ...] = (
    _auc("auc", "AUC", "P(positive scores above negative) + ½ P(tie); undefined without both classes",
         (_POSITIVE, _NEGATIVE)),
    _ratios("log_loss", "mean of -log of the probability given to the label, kept 2⁻⁵² away from 0 and 1",
            _DOWN, _ABOVE, [({"log_loss": 1}, _ONE)], bounds=(0.0, np.inf)),
    _ratios("brier", "mean of (score - label)²", _DOWN, _ABOVE, [({"error²": 1}, _ONE)], title="Brier score"),
    _ratios("accuracy", "share of rows decided right", _UP, _SHARE, [(_CORRECT, _ONE)]),
    _ratios("balanced_accuracy", "mean of true-positive and true-negative rate; undefined without both classes",
            _UP, _UNIT, [({"hit": 1}, _POSITIVE), (_TRUE_NEGATIVE, _NEGATIVE)]),
    _ratios("f1", "2 TP / (positives + predicted positives); undefined when there are neither",
            _UP, _UNIT, [({"hit": 2}, {"positive": 1, "predicted": 1})], support=[_POSITIVE], title="F1"),
    _ratios("selection_rate", "share of rows decided positive", _ZERO, _SHARE, [(_PREDICTED, _ONE)]),
    _ratios("true_positive_rate", "share of positives decided positive; undefined without positives",
            _UP, _SHARE, [({"hit": 1}, _POSITIVE)], title="true-positive rate"),
    _ratios("false_positive_rate", "share of negatives decided positive; undefined without negatives",
            _DOWN, _SHARE, [(_FALSE_POSITIVE, _NEGATIVE)], title="false-positive rate"),
    _ratios("precision", "share of positive decisions that are right; undefined without positive decisions",
            _UP, _SHARE, [({"hit": 1}, _PREDICTED)]),
    _ratios("negative_predictive_value", "share of negative decisions that are right; undefined without them",
            _UP, _SHARE, [(_TRUE_NEGATIVE, _REJECTED)]),
    _ratios("calibration_gap", "mean score - mean label (calibration in the large)",
            _ZERO, _REAL, [({"error": 1}, _ONE)], bounds=(-1.0, 1.0)),
)  # fmt: skip

_REGRESSION: tuple[Metric, ...] = (
    _ratios("mae", "mean of |prediction - label|", _DOWN, _ABOVE, [({"|error|": 1}, _ONE)], bounds=(0.0, np.inf),
            title="mean absolute error"),
    _ratios("mse", "mean of (prediction - label)²", _DOWN, _ABOVE, [({"error²": 1}, _ONE)], bounds=(0.0, np.inf),
            title="mean squared error"),
    _ratios("rmse", "square root of the mean squared error", _DOWN, _ABOVE, [({"error²": 1}, _ONE)],
            bounds=(0.0, np.inf), title="root mean squared error", root=True),
    _ratios("bias", "mean of prediction - label", _ZERO, _REAL, [({"error": 1}, _ONE)], bounds=_UNBOUNDED),
    _r2(),
)  # fmt: skip


def _multiclass(classes: int) -> tuple[Metric, ...]:
    each = [str(k) for k in range(classes)]
    recall = [({f"hit:{k}": 1.0}, {f"class:{k}": 1.0}) for k in each]
    f1 = [({f"hit:{k}": 2.0}, {f"class:{k}": 1.0, f"predicted:{k}": 1.0}) for k in each]
    members: tuple[Linear, ...] = tuple({f"class:{k}": 1.0} for k in each)
    return (
        _ratios("accuracy", "share of rows decided right", _UP, _SHARE, [({"correct": 1}, _ONE)]),
        _ratios("balanced_accuracy", "mean recall over the classes that occur", _UP, _UNIT, recall, present=True),
        _ratios("macro_f1", "mean one-vs-rest F1 over the classes that occur or are decided", _UP, _UNIT, f1,
                present=True, support=members, title="macro F1"),
        _auc("macro_auc", "macro AUC", "mean one-vs-rest AUC over the classes that occur", members),
        _ratios("log_loss", "mean of -log of the probability given to the label, kept 2⁻⁵² away from 0 and 1",
                _DOWN, _ABOVE, [({"log_loss": 1}, _ONE)], bounds=(0.0, np.inf)),
    )  # fmt: skip
