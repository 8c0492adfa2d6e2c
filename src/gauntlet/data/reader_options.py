"""What a user can say about files that were not written for us: their format, names, missing values and types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from gauntlet.data.columns import ColumnType
from gauntlet.data.spelling import Spelling, fault_of_form
from gauntlet.settings import Settings

Decimal = Literal[".", ","]
Thousands = Literal["", ",", ".", "'", "_", " "]
MappedValue = bool | int | float | str

MISSING_VALUES = (
    *("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "#N/A", "#N/A N/A", "#NA"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""What pandas 2 reads as missing (``pandas._libs.parsers.STR_NA_VALUES``)."""


class ReaderOptions(Settings):
    """How to read files that were not written for us.

    Applied in this order: ``column_names``, ``rename``, ``strip_whitespace``, ``missing_values``, ``values``,
    ``decimal``, ``thousands``, ``date_formats``, ``types``, ``derive``, ``drop``. Every option after ``rename`` uses
    the new names.
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
    decimal: Decimal | dict[str, Decimal] = Field(
        ".",
        description="Between a number's whole part and its fraction, in text: . or a comma. For all columns, or "
        "column → character.",
    )
    thousands: Thousands | dict[str, Thousands] = Field(
        "",
        description="Between groups of three digits, in text: nothing, or one of , . ' _ and a space. For all columns, "
        "or column → character.",
    )
    date_formats: dict[str, str] = Field(
        {},
        description="Column → how its times are written, as in strptime (%d.%m.%Y %H:%M), or what they are counted in "
        "since 1970: s, ms, us or ns. Default: ISO 8601. UTC where they name no zone (%z).",
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

    @field_validator("date_formats")
    @classmethod
    def _forms_of_times(cls, value: dict[str, str]) -> dict[str, str]:
        for column, form in value.items():
            if fault := fault_of_form(form):
                raise ValueError(f"of {column}, {form!r}, {fault}")
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
        for name in {*_columns(self.decimal), *_columns(self.thousands), ""}:
            spelling = self.spelling(name)
            if spelling.decimal == spelling.thousands:
                of = f" of {name}" if name else ""
                raise ValueError(f"decimal and thousands{of} are both {spelling.decimal!r}; set the other one, too")
        for name in self.date_formats:
            if self.types.get(name, "timestamp") != "timestamp":
                raise ValueError(f"types says that {name} is {self.types[name]}, and date_formats that it is a time")
        return self

    def spelling(self, column: str) -> Spelling:
        """How the numbers and times of a column are written."""

        def of(value: str | Mapping[str, str], default: str) -> str:
            return value if isinstance(value, str) else value.get(column, default)

        return Spelling(of(self.decimal, "."), of(self.thousands, ""), self.date_formats.get(column, ""))

    @property
    def declared(self) -> Mapping[str, ColumnType]:
        """Columns of which the user has said what type they are."""
        return {**dict.fromkeys(self.date_formats, "timestamp"), **self.types}


def _columns(setting: str | Mapping[str, str]) -> tuple[str, ...]:
    return () if isinstance(setting, str) else tuple(setting)


def _refuse_repeated(option: str, names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{option} names {name!r} twice")
