"""What may be asked of a metric, by its range."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest

from gauntlet.evaluation.limits import (
    TASKS,
    known_metrics,
    require_bounds,
    require_deviation,
    require_gap,
    span,
    tasks_with,
)
from gauntlet.evaluation.metrics import names, resolve
from gauntlet.settings import SettingError


def refused(check, *arguments) -> bool:
    with suppress(SettingError):
        check(*arguments)
        return False
    return True


def test_every_metric_is_known_and_is_the_same_whatever_the_task() -> None:
    assert set(known_metrics()) == {name for task in TASKS for name in names(task)}
    for task in TASKS:
        for metric in resolve(names(task), task, 3):
            assert task in tasks_with(metric.name)
            known = known_metrics()[metric.name]
            assert (known.low, known.high, known.direction) == (metric.low, metric.high, metric.direction)


@pytest.mark.parametrize("name", known_metrics())
def test_what_is_refused_is_exactly_what_no_model_could_break(name: str) -> None:
    metric = known_metrics()[name]
    width = metric.high - metric.low
    inside = [value for value in (metric.low, metric.high) if math.isfinite(value)]
    for end in inside:
        nearer = end + (1e-6 if end == metric.low else -1e-6)
        beyond = end - (1e-6 if end == metric.low else -1e-6)
        for key, low, high in (("min", nearer, None), ("max", None, nearer)):
            assert not refused(require_bounds, metric, low, high, ()), key
        assert refused(require_bounds, metric, beyond, None, ())
        assert refused(require_bounds, metric, None, beyond, ())
        assert refused(require_bounds, metric, end, None, ()) == (end == metric.low)
        assert refused(require_bounds, metric, None, end, ()) == (end == metric.high)
    for check, most in ((require_gap, width), (require_deviation, width / 2)):
        assert math.isinf(most) or refused(check, metric, most, ())
        assert not refused(check, metric, min(most, 1e12) - 1e-6, ())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("auc", "0 to 1"),
        ("calibration_gap", "-1 to 1"),
        ("log_loss", "0 and more"),
        ("r2", "up to 1"),
        ("bias", "any number"),
    ],
)
def test_a_range_is_said_in_words(name: str, words: str) -> None:
    assert span(known_metrics()[name]) == words
