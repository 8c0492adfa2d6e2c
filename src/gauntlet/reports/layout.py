"""Layered layout of a directed acyclic graph, from top to bottom.

The usual steps (Sugiyama, Tagawa, Toda 1981): transitive reduction of the links, layer assignment by longest path,
waypoints in the layers that a long link crosses, crossing reduction by the barycenter heuristic, and positions by least
squares with a minimum distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gauntlet.errors import InternalError

_SWEEPS = 12
Cell = tuple[str, int]
"""Node (name, 0), or waypoint of a link (link, layer)."""


@dataclass(frozen=True)
class Layout:
    """Positions of nodes and links.

    Attributes:
        places: node → (x, layer); x is its centre, the smallest is 0.
        routes: drawn link → (x, layer) of its start, waypoints and end.
        width: largest x.
        layers: number of layers.
    """

    places: Mapping[str, tuple[float, int]]
    routes: Mapping[tuple[str, str], tuple[tuple[float, int], ...]]
    width: float
    layers: int


def layered(names: Sequence[str], links: Sequence[tuple[str, str]], *, distance: float, narrow: float) -> Layout:
    """Compute the layout of a graph.

    Args:
        names: the nodes; their order breaks ties.
        links: (from, to); links with unknown nodes and self-links are ignored.
        distance: minimum distance between the centres of two nodes of a layer.
        narrow: minimum distance of a waypoint from its neighbour.

    Raises:
        InternalError: the graph has a cycle.
    """
    known = set(names)
    distinct = dict.fromkeys((a, b) for a, b in links if a in known and b in known and a != b)
    layer = _layers(names, list(distinct))
    kept = _transitive_reduction(names, list(distinct))
    chains = {link: _chain(link, layer) for link in kept}
    depth = max(layer.values(), default=-1) + 1
    rows: list[list[Cell]] = [[] for _ in range(depth)]
    for name in names:
        rows[layer[name]].append((name, 0))
    for chain in chains.values():
        for offset, cell in enumerate(chain[1:-1], start=1):
            rows[layer[chain[0][0]] + offset].append(cell)
    above, below = _neighbours(chains)
    _reduce_crossings(rows, above, below)
    x = _positions(rows, above, below, distance, narrow)
    smallest = min(x.values(), default=0.0)
    x = {cell: value - smallest for cell, value in x.items()}
    return Layout(
        places={name: (x[name, 0], layer[name]) for name in names},
        routes={
            link: tuple((x[cell], layer[link[0]] + i) for i, cell in enumerate(chain)) for link, chain in chains.items()
        },
        width=max(x.values(), default=0.0),
        layers=depth,
    )


def _layers(names: Sequence[str], links: list[tuple[str, str]]) -> dict[str, int]:
    """Assign layers by the longest path from any source; a source moves down to its first successor."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    order = _topological(names, before, after)
    layer: dict[str, int] = {}
    for name in order:
        layer[name] = max((layer[a] + 1 for a in before[name]), default=0)
    for name in names:
        if not before[name] and after[name]:
            layer[name] = min(layer[b] for b in after[name]) - 1
    return layer


def _topological(names: Sequence[str], before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    waiting = {name: len(before[name]) for name in names}
    ready = [name for name in names if not waiting[name]]
    order: list[str] = []
    while ready:
        name = ready.pop(0)
        order.append(name)
        for b in after[name]:
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    if len(order) < len(names):
        cycle = [name for name in names if waiting[name]]
        raise InternalError("the graph has a cycle", field="edges", value=cycle)
    return order


def _transitive_reduction(names: Sequence[str], links: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Remove links that are implied by longer paths."""
    after: dict[str, set[str]] = {name: set() for name in names}
    before: dict[str, list[str]] = {name: [] for name in names}
    for a, b in links:
        after[a].add(b)
        before[b].append(a)
    reach: dict[str, set[str]] = {}
    for name in reversed(_topological(names, before, {key: sorted(value) for key, value in after.items()})):
        reach[name] = after[name].union(*(reach[b] for b in after[name]))
    return [(a, b) for a, b in links if not any(b in reach[other] for other in after[a] if other != b)]


def _chain(link: tuple[str, str], layer: dict[str, int]) -> list[Cell]:
    a, b = link
    waypoints: list[Cell] = [(f"{a}\0{b}", level) for level in range(layer[a] + 1, layer[b])]
    return [(a, 0), *waypoints, (b, 0)]


def _neighbours(
    chains: Mapping[tuple[str, str], list[Cell]],
) -> tuple[dict[Cell, list[Cell]], dict[Cell, list[Cell]]]:
    above: dict[Cell, list[Cell]] = {}
    below: dict[Cell, list[Cell]] = {}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    return above, below


def _reduce_crossings(rows: list[list[Cell]], above: dict[Cell, list[Cell]], below: dict[Cell, list[Cell]]) -> None:
    """Reduce crossings: order each layer by the mean position of its neighbours, in sweeps; keep the best order."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        sides = above if downwards else below
        levels = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
        for level in levels:
            next_to = rows[level - 1 if downwards else level + 1]
            place = {cell: i / max(1, len(next_to) - 1) for i, cell in enumerate(next_to)}
            current = {cell: i / max(1, len(rows[level]) - 1) for i, cell in enumerate(rows[level])}
            keys = {cell: _mean([place[n] for n in sides.get(cell, ())], current[cell]) for cell in rows[level]}
            rows[level].sort(key=keys.__getitem__)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _crossings(rows: list[list[Cell]], below: dict[Cell, list[Cell]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {cell: i for i, cell in enumerate(lower)}
        ends = [place[b] for a in upper for b in sorted(below.get(a, ()), key=place.__getitem__)]
        total += sum(1 for i, first in enumerate(ends) for second in ends[i + 1 :] if first > second)
    return total


def _positions(
    rows: list[list[Cell]],
    above: dict[Cell, list[Cell]],
    below: dict[Cell, list[Cell]],
    distance: float,
    narrow: float,
) -> dict[Cell, float]:
    x: dict[Cell, float] = {}
    for row in rows:
        offsets = _offsets(row, distance, narrow)
        x.update({cell: offset - offsets[-1] / 2 for cell, offset in zip(row, offsets, strict=True)})
    for sweep in range(2 * _SWEEPS):
        ordered = rows if sweep % 2 == 0 else rows[::-1]
        for row in ordered:
            preferred = [_mean([x[n] for n in (*above.get(cell, ()), *below.get(cell, ()))], x[cell]) for cell in row]
            positions = _spread(preferred, _offsets(row, distance, narrow))
            x.update(zip(row, positions, strict=True))
    return x


def _offsets(row: list[Cell], distance: float, narrow: float) -> list[float]:
    """Minimum distance of each cell of a layer from its first one."""
    offsets = [0.0]
    for left, right in pairwise(row):
        waypoints = ("\0" in left[0]) + ("\0" in right[0])
        offsets.append(offsets[-1] + (distance, (distance + narrow) / 2, narrow)[waypoints])
    return offsets


def _spread(preferred: list[float], offsets: list[float]) -> list[float]:
    """Find the positions nearest to the preferred ones that keep the offsets (isotonic regression)."""
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(preferred, offsets, strict=True):
        total, size = value - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            more, others = blocks.pop()
            total, size = total + more, size + others
        blocks.append((total, size))
    levels = [total / size for total, size in blocks for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
