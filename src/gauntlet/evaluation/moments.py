"""Sums and cross-products of the metrics' columns, by cell: all that a covariance of metrics needs, and mergeable.

A *cell* is a set of rows that lie in the same slice of every partition; slices are unions of cells. Within a cell every
statistic's influence is linear in the row's weighted columns, so the cell's sum and Gram matrix of those columns are
all that remains of its rows. Sums over shards equal the whole (``merge``).

The unit of sampling is the cluster where rows are clustered: a cluster's rows in one cell are added up before the Gram
matrix is taken. Clusters that straddle cells keep their per-cell sums (``pieces``), because their cells covary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.errors import DataError
from gauntlet.evaluation.sample import Floats, Ints

_COMPACT_RANGE = 1 << 22
"""Up to so many possible keys, counting them all is quicker than sorting the rows."""


@dataclass(frozen=True)
class Pieces:
    """Clusters whose rows lie in several cells.

    Attributes:
        cluster: (R,) int cluster of each piece, ascending.
        cell: (R,) int cell of each piece.
        sums: (R, K) sums of the piece's rows.
    """

    cluster: Ints
    cell: Ints
    sums: Floats


@dataclass(frozen=True)
class Units:
    """Sampling units: rows, or what the rows of a cluster in one cell add up to.

    Attributes:
        columns: (K, u) sums of their rows.
        cell: (u,) their cell, ascending.
        cluster: (u,) their cluster; empty where units are rows.
        shared: (u,) whether their cluster has rows in other cells too; empty where units are rows.
    """

    columns: Floats
    cell: Ints
    cluster: Ints
    shared: NDArray[np.bool_]


@dataclass(frozen=True)
class Moments:
    """Moments of rows, by cell.

    Attributes:
        cells: (C, P) slice of each cell in each partition, -1 for none; distinct rows, lexicographically sorted.
        rows: (C,) number of rows.
        units: (C,) number of sampling units (rows, or clusters with a row in the cell).
        sums: (C, K) sums of the K weighted columns.
        gram: (C, K, K) sums over units that lie in one cell only of the outer product of their sums with themselves.
        pieces: the other units.
        fourth: (C, F, 5) sums over units that lie in one cell only of F kinds of fourth powers (``tails.powers``).
    """

    cells: Ints
    rows: Ints
    units: Ints
    sums: Floats
    gram: Floats
    pieces: Pieces
    fourth: Floats


def find_cells(codes: Sequence[Ints], rows: int) -> tuple[Ints, Ints]:
    """Put rows into cells.

    Args:
        codes: (n,) slice of each row in each partition, -1 for none.
        rows: n, for the case of no partitions.

    Returns:
        (n,) cell of each row, numbered in lexicographic order of their slices, and (C, P) the slices of each cell.
    """
    key = np.zeros(rows, dtype=np.int64)
    width = 1
    for code in codes:
        levels = int(code.max()) + 2
        if width * levels > _COMPACT_RANGE:
            key, width = _compact(key, width)
        key *= levels
        key += code
        key += 1
        width *= levels
    key, width = _compact(key, width)
    first = np.empty(width, dtype=np.int64)
    first[key[::-1]] = np.arange(rows - 1, -1, -1)
    return key, np.stack([code[first] for code in codes], axis=1) if codes else np.empty((width, 0), dtype=np.int64)


def _compact(key: Ints, width: int) -> tuple[Ints, int]:
    """Renumber keys 0..u-1 in ascending order of the u values that occur."""
    if width > _COMPACT_RANGE:
        values, inverse = np.unique(key, return_inverse=True)
        return inverse.astype(np.int64, copy=False), len(values)
    number = np.cumsum(np.bincount(key, minlength=width) > 0) - 1
    return number[key], int(number[-1]) + 1


def units_of(columns: Floats, cell: Ints, cluster: Ints | None = None) -> Units:
    """Add the rows of each cluster up, cell by cell.

    Args:
        columns: (K, n) weighted columns.
        cell: (n,) cell of each row, ascending.
        cluster: (n,) cluster of each row, or None: the rows are the units.
    """
    if cluster is None:
        return Units(columns, cell, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    order = np.argsort(cluster, kind="stable")  # the cells of a cluster stay ascending
    changed = (np.diff(cluster[order], prepend=-1) != 0) | (np.diff(cell[order], prepend=-1) != 0)
    begin = np.flatnonzero(changed)
    unit_cluster, unit_cell = cluster[order][begin], cell[order][begin]
    sums = np.stack([np.add.reduceat(column[order], begin) for column in columns])
    shared = np.bincount(unit_cluster)[unit_cluster] > 1
    by_cell = np.argsort(unit_cell, kind="stable")  # the clusters of a cell stay ascending
    return Units(sums[:, by_cell], unit_cell[by_cell], unit_cluster[by_cell], shared[by_cell])


def collect(columns: Floats, cell: Ints, cells: Ints, units: Units, fourth: Floats) -> Moments:
    """Add the rows of a shard up.

    Args:
        columns: (K, n) weighted columns.
        cell: (n,) cell of each row, ascending.
        cells: (C, P) slices of each cell.
        units: of the same rows.
        fourth: (C, F, 5) sums of fourth powers, as ``Moments`` has them.
    """
    count = len(cells)
    starts = np.searchsorted(cell, np.arange(count))
    rows = np.diff(starts, append=len(cell))
    sums = np.add.reduceat(columns, starts, axis=1).T.copy()
    if not len(units.cluster):
        nothing = Pieces(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty((0, len(columns))))
        return Moments(cells, rows, rows, sums, _gram(columns, starts, rows), nothing, fourth)
    alone = np.flatnonzero(~units.shared)
    sizes = np.bincount(units.cell[alone], minlength=count)
    inner, begin = units.columns[:, alone], np.cumsum(sizes) - sizes
    shared = np.flatnonzero(units.shared)
    shared = shared[np.argsort(units.cluster[shared], kind="stable")]
    pieces = Pieces(units.cluster[shared], units.cell[shared], units.columns[:, shared].T.copy())
    number = np.bincount(units.cell, minlength=count)
    return Moments(cells, rows, number, sums, _gram(inner, begin, sizes), pieces, fourth)


def add_by_cell(values: Floats, cell: Ints, count: int) -> Floats:
    """(count,) sums over each cell.

    Args:
        values: (u,).
        cell: (u,) cell of each, ascending.
        count: number of cells.
    """
    sizes = np.bincount(cell, minlength=count)
    full = np.flatnonzero(sizes)
    total = np.zeros(count)
    if len(full):
        total[full] = np.add.reduceat(values, (np.cumsum(sizes) - sizes)[full])
    return total


def _gram(columns: Floats, starts: Ints, sizes: Ints) -> Floats:
    """(C, K, K) products of (K, n) columns over each cell's rows."""
    width = len(columns)
    gram = np.empty((len(starts), width, width))
    for cell, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        part = columns[:, start : start + size]
        np.matmul(part, part.T, out=gram[cell])
    return gram


