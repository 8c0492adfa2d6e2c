"""Whether a label can be learnt: every row has one, there is more than one, and each more than once."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.readings import read
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MOST_CLASSES = 1_000
"""A label with more different values is no class; training refuses so many."""
FEWEST_ROWS = 20
"""In fewer rows every class is rare."""
MOST_LISTED = 10
STRAYS_IN = 20
"""Numbers that are two values but for so few rows are classes with a typing error, or counts."""


class LabelCheck:
    """Looks at a label batch by batch; ``judge`` says what it saw.

    Args:
        name: the label's column.
        options: how the files are read; ``missing_label: drop`` leaves rows without a label out.
        categorical: its integers are names of classes.
    """

    def __init__(self, name: str | None, options: ReaderOptions, *, categorical: bool = False) -> None:
        self._name = name
        self._options = options
        self._categorical = categorical
        self._rows = 0
        self._without = 0
        self._classes: Counter[Any] = Counter()

    def see(self, labels: pa.Array) -> np.ndarray:
        """Take in a batch; returns (n,) bool, which rows to keep."""
        import pyarrow as pa

        self._rows += len(labels)
        self._without += labels.null_count
        self._categorical |= labels.type in (pa.string(), pa.bool_())
        if len(self._classes) <= MOST_CLASSES:
            counted = labels.drop_null().value_counts()
            self._classes.update(dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)))
        kept: np.ndarray = labels.is_valid().to_numpy(zero_copy_only=False)
        return kept

    @property
    def without(self) -> int:
        """Rows without a label."""
        return self._without

    @property
    def classes(self) -> dict[Any, int]:
        """Value → rows, of a label that is learnt as classes; none of a quantity, or where every class is rare."""
        counted = sum(self._classes.values())
        are_classes = len(self._classes) <= (MOST_CLASSES if self._categorical else 2)
        return dict(self._classes) if are_classes and counted >= FEWEST_ROWS else {}

    def judge(self) -> None:
        """Say what is wrong.

        Raises:
            DataError: labels are missing, all rows have the same, or a class has one row.
        """
        field = f"label {self._name}"
        if self._without and self._options.missing_label == "error":
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
        self._refuse_lone(field)
        self._refuse_nearly_two(field)

    def _refuse_lone(self, field: str) -> None:
        """Refuse a class that one row has: it cannot be both learnt and tested, and is most often a typing error."""
        lone = [value for value, rows in self.classes.items() if rows == 1]
        if not lone:
            return
        counted = sum(self._classes.values())
        one = len(lone) == 1
        raise DataError(
            f"has {'a class' if one else f'{len(lone)} classes'} of one row{'' if one else ' each'} among {counted}",
            field=field,
            value=lone[0] if one else lone[:MOST_LISTED],
            mend=self._mend(lone),
        )

    def _refuse_nearly_two(self, field: str) -> None:
        """Refuse numbers that are two values but for a few rows: one 9 among 0 and 1 makes classes a quantity."""
        counted = sum(self._classes.values())
        lone = [value for value, rows in self._classes.items() if rows == 1]
        told = self._categorical or self._options.types.get(self._name or "") == "float"
        if told or not lone or len(self._classes) - len(lone) != 2 or counted < max(FEWEST_ROWS, STRAYS_IN * len(lone)):
            return
        raise DataError(
            f"has two values in all but {len(lone)} of {counted} rows, and would be learnt as a quantity",
            field=field,
            value=lone[0] if len(lone) == 1 else lone[:MOST_LISTED],
            mend="Correct it at the source, or import more rows of its kind. "
            f"If it is a quantity: reader.types: {json.dumps({self._name: 'float'}, ensure_ascii=False)}",
        )

    def _mend(self, lone: list[Any]) -> str:
        mend = "Correct it at the source, or import more rows of its kind"
        # A number would be missing in every other column too; and what a mapping made is not what the file says.
        named = (
            all(isinstance(one, str) and read(one) is None for one in lone) and self._name not in self._options.values
        )
        if not named or len(lone) > MOST_LISTED:
            return mend
        missing = json.dumps([*self._options.missing_values, *lone], ensure_ascii=False)
        left_out = f'reader.missing_values: {missing} with reader.missing_label: "drop"'
        return f"{mend}. To leave it out, and read it as missing in every column: {left_out}"
