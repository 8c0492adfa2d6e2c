"""Slices: groups of rows, as partitions by a column, a crossing of columns, or numeric bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from gauntlet.evaluation.sample import Floats, Ints

MISSING = "(missing)"


@dataclass(frozen=True)
class Slice:
    """One group of rows.

    Attributes:
        partition: name of the partition it belongs to: ``sex``, ``sex x race``; ``""`` for all rows.
        level: its value there: ``Female``; for a crossing ``Female, Black``; ``""`` for all rows.
        rest: True for the complement: every row of the partition that is not in the level.
    """

    partition: str
    level: str
    rest: bool = False

    @property
    def name(self) -> str:
        """``all rows``, ``sex=Female``, or ``sex≠Female``."""
        if not self.partition:
            return "all rows"
        return f"{self.partition}{'≠' if self.rest else '='}{self.level}"


ALL = Slice("", "")


@dataclass(frozen=True)
class Partition:
    """Disjoint groups of rows.

    Attributes:
        name: the column, or the crossed columns joined by `` x ``.
        codes: (n,) int: index into ``levels``, -1 for a row in no group.
        levels: name of each group.
    """

    name: str
    codes: Ints
    levels: tuple[str, ...]


def by_value(name: str, values: ArrayLike, *, max_levels: int = 1000) -> Partition:
    """One slice per distinct value; missing values (None, NaN) form their own slice ``(missing)``.

    Args:
        name: the column.
        values: (n,) strings, booleans, numbers, or objects with None.
        max_levels: refuse a column with more distinct values (an identifier is not a slice).

    Raises:
        ConfigurationError: more than ``max_levels`` distinct values.
    """
    raise NotImplementedError


def by_bins(name: str, values: ArrayLike, *, edges: Sequence[float] | None = None, bins: int = 4) -> Partition:
    """Numeric bins [a, b); the outer two are open-ended; missing values form their own slice.

    Args:
        name: the column.
        values: (n,) numbers; NaN is missing.
        edges: strictly increasing inner edges; None: quantiles that cut the rows into ``bins`` near-equal parts
            (fewer where ties do not allow it).
        bins: number of bins when ``edges`` is None, at least 2.

    Raises:
        ConfigurationError: edges not strictly increasing, or fewer than two bins asked for.
        DataError: values are not numbers.
    """
    raise NotImplementedError


def cross(*partitions: Partition) -> Partition:
    """The crossing of partitions: one slice per combination that occurs.

    Raises:
        ConfigurationError: fewer than two partitions.
    """
    raise NotImplementedError


def sizes(partition: Partition, weight: Floats | None = None) -> Floats:
    """(levels,) number of rows (or sum of weights) of each slice."""
    raise NotImplementedError


def keep_large(partition: Partition, smallest: int) -> tuple[Partition, tuple[str, ...]]:
    """Drop slices with fewer than ``smallest`` rows.

    Returns:
        The partition without them (their rows get code -1), and the names of the dropped levels.
    """
    raise NotImplementedError
