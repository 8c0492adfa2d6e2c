"""Line plots: ROC, precision–recall, learning and calibration curves, sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.format import number, percent, rows
from gauntlet.reports.scale import Scale, scale_over

_MOST_POINTS = 400
_NARROWEST = 58.0
_LINE_STYLES = 5
"""Number of line styles (colour and dash); further lines reuse them."""


@dataclass(frozen=True)
class Series:
    """Line of a plot.

    Attributes:
        name: its name in the legend.
        x: positions, in the order of the line.
        y: values, as many; points that are not finite are left out.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class CalibrationBin:
    """Bin of a calibration curve.

    Attributes:
        predicted: mean score.
        observed: share of positives.
        low: lower end of the interval of ``observed``.
        high: upper end.
        n: number of rows.
    """

    predicted: float
    observed: float
    low: float
    high: float
    n: int


def curve(
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    diagonal: bool = False,
    unit_square: bool = False,
    from_zero: bool = False,
    width: float = 460,
    height: float = 340,
    title: str = "",
) -> Markup:
    """Draw lines over common axes. Long lines are downsampled, keeping every peak.

    Args:
        series: the lines; at most about five are distinguishable.
        x: title of the x axis.
        y: title of the y axis.
        diagonal: draw the no-skill diagonal, with both axes from 0 to 1 (ROC).
        unit_square: both axes from 0 to 1 without the diagonal (precision–recall).
        from_zero: the y axis begins at 0, so that changes are drawn to scale (memory).
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    lines = [(line.name, _points(line)) for line in series]
    right, top, bottom = width - 14, 12.0 + 18 * len(lines), height - 42
    height += 18.0 * max(0, len(lines) - 1)
    bottom += 18.0 * max(0, len(lines) - 1)
    if diagonal or unit_square:
        left = _NARROWEST
        across, up = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    else:
        values = [py for _, points in lines for _, py in points]
        up = scale_over(
            [0.0, *values] if from_zero else values, start=bottom, end=top, floor=0.0 if from_zero else None
        )
        left = beside(up)
        across = scale_over((px for _, points in lines for px, _ in points), start=left, end=right, pad=0)
    parts = axes(across, up, x, y)
    if diagonal:
        parts.append(svg.line(left, bottom, right, top, "reference"))
    for i, (name, points) in enumerate(lines):
        kind = f"line l{i % _LINE_STYLES}"
        drawn = [(across.at(px), up.at(py)) for px, py in _downsample(points)]
        if len(drawn) == 1:
            parts.append(
                svg.element("circle", cx=drawn[0][0], cy=drawn[0][1], r=3.5, class_=f"dot l{i % _LINE_STYLES}")
            )
        elif drawn:
            parts.append(svg.path(drawn, kind))
        parts.append(svg.line(left, 12 + 18 * i, left + 24, 12 + 18 * i, kind))
        parts.append(svg.label(left + 32, 16 + 18 * i, name if drawn else f"{name} (no values)", longest=52))
    return svg.drawing(width, height, *parts, title=title or f"{y} over {x}")


def calibration(bins: Sequence[CalibrationBin], *, width: float = 460, height: float = 380, title: str = "") -> Markup:
    """Draw a calibration curve: observed shares with intervals over predicted ones, and a histogram of rows.

    Args:
        bins: the bins; bins with numbers that are not finite are left out.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    left, right, top, bottom = 58.0, width - 14, 14.0, height - 92
    across, up = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    parts = axes(across, up, "predicted probability", "observed share")
    parts.append(svg.line(left, bottom, right, top, "reference"))
    finite = [group for group in bins if math.isfinite(group.predicted) and math.isfinite(group.observed)]
    most = max((group.n for group in finite), default=0) or 1
    floor = height - 12
    for group in finite:
        place = across.at(group.predicted)
        tip = (
            f"predicted {percent(group.predicted)}, observed {percent(group.observed)} "
            f"({percent(group.low)} to {percent(group.high)}), {rows(group.n)}"
        )
        tall = 30 * max(0, group.n) / most
        parts.append(svg.rect(place - 3, floor - tall, 6, tall, "first", tip=tip))
        parts.append(svg.line(place, up.at(group.low), place, up.at(group.high), "l0 whisker"))
        mark = svg.element(
            "circle", svg.element("title", tip), cx=place, cy=up.at(group.observed), r=4, class_="dot l0"
        )
        parts.append(mark)
    points = [(across.at(group.predicted), up.at(group.observed)) for group in finite]
    if len(points) > 1:
        parts.append(svg.path(points, "line l0 thin"))
    parts.append(svg.line(left, floor, right, floor, "axis"))
    parts.append(svg.text(left - 8, floor - 2, "rows", class_="muted", anchor="end"))
    if not finite:
        parts.append(svg.text((left + right) / 2, (top + bottom) / 2, "no values", class_="muted", anchor="middle"))
    return svg.drawing(width, height, *parts, title=title or "Calibration: observed over predicted")


