"""The metrics, and how each depends on the rows.

Every metric but the area under the ROC curve is a smooth function g of weighted sums S = sum_i w_i phi(row_i),
homogeneous of degree 0 (weights in another unit change nothing). Its first-order influence of row i is then
w_i grad g(S) . phi(row_i), and these sum to zero (Euler). AUC is a two-sample U-statistic; its influence comes from placements (``auc``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gauntlet.evaluation.sample import Floats, Task


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"
    ZERO = "zero"


class Scale(StrEnum):
    """On which scale a metric's interval is made."""

    PROPORTION = "proportion"
    """A share of rows: score (Wilson) interval at the effective sample size."""
    UNIT = "unit"
    """A value in (0, 1) that is not a simple share: logit scale."""
    POSITIVE = "positive"
    """A value in (0, inf): log scale."""
    REAL = "real"
    """As it is."""


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
        columns: names of the sums it is a function of (``columns.COLUMNS``); empty for rank metrics.
        value: sums (..., k) -> metric (...); NaN where undefined.
        gradient: sums (..., k) -> (..., k) partial derivatives.
        support: the 0/1 column whose rows the metric is a mean over: ``positive`` for a true-positive rate.
        rank: True for AUC, which is no function of sums.
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
    support: str = "one"
    rank: bool = False


def names(task: Task) -> tuple[str, ...]:
    """The metrics a task knows, in the order reports show them.

    binary: auc, log_loss, brier, accuracy, balanced_accuracy, f1, selection_rate, true_positive_rate,
    false_positive_rate, precision, negative_predictive_value, calibration_gap.
    multiclass: accuracy, balanced_accuracy, macro_f1, macro_auc, log_loss.
    regression: mae, mse, rmse, bias, r2.
    """
    raise NotImplementedError


def resolve(wanted: Sequence[str], task: Task, classes: int = 2) -> tuple[Metric, ...]:
    """Look metrics up by name.

    Args:
        wanted: names.
        task: the task they are for.
        classes: number of classes of a multiclass task.

    Raises:
        ConfigurationError: a name the task does not know, with the nearest one it does.
    """
    raise NotImplementedError
