"""Which spellings the values of a column have in common: what a message may say to set.

Every value rules out those in which it is nothing; what is left reads all of them. Where two are left (1,234 and
03/04/2024 are read in two ways), both are said, as only the user knows which is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gauntlet.data.spelling import Spelling, moment

NUMBERS = tuple(
    Spelling(decimal, thousands)
    for decimal, thousands in (
        *((".", ""), (",", ""), (".", ","), (",", "."), (".", "'"), (",", "'"), (".", " "), (",", " "), (".", "_")),
    )
)
"""Ways to write numbers; of those with one decimal sign, the plainest first."""
_DATES = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    *("%d-%b-%Y", "%d %b %Y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%y", "%d %b %y", "%d. %b %Y"),
    *("%d-%B-%Y", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d. %B %Y"),
    *("%a, %d %b %Y", "%A, %d %B %Y", "%A, %B %d, %Y", "%a %d %b %Y"),
    *("%Y年%m月%d日", "%Y-%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%b-%Y"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S UTC %Y", "[%d/%b/%Y:%H:%M:%S %z]"),
)
_CLOCK = re.compile(
    r"(?P<date>.*?\S)(?P<between>T|:|,\s| at |\s+)\d{1,2}:\d{2}(?P<second>:\d{2}(?P<part>\.\d{1,6})?)?"
    r"(?P<half>\s?[AaPp][Mm])?(?P<zone>\s?(?:Z|[-+]\d{2}:?\d{2}|UTC|GMT))?"
)


def reading_all(spellings: Iterable[Spelling], text: str) -> tuple[Spelling, ...]:
    """Those in which a text, that is a number in some, is one."""
    if text.isdecimal():
        return tuple(spellings)
    return tuple(spelling for spelling in spellings if spelling.reads(text))


def plainest(spellings: Iterable[Spelling]) -> tuple[Spelling, ...]:
    """Of spellings that read all values, those to name: one, or two where it is open whether commas are decimal.

    >>> [(one.decimal, one.thousands) for one in plainest([Spelling(","), Spelling(".", ","), Spelling(",", ".")])]
    [(',', ''), ('.', ',')]
    """
    first: dict[str, Spelling] = {}
    for spelling in spellings:
        if all(spelling.thousands != other.thousands for other in first.values()):  # else no value has a fraction
            first.setdefault(spelling.decimal, spelling)
    return tuple(first.values())


@dataclass(frozen=True)
class TimeForms:
    """The forms in which all times seen so far can be read.

    Attributes:
        left: those; ``None``: none was seen.
    """

    left: tuple[str, ...] | None = None

    def narrowed(self, text: str) -> TimeForms:
        """Those in which this text is a time, too."""
        candidates = _forms_like(text) if self.left is None else self.left
        return TimeForms(tuple(form for form in candidates if moment(text, form) is not None))

    @property
    def named(self) -> tuple[str, ...]:
        """At most two that differ: for May, %b and %B are one."""
        left = self.left or ()
        return tuple(form for form in left if "%B" not in form or form.replace("%B", "%b") not in left)[:2]


def _forms_like(text: str) -> tuple[str, ...]:
    """Forms with the time of day that a text has."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return _DATES
    clock = "%I:%M" if found["half"] else "%H:%M"
    for group, directive in (("second", ":%S"), ("part", ".%f"), ("half", "%p"), ("zone", "%z")):
        written = found[group] or ""
        space = " " if written[:1].isspace() else ""
        name = written.strip() if written.strip() in ("UTC", "GMT") else directive
        clock += f"{space}{name}" if written else ""
    return (*(f"{date}{found['between']}{clock}" for date in _DATES if "%H" not in date), *_DATES)
