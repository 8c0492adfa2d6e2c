"""Confusion matrix as a picture: actual by decided class, shaded by the share of the actual class."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from gauntlet.reports import svg
from gauntlet.reports.format import count, percent, shorten

_WIDTH = 960.0
_ROW = 30.0
_LEVEL_HEAD, _SLANTED_HEAD = 40.0, 92.0
_LONGEST_NAME = 24
_LONGEST_HEAD = 18
_WIDEST_CELL = 96.0
_OVERHANG = 96.0
"""Of the last column's slanted name."""
_WRITTEN = 38.0
"""Least width of a cell that a percentage fits into."""
_DARK = 0.55
"""Share above which a cell is too dark for dark words."""


def matrix(names: Sequence[str], table: Sequence[Sequence[float]], *, title: str = "Actual by decided class") -> Markup:
    """Draw a confusion matrix.

    Args:
        names: the classes.
        table: (k, k) rows, or sums of weights: actual by decided class.
        title: the accessible name.
    """
    k = len(names)
    if not k:
        words = svg.text(_WIDTH / 2, 28, "no classes", class_="muted", anchor="middle")
        return svg.drawing(_WIDTH, 44, words, title=title)
    left = 24 + max(svg.text_width(name[:_LONGEST_NAME]) for name in names)
    cell = min(_WIDEST_CELL, (_WIDTH - left - _OVERHANG) / k)
    row = min(_ROW, max(14.0, cell))
    level = all(svg.text_width(name) < cell - 8 for name in names)
    head = _LEVEL_HEAD if level else _SLANTED_HEAD
    parts = [svg.text(left + cell * k / 2, 12, "decided", class_="muted", anchor="middle")]
    for column, name in enumerate(names):
        x = left + cell * (column + 0.5)
        parts.append(svg.text(x, head - 8, name, anchor="middle") if level else _slanted(x, head - 8, name))
    for position, (name, counts) in enumerate(zip(names, table, strict=True)):
        y = head + row * position
        total = math.fsum(counts)
        parts.append(svg.label(left - 8, y + row / 2 + 4, name, longest=_LONGEST_NAME, anchor="end"))
        for column, value in enumerate(counts):
            share = value / total if total > 0 else 0.0
            tip = f"{name} decided as {names[column]}: {count(value)}, {percent(share)}"
            parts.append(_cell(left + cell * column, y, (cell, row), share, tip, right=column == position))
    return svg.drawing(left + cell * k + _OVERHANG, head + row * k + 6, *parts, title=title)


def _cell(x: float, y: float, size: tuple[float, float], share: float, tip: str, *, right: bool) -> Markup:
    wide, high = size
    parts = [svg.rect(x + 0.5, y + 0.5, wide - 1, high - 1, "cell", tip=tip)]
    if share > 0:
        look = "right" if right else "wrong"
        shade = {"x": x + 0.5, "y": y + 0.5, "width": wide - 1, "height": high - 1, "fill_opacity": round(share, 2)}
        parts.append(svg.element("rect", svg.element("title", tip), class_=look, **shade))
    if share > 0 and wide >= _WRITTEN:
        look = "num small inverse" if share > _DARK else "num small"
        parts.append(svg.text(x + wide / 2, y + high / 2 + 4, percent(share, 0), class_=look, anchor="middle"))
    return Markup("").join(parts)


def _slanted(x: float, y: float, name: str) -> Markup:
    turn = f"rotate(-35 {svg.coordinate(x)} {svg.coordinate(y)})"
    short = shorten(name, _LONGEST_HEAD)
    tip = (svg.element("title", name),) if short != name else ()
    return svg.element("text", *tip, escape(short), x=x, y=y, transform=turn, text_anchor="start")
