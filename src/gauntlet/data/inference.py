"""Deciding each column's type from all rows.

Every batch narrows what a column can still be; the answer is asked for at the end. A number with a fraction in the
last row therefore makes the whole column ``float`` instead of breaking the import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gauntlet.data.columns import ColumnType, kind_of, looks_like_codes, parse_text
from gauntlet.data.spelling import PLAIN_SPELLING, Spelling
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_NARROWEST_FIRST: tuple[ColumnType, ...] = ("bool", "int", "float", "timestamp", "string")


@dataclass
class ColumnSurvey:
    """What is known about one column so far.

    Attributes:
        name: the column.
        spelling: how its numbers are written.
        text: narrowest type that fits all text seen; ``None`` before any.
        typed: type found in files that have types, and the file it was found in.
    """

    name: str
    spelling: Spelling = PLAIN_SPELLING
    text: ColumnType | None = None
    typed: tuple[ColumnType, str] | None = None

    def see(self, column: pa.Array, shown: str, is_text: bool) -> None:
        """Take in one batch.

        Args:
            column: the raw column.
            shown: the file it comes from.
            is_text: its type has to be inferred.

        Raises:
            DataError: another file, or another row, holds this column in a type that does not go with it.
        """
        if is_text:
            values = column.drop_null() if column.null_count else column
            self.text = narrowest(values, self.text, self.spelling) if len(values) else self.text
            return
        kind = kind_of(column.type)
        if kind is not None:
            self.typed = (kind, shown) if self.typed is None else (self._merge(kind, shown), shown)

    def _merge(self, kind: ColumnType, shown: str) -> ColumnType:
        assert self.typed is not None
        known, where = self.typed
        if kind == known:
            return kind
        if {kind, known} == {"int", "float"}:
            return "float"
        raise DataError(
            f"column {self.name} is {kind} here and {known} in {where}",
            field=shown,
            mend=f'Write it the same way everywhere, or set reader.types: {{"{self.name}": "string"}}',
        )

    def decide(self) -> ColumnType | None:
        """The column's type; ``None`` when it has no values at all.

        Raises:
            DataError: files with types say one thing and files of text another.
        """
        if self.typed is None or self.text is None:
            return self.text if self.typed is None else self.typed[0]
        kind, where = self.typed
        if kind == self.text or kind == "string" or (kind == "float" and self.text == "int"):
            return kind
        if kind == "int" and self.text == "float":
            return "float"
        raise DataError(
            f"column {self.name} is {kind} here and reads as {self.text} in the text files",
            field=where,
            mend=f'Write it the same way everywhere, or set reader.types: {{"{self.name}": "string"}}',
        )


@dataclass
class Survey:
    """All columns, in the order in which they were first seen.

    Attributes:
        declared: columns whose type is known.
        spelling: how the numbers of a column are written.
        columns: what is known of each.
    """

    declared: frozenset[str]
    spelling: Callable[[str], Spelling] = lambda _: PLAIN_SPELLING
    columns: dict[str, ColumnSurvey] = field(default_factory=dict)

    def see(self, batch: pa.RecordBatch, shown: str, is_text: bool) -> None:
        """Take in one batch; columns whose type is declared are noted, not inferred."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            survey = self.columns.setdefault(name, ColumnSurvey(name, self.spelling(name)))
            if name not in self.declared:
                survey.see(column, shown, is_text)

    def text_columns(self) -> list[str]:
        """Columns that are text in some file."""
        found = ((column.name, {column.text, column.typed and column.typed[0]}) for column in self.columns.values())
        return [name for name, kinds in found if "string" in kinds]

    def reals(self) -> list[str]:
        """Columns of text that are real numbers as they are written."""
        return [name for name, column in self.columns.items() if column.text == "float"]


def narrowest(values: pa.Array, known: ColumnType | None = None, spelling: Spelling = PLAIN_SPELLING) -> ColumnType:
    """The narrowest type that fits text values, given what earlier values allowed.

    Args:
        values: text without nulls.
        known: the answer for all earlier values, or ``None``.
        spelling: how numbers among them are written.
    """
    plain = spelling.plain_numbers(values)
    for kind in _candidates(known):
        if plain is None and kind in ("int", "float"):
            continue
        texts = values if plain is None else plain
        if kind == "string" or (parse_text(texts, kind) is not None and not _is_code(texts, kind)):
            return kind
    return "string"


def _candidates(known: ColumnType | None) -> tuple[ColumnType, ...]:
    """What a column may still be: a bool or a time never turns into a number."""
    if known is None:
        return _NARROWEST_FIRST
    if known == "int":
        return ("int", "float", "string")
    return ("string",) if known == "string" else (known, "string")


def _is_code(values: pa.Array, kind: ColumnType) -> bool:
    return kind in ("int", "float") and looks_like_codes(values)
