"""Task graph of a run: tasks from top to bottom, each with its status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gauntlet.reports import svg
from gauntlet.reports.format import href, shorten
from gauntlet.reports.layout import layered

_WIDTH, _HEIGHT = 216.0, 42.0
_GAP_X, _GAP_Y = 20.0, 34.0
_LANE = 26.0
_LONGEST_NAME = 24


@dataclass(frozen=True)
class Node:
    """Node of the graph, drawn as a box.

    Attributes:
        id: identifier in edges.
        label: text in the box.
        status: status of a verdict or task; it selects mark and colour.
        detail: a second, smaller line.
        href: link target; empty for none.
        tip: tooltip, after the whole label.
    """

    id: str
    label: str
    status: str = ""
    detail: str = ""
    href: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Edge:
    """``end`` needs ``start``."""

    start: str
    end: str


def flow(nodes: Sequence[Node], edges: Sequence[Edge], *, title: str = "Tasks and what they depend on") -> Markup:
    """Draw a directed acyclic graph from top to bottom, without edges implied by longer paths.

    Raises:
        InternalError: the graph has a cycle.
    """
    plan = layered(
        [node.id for node in nodes],
        [(edge.start, edge.end) for edge in edges],
        distance=_WIDTH + _GAP_X,
        narrow=_LANE,
    )
    left, row = _WIDTH / 2 + 2, _HEIGHT + _GAP_Y
    parts = [_link([(left + x, 2 + level * row + _HEIGHT / 2) for x, level in route]) for route in plan.routes.values()]
    for node in nodes:
        x, level = plan.places[node.id]
        parts.append(_box(node, left + x - _WIDTH / 2, 2 + level * row))
    height = max(1, plan.layers) * row - _GAP_Y + 4
    return svg.drawing(plan.width + _WIDTH + 4, height, *parts, title=title, class_="plot flow")


def _box(node: Node, x: float, y: float) -> Markup:
    tip = " – ".join(part for part in (node.label, node.status, node.tip) if part)
    middle = y + _HEIGHT / 2
    parts = [
        svg.element("title", tip),
        svg.rect(x, y, _WIDTH, _HEIGHT, "box", rx=6),
        svg.rect(x, y, 4, _HEIGHT, f"s-{svg.look(node.status)} fill", rx=2),
        svg.glyph_at(node.status, x + 12, middle - 6),
        svg.text(
            x + 30,
            middle - 3 if node.detail else middle + 4,
            shorten(node.label, _LONGEST_NAME),
            class_="name",
        ),
    ]
    if node.detail:
        parts.append(svg.text(x + 30, middle + 12, shorten(node.detail, 28), class_="muted small"))
    group = svg.element("g", *parts, class_=f"node s-{svg.look(node.status)}")
    return svg.element("a", group, href=href(node.href)) if node.href else group


def _link(points: list[tuple[float, float]]) -> Markup:
    """Draw an edge as a smooth path through its layers, straight within each layer."""
    half = _HEIGHT / 2
    steps: list[str] = []
    for i, (x, y) in enumerate(points):
        if i == 0:
            steps.append(f"M{_at(x, y + half)}")
            continue
        before_x, before_y = points[i - 1]
        bend = _GAP_Y * 0.5
        steps.append(f"C{_at(before_x, before_y + half + bend)} {_at(x, y - half - bend)} {_at(x, y - half)}")
        if i < len(points) - 1:
            steps.append(f"L{_at(x, y + half)}")
    return svg.element("path", d=" ".join(steps), class_="edge")


def _at(x: float, y: float) -> str:
    return f"{svg.coordinate(x)} {svg.coordinate(y)}"
