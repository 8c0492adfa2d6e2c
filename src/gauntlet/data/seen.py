"""The values of one family (numbers, times, booleans) in a column of text: in which forms, and which of these count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gauntlet.data.columns import ColumnType
from gauntlet.data.reading import COMPARED, DOUBTFUL, GROUPS, ISO, ISO_ZONED, NUMBERED, PLAIN, WORD
from gauntlet.data.spelling import Spelling
from gauntlet.data.spelling_guesses import NUMBERS, TimeForms
from gauntlet.data.suspicion import Sighting

FEW = 10
"""So many different values can be typing errors; more are names or codes…"""
CODES_FROM = 3
"""So many different values like 101A or 10001-1234 among whole numbers make codes of them all."""
MANY = 50
"""No more different values than this are as likely names: of shifts (08:30), of sizes (64K), of months."""
FEWEST = {**dict.fromkeys(DOUBTFUL, MANY), WORD: FEW}
_CODE_DIGITS = 6
"""So many digits in groups, all of one length, are as likely a code or a telephone number."""
_MOST_FORMS = 50
_CODE_LIKE = re.compile(r"\w+(?:[-/.]\w+| [A-Z0-9]+| [a-z]{1,2}\b)*")

Form = tuple[str, str]
"""How a value is written, and its unit."""


@dataclass
class Seen:
    """Values of one family in a column.

    Attributes:
        forms: how many values are written in a form.
        first: form → the first such value.
        few: form → different values, the first of each, up to one more than ``MANY``; of forms in ``FEWEST``.
        lengths: of whole numbers in groups of three digits, in characters.
        strays: other values → the first of each, up to one more than ``FEW``.
        kind: narrowest type of those that importing might read by itself; ``None`` before any.
        spellings: ways to write numbers in which all with separators, and all plain ones, are read.
        times: the forms of ``strptime`` in which all times are read.
    """

    forms: Counter[Form] = field(default_factory=Counter)
    first: dict[Form, Sighting] = field(default_factory=dict)
    few: dict[Form, dict[str, Sighting]] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    strays: dict[str, Sighting] = field(default_factory=dict)
    kind: ColumnType | None = None
    spellings: tuple[Spelling, ...] = NUMBERS
    times: TimeForms = field(default_factory=TimeForms)

    def knows(self, form: Form) -> bool:
        """Whether values in this form are counted: those in the first so many forms are."""
        return form in self.forms or len(self.forms) < _MOST_FORMS


def fitting_forms(seen: Seen) -> dict[Form, int]:
    """The forms whose values are of the family, and how many there are.

    Of numbers with a unit, those with the most frequent one are, and where it is any word, only if most numbers have
    it; of numbers in groups of three, none if all are of one length and nothing else is there (telephone numbers,
    codes); of numbers in parentheses or compared with something, none if they are the most; of forms that need not be
    numbers or times, those with many different values, and of numbers with any word behind them, more than a few.
    """
    forms = {form: count for form, count in seen.forms.items() if count}
    forms = {form: count for form, count in forms.items() if len(seen.few.get(form, ())) > FEWEST.get(form[0], -1)}
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


def strays_of(seen: Seen, fitting: Mapping[Form, int]) -> dict[str, Sighting]:
    """Values that are not of the family, those among them that turned out to be words."""
    others = dict(seen.strays)
    for form, values in seen.few.items():
        if form not in fitting:
            others |= values
    return others


def unread_forms(fitting: Mapping[Form, int], seen: Seen) -> dict[Form, int]:
    """The forms among them that importing does not read, once nothing else is in the column."""
    if seen.kind in ("timestamp", "bool"):
        return {}
    unread = {form: count for form, count in fitting.items() if form[0] != PLAIN or seen.kind not in ("int", "float")}
    standard = [form for form in unread if form[0] in (ISO, ISO_ZONED)]
    if standard and len(unread) > 1:
        del unread[max(standard, key=lambda form: unread[form])]
    return unread


def has_variants(strays: Iterable[str]) -> bool:
    """Whether some are what codes look like, not numbers with a footnote."""
    alike = (any(sign.isdigit() for sign in value) and _CODE_LIKE.fullmatch(value) for value in strays)
    return sum(map(bool, alike)) >= CODES_FROM


def length_of_code(text: str) -> int:
    """Digits of a whole number; 0 of one with a fraction, which is no code."""
    parts = re.split(r"\D", text)
    return sum(map(len, parts)) if len(parts[-1]) == 3 else 0
