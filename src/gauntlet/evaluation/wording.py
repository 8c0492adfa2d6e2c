"""Formats measurements for sentences: digits that the interval supports, shares in percent, gaps in points."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gauntlet.evaluation.metrics import Metric, Scale

Interval = tuple[float, float]

HEAVY = "; its largest errors are so far from the others that no mean of them is known (bound the mean absolute error)"
"""Why an interval has no end, in place of the rows that would tell."""

_MINUS = "−"
_MOST_DECIMALS = 6
_ROWS: Mapping[frozenset[tuple[str, float]], str] = {
    frozenset({("one", 1.0)}): "rows",
    frozenset({("positive", 1.0)}): "positives",
    frozenset({("one", 1.0), ("positive", -1.0)}): "negatives",
    frozenset({("predicted", 1.0)}): "positive decisions",
    frozenset({("one", 1.0), ("predicted", -1.0)}): "negative decisions",
}
"""Rows that a metric is a mean over (``Metric.support``) → their name."""


def is_share(metric: Metric) -> bool:
    """Whether the metric is a share of rows, shown in percent."""
    return metric.scale is Scale.PROPORTION


def title(metric: Metric) -> str:
    """Title of a metric at the start of a sentence."""
    return metric.title[:1].upper() + metric.title[1:]


def level(metric: Metric, value: float, interval: Interval) -> str:
    """Format a value: ``0.927``, ``23.1%``."""
    if is_share(metric):
        return _written(100 * value, 100 * (interval[1] - interval[0])) + "%"
    return _written(value, interval[1] - interval[0])


def gap(metric: Metric, value: float, interval: Interval) -> str:
    """Format the absolute difference of two values: ``0.012``, ``12.1 points``, ``1 point``."""
    return signed_gap(metric, abs(value), interval)


def signed_gap(metric: Metric, value: float, interval: Interval) -> str:
    """Format the difference of two values: ``−0.012``, ``12.1 points``."""
    if not is_share(metric):
        return _written(value, interval[1] - interval[0])
    number = _written(100 * value, 100 * (interval[1] - interval[0]))
    return f"{number} point" if number.lstrip(_MINUS) == "1" else f"{number} points"


def unit(metric: Metric, *, of_gap: bool = False) -> str:
    """The unit that a value of the metric, or a difference of two, is said in: ``%``, ``points``, or none."""
    return "" if not is_share(metric) else "points" if of_gap else "%"


def limit(metric: Metric, value: float, *, of_gap: bool = False) -> str:
    """Format a bound in the unit of its metric: ``0.85``, ``10 points``, ``80%``."""
    if not is_share(metric):
        return f"{value:.6g}".replace("-", _MINUS)
    number = f"{100 * value:.6g}".replace("-", _MINUS)
    return f"{number}%" if not of_gap else f"{number} point" if number == "1" else f"{number} points"


def support(metric: Metric, *, clustered: bool = False) -> str:
    """What a metric is a mean over: ``rows``, ``positives``, ``rows of the smallest class``, ``clusters``."""
    one, *more = metric.support
    rows = "rows of the smallest class" if more else _ROWS[frozenset(one.items())]
    return rows if not clustered else "clusters" if rows == "rows" else f"clusters of {rows}"


def level_interval(metric: Metric, interval: Interval, confidence: float) -> str:
    """Format an interval: ``95% interval 0.922 to 0.931``."""
    low, high = (level(metric, end, interval) for end in interval)
    return f"{_percent(confidence)} interval {low} to {high}"


def gap_ends(metric: Metric, interval: Interval) -> str:
    """Format the ends of a gap's interval: ``−1.2 to 3.4 points``."""
    factor = 100 if is_share(metric) else 1
    low, high = (_written(factor * end, factor * (interval[1] - interval[0])) for end in interval)
    return f"{low} to {high}{' points' if is_share(metric) else ''}"


def gap_interval(metric: Metric, interval: Interval, confidence: float) -> str:
    """Format the interval of a difference, with the difference's sign: ``95% interval −13.4 to −10.8 points``."""
    return f"{_percent(confidence)} interval {gap_ends(metric, interval)}"


def ratio(value: float, interval: Interval) -> str:
    """Format a ratio of two rates."""
    return _written(value, interval[1] - interval[0])


def ratio_interval(interval: Interval, confidence: float) -> str:
    """Format the interval of a ratio."""
    low, high = (ratio(end, interval) for end in interval)
    return f"{_percent(confidence)} interval {low} to {high}"


def about_rows(needed: int | None, what: str = "rows") -> str:
    """Format ``; about 12,000 rows would tell``, with two significant digits."""
    if needed is None:
        return "; how many rows would tell cannot be said"
    digits = max(0, len(str(needed)) - 2)
    rounded = math.ceil(needed / 10**digits) * 10**digits
    return f"; about {rounded:,} {what} would tell"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


def _written(value: float, width: float) -> str:
    """Format a number with two digits of its interval's width; no ``-0``."""
    if not math.isfinite(value):
        return "unbounded"
    if not math.isfinite(width) or width <= 0:
        decimals = 3
    else:
        decimals = min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(width))))
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", _MINUS)
