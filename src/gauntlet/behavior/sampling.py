"""Draws a reproducible bottom-k sample of the rows that match a rule, in one pass over a split and bounded memory.

A unit (a row, or a cluster where rows are clustered) is in the sample when its hash is among the smallest. The hash is
of the seed and the unit's identifier, so the sample depends neither on the order of rows nor on their storage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.data.columns import canonical_text
from gauntlet.data.derive import Expression
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SLACK = 4
"""A sample is cut when it holds this many times its maximum."""


@dataclass(frozen=True)
class Drawn:
    """Sampled rows for one rule.

    Attributes:
        rows: the rows, with ``example_id`` and the columns kept.
        units: (n,) uint64, equal where rows belong to one cluster; otherwise all different.
        matched: rows of the split that match the rule.
        clustered: whether units are clusters.
    """

    rows: pa.Table
    units: np.ndarray
    matched: int
    clustered: bool


class Sampler:
    """Bottom-k sampler of one rule, fed batch by batch.

    Args:
        most: largest number of units.
        where: condition on rows; ``None`` for all.
        keep: columns of the sample.
    """

    def __init__(self, most: int, where: Expression | None, keep: Sequence[str]) -> None:
        self.most = most
        self.where = where
        self.keep = list(dict.fromkeys([EXAMPLE_ID, *keep]))
        self.matched = 0
        self._limit: int | None = None
        self._rows: list[pa.Table] = []
        self._units: list[np.ndarray] = []

    def add(self, batch: pa.Table, units: np.ndarray) -> None:
        """Add a batch.

        Args:
            batch: its rows.
            units: (n,) uint64, from ``hashes``.
        """
        import numpy as np
        import pyarrow as pa

        mask = np.ones(batch.num_rows, dtype=bool)
        if self.where is not None:
            columns = {name: batch.column(name).combine_chunks() for name in self.where.names}
            mask = self.where.evaluate(columns, batch.num_rows).fill_null(False).to_numpy(zero_copy_only=False)
        self.matched += int(mask.sum())
        if self._limit is not None:
            mask &= units <= self._limit
        if not mask.any():
            return
        self._rows.append(batch.select(self.keep).filter(pa.array(mask)))
        self._units.append(units[mask])
        if sum(len(part) for part in self._units) > _SLACK * self.most:
            self._cut()

    def finish(self, *, clustered: bool) -> Drawn | None:
        """Return the sample; ``None`` if no row matched."""
        if not self._rows:
            return None
        self._cut()
        return Drawn(self._rows[0], self._units[0], self.matched, clustered)

    def _cut(self) -> None:
        import numpy as np
        import pyarrow as pa

        rows, units = pa.concat_tables(self._rows), np.concatenate(self._units)
        distinct = np.unique(units)
        if len(distinct) > self.most:
            self._limit = int(distinct[self.most - 1])
            mask = units <= self._limit
            rows, units = rows.filter(pa.array(mask)), units[mask]
        self._rows, self._units = [rows], [units]


def draw(snapshot: Snapshot, split: str, samplers: Mapping[str, Sampler], *, seed: int) -> dict[str, Drawn | None]:
    """Draw the samples of several rules in one pass.

    Args:
        snapshot: the data.
        split: the split.
        samplers: rule → its sampler.
        seed: seed of the sample.

    Raises:
        DataError: a part cannot be read.
    """
    cluster = snapshot.roles.cluster
    read = {
        name
        for sampler in samplers.values()
        for name in (*sampler.keep, *(sampler.where.names if sampler.where else ()))
    }
    if cluster is not None:
        read.add(cluster)
    columns = [EXAMPLE_ID, *(name for name in snapshot.columns if name in read)]
    import pyarrow as pa

    for batch in snapshot.batches(split, columns):
        table = pa.Table.from_batches([batch])
        units = hashes(table.column(cluster or EXAMPLE_ID), seed)
        for sampler in samplers.values():
            sampler.add(table, units)
    return {name: sampler.finish(clustered=cluster is not None) for name, sampler in samplers.items()}


def hashes(names: pa.ChunkedArray, seed: int) -> np.ndarray:
    """(n,) uint64 hashes of seed and identifier; missing identifiers are equal."""
    import numpy as np
    import pandas as pd

    texts = canonical_text(names.combine_chunks()).fill_null("")
    key = f"{seed:x}".rjust(16, "0")
    return np.asarray(pd.util.hash_array(texts.to_numpy(zero_copy_only=False), hash_key=key), dtype=np.uint64)