def merge(first: Moments, second: Moments) -> Moments:
    """Add two shards. Equals collecting their rows together, provided that no cluster has rows in both.

    Raises:
        DataError: the shards count different columns or partitions.
    """
    if first.cells.shape[1] != second.cells.shape[1] or first.sums.shape[1] != second.sums.shape[1]:
        raise DataError(
            "shards were collected for different metrics or partitions",
            field="moments",
            mend="Collect every shard with the same metrics and partitions",
        )
    stacked = np.concatenate([first.cells, second.cells])
    cells, place = np.unique(stacked, axis=0, return_inverse=True)
    place = place.reshape(-1)
    split = len(first.cells)

    def add(a: Floats | Ints, b: Floats | Ints) -> np.ndarray:
        total = np.zeros((len(cells), *a.shape[1:]), dtype=a.dtype)
        np.add.at(total, place[:split], a)
        np.add.at(total, place[split:], b)
        return total

    offset = int(first.pieces.cluster[-1]) + 1 if len(first.pieces.cluster) else 0
    pieces = Pieces(
        np.concatenate([first.pieces.cluster, second.pieces.cluster + offset]),
        np.concatenate([place[:split][first.pieces.cell], place[split:][second.pieces.cell]]),
        np.concatenate([first.pieces.sums, second.pieces.sums]),
    )
    return Moments(
        cells,
        add(first.rows, second.rows),
        add(first.units, second.units),
        add(first.sums, second.sums),
        add(first.gram, second.gram),
        pieces,
        add(first.fourth, second.fourth),
    )
