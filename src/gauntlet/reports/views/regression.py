"""Part of the performance page about a regression's errors: predicted and actual values, and where it errs."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.evaluation import curves
from gauntlet.evaluation.error_pictures import Tenths, errors_by_tenths, predicted_and_actual
from gauntlet.evaluation.sample import Sample
from gauntlet.reports.format import count, interval, number, quantity
from gauntlet.reports.plots import ForestRow


@dataclass(frozen=True)
class Regression:
    """Content of the part.

    Attributes:
        predicted, actual: values of the rows drawn.
        drawn: how many of how many rows those are; empty if all.
        edges, errors: distribution of the errors.
        tenths: mean error of each tenth of the rows, by rising prediction.
        table: predictions, rows, mean error, its interval, mean absolute error, root mean squared error, written out.
    """

    predicted: list[float]
    actual: list[float]
    drawn: str
    edges: list[float]
    errors: list[float]
    tenths: tuple[ForestRow, ...]
    table: tuple[tuple[str, ...], ...]


def regression(sample: Sample) -> Regression:
    """Make the part for a regression's predictions."""
    predicted, actual = predicted_and_actual(sample)
    histogram = curves.errors(sample)
    tenths = errors_by_tenths(sample)
    return Regression(
        predicted=predicted.tolist(),
        actual=actual.tolist(),
        drawn=f"{count(len(actual))} of {count(sample.rows)} rows." if len(actual) < sample.rows else "",
        edges=histogram.edges.tolist(),
        errors=histogram.shares["error"].tolist(),
        tenths=tuple(_drawn(tenths, group) for group in range(len(tenths.rows))),
        table=tuple(_written(tenths, group) for group in range(len(tenths.rows))),
    )


def _ends(tenths: Tenths, group: int) -> tuple[float, float] | None:
    return None if tenths.bias_ends is None else (float(tenths.bias_ends[0, group]), float(tenths.bias_ends[1, group]))


def _range(tenths: Tenths, group: int) -> str:
    return f"{number(tenths.low[group])} to {number(tenths.high[group])}"


def _drawn(tenths: Tenths, group: int) -> ForestRow:
    low, high = _ends(tenths, group) or (None, None)
    return ForestRow(_range(tenths, group), float(tenths.bias[group]), low, high, int(tenths.rows[group]))


def _written(tenths: Tenths, group: int) -> tuple[str, ...]:
    ends = _ends(tenths, group)
    return (
        _range(tenths, group),
        count(tenths.rows[group]),
        quantity(tenths.bias[group], ends),
        interval(ends),
        number(tenths.absolute[group]),
        number(tenths.root[group]),
    )
