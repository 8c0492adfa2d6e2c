"""Scatter plot of two quantities on different scales: new values over stored ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.curves import axes, beside
from gauntlet.reports.scale import Scale, robust, scale_over

_FOOT, _TOP = 42.0, 30.0
_MOST_DOTS = 500


def relation(
    x_values: Sequence[float],
    y_values: Sequence[float],
    *,
    x: str,
    y: str,
    line: tuple[float, float] | None = None,
    equal: str = "unchanged",
    every: bool = False,
    width: float = 460,
    height: float = 320,
    title: str = "One against the other",
) -> Markup:
    """Draw pairs of values, each axis on its own scale, with the line of equality.

    Args:
        x_values: x values; pairs that are not finite are left out.
        y_values: y values, as many.
        x: title of the x axis.
        y: title of the y axis.
        line: (slope, intercept) of a line through them.
        equal: name of the line of equality.
        every: whether the axes reach to every pair; otherwise outliers are left out, which would press the rest
            together.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    pairs = [pair for pair in zip(x_values, y_values, strict=True) if all(map(math.isfinite, pair))]
    pairs = sorted(pairs)[:: max(1, math.ceil(len(pairs) / _MOST_DOTS))]
    kept = list if every else robust
    up = scale_over(kept(second for _, second in pairs), start=height - _FOOT, end=_TOP)
    left = beside(up)
    across = scale_over(kept(first for first, _ in pairs), start=left, end=width - 14)
    parts = axes(across, up, x, y)
    low, high = max(across.low, up.low), min(across.high, up.high)
    if low < high:
        parts.append(svg.line(across.at(low), up.at(low), across.at(high), up.at(high), "reference"))
    for first, second in pairs:
        if across.holds(first) and up.holds(second):
            parts.append(svg.element("circle", cx=across.at(first), cy=up.at(second), r=2.5, class_="dot l0"))
    if line is not None:
        parts += _through(line, across, up)
    legend = [("reference", equal)] if low < high else []
    if line is not None:
        legend.append(("line l1 thin", "the line found"))
    for place, (kind, words) in enumerate(legend):
        parts += [svg.line(left + 130 * place, 12, left + 130 * place + 24, 12, kind)]
        parts += [svg.text(left + 130 * place + 30, 16, words, class_="muted")]
    return svg.drawing(width, height, *parts, title=title)


def _through(line: tuple[float, float], across: Scale, up: Scale) -> list[Markup]:
    """Draw the part of the line inside the plot."""
    slope, intercept = line
    if slope == 0:
        ends = [across.low, across.high] if up.holds(intercept) else []
    else:
        crossings = sorted(((up.low - intercept) / slope, (up.high - intercept) / slope))
        ends = [max(across.low, crossings[0]), min(across.high, crossings[1])]
    if len(ends) < 2 or ends[0] >= ends[1]:
        return []
    first, second = ((across.at(at), up.at(slope * at + intercept)) for at in ends)
    return [svg.line(*first, *second, "line l1 thin")]
