"""Example weights over a split: are they numbers that statistics, training and intervals can take?

A weight of 1 is one row, to the regularisation of training as to statistics: where a thousand rows together weigh less
than one, no split of a tree is worth its leaf, and the model is a constant; where they weigh very much, 32-bit sums
overflow, and it is one as well. Both would go unnoticed until the model is judged.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST_MEAN, _MOST_MEAN = 1e-3, 1e9
"""Weights of population surveys have means up to 10⁶."""
_LARGEST = 1e12


class Weights:
    """Sums weights up over batches.

    Args:
        column: the column with the role ``weight``.
    """

    def __init__(self, column: str) -> None:
        self._column, self._field = column, f"roles.weight ({column})"
        self._rows, self._total, self._largest = 0, 0.0, 0.0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one batch.

        Raises:
            DataError: a weight is missing, negative or not finite.
        """
        import pyarrow.compute as pc

        column = batch.column(self._column)
        if column.null_count:
            raise DataError(
                "example weights are missing",
                field=self._column,
                value=f"{column.null_count} rows without a weight in one batch of {batch.num_rows}",
                mend="Give every row a weight, or drop the role weight",
            )
        values = column.cast("float64")
        lowest, highest, total = pc.min(values).as_py(), pc.max(values).as_py(), pc.sum(values).as_py()
        if lowest is not None and lowest < 0:
            raise DataError(
                "an example weight is negative",
                field=self._column,
                value=lowest,
                mend="Give every row a weight of 0 or more",
            )
        if total is not None and math.isnan(total):
            raise DataError(
                "an example weight is not a number", field=self._column, mend="Give every row a weight of 0 or more"
            )
        self._rows += batch.num_rows
        self._total += total or 0.0
        self._largest = max(self._largest, highest or 0.0)

    def require_usable(self, split: str = "") -> None:
        """Refuse weights that nothing can be made of; ask after all batches.

        Args:
            split: whose weights they are, for the message.

        Raises:
            DataError: all are zero; or they are so small, or so large, that training would make a constant of them.
        """
        if not self._rows:
            return
        where, mean = f" of split {split}" if split else "", self._total / self._rows
        if not self._total:
            raise DataError(
                f"all example weights{where} are zero, so that no row counts",
                field=self._field,
                value=f"{self._rows:,} rows with weight 0",
                mend="Correct the column, or drop the role weight",
            )
        if mean < _LEAST_MEAN or mean > _MOST_MEAN or self._largest > _LARGEST:
            extent = "small" if mean < _LEAST_MEAN else "large"
            raise DataError(
                f"the example weights{where} are too {extent}: a row of weight 1 counts as one row, and training would"
                " make a constant of them",
                field=self._field,
                value=f"mean {mean:.3g}, largest {self._largest:.3g}",
                mend="Divide the column by its mean",
            )
