"""What a text could be read as: a number, a time or a boolean, however it is written.

Importing turns text into numbers only where nothing is lost and nothing is guessed. This module knows the other ways in
which people and programs write them (``1.234,50``, ``$12``, ``12 %``, ``31.12.2024``), so that a column of them can be
pointed out instead of being taken for words. Codes are not among them: a number with leading zeros, a telephone number,
an address of the Internet Protocol, a version.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from gauntlet.data.reading import DIGITS, PLAIN, QUOTED, SPACED, Reading
from gauntlet.data.reading_numbers import CURRENCIES, LOCAL, SYMBOLS, read_number
from gauntlet.data.reading_times import DAYS, MONTHS, read_time

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST = 40
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
_MISSING_LIKE = (
    "|n.a.|n.a|na|n/a|n/a.|none|null|nil|nan|nat|-|--|---|–|—|?|??|.|..|...|*|missing|unknown|unk|undefined|tbd|k.a.|"
    "k. a.|not available|not_available|not applicable|not known|unavailable|no data|blank|(blank)|(null)|(none)|<na>|"
    "<null>|\\n|#n/a|#div/0!|#value!|#ref!|#num!|#name?|#null!|error"
)
_QUOTES = frozenset("=\"'`“‘„«‹")
_QUOTED = re.compile(r"=?(?P<quote>[\"'`])(?P<inner>.+)(?P=quote)|[“‘„«‹](?P<other>.+)[”’“»›]|'(?P<open>[^']+)")
# What anything readable looks like, roughly and fast; most words fail it at their first letter.
_SPACES = r"\s\x{a0}\x{2009}\x{202f}"
_ROUGHLY = (
    rf"(?i)^[{_SPACES}\x{{200b}}\x{{200e}}\x{{200f}}\x{{2060}}\x{{feff}}\[=\"'`“‘„«‹]*(?:true|false"
    rf"|p[t0-9][0-9tymwdhs.,]*|(?:{MONTHS})[a-z]*[-\s/,.']+[0-9]+"
    rf"|(?:(?:{DAYS}|{MONTHS})[a-z]*\.?,?\s+){{0,2}}[-+−–(<>≤≥~≈=\s]*(?:[a-z]{{0,3}}[{SYMBOLS}]|{CURRENCIES}|{LOCAL})?[-+−–(\s]*"
    rf"[.,٫]?\p{{Nd}}[-\p{{Nd}}{_SPACES}.,'’:/+_٬٫年月日년월일]*[^0-9]{{0,40}}[-0-9\s.,:/+apmutcgzdhs)\]日일]*)"
    rf"[\"'`”’“»›\]{_SPACES}\x{{200b}}\x{{200e}}\x{{200f}}\x{{2060}}\x{{feff}}]*$"
)


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
    bare = text.strip().strip(_INVISIBLE).strip()
    if bare != text:
        return _named(_read(bare), SPACED)
    return _read(bare)


def _read(text: str) -> Reading | None:
    if text[:1] in _QUOTES and (quoted := _QUOTED.fullmatch(text)) is not None:
        return _named(_read_bare(quoted["inner"] or quoted["other"] or quoted["open"]), QUOTED)
    if not text.isascii() and (latin := _in_latin_digits(text)) != text:
        return _named(_read_bare(latin), DIGITS)
    return _read_bare(text)


def _read_bare(text: str) -> Reading | None:
    if text.lower() in {"true", "false"}:
        return Reading("boolean", PLAIN)
    if "/" in text:  # 01/2024 is a month before it is one of 2024
        return read_time(text) or read_number(text)
    return read_number(text) or read_time(text)


def _named(reading: Reading | None, form: str) -> Reading | None:
    """A reading in which nothing else is in the way."""
    if reading is not None and reading.form == PLAIN:
        return Reading(reading.family, form)
    return reading


def _in_latin_digits(text: str) -> str:
    """Digits of any script as 0 to 9, and Arabic separators as ours."""
    signs = {"٫": ".", "٬": ","}
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else signs.get(sign, sign) for sign in text)
