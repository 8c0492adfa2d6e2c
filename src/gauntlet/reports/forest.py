"""Forest plots: estimates with intervals, one per row, and a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.format import count, interval, quantity
from gauntlet.reports.scale import Scale, scale_over

_WIDTH = 960.0
_ROW = 24.0
_HEAD = 34.0
_FOOT = 26.0
_COLUMNS = 272.0
"""Width of the two number columns right of the plot."""
_N_COLUMN = 62.0
_LONGEST_LABEL = 40
_ROWS_WORTH_A_SECOND_AXIS = 16
_REACH = 1.5
"""How far the end of an interval may lie beyond all estimates and bounds, in their span, and set the axis."""


@dataclass(frozen=True)
class ForestRow:
    """Row of a forest plot.

    Attributes:
        label: name of the metric or slice.
        estimate: the estimate; ``None`` if it could not be computed.
        low: lower end of its interval; ``None`` or ``-inf`` is open.
        high: upper end of its interval; ``None`` or ``inf`` is open.
        n: number of rows (or clusters).
        status: status of the check: ``pass``, ``fail``, ``inconclusive``, ``error``; empty without a check.
    """

    label: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    status: str = ""


def forest(
    rows: Sequence[ForestRow],
    *,
    bound: float | None = None,
    direction: str = "",
    limits: tuple[float, float] | None = None,
    reference: float | None = None,
    unit: str = "",
    log: bool = False,
    title: str = "Estimates and intervals",
) -> Markup:
    """Draw a forest plot.

    Args:
        rows: the rows, in order.
        bound: the limit; a dashed line.
        direction: ``"max"`` or ``"min"``: the side beyond the bound is shaded.
        limits: (low, high), in place of a bound, for a two-sided limit.
        reference: value of no difference; a thin line. By default 0, or 1 if ``log``, if that is in view.
        unit: ``"%"`` formats values, which are shares, as percentages.
        log: logarithmic axis, for ratios.
        title: the accessible name.
    """
    if not rows:
        words = svg.text(_WIDTH / 2, 28, "nothing to show", class_="muted", anchor="middle")
        return svg.drawing(_WIDTH, 44, words, title=title, class_="plot forest")
    gutter = 20 + max(svg.text_width(row.label[:_LONGEST_LABEL]) for row in rows)
    left = min(max(gutter, 90.0), 320.0)
    right = _WIDTH - _COLUMNS
    bounds = [(bound, direction)] if limits is None else [(limits[0], "min"), (limits[1], "max")]
    drawn_bounds = [(value, side) for value, side in bounds if value is not None and math.isfinite(value)]
    fixed = [*(row.estimate for row in rows), *(value for value, _ in drawn_bounds), reference]
    x = scale_over([*fixed, *_ends_in_view(rows, fixed, log=log)], start=left, end=right, log=log)
    bottom = _HEAD + _ROW * len(rows)
    parts = [*_lines(x, bottom, drawn_bounds, reference), *_axis(x, bottom, unit)]
    if len(rows) >= _ROWS_WORTH_A_SECOND_AXIS:
        parts += _axis(x, _HEAD - 18, unit)
    parts += [
        svg.text(right + _N_COLUMN, _HEAD - 10, "n", class_="muted", anchor="end"),
        svg.text(_WIDTH - 4, _HEAD - 10, "estimate (interval)", class_="muted", anchor="end"),
    ]
    for position, row in enumerate(rows):
        parts += _row(x, _HEAD + _ROW * (position + 0.5), row, unit, right)
    return svg.drawing(_WIDTH, bottom + _FOOT, *parts, title=title, class_="plot forest")


def interval_bar(
    measured: float | None,
    ends: tuple[float | None, float | None] | None,
    bound: float | None = None,
    *,
    direction: str = "",
    status: str = "",
) -> Markup:
    """Draw one interval as a small bar for a table cell: the bound is the vertical line, the side beyond it is shaded.

    Every bar has its own scale, so it shows the position of the interval to the bound but not its length.
    """
    low, high = ends or (None, None)
    if not any(value is not None and math.isfinite(value) for value in (measured, low, high)):
        return Markup("")
    width, height = 120.0, 20.0
    x = scale_over([measured, low, high, bound], start=6, end=width - 6, pad=0.12)
    parts = []
    if bound is not None and math.isfinite(bound):
        parts += _beyond(x, bound, direction, 1, height - 1)
        parts.append(svg.line(x.at(bound), 1, x.at(bound), height - 1, "bound"))
    if ends is not None:
        parts += _whisker(x, height / 2, low, high, status)
    if measured is not None and math.isfinite(measured):
        parts.append(svg.mark(status, x.at(measured), height / 2, radius=4))
    words = f"measured {quantity(measured, ends)}, interval {interval(ends)}, bound {quantity(bound)}"
    return svg.drawing(width, height, *parts, title=words, class_="plot bar")


def _ends_in_view(rows: Sequence[ForestRow], fixed: Sequence[float | None], *, log: bool) -> list[float]:
    """Ends of intervals that set the axis beside the estimates, which are all in view: whose group fares worst is seen.

    An interval far wider than everything else says that little is known; it leaves the plot, by an arrow. Those of rows
    that fail do not.
    """
    known = [value for value in fixed if value is not None and math.isfinite(value) and (value > 0 or not log)]
    if not known:
        known = [0.1, 1.0] if log else [0.0, 1.0]
    span = scale_over(known, start=0, end=1, log=log, pad=0)
    ends = [(end, row.status) for row in rows for end in (row.low, row.high) if end is not None and math.isfinite(end)]
    if log:
        reach = (span.high / span.low) ** _REACH
        return [end for end, status in ends if status == "fail" or span.low / reach <= end <= span.high * reach]
    reach = _REACH * (span.high - span.low)
    return [end for end, status in ends if status == "fail" or span.low - reach <= end <= span.high + reach]


def _row(x: Scale, y: float, row: ForestRow, unit: str, right: float) -> list[Markup]:
    ends = (row.low, row.high)
    parts = [svg.line(0, y + _ROW / 2, _WIDTH, y + _ROW / 2, "rule")]
    parts.append(svg.label(x.start - 12, y + 4, row.label, longest=_LONGEST_LABEL, anchor="end"))
    parts.append(svg.text(right + _N_COLUMN, y + 4, count(row.n), class_="muted num", anchor="end"))
    if row.estimate is None or math.isnan(row.estimate):
        parts.append(svg.text(_WIDTH - 4, y + 4, "not estimated", class_="muted", anchor="end"))
        return parts
    written = quantity(row.estimate, ends, unit=unit)
    has_ends = any(end is not None and math.isfinite(end) for end in ends)
    words = f"{written} ({interval(ends, unit=unit)})" if has_ends else written
    parts.append(svg.text(_WIDTH - 4, y + 4, words, class_="num", anchor="end"))
    if has_ends:
        parts += _whisker(x, y, row.low, row.high, row.status)
    if x.holds(row.estimate):
        parts.append(svg.mark(row.status, x.at(row.estimate), y))
    else:
        parts.append(_arrow(x, y, row.status, rightwards=row.estimate > x.high))
    return parts


def _whisker(x: Scale, y: float, low: float | None, high: float | None, status: str) -> list[Markup]:
    """Draw the line of an interval: a tick at each end, an arrow where it leaves the plot or is open."""
    start = -math.inf if low is None or math.isnan(low) else low
    end = math.inf if high is None or math.isnan(high) else high
    kind = f"s-{svg.look(status)} stroke"
    parts = [svg.line(x.at(start), y, x.at(end), y, kind)]
    for value, rightwards in ((start, False), (end, True)):
        if x.holds(value):
            parts.append(svg.line(x.at(value), y - 4, x.at(value), y + 4, kind))
        elif rightwards == (value > x.high):
            parts.append(_arrow(x, y, status, rightwards=rightwards))
    return parts


def _arrow(x: Scale, y: float, status: str, *, rightwards: bool) -> Markup:
    tip, back = (x.end, -7) if rightwards else (x.start, 7)
    return svg.path([(tip, y), (tip + back, y - 4), (tip + back, y + 4)], f"s-{svg.look(status)} fill", closed=True)


def _lines(x: Scale, bottom: float, bounds: list[tuple[float, str]], reference: float | None) -> list[Markup]:
    parts = []
    for bound, direction in bounds:
        parts += _beyond(x, bound, direction, _HEAD, bottom)
    for tick in x.ticks():
        parts.append(svg.line(x.at(tick), _HEAD, x.at(tick), bottom, "grid"))
    neutral = (1.0 if x.log else 0.0) if reference is None else reference
    if x.holds(neutral):
        parts.append(svg.line(x.at(neutral), _HEAD, x.at(neutral), bottom, "reference"))
    parts += [svg.line(x.at(bound), _HEAD - 4, x.at(bound), bottom, "bound") for bound, _ in bounds]
    return parts


def _beyond(x: Scale, bound: float, direction: str, top: float, bottom: float) -> list[Markup]:
    if direction == "max":
        return [svg.rect(x.at(bound), top, x.end - x.at(bound), bottom - top, "beyond")]
    if direction == "min":
        return [svg.rect(x.start, top, x.at(bound) - x.start, bottom - top, "beyond")]
    return []


def _axis(x: Scale, y: float, unit: str) -> list[Markup]:
    ticks = x.ticks()
    written = x.written(ticks, unit=unit)
    return [
        svg.text(x.at(tick), y + 16, words, class_="muted num", anchor="middle")
        for tick, words in zip(ticks, written, strict=True)
    ]
