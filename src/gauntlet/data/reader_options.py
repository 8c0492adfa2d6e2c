"""What a user can say about files that were not written for us: their format, names, missing values and types."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gauntlet.data.columns import ColumnType
from gauntlet.settings import Settings

MappedValue = bool | int | float | str

MISSING_VALUES = (
    *("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "#N/A", "#N/A N/A", "#NA"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""What pandas 2 reads as missing (``pandas._libs.parsers.STR_NA_VALUES``)."""


class ReaderOptions(Settings):
    """How to read files that were not written for us.

    Applied in this order: ``column_names``, ``rename``, ``strip_whitespace``, ``missing_values``, ``values``,
    ``types``, ``derive``, ``drop``. Every option after ``rename`` uses the new names.
    """

    format: Literal["auto", "csv", "parquet", "jsonl"] = Field(
        "auto", description="Format of all files; auto goes by the file's extension, else by its first bytes."
    )
    delimiter: str | None = Field(None, description="CSV: one character between fields. Default: tab for .tsv, comma.")
    header: bool = Field(True, description="CSV: the first line holds the column names.")
    column_names: tuple[str, ...] = Field((), description="CSV: names of all columns, in place of the header's.")
    encoding: str = Field("utf-8", description="CSV and JSON lines: character encoding.")
    comment: str = Field("", description="CSV and JSON lines: lines that begin with this are not data.")
    strip_whitespace: bool = Field(True, description="Remove white space around names and text values.")
    missing_values: tuple[str, ...] = Field(
        MISSING_VALUES, description="Texts that mean a missing value. Default: those that pandas knows."
    )
    types: dict[str, ColumnType] = Field(
        {}, description="Column → int, float, string, bool or timestamp; not inferred."
    )
    rename: dict[str, str] = Field({}, description="Column's name in the file → its name in the snapshot.")
    values: dict[str, dict[str, MappedValue]] = Field(
        {}, description="Column → {value in the file: value in the snapshot}. A value not listed is an error."
    )
    derive: dict[str, str] = Field(
        {}, description='New column → expression, for example {"big_tip": "tips > 0.2 * fare"}.'
    )
    drop: tuple[str, ...] = Field((), description="Columns to leave out, after everything else.")
    missing_label: Literal["error", "drop"] = Field("error", description="What to do with rows whose label is missing.")
    duplicates: Literal["error", "keep_first"] = Field(
        "error", description="What to do with rows whose key was seen before (only when roles.key is given)."
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) != 1:
            raise ValueError("must be one ASCII character")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("is not an encoding Python knows") from None
        return value

    @field_validator("values")
    @classmethod
    def _integral_floats_are_ints(cls, value: dict[str, dict[str, MappedValue]]) -> dict[str, dict[str, MappedValue]]:
        """Pipelines hand numbers inside mappings over as doubles: 1 arrives as 1.0."""
        return {
            column: {
                old: int(new) if isinstance(new, float) and new.is_integer() else new for old, new in pairs.items()
            }
            for column, pairs in value.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> ReaderOptions:
        if not self.header and not self.column_names:
            raise ValueError("without a header, column_names must name the columns")
        _refuse_repeated("column_names", self.column_names)
        _refuse_repeated("rename", tuple(self.rename.values()))
        return self


def _refuse_repeated(option: str, names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{option} names {name!r} twice")
