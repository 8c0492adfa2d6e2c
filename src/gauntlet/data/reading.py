"""One reading of a text, and the forms in which people and programs write numbers, times and booleans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["number", "time", "boolean"]

PLAIN = "plain"
CODE = "code"
LONG = "more digits than a number holds"
COMMA = "a comma (decimal, or between thousands)"
DECIMAL_COMMA = "a decimal comma"
POINT = "a decimal point"
THOUSANDS = "separators between thousands"
GROUPS = "groups of three digits"
PARENTHESES = "parentheses for negative ones"
NUMBERED = "parentheses"
COMPARED = "a comparison (<, >) before some"
SIGNED = "a sign of their own (+, −)"
PERCENT = "a percent sign"
CURRENCY = "a currency"
UNIT = "a unit"
WORD = "the same word behind them"
SPACED = "white space around them"
QUOTED = "quotes around them"
DIGITS = "digits other than 0 to 9"
MAGNITUDE = "letters for thousands and millions"
BITS = "1 and 0 here, true and false there"
CLOCK = "hours, minutes and seconds"

ISO = "ISO 8601 without a zone"
ISO_ZONED = "ISO 8601 with a zone"
PARTIAL = "a year and its month, week or quarter"
SHORT = "day, month and a year of two digits"

SEPARATED = frozenset({COMMA, DECIMAL_COMMA, POINT, THOUSANDS, GROUPS})
"""Forms that ``reader.decimal`` and ``reader.thousands`` read."""
DOUBTFUL = frozenset({MAGNITUDE, CLOCK, PARTIAL, SHORT})
"""A few different ones are as likely names of shifts, sizes or periods."""


@dataclass(frozen=True)
class Reading:
    """What one text could be read as.

    Attributes:
        family: number, time or boolean.
        form: how it is written; ``PLAIN``: as importing reads it by itself; ``CODE``, ``LONG``: as a number, but it is
            none.
        unit: of a number, with its form: ``kg``, ``%``, ``$``.
    """

    family: Family
    form: str
    unit: str = ""
