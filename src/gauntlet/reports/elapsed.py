"""Axes of elapsed time, in seconds, minutes, hours or days."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.scale import Scale

_UNITS = (("seconds", 1.0, 180.0), ("minutes", 60.0, 10_800.0), ("hours", 3_600.0, 259_200.0), ("days", 86_400.0, 0.0))
"""Name, length in seconds, and the span up to which it is used."""


@dataclass(frozen=True)
class Elapsed:
    """Axis from 0 to a time span.

    Attributes:
        scale: scale in ``unit``.
        unit: ``seconds``, ``minutes``, ``hours`` or ``days``.
        size: seconds of one unit.
    """

    scale: Scale
    unit: str
    size: float

    def at(self, seconds: float) -> float:
        """Pixel of a time; times outside the axis are clamped."""
        return self.scale.at(seconds / self.size)


def elapsed(seconds: float, *, start: float, end: float) -> Elapsed:
    """Make an axis for a span in seconds (1 if it is 0) between two pixels."""
    span = seconds if seconds > 0 else 1.0
    unit, size = next((name, size) for name, size, most in _UNITS if span <= most or not most)
    return Elapsed(Scale(0.0, span / size, start, end), unit, size)


def axis(across: Elapsed, y: float, since: str, *, most: int = 8) -> list[Markup]:
    """Draw the axis at height ``y``, with ticks and ``<unit> since <since>`` below; 36 pixels high."""
    scale = across.scale
    ticks = scale.ticks(most)
    parts = [svg.line(scale.start, y, scale.end, y, "axis")]
    for tick, words in zip(ticks, scale.written(ticks), strict=True):
        parts.append(svg.line(scale.at(tick), y, scale.at(tick), y + 4, "axis"))
        parts.append(svg.text(scale.at(tick), y + 18, words, class_="muted num", anchor="middle"))
    middle = (scale.start + scale.end) / 2
    parts.append(svg.text(middle, y + 34, f"{across.unit} since {since}", class_="muted", anchor="middle"))
    return parts
