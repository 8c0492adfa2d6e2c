"""What a person should know of data that were imported all the same: said on the console and on the page of the data.

What makes a wrong model for sure stops the import instead (``gauntlet.data.labels``, ``mistaken``, ``headers``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gauntlet.data.plan import Plan
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

HANDFUL = 5
"""Rows of a class: with fewer it can hardly be learnt and tested."""
FEWEST_ROWS = 20
"""In fewer rows a column counts by chance, or has one value."""
_MOST_LISTED = 5
_UNNAMED_INDEX = re.compile(r"Unnamed: \d+(\.\d+)?")
"""What pandas calls a column without a name: most often an index that was written as one."""


class FeatureWatch:
    """Looks for features that say nothing: one value in every row, or the number of the row.

    Args:
        plan: the columns, their types and roles.
    """

    def __init__(self, plan: Plan) -> None:
        features = [name for name in plan.columns if name not in plan.roles.not_features]
        self._rows = 0
        self._constant: dict[str, Any] = dict.fromkeys(features)
        self._next: dict[str, int | None] = {name: None for name in features if plan.columns[name] == "int"}
        self._first: dict[str, int] = {}

    def see(self, batch: pa.RecordBatch, *, begins: bool) -> None:
        """Take in finished rows, as they come.

        Args:
            batch: the rows.
            begins: they are the first of a file, which may begin to count anew.
        """
        if not batch.num_rows:
            return
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in list(self._constant):
            if not self._is_still_constant(name, columns[name]):
                del self._constant[name]
        for name in list(self._next):
            if not self._goes_on(name, columns[name], begins=begins):
                del self._next[name]
        self._rows += batch.num_rows

    def _is_still_constant(self, name: str, column: pa.Array) -> bool:
        import pyarrow.compute as pc

        if column.null_count:
            return False
        if not self._rows:
            self._constant[name] = column[0].as_py()
        return bool(pc.all(pc.equal(column, self._constant[name])).as_py())

    def _goes_on(self, name: str, column: pa.Array, *, begins: bool) -> bool:
        import numpy as np

        if column.null_count:
            return False
        values = column.to_numpy()
        first = int(values[0])
        start = self._first.setdefault(name, first)
        due = self._next[name]
        if due is not None and first != due and not (begins and first == start):
            return False
        self._next[name] = first + len(values)
        return bool(np.array_equal(values, np.arange(first, first + len(values))))

    def refuse_indexes(self, told: Iterable[str]) -> None:
        """Refuse an index that pandas wrote without a name, as a feature: it is the order of a file.

        Args:
            told: columns of which the user has said what they are.

        Raises:
            DataError: naming it, and how to leave it out.
        """
        for name in self.counting:
            if _UNNAMED_INDEX.fullmatch(name) and name not in set(told):
                names = json.dumps([name])
                raise DataError(
                    "numbers the rows, as an index that pandas wrote does",
                    field=f"column {name}",
                    mend=f"Leave it out: reader.drop: {names}. If a model may learn from it: reader.types: "
                    + json.dumps({name: "int"}),
                )

    @property
    def counting(self) -> list[str]:
        """Features that are 0, 1, 2… or go on so from another number."""
        return list(self._next) if self._rows >= FEWEST_ROWS else []

    def sentences(self) -> list[str]:
        """What to say of them."""
        if self._rows < FEWEST_ROWS:
            return []
        said = []
        if self._constant:
            said.append(f"{_columns(self._constant)} the same value in every row, which tells a model nothing.")
        if self.counting:
            names = [name for name in self.counting if name not in self._constant]
            said.append(
                f"{_columns(names)} the number of the row, from which a model learns the order of the file: name it in "
                "reader.drop, roles.exclude or roles.key."
            )
        return said


def of_label(name: str, classes: Mapping[Any, int]) -> list[str]:
    """Classes of which there are hardly any rows, in a sentence."""
    few = {value: rows for value, rows in classes.items() if rows < HANDFUL}
    if not few:
        return []
    shown = ", ".join(f"{value!r} ({rows:,})" for value, rows in [*few.items()][:_MOST_LISTED])
    more = f" and {len(few) - _MOST_LISTED} more" if len(few) > _MOST_LISTED else ""
    what = "a class" if len(few) == 1 else f"{len(few)} classes"
    total = sum(classes.values())
    return [f"Label {name} has {what} of fewer than {HANDFUL} of {total:,} rows, too few to judge by: {shown}{more}."]


def of_repetitions(repeated: int, rows: int, key: Sequence[str], *, by_content: bool) -> list[str]:
    """Rows that were there before, in a sentence.

    Args:
        repeated: how many are equal to an earlier one, in their key if there is one.
        rows: of all files.
        key: columns that identify a row.
        by_content: equal rows are in one split.
    """
    if not repeated:
        return []
    share = f"{repeated:,} of {rows:,} rows ({repeated / rows:.1%})"
    if key:
        return [f"{share} were left out: an earlier row has their key ({', '.join(key)})."]
    where = (
        "They stay in the split of the first, and count as often as they come."
        if by_content
        else "They may lie in another split than the first: a model is then judged by rows that it has learnt."
    )
    return [f"{share} repeat an earlier one in everything but the label and the weight. {where}"]


def of_missing_labels(dropped: int, rows: int) -> list[str]:
    """Rows that were left out, in a sentence."""
    return [f"{dropped:,} of {rows:,} rows were left out: they have no label."] if dropped else []


def _columns(names: Iterable[str]) -> str:
    """``Column a has`` or ``Columns a, b and 7 more have``."""
    listed = list(names)
    shown = ", ".join(listed[:_MOST_LISTED])
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return f"Column {shown} has" if len(listed) == 1 else f"Columns {shown}{more} have"
