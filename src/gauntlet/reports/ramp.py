"""Rollout plot: the candidate's weight over time, phases, analysis runs, and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.elapsed import Elapsed, axis, elapsed
from gauntlet.reports.format import duration
from gauntlet.reports.scale import Scale

_WIDTH = 960.0
_HEIGHT = 230.0
"""Height of the plot area from 0 to 100 %."""
_LABELS = 18.0
_STRIP = 22.0
_SEVERITY = ("pass", "inconclusive", "error", "fail")


@dataclass(frozen=True)
class Stretch:
    """Time span of constant phase and weight.

    Attributes:
        start: seconds since the rollout began.
        end: seconds since the rollout began.
        weight: weight in percent.
        phase: name of the phase.
        back: the candidate is being rolled back, or was.
    """

    start: float
    end: float
    weight: float
    phase: str
    back: bool = False


@dataclass(frozen=True)
class Mark:
    """Analysis run (``words`` is its tooltip), or a decision (``words`` is its label)."""

    at: float
    status: str
    words: str


def ramp(
    stretches: Sequence[Stretch],
    looks: Sequence[Mark],
    moments: Sequence[Mark] = (),
    *,
    seconds: float,
    since: str,
    title: str = "Weight of the candidate over time",
) -> Markup:
    """Draw a rollout.

    Args:
        stretches: consecutive time spans without gaps; the last one may have no length.
        looks: analysis runs, drawn by status on a strip under the weights.
        moments: decisions, vertical lines with labels, at most about four.
        seconds: length of the x axis.
        since: name of the origin of the x axis.
        title: the accessible name.
    """
    left, right = 58.0, _WIDTH - 18
    across = elapsed(seconds, start=left, end=right)
    rows = _rows(moments, across)
    top = 26.0 + _LABELS * (max(rows, default=-1) + 1)
    bottom = top + _HEIGHT
    up = Scale(0.0, 1.0, bottom, top)
    parts = [*_phases(stretches, across, top, bottom), *_shares(up, left, right)]
    parts += _weights(stretches, across, up)
    placed = list(zip(moments, rows, strict=True))
    parts += [_upright(moment, across, row, bottom) for moment, row in placed]
    for moment, row in placed:  # above every line: a later label may overlap an earlier line
        parts += _words(moment, across, row)
    strip = bottom + 14
    parts += _strip(looks, across, strip)
    parts.append(svg.text(left - 8, strip + 4, "looks", class_="muted", anchor="end"))
    parts += axis(across, strip + _STRIP - 8, since)
    return svg.drawing(_WIDTH, strip + _STRIP + 32, *parts, title=title)


def _phases(stretches: Sequence[Stretch], across: Elapsed, top: float, bottom: float) -> list[Markup]:
    """Draw phases as areas, neighbours of one phase merged, with a tooltip, and the name if it fits."""
    merged: list[Stretch] = []
    for stretch in stretches:
        if merged and merged[-1].phase == stretch.phase:
            merged[-1] = Stretch(merged[-1].start, stretch.end, stretch.weight, stretch.phase, stretch.back)
        else:
            merged.append(stretch)
    parts = []
    for i, stretch in enumerate(merged):
        start, end = across.at(stretch.start), across.at(stretch.end)
        kind = "phase back" if stretch.back else "phase" if i % 2 else "phase other"
        tip = f"{stretch.phase}, {duration(stretch.end - stretch.start)}"
        parts.append(svg.rect(start, top - 20, end - start, bottom - top + 20, kind, tip=tip))
        if svg.text_width(stretch.phase) < end - start - 8:
            parts.append(svg.text((start + end) / 2, top - 6, stretch.phase, class_="muted small", anchor="middle"))
    return parts


def _shares(up: Scale, left: float, right: float) -> list[Markup]:
    parts = []
    for percent in (0, 25, 50, 75, 100):
        y = up.at(percent / 100)
        parts.append(svg.line(left, y, right, y, "grid"))
        parts.append(svg.text(left - 8, y + 4, f"{percent}%", class_="muted num", anchor="end"))
    return parts


def _weights(stretches: Sequence[Stretch], across: Elapsed, up: Scale) -> list[Markup]:
    points = [
        (across.at(at), up.at(stretch.weight / 100)) for stretch in stretches for at in (stretch.start, stretch.end)
    ]
    if not points:
        return []
    floor = up.start
    area = svg.path([(points[0][0], floor), *points, (points[-1][0], floor)], "band l0", closed=True)
    return [area, svg.path(points, "line l0")]


def _upright(moment: Mark, across: Elapsed, row: int, bottom: float) -> Markup:
    x = across.at(moment.at)
    return svg.line(x, 6 + _LABELS * row, x, bottom, f"s-{svg.look(moment.status)} stroke")


def _words(moment: Mark, across: Elapsed, row: int) -> list[Markup]:
    x, y = across.at(moment.at), 14 + _LABELS * row
    leftwards = _leftwards(moment, across)
    words = svg.text(
        x - 8 if leftwards else x + 8, y, moment.words, class_="name halo", anchor="end" if leftwards else "start"
    )
    return [words, svg.mark(moment.status, x, y - 4, radius=4)]


def _rows(moments: Sequence[Mark], across: Elapsed) -> list[int]:
    """Choose the row of each label: the first one without overlap."""
    occupied: list[list[tuple[float, float]]] = []
    rows = []
    for moment in moments:
        x, wide = across.at(moment.at), svg.text_width(moment.words) + 24
        start, end = (x - wide, x + 8) if _leftwards(moment, across) else (x - 8, x + wide)
        row = next(
            (i for i, spans in enumerate(occupied) if all(end < low or start > high for low, high in spans)),
            len(occupied),
        )
        if row == len(occupied):
            occupied.append([])
        occupied[row].append((start, end))
        rows.append(row)
    return rows


def _leftwards(moment: Mark, across: Elapsed) -> bool:
    return across.at(moment.at) + svg.text_width(moment.words) + 16 > across.scale.end


def _strip(looks: Sequence[Mark], across: Elapsed, y: float) -> list[Markup]:
    """Draw the analysis runs, the worst on top; the more there are, the smaller."""
    room = across.scale.end - across.scale.start
    radius = min(4.0, max(1.6, room / (2.6 * max(1, len(looks)))))
    ranked = sorted(looks, key=lambda look: _SEVERITY.index(look.status) if look.status in _SEVERITY else 0)
    return [
        svg.element("g", svg.element("title", look.words), svg.mark(look.status, across.at(look.at), y, radius=radius))
        for look in ranked
    ]
