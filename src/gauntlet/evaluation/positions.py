"""Where the sums of each slice lie: its block and group, and the complement of one as all rows less the slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation import covariance
from gauntlet.evaluation.covariance import Block
from gauntlet.evaluation.gather import Question
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.slices import ALL, Slice


@dataclass(frozen=True)
class Position:
    """Position of a slice: its block and group, and for complements of rank metrics a block of their own."""

    slice: Slice
    block: int
    group: int
    complement: int = -1


def positions_of(question: Question) -> tuple[Position, ...]:
    """All rows, each level of each partition, then their complements if they are measured."""
    inside = [
        Position(Slice(name, level), p, group)
        for p, (name, levels) in enumerate(question.partitions, start=1)
        for group, level in enumerate(levels)
    ]
    positions = [Position(ALL, 0, 0), *inside]
    if question.rest:
        first = 1 + len(question.partitions)
        positions += [
            Position(
                Slice(position.slice.partition, position.slice.level, rest=True),
                position.block,
                position.group,
                first + index,
            )
            for index, position in enumerate(inside)
        ]
    return tuple(positions)


def slice_sums(by_cell: Floats, blocks: Sequence[Block], positions: Sequence[Position]) -> Floats:
    """(S, K) sums of every column in every slice."""
    by_block: dict[int, Floats] = {}
    for index in {position.block for position in positions}:
        adder = covariance.group_adder(blocks[index].codes, blocks[index].groups)
        by_block[index] = np.asarray(adder.astype(by_cell.dtype) @ by_cell)
    everything = by_block[0][0]
    parts = [by_block[position.block][position.group] for position in positions]
    return np.stack(
        [everything - part if position.slice.rest else part for position, part in zip(positions, parts, strict=True)]
    )
