"""Distribution plots: histograms and category bars, of one or two distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from gauntlet.reports import calendar, svg
from gauntlet.reports.format import number, percent
from gauntlet.reports.scale import Scale, scale_over

NAMES = ("before", "after")
_LONGEST_NAME = 22
_UNEVEN = 40.0
"""Widest bin over the median bin beyond which bins are drawn with equal width."""
_FINEST = 400.0
"""Range over the narrowest bin beyond which they are too: it would be thinner than a pixel."""


def histogram_pair(
    edges: Sequence[float],
    before: Sequence[float],
    after: Sequence[float] | None = None,
    *,
    names: tuple[str, str] = NAMES,
    even: bool = False,
    times: bool = False,
    width: float = 460,
    height: float = 200,
    title: str = "Distribution",
) -> Markup:
    """Draw a histogram of one distribution, or of two overlaid, as the share of values in each bin.

    Bins of similar width are drawn to scale. Others (quantile bins, infinite ends) are drawn with equal width, labelled
    with their edges, so that one outlier does not compress everything into one bar.

    Args:
        edges: bin edges, ascending, one more than bins.
        before: count or share in each bin; any total.
        after: the same for the second distribution.
        names: names of the two distributions.
        even: always draw bins with equal width: shares of bins drawn to scale are read as densities.
        times: the edges are points in time, in seconds since 1970.
        width: in pixels.
        height: in pixels.
        title: the accessible name.
    """
    shares = [_shares(counts) for counts in (before, after) if counts is not None]
    bins = min([len(edges) - 1, *(len(share) for share in shares)])
    if bins < 1:
        return _empty_plot(width, title)
    shares = [share[:bins] for share in shares]
    bounds = [float(edge) for edge in edges[: bins + 1]]
    left, right, top, bottom = 46.0, width - 10, 24.0, height - 26
    scaled = not even and _on_a_scale(bounds)
    x = _bin_positions(bounds, left, right, scaled=scaled)
    highest = max((value for share in shares for value in share), default=0.0)
    y = scale_over([0.0, highest or 1.0], start=bottom, end=top, pad=0.06, floor=0.0)
    look = "first" if len(shares) == 2 else "solo"
    parts = [*_share_axis(y, left, right), *_legend(names[: len(shares)], left, right)]
    parts += [
        svg.rect(
            x[i] + 0.5,
            y.at(value),
            x[i + 1] - x[i] - 1,
            bottom - y.at(value),
            look,
            tip=_bin_tip(bounds, i, shares, times=times),
        )
        for i, value in enumerate(shares[0])
    ]
    if len(shares) == 2:
        outline = [(x[0], bottom)]
        for i, value in enumerate(shares[1]):
            outline += [(x[i], y.at(value)), (x[i + 1], y.at(value))]
        outline.append((x[-1], bottom))
        parts.append(svg.path(outline, "second"))
    parts += _edge_axis(bounds, x, bottom, scaled=scaled, times=times)
    return svg.drawing(width, height, *parts, title=title)


def bars(
    categories: Sequence[str],
    before: Sequence[float],
    after: Sequence[float] | None = None,
    *,
    names: tuple[str, str] = NAMES,
    top: int = 12,
    shares: bool = True,
    largest_first: bool = True,
    width: float = 460,
    title: str = "Categories",
) -> Markup:
    """Draw categories as horizontal bars, largest first; those beyond ``top`` are summed up in one bar.

    Args:
        categories: their names.
        before: count or share of each.
        after: the same for the second distribution.
        names: names of the two distributions.
        top: number of categories with a bar of their own.
        shares: whether values are divided by their total and shown as percentages; otherwise they are shown unchanged
            (feature importances), the rest is left out, and negative values count as 0.
        largest_first: whether to sort by size; otherwise all are drawn in the given order.
        width: in pixels.
        title: the accessible name.
    """
    columns = [_shares(values) if shares else _positive(values) for values in (before, after) if values is not None]
    n_categories = min([len(categories), *(len(column) for column in columns)])
    if n_categories < 1:
        return _empty_plot(width, title)
    order = sorted(range(n_categories), key=lambda i: (-max(column[i] for column in columns), str(categories[i])))
    if not largest_first:
        order, top = list(range(n_categories)), n_categories
    listed = order if len(order) <= top + 1 else order[:top]
    table = [(str(categories[i]), [column[i] for column in columns]) for i in listed]
    if shares and len(listed) < n_categories:
        rest = order[len(listed) :]
        table.append((f"{len(rest)} more", [sum(column[i] for i in rest) for column in columns]))
    thick = 12.0
    row = thick * len(columns) + 9
    left = min(182.0, 20 + max(svg.text_width(name[:_LONGEST_NAME]) for name, _ in table))
    x = scale_over([0.0, *(value for _, values in table for value in values)], start=left, end=width - 62, pad=0)
    head = 24.0 if len(columns) == 2 else 6.0
    looks = ("first", "second solid") if len(columns) == 2 else ("solo",)
    parts = _legend(names[: len(columns)], left, width - 10) if len(columns) == 2 else []
    for position, (name, values) in enumerate(table):
        y = head + row * position
        parts.append(svg.label(left - 8, y + row / 2 + 1, name, longest=_LONGEST_NAME, anchor="end"))
        for i, value in enumerate(values):
            words = percent(value) if shares else number(value)
            end = x.at(value)
            tip = f"{name}, {names[i]}: {words}" if len(columns) == 2 else f"{name}: {words}"
            parts.append(svg.rect(left, y + thick * i + 1, end - left, thick - 1, looks[i], tip=tip))
            parts.append(svg.text(end + 6, y + thick * (i + 0.5) + 4, words, class_="muted num small"))
    return svg.drawing(width, head + row * len(table) + 4, *parts, title=title)


def _legend(names: Sequence[str], left: float, right: float) -> list[Markup]:
    if len(names) < 2:
        return []
    parts: list[Markup] = []
    x = left
    for name, fill in zip(names, ("first", "second"), strict=False):
        parts.append(svg.rect(x, 4, 14, 9, fill, rx=1))
        parts.append(svg.label(x + 20, 13, name, longest=28))
        x += 36 + svg.text_width(name[:28])
    return parts


def _positive(values: Sequence[float]) -> list[float]:
    return [max(0.0, float(value)) if math.isfinite(value) else 0.0 for value in values]


def _shares(counts: Sequence[float]) -> list[float]:
    """Divide counts by their total; negative and non-finite counts are 0."""
    positive = _positive(counts)
    largest = max(positive, default=0.0)
    if largest <= 0:
        return [0.0] * len(positive)
    scaled = [value / largest for value in positive]  # so that the total cannot overflow
    total = math.fsum(scaled)
    return [value / total for value in scaled]


def _bin_positions(edges: list[float], left: float, right: float, *, scaled: bool) -> list[float]:
    if scaled:
        scale = Scale(edges[0], edges[-1], left, right)
        return [scale.at(edge) for edge in edges]
    step = (right - left) / (len(edges) - 1)
    return [left + step * i for i in range(len(edges))]


def _on_a_scale(edges: list[float]) -> bool:
    widths = [high - low for low, high in pairwise(edges)]
    if not all(math.isfinite(width) and width >= 0 for width in widths) or not math.isfinite(edges[-1] - edges[0]):
        return False
    middle = sorted(widths)[len(widths) // 2]
    wide_enough = 0 < edges[-1] - edges[0] <= _FINEST * min(widths)
    return wide_enough and max(widths) <= _UNEVEN * middle


def _edge_axis(edges: list[float], x: list[float], bottom: float, *, scaled: bool, times: bool) -> list[Markup]:
    parts = [svg.line(x[0], bottom, x[-1], bottom, "axis")]
    if scaled:
        scale = Scale(edges[0], edges[-1], x[0], x[-1])
        ticks = scale.ticks(5)
        if _whole(edges):
            ticks = [tick for tick in ticks if tick.is_integer()]
        named = calendar.ticks(scale.low, scale.high, 5) if times else zip(ticks, scale.written(ticks), strict=True)
        places = [(scale.at(tick), words) for tick, words in named]
    else:
        say = calendar.written if times else number
        places = [(position, say(edge)) for position, edge in zip(x, edges, strict=True)]
    last_end = -math.inf
    for position, words in places:
        wide = svg.text_width(words)
        start = min(position - wide / 2, x[-1] + 10 - wide)
        if start < last_end + 6:
            continue
        parts.append(svg.line(position, bottom, position, bottom + 4, "axis"))
        parts.append(svg.text(start + wide / 2, bottom + 18, words, class_="muted num", anchor="middle"))
        last_end = start + wide
    return parts


def _whole(edges: list[float]) -> bool:
    """Whether each bar holds one whole number, or as many in each: no value lies at a half."""
    return all((edge - 0.5).is_integer() for edge in edges)


def _share_axis(y: Scale, left: float, right: float) -> list[Markup]:
    ticks = y.ticks(4)
    parts: list[Markup] = []
    for tick, words in zip(ticks, y.written(ticks, unit="%"), strict=True):
        parts.append(svg.line(left, y.at(tick), right, y.at(tick), "grid"))
        parts.append(svg.text(left - 6, y.at(tick) + 4, words, class_="muted num", anchor="end"))
    return parts


def _bin_tip(edges: list[float], i: int, shares: list[list[float]], *, times: bool) -> str:
    if times:
        low, high = (calendar.written(edge, edges[i + 1] - edges[i]) for edge in edges[i : i + 2])
        return f"{low} to {high}: {' / '.join(percent(share[i]) for share in shares)}"
    percentages = " / ".join(percent(share[i]) for share in shares)
    return f"{number(edges[i])} to {number(edges[i + 1])}: {percentages}"


def _empty_plot(width: float, title: str) -> Markup:
    words = svg.text(width / 2, 30, "no values", class_="muted", anchor="middle")
    return svg.drawing(width, 48, words, title=title)
