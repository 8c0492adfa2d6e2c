"""Texts that are times: dates in the order of any country, with names of months, with times of day and zones."""

from __future__ import annotations

import calendar
import re

from gauntlet.data.reading import ISO, ISO_ZONED, PARTIAL, SHORT, Reading

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DAYS = "mon|tue|wed|thu|fri|sat|sun"

_SHORTEST = 6
_DIGITS = re.compile(r"\d\D{0,4}\d")

_ZONE = r"(?:\s?(?:Z|[-+]\d{2}:?\d{2}|(?:UTC|GMT)(?:[-+]\d{1,2})?)|\s(?:[A-Z]{2,5}|[A-Z][A-Za-z_]+/[A-Z][A-Za-z_/]+))?"
_CLOCK = rf"(?:[T ,:]+(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-6]\d(?:[.,]\d+)?)?\s?(?:[aApP]\.?[mM]\.?)?{_ZONE})?"
_MONTH = rf"(?i:(?:{MONTHS})[a-z]*)\.?"
_WORD = r"(?:de\s)?[^\W\d_]{3,12}\.?(?:\sde)?"
_DAY_NAME = rf"(?:(?i:{DAYS})[a-z]*,?\s+)?"
_STANDARD = r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ](?:[01]\d|2[0-3])(?::[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?)?"
_YEAR = r"(?:1[89]|20)\d{2}"
_NAMES = "month names"
_FORMS: dict[str, re.Pattern[str]] = {
    ISO: re.compile(_STANDARD),
    ISO_ZONED: re.compile(rf"{_STANDARD}(?:Z|[-+]\d{{2}}(?::?\d{{2}})?)"),
    "year-month-day": re.compile(rf"(?P<y>\d{{4}})(?:(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}})){_CLOCK}"),
    "yearmonthday and a time": re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})T\d{4,6}(?:[.,]\d+)?Z?"),
    "day.month.year": re.compile(rf"(?P<a>\d{{1,2}})(?P<s>[./-])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_CLOCK}"),
    "month/day/year": re.compile(rf"(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})/\d{{2}}{_CLOCK}"),
    "year, month and day in words": re.compile(
        rf"(?P<y>\d{{4}})\s?[年년]\s?(?P<m>\d{{1,2}})\s?[月월]\s?(?P<d>\d{{1,2}})\s?[日일]{_CLOCK}"
    ),
    _NAMES: re.compile(
        rf"{_DAY_NAME}\d{{1,2}}(?:st|nd|rd|th|\.)?[-\s/]{_MONTH}[-\s/,]+\d{{2,4}}{_CLOCK}"
        rf"|{_DAY_NAME}{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{2,4}}{_CLOCK}"
        rf"|{_DAY_NAME}{_MONTH}\s+\d{{1,2}}\s+\d{{1,2}}:\d{{2}}:\d{{2}}\s+(?:[A-Z]{{2,5}}\s+)?\d{{4}}"
        rf"|(?:[0-2]?\d|3[01])\.?[-\s/]{_WORD}[-\s/,]+{_YEAR}{_CLOCK}"
    ),
    PARTIAL: re.compile(
        rf"{_YEAR}[-/](?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])/{_YEAR}|{_YEAR}-?(?:W[0-5]\d|Q[1-4])"
        rf"|{_MONTH}[-\s/,.']+(?:{_YEAR}|\d{{2}})|\d{{2}}-{_MONTH}"
    ),
    SHORT: re.compile(rf"(?P<a>\d{{2}})(?P<s>[.-])(?P<b>\d{{2}})(?P=s)\d{{2}}{_CLOCK}"),
}


def read_time(text: str) -> Reading | None:
    """A text without white space around it as a time."""
    if len(text) < _SHORTEST or not _DIGITS.search(text):
        return None
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    for form, pattern in _FORMS.items():
        found = pattern.fullmatch(bare)
        if found is not None and _is_date(found.groupdict()):
            return Reading("time", form if bare == text else _NAMES)
    return None


def _is_date(parts: dict[str, str | None]) -> bool:
    """Whether there is such a day: 2021-02-30 is a typing error."""
    year = int(parts.get("y") or 2000)
    if not 1800 <= year <= 2200:
        return False
    month, day = (int(parts.get(name) or 1) for name in "md")
    first, second = (int(parts.get(name) or 1) for name in "ab")
    orders = ((month, day),) if "m" in parts else ((first, second), (second, first))
    return any(1 <= one <= 12 and 1 <= other <= calendar.monthrange(year, one)[1] for one, other in orders)
