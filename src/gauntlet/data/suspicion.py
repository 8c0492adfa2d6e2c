"""What to say about text columns that are nearly all numbers, times or booleans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.data.columns import ColumnType
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.reading import CODE, DIGITS, ISO, ISO_ZONED, LONG, PLAIN, QUOTED, SPACED, Family
from gauntlet.data.readings import read
from gauntlet.errors import DataError

_AT_THE_SOURCE = {
    "number": "plain numbers (-1234.5)",
    "time": "ISO 8601 times, all with a zone or all without (2024-01-31T12:00:00Z)",
    "boolean": "true and false",
}


@dataclass(frozen=True)
class Sighting:
    """A value, and the row in which it was seen first, in words."""

    value: str
    row: str


@dataclass(frozen=True)
class Suspicion:
    """A text column that is nearly all of one family.

    Attributes:
        column: its name.
        family: number, time or boolean.
        values: how many values it has.
        written: how many of them are of the family, and written so that importing does not read them.
        form: how most of these are written; ``None`` if there are none.
        strays: what is not of the family; nothing if there is none, or too much to list.
        stray_rows: how many values that are.
        example: the first value to look at.
        kind: the type that all others have, as importing reads them; ``None`` if it cannot.
        typed: the files have types, and say that it is text.
    """

    column: str
    family: Family
    values: int
    written: int
    form: str | None
    strays: tuple[str, ...]
    stray_rows: int
    example: Sighting
    kind: ColumnType | None
    typed: bool


def refusal(suspicions: Sequence[Suspicion], options: ReaderOptions, label: str | None) -> DataError:
    """The error that names the columns, the first value to look at, and the settings that say what the columns are.

    Args:
        suspicions: at least one.
        options: how the files were read.
        label: the label's column.
    """
    first, *others = suspicions
    message = f"column {first.column} is read as text, though {_nearly(first)}"
    if others:
        shown = ", ".join(f"{one.column} ({one.stray_rows + one.written} of {one.values} values)" for one in others)
        message += f"; the same goes for {shown}"
    return DataError(
        message, field=first.example.row, value=first.example.value, mend=_mend(suspicions, options, label)
    )


def _nearly(suspicion: Suspicion) -> str:
    """... its values are."""
    family, values = f"{suspicion.family}s", suspicion.values
    strays = f"{suspicion.stray_rows} of its {values} values" if suspicion.stray_rows else ""
    if suspicion.form is None:
        return f"all but {strays} are {family}" if strays else f"all of its {values} values are {family}"
    how = "as" if suspicion.family == "time" and suspicion.form not in (SPACED, QUOTED, DIGITS) else "with"
    text = f"{suspicion.written} of its {values} values are {family} written {how} {suspicion.form}"
    return f"{text} and all but {strays} are {family}" if strays else text


def _mend(suspicions: Sequence[Suspicion], options: ReaderOptions, label: str | None) -> str:
    sentences = []
    spoilt = [one for one in suspicions if one.form is None and one.strays and not any(map(_is_value, one.strays))]
    missing = dict.fromkeys(value for one in spoilt for value in one.strays)
    if missing:
        kinds = {one.column: one.kind for one in spoilt if one.typed}
        dropped = any(one.column == label for one in spoilt)
        sentences.append(
            f"Correct them at the source, or read them as missing, in every column: reader.missing_values: "
            f"{_json([*options.missing_values, *missing])}"
            + (f" with reader.types: {_json(kinds)}" if kinds else "")
            + (' and reader.missing_label: "drop"' if dropped else "")
        )
    elif any(one.stray_rows for one in suspicions):
        sentences.append("Correct what is something else at the source")
    typed = {one.column: one.kind for one in suspicions if one.form is None and not one.stray_rows}
    if typed:
        sentences.append(f"Say what the file does not: reader.types: {_json(typed)}")
    forms = {one.form: one.family for one in suspicions if one.form is not None}
    if forms.pop(SPACED, None):
        where = " at the source" if options.strip_whitespace else ": reader.strip_whitespace: true"
        sentences.append(f"Remove the white space{where}")
    sentences += [f"Write {_AT_THE_SOURCE[family]} at the source" for family in dict.fromkeys(forms.values())]
    text = {one.column: "string" for one in suspicions if one.column != label or _may_be_classes(one)}
    if text:
        sentences.append(f"To take {'it' if len(text) == 1 else 'them'} as text: reader.types: {_json(text)}")
    return ". ".join(sentences)


def _is_value(text: str) -> bool:
    """Whether another column may well hold it as a value: there it would be missing, too."""
    reading = read(text)
    return reading is not None and reading.form in (PLAIN, CODE, LONG, ISO, ISO_ZONED)


def _may_be_classes(label: Suspicion) -> bool:
    """Whether a label could be learnt as text: not with a class of one row, nor with a class for every number."""
    return label.form is None and label.stray_rows != 1


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
