"""Text columns that are nearly all numbers, times or booleans: counted row by row, and judged at the end.

One stray ``n.a.`` or a decimal comma makes a whole column text, and a model then learns every number in it as a word.
Nothing is guessed here: what is suspected is said (``gauntlet.data.suspicion``), and the user says what the column is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gauntlet.data.columns import ColumnType
from gauntlet.data.inference import narrowest
from gauntlet.data.reading import (
    CODE,
    COMPARED,
    DOUBTFUL,
    GROUPS,
    ISO,
    ISO_ZONED,
    LONG,
    NUMBERED,
    PLAIN,
    WORD,
    Family,
    Reading,
)
from gauntlet.data.readings import may_be_read, mean_missing, read
from gauntlet.data.suspicion import Sighting, Suspicion

if TYPE_CHECKING:
    import pyarrow as pa

    from gauntlet.data.rows import Place

STRAYS_IN = 20
"""Nearly all: at most one value in so many is something else, or one in all. One bad cell in a small sheet is found;
a column with a tenth of words is one of words. Markers of a missing value (``-``, ``n.a.``) do not count at all."""
ENOUGH = 5
"""Fewer values than this can look like numbers by chance."""
FEW = 10
"""So many different values can be typing errors; more are names or codes…"""
RARE = 1000
"""…unless all of them together are one value in so many."""
CODES_FROM = 3
"""So many different values like 101A or 10001-1234 among whole numbers make codes of them all."""
MANY = 50
"""No more different values than this are as likely names: of shifts (08:30), of sizes (64K), of months."""
_FEWEST = {**dict.fromkeys(DOUBTFUL, MANY), WORD: FEW}
_CODE_DIGITS = 6
"""So many digits in groups, all of one length, are as likely a code or a telephone number."""
_MOST_FORMS = 50
_CODE_LIKE = re.compile(r"\w+(?:[-/.]\w+| [A-Z0-9]+| [a-z]{1,2}\b)*")

_FAMILIES: dict[ColumnType, Family] = {"int": "number", "float": "number", "timestamp": "time", "bool": "boolean"}

Form = tuple[str, str]
"""How a value is written, and its unit."""


@dataclass
class _Seen:
    """Values of one family in a column.

    Attributes:
        forms: how many values are written in a form.
        first: form → the first such value.
        few: form → different values, the first of each, up to one more than ``MANY``; of forms in ``_FEWEST``.
        lengths: of whole numbers in groups of three digits, in characters.
        strays: other values → the first of each, up to one more than ``FEW``.
        kind: narrowest type of those that importing might read by itself; ``None`` before any.
    """

    forms: Counter[Form] = field(default_factory=Counter)
    first: dict[Form, Sighting] = field(default_factory=dict)
    few: dict[Form, dict[str, Sighting]] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    strays: dict[str, Sighting] = field(default_factory=dict)
    kind: ColumnType | None = None

    def knows(self, form: Form) -> bool:
        """Whether values in this form are counted: those in the first so many forms are."""
        return form in self.forms or len(self.forms) < _MOST_FORMS


class TextSurvey:
    """What the text of one column could be read as, over all batches, in memory that does not grow with rows.

    Args:
        name: the column.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._values = 0
        self._seen: dict[Family, _Seen] = {family: _Seen() for family in ("number", "time", "boolean")}
        self._missing: dict[str, Sighting] = {}
        self._missing_rows = 0
        self._codes = False
        self._typed = False

    def see(self, column: pa.Array, place: Place, kind: ColumnType | None, *, typed: bool) -> None:
        """Take in one batch.

        Args:
            column: the text as read, nulls where a value is missing.
            place: where the batch stands.
            kind: the type that all values of the column so far have; ``None`` or ``string``: look closer.
            typed: the file says that this is text.
        """
        values = column.drop_null() if column.null_count else column
        self._typed |= typed
        self._values += len(values)
        if not len(values):
            return
        if kind in (None, "string"):
            kind = self._classify(column, values, place)
        if kind not in (None, "string"):
            self._all_plain(kind, values, column, place)

    def _classify(self, column: pa.Array, values: pa.Array, place: Place) -> ColumnType | None:
        """Look at each distinct value, unless all have one type, which is then returned."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        counted = values.value_counts()
        texts, counts = counted.field(0), counted.field(1).to_numpy()
        readable = may_be_read(texts).to_numpy(zero_copy_only=False)
        if readable.all() and _begins_plain(texts) and (kind := narrowest(texts)) != "string":
            return kind
        missing = mean_missing(texts).to_numpy(zero_copy_only=False)
        self._missing_rows += int(counts[missing].sum())
        _note(self._missing, texts.filter(pa.array(missing)), column, place)
        readings = {
            position: self._admitted(read(texts[position].as_py()))
            for position in np.flatnonzero(readable & ~missing).tolist()
        }
        for position, reading in readings.items():
            self._count(reading, texts[position], int(counts[position]), column, place)
        unread = np.flatnonzero(~readable & ~missing)[: FEW + 1].tolist()
        for family, seen in self._seen.items():
            others = [position for position, reading in readings.items() if reading is None or reading.family != family]
            strays = sorted([*unread, *others[: FEW + 1]])
            _note(seen.strays, texts.take(pa.array(strays, pa.int64())), column, place)
            plain = [position for position, reading in readings.items() if _is_plain(reading, family)]
            if plain:
                seen.kind = narrowest(pc.take(texts, pa.array(plain)), seen.kind)
        return None

    def _admitted(self, reading: Reading | None) -> Reading | None:
        """A reading, unless it is of one form too many: a new word behind every number is text."""
        if reading is None or reading.form == LONG:
            return None
        if reading.form == CODE:
            return reading
        seen, form = self._seen[reading.family], (reading.form, reading.unit)
        if not seen.knows(form):
            return None
        seen.forms[form] += 0
        return reading

    def _count(self, reading: Reading | None, text: pa.Scalar, count: int, column: pa.Array, place: Place) -> None:
        if reading is None:
            return
        if reading.form == CODE:
            self._codes = True
            return
        seen, form = self._seen[reading.family], (reading.form, reading.unit)
        seen.forms[form] += count
        if reading.form == GROUPS:
            seen.lengths.add(_length_of_code(text.as_py()))
        if reading.form in _FEWEST:
            _note(seen.few.setdefault(form, {}), [text], column, place, MANY)
        if form not in seen.first:
            seen.first[form] = _sighting(text, column, place)

    def _all_plain(self, kind: ColumnType, values: pa.Array, column: pa.Array, place: Place) -> None:
        """Take in a batch all of whose values have one type."""
        seen, form = self._seen[_FAMILIES[kind]], (PLAIN, "")
        seen.forms[form] += len(values)
        if form not in seen.first:
            seen.first[form] = _sighting(values[0], column, place)
        seen.kind = kind if seen.kind is None else "float" if {seen.kind, kind} == {"int", "float"} else kind
        for other in self._seen.values():
            if other is not seen:
                _note(other.strays, values.slice(0, 1), column, place)

    def suspect(self) -> Suspicion | None:
        """What is suspected, once all batches are seen; ``None`` if the column is text, or is what it says."""
        found = (self._suspect(family, seen) for family, seen in self._seen.items())
        return next((suspicion for suspicion in found if suspicion is not None), None)

    def _suspect(self, family: Family, seen: _Seen) -> Suspicion | None:
        fitting = _fitting(seen)
        fits, rows = sum(fitting.values()), self._values - self._missing_rows
        strays, others = rows - fits, _strays(seen, fitting)
        if fits < ENOUGH or strays > max(1, rows // STRAYS_IN) or (len(others) > FEW and strays * RARE > rows):
            return None
        unread = _unread(fitting, seen)
        if family == "number" and (self._codes or (not unread and seen.kind == "int" and _has_variants(others))):
            return None
        odd = strays + self._missing_rows
        if not unread and (not odd if seen.kind in ("int", "bool") or not self._typed else family == "boolean"):
            return None
        form = max(unread, key=lambda form: unread[form], default=None)
        sightings = {**self._missing, **others}
        example = seen.first.get(form or (PLAIN, "")) if form or not sightings else next(iter(sightings.values()))
        return Suspicion(
            column=self._name,
            family=family,
            values=self._values,
            written=sum(unread.values()),
            form=form[0] if form else None,
            strays=tuple(sightings) if len(sightings) <= FEW else (),
            stray_rows=odd,
            example=example or next(iter(seen.first.values())),
            kind=seen.kind if seen.kind != "string" else None,
            typed=self._typed,
        )


class TextColumns:
    """All columns of text.

    Args:
        exempt: columns about which the user has said what they are, or which no model learns from.
    """

    def __init__(self, exempt: Collection[str]) -> None:
        self._exempt = exempt
        self._columns: dict[str, TextSurvey] = {}

    def see(self, batch: pa.RecordBatch, place: Place, kinds: Mapping[str, ColumnType | None], *, typed: bool) -> None:
        """Take in one batch.

        Args:
            batch: as read.
            place: where it stands.
            kinds: column → the type that its values have so far, where it is inferred.
            typed: the file has types.
        """
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if column.type == "string" and name not in self._exempt:
                survey = self._columns.setdefault(name, TextSurvey(name))
                survey.see(column, place, kinds.get(name), typed=typed)

    def suspicions(self, columns: Iterable[str]) -> list[Suspicion]:
        """What is suspected of those of ``columns`` that were looked at."""
        found = (self._columns[name].suspect() for name in columns if name in self._columns)
        return [suspicion for suspicion in found if suspicion is not None]


def _fitting(seen: _Seen) -> dict[Form, int]:
    """The forms whose values are of the family, and how many there are.

    Of numbers with a unit, those with the most frequent one are, and where it is any word, only if most numbers have
    it; of numbers in groups of three, none if all are of one length and nothing else is there (telephone numbers,
    codes); of numbers in parentheses or compared with something, none if they are the most; of forms that need not be
    numbers or times, those with many different values, and of numbers with any word behind them, more than a few.
    """
    forms = {form: count for form, count in seen.forms.items() if count}
    forms = {form: count for form, count in forms.items() if len(seen.few.get(form, ())) > _FEWEST.get(form[0], -1)}
    units: Counter[str] = Counter()
    for (_, unit), count in forms.items():
        units[unit] += count if unit else 0
    for form in list(forms):
        unit = units.most_common(1)[0][0]
        if form[1] != unit and form[1]:
            del forms[form]
    words = [form for form in forms if form[0] == WORD]
    if words and 2 * forms[words[0]] <= sum(forms.values()):
        del forms[words[0]]
    if len(seen.lengths) == 1 and min(seen.lengths) >= _CODE_DIGITS and {form[0] for form in forms} == {GROUPS}:
        return {}
    marked = {form: count for form, count in forms.items() if form[0] in (NUMBERED, COMPARED)}
    if 2 * sum(marked.values()) > sum(forms.values()):
        forms = {form: count for form, count in forms.items() if form not in marked}
    return forms


def _strays(seen: _Seen, fitting: Mapping[Form, int]) -> dict[str, Sighting]:
    """Values that are not of the family, those among them that turned out to be words."""
    others = dict(seen.strays)
    for form, values in seen.few.items():
        if form not in fitting:
            others |= values
    return others


def _unread(fitting: Mapping[Form, int], seen: _Seen) -> dict[Form, int]:
    """The forms among them that importing does not read, once nothing else is in the column."""
    if seen.kind in ("timestamp", "bool"):
        return {}
    unread = {form: count for form, count in fitting.items() if form[0] != PLAIN or seen.kind not in ("int", "float")}
    standard = [form for form in unread if form[0] in (ISO, ISO_ZONED)]
    if standard and len(unread) > 1:
        del unread[max(standard, key=lambda form: unread[form])]
    return unread


def _has_variants(strays: Iterable[str]) -> bool:
    """Whether some are what codes look like, not numbers with a footnote."""
    alike = (any(sign.isdigit() for sign in value) and _CODE_LIKE.fullmatch(value) for value in strays)
    return sum(map(bool, alike)) >= CODES_FROM


def _length_of_code(text: str) -> int:
    """Digits of a whole number; 0 of one with a fraction, which is no code."""
    parts = re.split(r"\D", text)
    return sum(map(len, parts)) if len(parts[-1]) == 3 else 0


def _begins_plain(texts: pa.Array) -> bool:
    """Whether a type is worth trying: refusing text takes Arrow a hundred times as long as parsing numbers."""
    first = {None if reading is None else reading.family for reading in map(read, texts[:FEW].to_pylist())}
    return len(first) == 1 and None not in first


def _is_plain(reading: Reading | None, family: Family) -> bool:
    """Whether importing might read it by itself: its type is then found as for a whole column."""
    return reading is not None and reading.family == family and (reading.form == PLAIN or family == "time")


def _note(
    sightings: dict[str, Sighting], texts: Iterable[pa.Scalar], column: pa.Array, place: Place, most: int = FEW
) -> None:
    """Remember where values were seen first, as long as there are few of them."""
    for text in texts:
        if len(sightings) > most:
            return
        if text.as_py() not in sightings:
            sightings[text.as_py()] = _sighting(text, column, place)


def _sighting(text: pa.Scalar, column: pa.Array, place: Place) -> Sighting:
    import pyarrow.compute as pc

    return Sighting(text.as_py(), place.row(pc.index(column, text).as_py()))
