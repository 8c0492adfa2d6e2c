"""Text columns that are nearly all numbers, times or booleans: counted row by row, and judged at the end.

One stray ``n.a.`` or a decimal comma makes a whole column text, and a model then learns every number in it as a word.
Nothing is guessed here: what is suspected is said (``gauntlet.data.suspicion``), and the user says what the column is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from gauntlet.data.columns import ColumnType
from gauntlet.data.inference import narrowest
from gauntlet.data.reading import (
    BITS,
    CODE,
    GROUPS,
    LONG,
    PLAIN,
    POINT,
    SEPARATED,
    Family,
    Reading,
)
from gauntlet.data.readings import may_be_read, mean_missing, read
from gauntlet.data.seen import (
    FEW,
    FEWEST,
    MANY,
    Seen,
    fitting_forms,
    has_variants,
    length_of_code,
    strays_of,
    unread_forms,
)
from gauntlet.data.spelling import PLAIN_SPELLING, Spelling
from gauntlet.data.spelling_guesses import plainest, reading_all
from gauntlet.data.suspicion import Sighting, Suspicion

if TYPE_CHECKING:
    import pyarrow as pa

    from gauntlet.data.rows import Place

STRAYS_IN = 20
"""Nearly all: at most one value in so many is something else, or one in all. One bad cell in a small sheet is found;
a column with a tenth of words is one of words. Markers of a missing value (``-``, ``n.a.``) do not count at all."""
ENOUGH = 5
"""Fewer values than this can look like numbers by chance."""
RARE = 1000
"""…unless all of them together are one value in so many."""

_BITS = ("0", "1", "0.0", "1.0")
_FAMILIES: dict[ColumnType, Family] = {"int": "number", "float": "number", "timestamp": "time", "bool": "boolean"}


class TextSurvey:
    """What the text of one column could be read as, over all batches, in memory that does not grow with rows.

    Args:
        name: the column.
        spelling: how its numbers are written.
    """

    def __init__(self, name: str, spelling: Spelling = PLAIN_SPELLING) -> None:
        self._name = name
        self._spelling = spelling
        self._values = 0
        self._seen: dict[Family, Seen] = {family: Seen() for family in ("number", "time", "boolean")}
        self._missing: dict[str, Sighting] = {}
        self._missing_rows = 0
        self._bits = 0
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
        if readable.all() and _begins_plain(texts) and (kind := narrowest(texts, spelling=self._spelling)) != "string":
            return kind
        self._bits += int(counts[pc.is_in(texts, value_set=pa.array(_BITS)).to_numpy(zero_copy_only=False)].sum())
        missing = mean_missing(texts).to_numpy(zero_copy_only=False)
        self._missing_rows += int(counts[missing].sum())
        _note(self._missing, texts.filter(pa.array(missing)), column, place)
        readings = {
            position: self._admitted(self._read(texts[position].as_py()))
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
                seen.kind = narrowest(pc.take(texts, pa.array(plain)), seen.kind, self._spelling)
        return None

    def _read(self, text: str) -> Reading | None:
        """A reading, plain where it is written as the user says."""
        reading = read(text)
        if reading is None or reading.form not in {*SEPARATED, PLAIN} or reading.family != "number":
            return reading
        if self._spelling.reads(text):
            return Reading("number", PLAIN)
        return Reading("number", POINT) if reading.form == PLAIN else reading

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
        if reading.family == "time":
            seen.times = seen.times.narrowed(text.as_py())
        elif reading.form in {*SEPARATED, PLAIN}:
            seen.spellings = reading_all(seen.spellings, text.as_py())
        if reading.form == GROUPS:
            seen.lengths.add(length_of_code(text.as_py()))
        if reading.form in FEWEST:
            _note(seen.few.setdefault(form, {}), [text], column, place, MANY)
        if form not in seen.first:
            seen.first[form] = _sighting(text, column, place)

    def _all_plain(self, kind: ColumnType, values: pa.Array, column: pa.Array, place: Place) -> None:
        """Take in a batch all of whose values have one type."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if kind in ("int", "float"):
            self._bits += pc.sum(pc.is_in(values, value_set=pa.array(_BITS))).as_py()
        seen, form = self._seen[_FAMILIES[kind]], (PLAIN, "")
        seen.forms[form] += len(values)
        if form not in seen.first:
            seen.first[form] = _sighting(values[0], column, place)
        if kind == "float":
            seen.spellings = tuple(one for one in seen.spellings if one.decimal == self._spelling.decimal)
        elif kind == "timestamp":
            seen.times = seen.times.narrowed(values[0].as_py())
        seen.kind = kind if seen.kind is None else "float" if {seen.kind, kind} == {"int", "float"} else kind
        for other in self._seen.values():
            if other is not seen:
                _note(other.strays, values.slice(0, 1), column, place)

    def suspect(self) -> Suspicion | None:
        """What is suspected, once all batches are seen; ``None`` if the column is text, or is what it says."""
        found = (self._suspect(family, seen) for family, seen in self._seen.items())
        mixed = self._mixed_booleans()
        if mixed is not None:
            return mixed
        return next((suspicion for suspicion in found if suspicion is not None), None)

    def _mixed_booleans(self) -> Suspicion | None:
        """True and false in some rows, 1 and 0 in others, and nothing else."""
        seen = self._seen["boolean"]
        fits = sum(seen.forms.values()) + self._bits
        if not seen.forms or not self._bits or fits < self._values - self._missing_rows:
            return None
        example = next((one for text, one in seen.strays.items() if text in _BITS), next(iter(seen.first.values())))
        return Suspicion(
            column=self._name,
            family="boolean",
            values=self._values,
            written=self._bits,
            form=BITS,
            strays=tuple(self._missing),
            stray_rows=self._missing_rows,
            example=example,
            kind="bool",
            typed=self._typed,
        )

    def _suspect(self, family: Family, seen: Seen) -> Suspicion | None:
        fitting = fitting_forms(seen)
        fits, rows = sum(fitting.values()), self._values - self._missing_rows
        strays, others = rows - fits, strays_of(seen, fitting)
        if fits < ENOUGH or strays > max(1, rows // STRAYS_IN) or (len(others) > FEW and strays * RARE > rows):
            return None
        unread = unread_forms(fitting, seen)
        if family == "number" and (self._codes or (not unread and seen.kind == "int" and has_variants(others))):
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
            spellings=plainest(seen.spellings) if unread and all(one in SEPARATED for one, _ in unread) else (),
            times=seen.times.named if family == "time" and unread else (),
        )


class TextColumns:
    """All columns of text.

    Args:
        exempt: columns about which the user has said what they are, or which no model learns from.
        spelling: how the numbers of a column are written.
    """

    def __init__(self, exempt: Collection[str], spelling: Callable[[str], Spelling] = lambda _: PLAIN_SPELLING) -> None:
        self._exempt = exempt
        self._spelling = spelling
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
                survey = self._columns.setdefault(name, TextSurvey(name, self._spelling(name)))
                survey.see(column, place, kinds.get(name), typed=typed)

    def suspicions(self, columns: Iterable[str]) -> list[Suspicion]:
        """What is suspected of those of ``columns`` that were looked at."""
        found = (self._columns[name].suspect() for name in columns if name in self._columns)
        return [suspicion for suspicion in found if suspicion is not None]


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