def sparkline(values: Sequence[float], *, width: float = 120, height: float = 24, title: str = "") -> Markup:
    """Draw a sparkline for a line of text, with a dot at the last value."""
    points = [(float(i), float(value)) for i, value in enumerate(values) if math.isfinite(value)]
    across = scale_over([0.0, max(1.0, len(values) - 1.0)], start=3, end=width - 4, pad=0)
    up = scale_over((y for _, y in points), start=height - 3, end=3, pad=0)
    drawn = [(across.at(x), up.at(y)) for x, y in _downsample(points)]
    parts = [svg.path(drawn, "line l0 thin")] if len(drawn) > 1 else []
    if drawn:
        parts.append(svg.element("circle", cx=drawn[-1][0], cy=drawn[-1][1], r=2.5, class_="dot l0"))
    words = f"from {number(points[0][1])} to {number(points[-1][1])}" if points else "no values"
    return svg.drawing(width, height, *parts, title=title or words, class_="plot spark")


def _points(series: Series) -> list[tuple[float, float]]:
    pairs = zip(series.x, series.y, strict=False)
    return [(float(x), float(y)) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]


def _downsample(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Downsample to about ``_MOST_POINTS`` points: first, lowest, highest and last of each segment."""
    if len(points) <= _MOST_POINTS:
        return points
    stretch = math.ceil(len(points) / (_MOST_POINTS // 4))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), stretch):
        part = range(start, min(start + stretch, len(points)))
        lowest = min(part, key=lambda i: points[i][1])
        highest = max(part, key=lambda i: points[i][1])
        kept += [points[i] for i in sorted({part[0], lowest, highest, part[-1]})]
    return kept


def beside(up: Scale) -> float:
    """Width needed left of a vertical axis: its title, and its longest label."""
    ticks = up.ticks(5)
    return max(_NARROWEST, 34 + max((svg.text_width(words) for words in up.written(ticks)), default=0.0))


def axes(
    across: Scale, up: Scale, x: str, y: str, *, x_ticks: Sequence[tuple[float, str]] | None = None
) -> list[Markup]:
    """Draw both axes with grid, ticks and titles.

    Args:
        across: the scale of x.
        up: the scale of y.
        x: title of the x axis.
        y: title of the y axis.
        x_ticks: (value, label) in place of round numbers.
    """
    bottom, top = up.start, up.end
    parts: list[Markup] = []
    ticks = up.ticks(5)
    for tick, words in zip(ticks, up.written(ticks), strict=True):
        parts.append(svg.line(across.start, up.at(tick), across.end, up.at(tick), "grid"))
        parts.append(svg.text(across.start - 8, up.at(tick) + 4, words, class_="muted num", anchor="end"))
    ticks = across.ticks(5)
    for tick, words in x_ticks if x_ticks is not None else zip(ticks, across.written(ticks), strict=True):
        parts.append(svg.line(across.at(tick), bottom, across.at(tick), bottom + 4, "axis"))
        parts.append(svg.text(across.at(tick), bottom + 18, words, class_="muted num", anchor="middle"))
    parts.append(svg.line(across.start, bottom, across.end, bottom, "axis"))
    middle = (across.start + across.end) / 2
    parts.append(svg.text(middle, bottom + 36, x, class_="muted", anchor="middle"))
    turned = f"rotate(-90 14 {svg.coordinate((top + bottom) / 2)})"
    parts.append(
        svg.element("text", y, x=14, y=(top + bottom) / 2, transform=turned, class_="muted", text_anchor="middle")
    )
    return parts
