"""Plots of load results: latency tail, saturation search, scatter of paired values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.curves import Series, axes
from gauntlet.reports.format import interval, number, quantity
from gauntlet.reports.scale import Scale, scale_over

_LEFT, _FOOT = 58.0, 42.0
_MOST_DOTS = 600


@dataclass(frozen=True)
class TailMark:
    """Quantile with interval and limit.

    Attributes:
        q: quantile in (0, 1).
        value: the estimate.
        low: lower end of its interval.
        high: upper end; infinite if it is open.
        bound: the limit; ``None`` for none.
        status: status of the check; empty without a check.
    """

    q: float
    value: float
    low: float
    high: float
    bound: float | None = None
    status: str = ""


@dataclass(frozen=True)
class Trial:
    """Run of a saturation search: the rate, the measured value, and whether the rate was sustained."""

    rate: float
    value: float
    kept: bool


def tail(
    series: Sequence[Series], marks: Sequence[TailMark] = (), *, y: str, width: float = 960, title: str = "The tail"
) -> Markup:
    """Draw the tail of a distribution: x is logarithmic in 1 − q (each nine has the same width), y is logarithmic.

    Args:
        series: lines; x is a quantile in [0, 1), y its value.
        marks: checked quantiles: a mark with its interval, a dashed bar at its limit.
        y: title of the y axis.
        width: in pixels.
        title: the accessible name.
    """
    lines = [(line.name, _positive(line)) for line in series]
    n_nines = [_nines(q) for _, points in lines for q, _ in points] + [_nines(mark.q) for mark in marks]
    values = [value for _, points in lines for _, value in points]
    values += [end for mark in marks for end in (mark.value, mark.low, mark.high, mark.bound) if end is not None]
    top = 12.0 + 18 * len(lines)
    height = 330.0 + top
    across = Scale(0.0, max(1.0, 0.1 + max(n_nines, default=1.0)), _LEFT, width - 30)
    up = scale_over(values, start=height - _FOOT, end=top, log=True)
    x_ticks = [(0.0, "0%"), (_nines(0.5), "50%"), *((float(n), _percent_of(n)) for n in range(1, int(across.high) + 1))]
    parts = axes(across, up, "share of requests that were at least as fast", y, x_ticks=x_ticks)
    for i, (name, points) in enumerate(lines):
        parts += [svg.line(_LEFT, 12 + 18 * i, _LEFT + 24, 12 + 18 * i, f"line l{i}")]
        parts += [svg.label(_LEFT + 32, 16 + 18 * i, name if points else f"{name} (no values)", longest=80)]
        if len(points) > 1:
            parts.append(svg.path([(across.at(_nines(q)), up.at(value)) for q, value in points], f"line l{i}"))
    for mark in marks:
        parts += _tail_mark(across, up, mark)
    return svg.drawing(width, height, *parts, title=title)


def trials(
    runs: Sequence[Trial],
    *,
    limit: float | None = None,
    asked: float | None = None,
    x: str,
    y: str,
    width: float = 460,
    height: float = 340,
    title: str = "Runs of the search",
) -> Markup:
    """Draw the runs of a saturation search: discs were sustained, diamonds were not. Both axes are logarithmic.

    Args:
        runs: the runs, in any order.
        limit: limit of the values; a dashed line, shaded beyond.
        asked: the required rate; a vertical dashed line.
        x: title of the x axis.
        y: title of the y axis.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    top = 30.0
    across = scale_over([*(run.rate for run in runs), asked], start=_LEFT, end=width - 14, log=True)
    up = scale_over([*(run.value for run in runs), limit], start=height - _FOOT, end=top, log=True)
    parts: list[Markup] = []
    if limit is not None:
        parts.append(svg.rect(_LEFT, top, across.end - _LEFT, up.at(limit) - top, "beyond"))
    parts += axes(across, up, x, y)
    if limit is not None:
        parts.append(svg.line(_LEFT, up.at(limit), across.end, up.at(limit), "bound"))
    if asked is not None:
        parts.append(svg.line(across.at(asked), top, across.at(asked), height - _FOOT, "bound"))
    for run in runs:
        status = "pass" if run.kept else "fail"
        tip = svg.element("title", f"{number(run.rate)}: {number(run.value)}, {'kept' if run.kept else 'not kept'}")
        parts.append(svg.element("g", tip, svg.mark(status, across.at(run.rate), up.at(run.value))))
    for place, status, words in ((_LEFT + 6, "pass", "kept"), (_LEFT + 70, "fail", "not kept")):
        parts += [svg.mark(status, place, 12), svg.text(place + 12, 16, words)]
    return svg.drawing(width, height, *parts, title=title)


def scatter(
    x_values: Sequence[float],
    y_values: Sequence[float],
    *,
    x: str,
    y: str,
    width: float = 460,
    height: float = 340,
    title: str = "One against the other",
) -> Markup:
    """Draw pairs of values that should be equal, with the diagonal.

    Of many pairs, those farthest from the diagonal are drawn, and an even sample of the others.

    Args:
        x_values: x values.
        y_values: y values, as many.
        x: title of the x axis.
        y: title of the y axis.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    pairs = [pair for pair in zip(x_values, y_values, strict=True) if all(map(math.isfinite, pair))]
    if len(pairs) > _MOST_DOTS:
        pairs = sorted(pairs, key=lambda pair: -abs(pair[0] - pair[1]))
        half = _MOST_DOTS // 2
        rest = sorted(pairs[half:])
        pairs = [*pairs[:half], *rest[:: math.ceil(len(rest) / half)]]
    both = [value for pair in pairs for value in pair]
    across = scale_over(both, start=_LEFT, end=width - 14)
    up = scale_over(both, start=height - _FOOT, end=14)
    parts = axes(across, up, x, y)
    parts.append(svg.line(across.start, up.start, across.end, up.end, "reference"))
    for first, second in pairs:
        parts.append(svg.element("circle", cx=across.at(first), cy=up.at(second), r=2.5, class_="dot l0"))
    return svg.drawing(width, height, *parts, title=title)


def _positive(series: Series) -> list[tuple[float, float]]:
    pairs = zip(series.x, series.y, strict=False)
    return [(q, value) for q, value in pairs if 0 <= q < 1 and math.isfinite(value) and value > 0]


def _nines(q: float) -> float:
    """Number of nines of a quantile: 0.9 is 1, 0.999 is 3."""
    return -math.log10(1 - q)


def _percent_of(nines: int) -> str:
    return f"{100 - 10 ** (2 - nines):.{max(0, nines - 2)}f}%"


def _tail_mark(across: Scale, up: Scale, mark: TailMark) -> list[Markup]:
    x = across.at(_nines(mark.q))
    kind = f"s-{svg.look(mark.status)} stroke"
    words = f"{quantity(mark.value)}, interval {interval((mark.low, mark.high))}, limit {quantity(mark.bound)}"
    parts = [svg.line(x, up.at(mark.low), x, up.at(mark.high), kind)]
    ends = [up.at(end) for end in (mark.low, mark.high) if up.holds(end) and end > 0]
    parts += [svg.line(x - 4, end, x + 4, end, kind) for end in ends]
    if mark.bound is not None:
        parts.append(svg.line(x - 18, up.at(mark.bound), x + 18, up.at(mark.bound), "bound"))
    parts.append(svg.element("g", svg.element("title", words), svg.mark(mark.status, x, up.at(mark.value))))
    return parts
