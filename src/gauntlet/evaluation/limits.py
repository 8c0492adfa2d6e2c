"""What a policy may ask of a metric: a name that some task knows, and a limit that a model could break.

A gap of 10 between rates that differ by 1 at most, an AUC of at least 80, a standard deviation of 5: each reads like a
limit and limits nothing. Names and ranges are the same for every task that knows a metric, so they are checked where a
policy is read, before anything runs.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import get_args

from gauntlet.evaluation.metrics import Direction, Metric, names, resolve
from gauntlet.evaluation.sample import Task
from gauntlet.settings import SettingError

TASKS: tuple[Task, ...] = get_args(Task)


@cache
def known_metrics() -> Mapping[str, Metric]:
    """Every metric of any task by its name, in the order of tasks and reports."""
    return {metric.name: metric for task in reversed(TASKS) for metric in resolve(names(task), task)}


def tasks_with(metric: str) -> tuple[Task, ...]:
    """Tasks whose models have this metric."""
    return tuple(task for task in TASKS if metric in names(task))


def metric_named(name: str, at: Sequence[str]) -> Metric:
    """Look a metric up.

    Args:
        name: its name.
        at: where it is named, for the message.

    Raises:
        SettingError: no task has such a metric.
    """
    known = known_metrics()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}"
        raise SettingError("unknown metric", at=at, value=name, mend=mend)
    return known[name]


def require_bounds(metric: Metric, low: float | None, high: float | None, at: Sequence[str]) -> None:
    """Check bounds of a metric: within what it can be, and not at an end that it cannot pass.

    Args:
        metric: the metric.
        low, high: its ``min`` and ``max``; ``None``: none.
        at: path of the bounds.

    Raises:
        SettingError: it cannot be there, or cannot be anywhere else.
    """
    for key, bound in (("min", low), ("max", high)):
        if bound is not None and not metric.low <= bound <= metric.high:
            raise SettingError(
                f"is outside the range of {metric.title}, {span(metric)}",
                at=(*at, key),
                value=bound,
                mend="Give a value within it",
            )
    for key, bound, end in (("min", low, metric.low), ("max", high, metric.high)):
        if bound is not None and bound == end:
            below = "below" if key == "min" else "above"
            raise SettingError(
                f"limits nothing: {metric.title} is never {below} {end:g}",
                at=(*at, key),
                value=bound,
                mend=f"Give a value within its range, {span(metric)}, or leave it out",
            )


def require_gap(metric: Metric, gap: float | None, at: Sequence[str]) -> None:
    """Check the largest difference allowed between two values of a metric.

    Raises:
        SettingError: no two values differ by more.
    """
    largest = metric.high - metric.low
    if gap is not None and gap >= largest:
        raise SettingError(
            f"limits nothing: {metric.title} lies in {span(metric)}, so no two values differ by more than {largest:g}",
            at=at,
            value=gap,
            mend=f"Give less than {largest:g}, in the metric's own units",
        )


def require_deviation(metric: Metric, deviation: float, at: Sequence[str]) -> None:
    """Check the largest standard deviation allowed of a metric; half its range is the most it can be.

    Raises:
        SettingError: none is larger.
    """
    largest = (metric.high - metric.low) / 2
    if deviation >= largest:
        raise SettingError(
            f"limits nothing: {metric.title} lies in {span(metric)}, so its standard deviation is {largest:g} at most",
            at=at,
            value=deviation,
            mend=f"Give less than {largest:g}, in the metric's own units",
        )


def require_direction(metric: Metric, at: Sequence[str]) -> None:
    """Check that a metric says which of two models is better.

    Raises:
        SettingError: it is best at zero.
    """
    if metric.direction is Direction.ZERO:
        raise SettingError(
            f"{metric.title} is best at zero, so neither model is better by a difference",
            at=at,
            value=metric.name,
            mend="Compare in a metric that is better when higher or lower",
        )


def span(metric: Metric) -> str:
    """A metric's range in words."""
    if math.isinf(metric.low) and math.isinf(metric.high):
        return "any number"
    if math.isinf(metric.high):
        return f"{metric.low:g} and more"
    return f"up to {metric.high:g}" if math.isinf(metric.low) else f"{metric.low:g} to {metric.high:g}"
