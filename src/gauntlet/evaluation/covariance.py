"""The joint covariance of statistics over slices that share rows, from moments by cell.

In slice l of block b (the partition it belongs to) a statistic's influence of a row is a linear form in the row's
weighted columns, and zero outside the slice. So the statistics are D·B, with B the basis of all (block, slice, column)
sums and D sparse; and their covariance is D·cov(B)·Dᵀ, where the covariance of two basis sums is the Gram matrix of
their columns over the cells in both slices. Its cost does not depend on the number of rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from gauntlet.evaluation.moments import Moments
from gauntlet.evaluation.sample import Floats, Ints

_CLUSTERS_AT_ONCE = 1024


@dataclass(frozen=True)
class Block:
    """Disjoint slices and the columns that statistics on them use.

    Attributes:
        codes: (C,) slice of each cell, -1 for none.
        groups: number of slices.
        columns: (k,) which columns of the moments.
    """

    codes: Ints
    groups: int
    columns: Ints

    @property
    def size(self) -> int:
        """Number of basis sums."""
        return self.groups * len(self.columns)

    def locate(self, group: int, columns: Ints) -> Ints:
        """Position of columns of a slice among this block's basis sums."""
        return group * len(self.columns) + np.searchsorted(self.columns, columns)


def offsets(blocks: Sequence[Block]) -> Ints:
    """(blocks + 1,) where each block's basis sums begin, and their total number."""
    return np.concatenate([[0], np.cumsum([block.size for block in blocks])]).astype(np.int64)


def joint(moments: Moments, blocks: Sequence[Block], forms: sparse.csr_matrix, basis: Floats) -> Floats:
    """(J, J) covariance of J linear forms in the basis sums.

    Args:
        moments: of the rows.
        blocks: the basis, in order.
        forms: (J, T) coefficients.
        basis: (T, T) from ``basis_gram``.
    """
    covariance = np.asarray(forms @ (forms @ basis).T)
    for part in _cluster_sums(moments, blocks):
        influence = np.asarray(forms @ part.T)
        covariance += influence @ influence.T
    return covariance


def variances(moments: Moments, blocks: Sequence[Block], forms: sparse.csr_matrix, basis: Floats) -> Floats:
    """(J,) diagonal of ``joint``."""
    diagonal = np.asarray(forms.multiply(forms @ basis).sum(axis=1)).reshape(-1)
    for part in _cluster_sums(moments, blocks):
        diagonal += np.square(np.asarray(forms @ part.T)).sum(axis=1)
    return diagonal


def fourth_powers(moments: Moments, blocks: Sequence[Block], forms: sparse.csr_matrix) -> Floats:
    """(J,) Σd⁴ of the influences of the clusters that straddle cells."""
    total = np.zeros(forms.shape[0])
    for part in _cluster_sums(moments, blocks):
        total += (np.square(np.asarray(forms @ part.T)) ** 2).sum(axis=1)
    return total


def basis_gram(moments: Moments, blocks: Sequence[Block]) -> Floats:
    """(T, T) sums over the units that lie in one cell of the products of every two basis sums."""
    start = offsets(blocks)
    gram = np.zeros((start[-1], start[-1]))
    spans = [_spans(block.columns) for block in blocks]

    # Most columns are in every block: their products are copied out of the cells once, not once a pair.
    @lru_cache(maxsize=4 * len(blocks))
    def products(rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
        return moments.gram[:, slice(*rows), slice(*columns)].reshape(len(moments.gram), -1)

    for i, first in enumerate(blocks):
        for j in range(i, len(blocks)):
            second = blocks[j]
            inside = (first.codes >= 0) & (second.codes >= 0)
            both = np.where(inside, first.codes * second.groups + second.codes, -1)
            adder = group_adder(both, first.groups * second.groups)
            tile = np.empty((first.groups, len(first.columns), second.groups, len(second.columns)))
            for (rows, row_span), (columns, column_span) in itertools.product(spans[i], spans[j]):
                part = np.asarray(adder @ products(row_span, column_span))
                part = part.reshape(first.groups, second.groups, rows.stop - rows.start, columns.stop - columns.start)
                tile[:, rows, :, columns] = part.transpose(0, 2, 1, 3)
            flat = tile.reshape(first.size, second.size)
            gram[start[i] : start[i + 1], start[j] : start[j + 1]] = flat
            gram[start[j] : start[j + 1], start[i] : start[i + 1]] = flat.T
    return gram


def _spans(columns: Ints) -> list[tuple[slice, tuple[int, int]]]:
    """Runs of consecutive columns: where they are among the block's, and first and past-the-last column."""
    runs = np.split(columns, np.flatnonzero(np.diff(columns) != 1) + 1)
    ends = np.cumsum([len(run) for run in runs])
    return [
        (slice(int(end) - len(run), int(end)), (int(run[0]), int(run[-1]) + 1))
        for run, end in zip(runs, ends, strict=True)
        if len(run)
    ]


def group_adder(codes: Ints, groups: int) -> sparse.csc_matrix:
    """(groups, C) matrix that adds the rows of each group up.

    Args:
        codes: (C,) group of each row, -1 for none.
        groups: number of groups.
    """
    inside = codes >= 0
    ends = np.concatenate([[0], np.cumsum(inside)])  # a column of the matrix has one entry, or none
    return sparse.csc_matrix((np.ones(ends[-1]), codes[inside], ends), shape=(groups, len(codes)))


def _cluster_sums(moments: Moments, blocks: Sequence[Block]) -> Iterator[Floats]:
    """(clusters, T) basis sums of the clusters that straddle cells, in chunks."""
    pieces = moments.pieces
    if not len(pieces.cluster):
        return
    cluster = np.cumsum(np.diff(pieces.cluster, prepend=pieces.cluster[0]) != 0)  # numbered anew, without gaps
    start = offsets(blocks)
    rows, positions, values = [], [], []
    for block, offset in zip(blocks, start, strict=False):
        code = block.codes[pieces.cell]
        inside = np.flatnonzero(code >= 0)
        width = len(block.columns)
        rows.append(np.repeat(cluster[inside], width))
        positions.append((offset + code[inside, None] * width + np.arange(width)).reshape(-1))
        values.append(pieces.sums[np.ix_(inside, block.columns)].reshape(-1))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(positions)))
    whole = sparse.csr_matrix(entries, shape=(int(cluster[-1]) + 1, int(start[-1])))
    for i in range(0, whole.shape[0], _CLUSTERS_AT_ONCE):
        yield whole[i : i + _CLUSTERS_AT_ONCE].toarray()
