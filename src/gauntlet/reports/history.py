"""Line plots over time, with uncertainty bands and a bound: evidence and rates of a rollout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.data.phrasing import superscript
from gauntlet.reports import svg
from gauntlet.reports.elapsed import Elapsed, axis, elapsed
from gauntlet.reports.format import number
from gauntlet.reports.scale import Scale, scale_over

_LINE_STYLES = 5
"""Number of line styles (colour and dash); further lines reuse them."""
_LONGEST_NAME = 28
_LEGEND_ROW = 18.0


@dataclass(frozen=True)
class Line:
    """Line of a plot over time.

    Attributes:
        name: its name in the legend.
        points: (seconds, value), in the order of time; points that are not finite are left out.
        band: (low, high) of every point; empty for none.
    """

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()


def history(
    lines: Sequence[Line],
    *,
    seconds: float,
    y: str,
    since: str = "the beginning",
    bound: float | None = None,
    bound_name: str = "",
    log: bool = False,
    unit: str = "",
    width: float = 460,
    height: float = 280,
    title: str = "",
) -> Markup:
    """Draw lines over time.

    Args:
        lines: the lines; at most about five are distinguishable.
        seconds: length of the x axis.
        y: title of the y axis.
        since: name of the origin of the x axis.
        bound: the limit; a horizontal dashed line.
        bound_name: label of the bound.
        log: logarithmic y axis; values of 0 and below are left out.
        unit: ``"%"`` formats values, which are shares, as percentages.
        width: in pixels.
        height: in pixels, without the legend.
        title: the accessible name.
    """
    left, right = 64.0, width - 18
    legend, rows = _legend(lines, left, right)
    top = 6 + _LEGEND_ROW * rows + (14 if bound is not None else 4)
    bottom = top + height - 60
    across = elapsed(seconds, start=left, end=right)
    drawn = [_finite_points(line, log=log) for line in lines]
    values = [value for line in drawn for _, value, low, high in line for value in (value, low, high)]
    floor = None if log else 0.0
    up = scale_over([*values, bound], start=bottom, end=top, log=log, pad=0.06, floor=floor)
    parts = [*legend, *_value_axis(up, left, right, unit), *axis(across, bottom, since, most=5)]
    parts.append(_turned(y, (top + bottom) / 2))
    if bound is not None and math.isfinite(bound):
        parts.append(svg.line(left, up.at(bound), right, up.at(bound), "bound"))
    for i, points in enumerate(drawn):
        parts += _drawn(points, across, up, f"l{i % _LINE_STYLES}")
    if bound is not None and math.isfinite(bound):
        parts.append(svg.text(right, up.at(bound) - 5, bound_name, class_="small halo", anchor="end"))
    if not values:
        parts.append(svg.text((left + right) / 2, (top + bottom) / 2, "no values", class_="muted", anchor="middle"))
    return svg.drawing(width, bottom + 40, *parts, title=title or f"{y} over time")


_Point = tuple[float, float, float, float]
"""(seconds, value, low, high)."""


def _finite_points(line: Line, *, log: bool) -> list[_Point]:
    band = line.band or [(value, value) for _, value in line.points]
    points = [(at, value, low, high) for (at, value), (low, high) in zip(line.points, band, strict=True)]
    return [point for point in points if all(map(math.isfinite, point)) and (not log or point[2] > 0)]


def _drawn(points: Sequence[_Point], across: Elapsed, up: Scale, look: str) -> list[Markup]:
    parts = []
    if any(low < high for _, _, low, high in points):
        over = [(across.at(at), up.at(high)) for at, _, _, high in points]
        under = [(across.at(at), up.at(low)) for at, _, low, _ in reversed(points)]
        if len(points) > 1:
            parts.append(svg.path([*over, *under], f"band {look}", closed=True))
        else:
            parts.append(svg.line(*over[0], *under[0], f"{look} whisker"))
    if len(points) == 1:
        at, value, *_ = points[0]
        parts.append(svg.element("circle", cx=across.at(at), cy=up.at(value), r=3.5, class_=f"dot {look}"))
    elif points:
        parts.append(svg.path([(across.at(at), up.at(value)) for at, value, *_ in points], f"line {look}"))
    return parts


def _legend(lines: Sequence[Line], left: float, right: float) -> tuple[list[Markup], int]:
    """Draw the legend, on as many rows as it needs."""
    parts: list[Markup] = []
    x, row = left, 0
    for i, line in enumerate(lines):
        name = line.name if line.points else f"{line.name} (no values)"
        wide = 40 + svg.text_width(name[:_LONGEST_NAME])
        if x > left and x + wide > right:
            x, row = left, row + 1
        y = 12 + _LEGEND_ROW * row
        parts.append(svg.line(x, y - 4, x + 24, y - 4, f"line l{i % _LINE_STYLES}"))
        parts.append(svg.label(x + 31, y, name, longest=_LONGEST_NAME))
        x += wide
    return parts, row + 1


def _value_axis(up: Scale, left: float, right: float, unit: str) -> list[Markup]:
    ticks = up.ticks(5)
    parts: list[Markup] = []
    for tick, words in zip(ticks, _powers(ticks) if up.log else up.written(ticks, unit=unit), strict=True):
        parts.append(svg.line(left, up.at(tick), right, up.at(tick), "grid"))
        parts.append(svg.text(left - 8, up.at(tick) + 4, words, class_="muted num", anchor="end"))
    return parts


def _powers(ticks: Sequence[float]) -> list[str]:
    """Tick labels of a logarithmic axis; large powers of ten as exponents."""
    exponents = [round(math.log10(tick)) for tick in ticks]
    return [
        f"10{superscript(power)}" if abs(power) > 3 and math.isclose(tick, 10.0**power) else number(tick)
        for tick, power in zip(ticks, exponents, strict=True)
    ]


def _turned(words: str, y: float) -> Markup:
    turn = f"rotate(-90 12 {svg.coordinate(y)})"
    return svg.element("text", words, x=12, y=y, transform=turn, class_="muted", text_anchor="middle")
