"""What a text could be read as: a number, a time or a boolean, however it is written.

Importing turns text into numbers only where nothing is lost and nothing is guessed. This module knows the other ways in
which people and programs write them (``1.234,50``, ``$12``, ``12 %``, ``31.12.2024``), so that a column of them can be
pointed out instead of being taken for words. Codes are not among them: a number with leading zeros, a telephone number,
an address of the Internet Protocol, a version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Family = Literal["number", "time", "boolean"]

PLAIN = "plain"
CODE = "code"
COMMA = "a comma (decimal, or between thousands)"
DECIMAL_COMMA = "a decimal comma"
THOUSANDS = "separators between thousands"
GROUPS = "groups of three digits"
PARENTHESES = "parentheses for negative ones"
COMPARED = "a comparison (<, >) before some"
SIGNED = "a sign of their own (+, −)"
PERCENT = "a percent sign"
CURRENCY = "a currency"
UNIT = "a unit"
SPACED = "white space around them"

_LONGEST = 40
_EXACT_DIGITS = 18
_PHONE_DIGITS = 8
_CURRENCIES = "usd|eur|gbp|jpy|chf|cny|inr|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|brl|mxn|krw|try|zar|sgd|hkd|ils|aed"
_SYMBOLS = "$€£¥₹"
_LETTERS = "A V W T K C F G s m t d h l L g"
_UNITS = (
    "kg mg µg ug ng lb lbs oz km cm mm µm nm ft mi yd sqft sqm m² m2 m³ m3 km² km2 cm² cm2 ml dl cl gal ms ns µs us "
    "sec secs second seconds min mins minute minutes hr hrs hour hours day days week weeks month months yr yrs year "
    "years °C °F ° deg kW kWh MW MWh mA mV kV Wh Hz kHz MHz GHz kB KB MB GB TB km/h mph kph m/s bar mbar hPa kPa MPa "
    "Pa psi dB kcal cal kJ px ppm ppb bps rpm bpm"
)
_MISSING_LIKE = (
    "|n.a.|n.a|na|n/a|n/a.|none|null|nil|nan|nat|-|--|---|–|—|?|??|.|..|...|*|missing|unknown|unk|undefined|tbd|k.a.|"
    "k. a.|not available|not_available|not applicable|not known|unavailable|no data|blank|(blank)|(null)|(none)|<na>|"
    "<null>|\\n|#n/a|#div/0!|#value!|#ref!|#num!|#name?|#null!|error"
)

_NUMBER = re.compile(
    rf"""
    (?P<open>\()? (?P<compare>(?:<=|>=|[<>≤≥~≈])\s?)? (?P<sign>[-+−–]\s?)?
    (?P<before>(?:[{_SYMBOLS}]|(?i:{_CURRENCIES})\b)\s?)? (?P<inner>[-−])?
    (?: (?P<plain>\d+(?:\.\d*)?|\.\d+)
      | (?P<comma>\d{{1,3}},\d{{3}})
      | (?P<thousands>(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}})(?:\.\d+)?
                     |\d{{1,3}}(?:['’]\d{{3}})+(?:[.,]\d+)?)
      | (?P<groups>\d{{1,3}}(?:[ \u00a0\u2009\u202f]\d{{3}})+(?:[.,]\d+)?|\d{{1,3}}(?:\.\d{{3}}){{2,}})
      | (?P<decimal>\d*,\d+|\d{{1,3}}(?:\.\d{{3}})+,\d+)
    )
    (?P<exponent>[eE][-+]?\d+)? (?P<magnitude>(?:[kKMB]|bn|mn|mio)(?=[\s)-]|$))?
    (?P<space>\s?) (?P<after>%|‰|[{_SYMBOLS}]|(?i:{_CURRENCIES})|[A-Za-zµ°²³/]\S{{0,7}})? (?P<back>-)? (?P<close>\))?
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_CLOCK = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:[aApP]\.?[mM]\.?)?\s?(?:Z|UTC|GMT|[-+]\d{2}:?\d{2})?)?"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = rf"(?i:(?:{_MONTHS})[a-z]*)\.?"
_DAYS = "mon|tue|wed|thu|fri|sat|sun"
_DAY_NAME = rf"(?:(?i:{_DAYS})[a-z]*,?\s+)?"
_TIMES: dict[str, re.Pattern[str]] = {
    "year-month-day": re.compile(rf"(?P<y>\d{{4}})(?P<s>[-/.])(?P<a>\d{{1,2}})(?P=s)(?P<b>\d{{1,2}}){_CLOCK}"),
    "yearmonthday and a time": re.compile(r"(?P<y>\d{4})(?P<a>\d{2})(?P<b>\d{2})T\d{4,6}(?:[.,]\d+)?Z?"),
    "day.month.year": re.compile(rf"(?P<a>\d{{1,2}})(?P<s>[./-])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_CLOCK}"),
    "month/day/year": re.compile(rf"(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})/\d{{2}}{_CLOCK}"),
    "month names": re.compile(
        rf"{_DAY_NAME}(?:\d{{1,2}}(?:st|nd|rd|th)?[-\s/]{_MONTH}[-\s/,]+|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+)\d{{2,4}}{_CLOCK}"
    ),
}
# What anything readable looks like, roughly and fast; most words fail it at their first letter.
_ROUGHLY = (
    rf"(?i)^[\s\x{{a0}}\x{{2009}}\x{{202f}}]*(?:true|false|(?:(?:{_DAYS}|{_MONTHS})[a-z]*\.?,?\s+){{0,2}}[-+−–(<>≤≥~≈=\s{_SYMBOLS}]*(?:{_CURRENCIES})?[-+−–\s{_SYMBOLS}]*"
    rf"[.,]?[0-9][-0-9\s\x{{a0}}\x{{2009}}\x{{202f}}.,'’:/+]*[^0-9]{{0,12}}[-0-9\s.,:/+apmutcgz)]*)\s*$"
)


