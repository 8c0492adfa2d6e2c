"""What to say about text columns that are nearly all numbers, times or booleans."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gauntlet.data.columns import ColumnType
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.reading import BITS, CODE, DIGITS, ISO, ISO_ZONED, LONG, PLAIN, QUOTED, SPACED, Family
from gauntlet.data.readings import read
from gauntlet.data.spelling import PLAIN_SPELLING, Spelling
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
        spellings: how to write numbers so that all of these are read; two if only the user knows which is meant.
        times: forms of ``strptime`` in which all of these times are read; likewise.
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
    spellings: tuple[Spelling, ...] = ()
    times: tuple[str, ...] = ()

    @property
    def ways(self) -> int:
        """In how many ways the user can say how these are written."""
        return len(self.spellings) or len(self.times)


def refusal(
    suspicions: Sequence[Suspicion], options: ReaderOptions, label: str | None, reals: Sequence[str] = ()
) -> DataError:
    """The error that names the columns, the first value to look at, and the settings that say what the columns are.

    Args:
        suspicions: at least one.
        options: how the files were read.
        label: the label's column.
        reals: columns of text that are read as real numbers, as they are.
    """
    first, *others = suspicions
    message = f"column {first.column} is read as text, though {_nearly(first)}"
    if others:
        shown = ", ".join(f"{one.column} ({one.stray_rows + one.written} of {one.values} values)" for one in others)
        message += f"; the same goes for {shown}"
    return DataError(
        message, field=first.example.row, value=first.example.value, mend=_mend(suspicions, options, label, reals)
    )


def _nearly(suspicion: Suspicion) -> str:
    """... its values are."""
    family, values = f"{suspicion.family}s", suspicion.values
    strays = f"{suspicion.stray_rows} of its {values} values" if suspicion.stray_rows else ""
    if suspicion.form is None:
        return f"all but {strays} are {family}" if strays else f"all of its {values} values are {family}"
    if suspicion.form == BITS:
        return f"its values are {BITS}"
    how = "as" if suspicion.family == "time" and suspicion.form not in (SPACED, QUOTED, DIGITS) else "with"
    text = f"{suspicion.written} of its {values} values are {family} written {how} {suspicion.form}"
    return f"{text} and all but {strays} are {family}" if strays else text


def _mend(suspicions: Sequence[Suspicion], options: ReaderOptions, label: str | None, reals: Sequence[str]) -> str:
    sentences = []
    told = [one for one in _agreeing(suspicions) if one.form in (None, BITS) or one.ways]
    spoilt = [one for one in told if one.strays and not any(map(_is_value, one.strays))]
    as_missing = _read_as_missing(spoilt, options, label)
    if any(one.ways for one in told):
        typed = {one.column: _kind(one) for one in told if one.typed and not one.times}
        for way in range(max(one.ways for one in told)):
            settings = {**_spelt(told, way, options, reals), **({"types": typed} if typed else {}), **as_missing}
            how = "Or" if way else "Say how they are written"
            sentences.append(f"{how}: {_written(settings)}{_meaning(told, way)}")
    elif as_missing:
        types = {one.column: one.kind for one in spoilt if one.typed or one.form == BITS}
        sentences.append(
            "Correct them at the source, or read them as missing, in every column: "
            + _written({**as_missing, **({"types": types} if types else {})})
        )
    if not as_missing and any(one.stray_rows for one in suspicions):
        sentences.append("Correct what is something else at the source")
    typed = {one.column: one.kind for one in suspicions if one.form in (None, BITS) and not one.stray_rows}
    if typed:
        sentences.append(f"Say what the file does not: reader.types: {_json(typed)}")
    forms = {one.form: one.family for one in suspicions if one.form not in (None, BITS) and not one.ways}
    if forms.pop(SPACED, None):
        where = " at the source" if options.strip_whitespace else ": reader.strip_whitespace: true"
        sentences.append(f"Remove the white space{where}")
    sentences += [f"Write {_AT_THE_SOURCE[family]} at the source" for family in dict.fromkeys(forms.values())]
    text = {one.column: "string" for one in suspicions if one.column != label or _may_be_classes(one)}
    if text:
        sentences.append(f"To take {'it' if len(text) == 1 else 'them'} as text: reader.types: {_json(text)}")
    return ". ".join(sentences)


def _agreeing(suspicions: Sequence[Suspicion]) -> list[Suspicion]:
    """With 1,5 in one column, 1,234 in another is no thousand."""
    signs = {one.spellings[0].decimal for one in suspicions if len(one.spellings) == 1}
    return [
        replace(one, spellings=tuple(each for each in one.spellings if each.decimal in signs))
        if len(one.spellings) > 1 and len(signs) == 1
        else one
        for one in suspicions
    ]


def _read_as_missing(spoilt: Sequence[Suspicion], options: ReaderOptions, label: str | None) -> dict[str, object]:
    """The settings that read as missing what spoils columns."""
    missing = dict.fromkeys(value for one in spoilt for value in one.strays)
    if not missing:
        return {}
    dropped = {"missing_label": "drop"} if any(one.column == label for one in spoilt) else {}
    return {"missing_values": [*options.missing_values, *missing], **dropped}


def _spelt(told: Sequence[Suspicion], way: int, options: ReaderOptions, reals: Sequence[str]) -> dict[str, object]:
    """The settings that say how these columns' numbers and times are written, in one of the ways they may be meant."""
    numbers = {one.column: one.spellings[min(way, len(one.spellings) - 1)] for one in told if one.spellings}
    times = {one.column: one.times[min(way, len(one.times) - 1)] for one in told if one.times}
    plain = (one.column for one in told if one.kind == "float")
    columns = [*(name for name in (*reals, *plain) if name not in numbers), *numbers]
    spellings = {name: numbers.get(name) or options.spelling(name) for name in columns}
    settings: dict[str, object] = {}
    if numbers:
        decimal = _setting({name: one.decimal for name, one in spellings.items()}, PLAIN_SPELLING.decimal)
        signs = {one.decimal for one in spellings.values()}
        thousands = {one.thousands for one in spellings.values() if one.thousands}
        grouped = {name: one.thousands for name, one in spellings.items() if one.thousands}
        # A column without thousands does not mind how they would be written, unless it is with its decimal sign.
        everywhere = len(thousands) == 1 and not thousands & signs
        settings["decimal"] = decimal
        settings["thousands"] = thousands.pop() if everywhere else grouped or PLAIN_SPELLING.thousands
    if times:
        settings["date_formats"] = {**options.date_formats, **times}
    return {name: value for name, value in settings.items() if value != getattr(options, name)}


