"""Slices and partitions of rows, as arrays of codes. ``grouping`` makes them from columns, crossings and bins."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.evaluation.sample import Ints

CROSSED = " × "
"""Between the columns of a crossing, in a partition's name."""
JOINED = ", "
"""Between the values of a crossing, in a level."""


@dataclass(frozen=True)
class Slice:
    """Group of rows.

    Attributes:
        partition: name of the partition it belongs to: ``sex``, ``sex × race``; ``""`` for all rows.
        level: its value there: ``Female``; for a crossing ``Female, Black``; ``""`` for all rows.
        rest: True for the complement: every row that is not in the level.
    """

    partition: str
    level: str
    rest: bool = False

    @property
    def name(self) -> str:
        """``all rows``, ``sex=Female``, ``sex=Female, race=Black``, or ``sex≠Female``."""
        if not self.partition:
            return "all rows"
        columns, values = self.partition.split(CROSSED), self.level.split(JOINED)
        if len(columns) == len(values) > 1 and not self.rest:
            return JOINED.join(f"{column}={value}" for column, value in zip(columns, values, strict=True))
        return f"{self.partition}{'≠' if self.rest else '='}{self.level}"


ALL = Slice("", "")


@dataclass(frozen=True)
class Partition:
    """Disjoint groups of rows.

    Attributes:
        name: the column, or the crossed columns joined by `` × ``; unique among the partitions measured together.
        codes: (n,) int: index into ``levels``, -1 for a row in no group.
        levels: name of each group, unique within the partition.
    """

    name: str
    codes: Ints
    levels: tuple[str, ...]
