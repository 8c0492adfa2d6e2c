"""SVG primitives: escaped elements, short coordinates, fitted text, and status marks.

Colours and fonts come from the page's style sheet by class, so that one drawing works in light mode, dark mode and
print. A status has a shape as well as a colour.
"""

from __future__ import annotations

import math
import unicodedata

from markupsafe import Markup, escape

from gauntlet.reports.format import shorten

KNOWN_STATUSES = frozenset(
    {
        *("pass", "fail", "inconclusive", "error", "not_asked"),
        *("succeeded", "reused", "failed", "skipped"),
        *("passed", "stopped", "broken"),
        *("promoted", "rolled back"),
    }
)
_STATUS_CLASS = {
    **dict.fromkeys(("succeeded", "passed", "promoted"), "pass"),
    "not_asked": "skipped",
    **dict.fromkeys(("failed", "broken", "stopped", "rolled back"), "fail"),
}
_EM_OF_CHARACTER = 0.6
_FONT_SIZE = 12.0


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """Write an element. Attribute names use ``_`` for ``-`` (``class_`` is ``class``); ``None`` omits one."""
    written = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _attribute(value))
        for name, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(children)
    if not inside:
        return Markup("<{}{}/>").format(tag, written)
    return Markup("<{}{}>{}</{}>").format(tag, written, inside, tag)


def drawing(width: float, height: float, *children: str, title: str, class_: str = "plot") -> Markup:
    """Write an SVG image with its accessible name; it shrinks with the page but never grows."""
    return element(
        "svg",
        element("title", title),
        *children,
        class_=class_,
        role="img",
        aria_label=title,
        width=width,
        height=height,
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        xmlns="http://www.w3.org/2000/svg",
    )


def text(x: float, y: float, content: str, *, class_: str = "", anchor: str = "start", tip: str = "") -> Markup:
    """Write one line of text; ``tip`` is its tooltip."""
    title = (element("title", tip),) if tip else ()
    return element("text", *title, escape(content), x=x, y=y, class_=class_ or None, text_anchor=anchor)


def label(x: float, y: float, content: str, *, longest: int, class_: str = "", anchor: str = "start") -> Markup:
    """Write a name, shortened if it is too long, with the whole name as tooltip."""
    short = shorten(content, longest)
    return text(x, y, short, class_=class_, anchor=anchor, tip=content if short != content else "")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Write a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, *, tip: str = "", rx: float = 0) -> Markup:
    """Write a rectangle."""
    title = (element("title", tip),) if tip else ()
    return element(
        "rect", *title, x=x, y=y, width=max(0.0, width), height=max(0.0, height), class_=class_, rx=rx or None
    )


def path(points: list[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """Write a path through points."""
    steps = " ".join(f"{'L' if i else 'M'}{coordinate(x)} {coordinate(y)}" for i, (x, y) in enumerate(points))
    return element("path", d=steps + (" Z" if closed else ""), class_=class_)


def coordinate(value: float) -> str:
    """Format a coordinate to a hundredth of a pixel, never ``-0``."""
    if not math.isfinite(value):
        value = 0.0
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def text_width(content: str, *, font_size: float = _FONT_SIZE) -> float:
    """Estimate the width of a text in pixels, rather too large, since the reader's font is unknown."""
    ems = sum(1.0 if unicodedata.east_asian_width(character) in "WF" else _EM_OF_CHARACTER for character in content)
    return ems * font_size


def look(status: str) -> str:
    """CSS class of a status; ``none`` for an unknown one."""
    return _STATUS_CLASS.get(status, status) if status in KNOWN_STATUSES else "none"


def mark(status: str, x: float, y: float, *, radius: float = 4.5) -> Markup:
    """Draw the mark of a status: disc = pass, diamond = fail, ring = inconclusive, cross = error, grey disc = none."""
    kind = look(status)
    r = radius
    if kind == "fail":
        r = radius * 1.3
        return path([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], "s-fail fill", closed=True)
    if kind == "error":
        cross = f"M{_pair(x - r, y - r)} L{_pair(x + r, y + r)} M{_pair(x - r, y + r)} L{_pair(x + r, y - r)}"
        return element("path", d=cross, class_="s-error stroke thick")
    if kind == "inconclusive":
        return element("circle", cx=x, cy=y, r=r - 0.75, class_="s-inconclusive stroke hollow")
    return element("circle", cx=x, cy=y, r=r, class_=f"s-{kind} fill")


_GLYPHS = {
    "pass": "M2.5 6.5 L5 9 L9.5 3.5",
    "fail": "M3 3 L9 9 M9 3 L3 9",
    "inconclusive": "M3.8 4.2 C3.8 1.4 8.2 1.4 8.2 4.2 C8.2 5.8 6 5.8 6 7.6 M6 9.8 L6 10",
    "error": "M6 2 L6 7 M6 9.6 L6 9.8",
    "reused": "M9.5 6 A3.5 3.5 0 1 1 8.2 3.3 M8.4 1.4 L8.4 3.6 L6.2 3.6",
    "skipped": "M3 6 L9 6",
    "none": "M5.9 6 L6.1 6",
}


def glyph(status: str) -> Markup:
    """Draw the icon of a status chip: tick, cross, question mark, exclamation mark, loop, dash."""
    stroke = element("path", d=_GLYPHS[look(status)])
    return element("svg", stroke, class_="glyph", width=12, height=12, viewBox="0 0 12 12", aria_hidden="true")


def glyph_at(status: str, x: float, y: float) -> Markup:
    """Draw the same icon inside a plot, its top left corner at (x, y)."""
    kind = look(status)
    shape = element("path", d=_GLYPHS[kind], class_=f"s-{kind} stroke glyph-line")
    return element("g", shape, transform=f"translate({coordinate(x)} {coordinate(y)})")


def _pair(x: float, y: float) -> str:
    return f"{coordinate(x)} {coordinate(y)}"


def _attribute(value: str | float) -> str:
    return value if isinstance(value, str) else coordinate(value)