def _setting(by_column: Mapping[str, str], default: str) -> str | dict[str, str]:
    """A character for all columns where they agree, else for those that have another than the default."""
    found = set(by_column.values())
    return found.pop() if len(found) == 1 else {name: sign for name, sign in by_column.items() if sign != default}


def _meaning(told: Sequence[Suspicion], way: int) -> str:
    """What a value would be, where it may be one of two things."""
    for one in told:
        if len(one.spellings) > 1:
            return f" (a comma is {'decimal' if one.spellings[way].decimal == ',' else 'between thousands'})"
        if len(one.times) > 1:
            return f" ({one.column}: the {'month' if _month_first(one.times[way]) else 'day'} comes first)"
    return ""


def _month_first(form: str) -> bool:
    return form.find("%m") < form.find("%d")


def _kind(one: Suspicion) -> ColumnType | None:
    return "float" if one.spellings else one.kind


def _written(settings: Mapping[str, object]) -> str:
    return " with ".join(f"reader.{name}: {_json(value)}" for name, value in settings.items())


def _is_value(text: str) -> bool:
    """Whether another column may well hold it as a value: there it would be missing, too."""
    reading = read(text)
    return reading is not None and reading.form in (PLAIN, CODE, LONG, ISO, ISO_ZONED)


def _may_be_classes(label: Suspicion) -> bool:
    """Whether a label could be learnt as text: not with a class of one row, nor with a class for every number."""
    return label.form is None and label.stray_rows != 1


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