@dataclass(frozen=True)
class Reading:
    """What one text could be read as.

    Attributes:
        family: number, time or boolean.
        form: how it is written; ``PLAIN``: as importing reads it by itself; ``CODE``: as a number, but it is none.
        unit: of a number, with its form: ``kg``, ``%``, ``$``.
    """

    family: Family
    form: str
    unit: str = ""


def may_be_read(texts: pa.Array) -> pa.Array:
    """Which texts ``read`` should look at: (n,) bool, false where it would answer ``None`` for sure."""
    import pyarrow.compute as pc

    short = pc.less_equal(pc.utf8_length(texts), _LONGEST)
    return pc.and_(short, pc.match_substring_regex(texts, _ROUGHLY))


def mean_missing(texts: pa.Array) -> pa.Array:
    """Which texts are used to say that there is no value: (n,) bool."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), value_set=pa.array(_MISSING_LIKE.split("|")))


def read(text: str) -> Reading | None:
    """What a text could be read as; ``None``: as nothing but text."""
    bare = text.strip()
    reading = _boolean(bare) or _number(bare) or _time(bare)
    if reading is not None and reading.form == PLAIN and bare != text:
        return Reading(reading.family, SPACED)
    return reading


def _boolean(text: str) -> Reading | None:
    return Reading("boolean", PLAIN) if text.lower() in {"true", "false"} else None


def _number(text: str) -> Reading | None:
    found = _NUMBER.fullmatch(text)
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    style = next(name for name in ("plain", "comma", "thousands", "groups", "decimal") if found[name] is not None)
    core = found[style]
    digits = re.sub(r"\D", "", core)
    affix = (found["before"] or "").strip() or found["after"] or ""
    if found["magnitude"] and not found["before"]:  # $1.2M is a sum, 64K may be anything
        return None
    if (found["before"] and found["after"]) or not _is_affix(affix, spaced=bool(found["space"])):
        return None
    if re.match(r"0\d", core) or (style == "plain" and core.isdigit() and len(digits) > _EXACT_DIGITS):
        return Reading("number", CODE)
    sign = (found["sign"] or "").strip()
    if sign == "+" and (style == "groups" or (core.isdigit() and len(digits) >= _PHONE_DIGITS)):
        return None
    if style == "groups" and _ADDRESS.fullmatch(core):
        return None
    if found["back"] and not re.search(r"[.,]", core):
        return None
    return Reading("number", _form(found, style, sign, affix), _singular(affix))


def _singular(unit: str) -> str:
    """1 year and 2 years are of one unit; 5 ms and 5 m are not."""
    return unit.removesuffix("s") if len(unit) > 2 else unit


def _form(found: re.Match[str], style: str, sign: str, affix: str) -> str:
    """The one thing about a number that is most in the way of reading it."""
    if found["open"]:
        return PARENTHESES
    if found["compare"]:
        return COMPARED
    if affix:
        if affix in {"%", "‰"}:
            return PERCENT
        return CURRENCY if affix in _SYMBOLS or affix.lower() in _CURRENCIES.split("|") else UNIT
    styles = {"comma": COMMA, "thousands": THOUSANDS, "groups": GROUPS, "decimal": DECIMAL_COMMA}
    if style != "plain":
        return styles[style]
    return SIGNED if sign not in {"", "-"} or found["inner"] or found["back"] or " " in (found["sign"] or "") else PLAIN


def _is_affix(affix: str, *, spaced: bool) -> bool:
    """Whether what stands beside a number is a unit; a letter right behind it (12A, 30s) is more often a code."""
    if not affix or affix in {"%", "‰"} or affix in _SYMBOLS or affix.lower() in _CURRENCIES.split("|"):
        return True
    return affix in _UNITS.split() or (spaced and affix in _LETTERS.split())


def _time(text: str) -> Reading | None:
    for form, pattern in _TIMES.items():
        found = pattern.fullmatch(text)
        if found is not None and _is_date(found.groupdict(), form):
            return Reading("time", form)
    return None


def _is_date(parts: dict[str, str | None], form: str) -> bool:
    year, first, second = parts.get("y"), int(parts.get("a") or 1), int(parts.get("b") or 1)
    if year is not None and not 1800 <= int(year) <= 2200:
        return False
    if form.startswith("year"):
        return 1 <= first <= 12 and 1 <= second <= 31
    return 1 <= min(first, second) <= 12 and max(first, second) <= 31
