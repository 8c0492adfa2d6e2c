"""How unevenly units carry each statistic, and the tails of the losses, from what was gathered (``tails``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from gauntlet.evaluation import covariance
from gauntlet.evaluation.covariance import Block
from gauntlet.evaluation.gather import Gathered, placed
from gauntlet.evaluation.positions import Position, slice_sums
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.tails import Tail, fourth, joined, loss_column, tail_of


def concentrations(
    gathered: Gathered,
    blocks: Sequence[Block],
    positions: Sequence[Position],
    sums: Floats,
    value: Floats,
    forms: sparse.csr_matrix,
    joint: Floats,
    support: Floats,
) -> tuple[Floats, Floats]:
    """Σd⁴ / (Σd²)² of every statistic, and of every difference of two models; 0 where it is unknown.

    Args:
        gathered, blocks, positions: of the rows.
        sums: (S, K) sums of the columns.
        value: (A, S, M) estimates.
        forms: (J, T) their influences.
        joint: (J, J) sums of products of the influences, without corrections for small samples.
        support: (A, S, M) Kish's effective number of units.

    Returns:
        (A, S, M), and (S, M): all 0 unless there are two models.
    """
    question, moments = gathered.question, gathered.moments
    where = {name: index for index, name in enumerate(question.columns)}
    # A root is taken by its square, the ratio: its influences are those of the ratio, divided by twice the root.
    roots = np.array([metric.root for metric in question.metrics])
    ratio, slope = np.where(roots, value**2, value), np.where(roots, 2 * value, 1.0)
    by_slice = slice_sums(moments.fourth.reshape(len(moments.fourth), -1), blocks, positions)
    by_slice = by_slice.reshape(len(positions), len(question.quartics), 5)
    levels, difference = np.full(value.shape, np.nan), np.full(value.shape[1:], np.nan)
    of_weights = np.zeros(value.shape)
    for index, quartic in enumerate(question.quartics):
        m = quartic.metric
        into = levels[quartic.model, :, m] if quartic.other < 0 else difference[:, m]
        if quartic.block >= 0:
            _put_area(into, moments.fourth[:, index, 0], blocks[quartic.block], quartic.block, positions)
            continue
        if not quartic.bottom:
            total = sums[:, [where[name] for name in quartic.top]] @ np.array(list(quartic.top.values()))
            part = np.divide(support[quartic.model, :, m] ** 0.5, total, out=np.zeros_like(total), where=total > 0)
            at = of_weights[quartic.model, :, m]
            np.maximum(at, np.nan_to_num(by_slice[:, index, 0]) * part**4, out=at)
            continue
        mean = ratio[quartic.model, :, m] - (0.0 if quartic.other < 0 else ratio[quartic.other, :, m])
        total = sums[:, [where[name] for name in quartic.bottom]] @ np.array(list(quartic.bottom.values()))
        into[:] = fourth(by_slice[:, index], mean, total)
    scaled = sparse.diags(np.nan_to_num(slope).reshape(-1)) @ forms
    squares = np.diag(joint).reshape(value.shape) * slope**2
    levels += covariance.fourth_powers(moments, blocks, scaled).reshape(value.shape)
    both = np.zeros_like(difference)
    if question.models == 2:
        first, second = np.arange(value.size).reshape(2, -1)
        difference += covariance.fourth_powers(moments, blocks, scaled[first] - scaled[second]).reshape(both.shape)
        both = squares[0] + squares[1] - 2 * joint[first, second].reshape(both.shape) * slope[0] * slope[1]
    return _relative(levels, squares) + of_weights, _relative(difference, both) + of_weights.max(axis=0)


def _put_area(into: Floats, by_cell: Floats, block: Block, number: int, positions: Sequence[Position]) -> None:
    """Fill in the slices whose areas have their column of influences in this block."""
    by_group = covariance.group_adder(block.codes, block.groups) @ by_cell
    for index, position in enumerate(positions):
        if position.slice.rest and position.complement == number:
            into[index] = by_group[0]
        elif not position.slice.rest and position.block == number:
            into[index] = by_group[position.group]


def _relative(fourths: Floats, squares: Floats) -> Floats:
    known = np.isfinite(fourths) & (squares > 0)
    return np.divide(fourths, squares**2, out=np.zeros_like(squares), where=known)


def tails_of(gathered: Gathered, positions: Sequence[Position], sums: Floats, value: Floats, support: Floats) -> Tail:
    """(A, S, M) tails of the contributions to mean losses; NaN for other metrics.

    Args:
        gathered, positions: of the rows.
        sums: (S, K) sums of the columns.
        value: (A, S, M) estimates.
        support: (A, S, M) effective number of units.
    """
    question = gathered.question
    total = sums[:, question.columns.index("one")]
    unit = np.ones_like(support)
    tails = np.full((4, *support.shape), np.nan)
    for m, metric in enumerate(question.metrics):
        name = loss_column(metric)
        for model in range(question.models) if name is not None else ():
            column = placed(str(name), model)
            if metric.explained:
                loss = sums[:, question.columns.index(column)]
                share = (1 - value[model, :, m]) * total
                unit[model, :, m] = np.divide(share, loss, out=np.ones_like(loss), where=loss > 0)
            for index, position in enumerate(positions):
                largest = _largest(gathered, column, position)
                tails[:, model, index, m] = tail_of(largest, int(support[model, index, m]))
    scale = np.divide(support, total[:, None], out=np.zeros_like(support), where=total[:, None] > 0) * unit
    return Tail(tails[0] * scale, tails[1], tails[2] * scale, tails[3])


def _largest(gathered: Gathered, column: str, position: Position) -> Floats:
    """The largest contributions in a slice; those of a complement are in the other levels and in the rows of none."""
    lists = gathered.largest[column, position.block - 1]
    if not position.slice.rest:
        return lists[position.group]
    return joined([part for group, part in enumerate(lists) if group != position.group])
