"""Whether a label can be learnt: every row has one, and there is more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class LabelCheck:
    """Looks at a label batch by batch; ``judge`` says what it saw.

    Args:
        name: the label's column.
        missing: ``drop``: rows without a label are left out; ``error``: they are an error.
    """

    def __init__(self, name: str | None, missing: Literal["error", "drop"]) -> None:
        self._name = name
        self._missing = missing
        self._rows = 0
        self._without = 0
        self._classes: set[Any] = set()

    def see(self, labels: pa.Array) -> np.ndarray:
        """Take in a batch; returns (n,) bool, which rows to keep."""
        self._rows += len(labels)
        self._without += labels.null_count
        if len(self._classes) < 2:
            self._classes.update(labels.drop_null().unique()[:2].to_pylist())
        kept: np.ndarray = labels.is_valid().to_numpy(zero_copy_only=False)
        return kept

    def judge(self) -> None:
        """Say what is wrong.

        Raises:
            DataError: labels are missing, or all rows have the same.
        """
        field = f"label {self._name}"
        if self._without and self._missing == "error":
            raise DataError(
                "is missing in some rows",
                field=field,
                value=f"{self._without} of {self._rows} rows",
                mend='Mend them at the source, or leave them out: reader.missing_label: "drop"',
            )
        if len(self._classes) == 1:
            raise DataError(
                "has the same value in every row, so there is nothing to learn",
                field=field,
                value=next(iter(self._classes)),
                mend="Import rows of both classes, or check reader.values",
            )
