"""Lines over an x axis: ROC, precision–recall and learning curves, calibration, sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.format import number, percent, rows
from gauntlet.reports.scale import Scale, scale_over

_MOST_POINTS = 400
_LOOKS = 5
"""Lines are told apart by colour and dash; after so many looks they start again."""


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: as the legend calls it.
        x: positions, in the order of the line.
        y: values, as many; a point where either is not finite is left out.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of about the same score.

    Attributes:
        predicted: their mean score.
        observed: the share of positives among them.
        low: lower end of the interval of ``observed``.
        high: upper end.
        n: how many.
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
    """Draw lines over common axes. Long ones are thinned to what a screen can show, keeping every peak.

    Args:
        series: the lines; at most about five can be told apart.
        x: what the x axis measures.
        y: what the y axis measures.
        diagonal: draw the line of no skill, with both axes from 0 to 1 (ROC).
        unit_square: both axes from 0 to 1 without the diagonal (precision–recall).
        from_zero: the y axis begins at 0, so that a change looks as large as it is (memory).
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    lines = [(one.name, _points(one)) for one in series]
    left, right, top, bottom = 58.0, width - 14, 12.0 + 18 * len(lines), height - 42
    height += 18.0 * max(0, len(lines) - 1)
    bottom += 18.0 * max(0, len(lines) - 1)
    if diagonal or unit_square:
        across, up = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    else:
        across = scale_over((px for _, points in lines for px, _ in points), start=left, end=right, pad=0)
        values = [py for _, points in lines for _, py in points]
        up = scale_over(
            [0.0, *values] if from_zero else values, start=bottom, end=top, floor=0.0 if from_zero else None
        )
    parts = axes(across, up, x, y)
    if diagonal:
        parts.append(svg.line(left, bottom, right, top, "reference"))
    for i, (name, points) in enumerate(lines):
        kind = f"line l{i % _LOOKS}"
        drawn = [(across.at(px), up.at(py)) for px, py in _thin(points)]
        if len(drawn) == 1:
            parts.append(svg.element("circle", cx=drawn[0][0], cy=drawn[0][1], r=3.5, class_=f"dot l{i % _LOOKS}"))
        elif drawn:
            parts.append(svg.path(drawn, kind))
        parts.append(svg.line(left, 12 + 18 * i, left + 24, 12 + 18 * i, kind))
        parts.append(svg.label(left + 32, 16 + 18 * i, name if drawn else f"{name} (no values)", longest=52))
    return svg.drawing(width, height, *parts, title=title or f"{y} over {x}")


def calibration(bins: Sequence[CalibrationBin], *, width: float = 460, height: float = 380, title: str = "") -> Markup:
    """Draw observed shares with their intervals over predicted ones; the diagonal is perfect, bars below count rows.

    Args:
        bins: groups of predictions; a group whose numbers are not finite is left out.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    left, right, top, bottom = 58.0, width - 14, 14.0, height - 92
    across, up = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    parts = axes(across, up, "predicted probability", "observed share")
    parts.append(svg.line(left, bottom, right, top, "reference"))
    known = [one for one in bins if math.isfinite(one.predicted) and math.isfinite(one.observed)]
    most = max((one.n for one in known), default=0) or 1
    floor = height - 12
    for one in known:
        place = across.at(one.predicted)
        tip = (
            f"predicted {percent(one.predicted)}, observed {percent(one.observed)} "
            f"({percent(one.low)} to {percent(one.high)}), {rows(one.n)}"
        )
        tall = 30 * max(0, one.n) / most
        parts.append(svg.rect(place - 3, floor - tall, 6, tall, "first", tip=tip))
        parts.append(svg.line(place, up.at(one.low), place, up.at(one.high), "l0 whisker"))
        mark = svg.element("circle", svg.element("title", tip), cx=place, cy=up.at(one.observed), r=4, class_="dot l0")
        parts.append(mark)
    points = [(across.at(one.predicted), up.at(one.observed)) for one in known]
    if len(points) > 1:
        parts.append(svg.path(points, "line l0 thin"))
    parts.append(svg.line(left, floor, right, floor, "axis"))
    parts.append(svg.text(left - 8, floor - 2, "rows", class_="muted", anchor="end"))
    if not known:
        parts.append(svg.text((left + right) / 2, (top + bottom) / 2, "no values", class_="muted", anchor="middle"))
    return svg.drawing(width, height, *parts, title=title or "Calibration: observed over predicted")


def sparkline(values: Sequence[float], *, width: float = 120, height: float = 24, title: str = "") -> Markup:
    """Draw a series so small that it fits into a line of text; its last value carries a dot."""
    points = [(float(i), float(value)) for i, value in enumerate(values) if math.isfinite(value)]
    across = scale_over([0.0, max(1.0, len(values) - 1.0)], start=3, end=width - 4, pad=0)
    up = scale_over((y for _, y in points), start=height - 3, end=3, pad=0)
    drawn = [(across.at(x), up.at(y)) for x, y in _thin(points)]
    parts = [svg.path(drawn, "line l0 thin")] if len(drawn) > 1 else []
    if drawn:
        parts.append(svg.element("circle", cx=drawn[-1][0], cy=drawn[-1][1], r=2.5, class_="dot l0"))
    words = f"from {number(points[0][1])} to {number(points[-1][1])}" if points else "no values"
    return svg.drawing(width, height, *parts, title=title or words, class_="plot spark")


def _points(series: Series) -> list[tuple[float, float]]:
    pairs = zip(series.x, series.y, strict=False)
    return [(float(x), float(y)) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about ``_MOST_POINTS`` of the points: of every stretch its first, lowest, highest and last."""
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


def axes(
    across: Scale, up: Scale, x: str, y: str, *, x_ticks: Sequence[tuple[float, str]] | None = None
) -> list[Markup]:
    """Both axes with their grid, ticks and titles.

    Args:
        across: the scale of x.
        up: the scale of y.
        x: what the x axis measures.
        y: what the y axis measures.
        x_ticks: (value, words) in place of round numbers.
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
