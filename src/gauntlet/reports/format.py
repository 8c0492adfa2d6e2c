"""Number formats of all reports: few digits, thousands separators, no ``-0.0``, no NaN.

All functions accept ``None``, NaN and infinities and return plain text. They are the Jinja filters of the same names.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import SupportsFloat
from urllib.parse import quote, urlsplit

from gauntlet.data.phrasing import superscript

MISSING = "–"
"""Text for a missing value."""

POINTS = "points"
"""Unit of differences of shares: 0.12 is 12 points."""

_MINUS = "−"
_LARGEST_PLAIN = 1e9
_SMALLEST_PLAIN = 1e-4
_SAFE_SCHEMES = {"", "file", "http", "https"}

Number = SupportsFloat | None


def number(value: Number, digits: int = 3) -> str:
    """Format a number with ``digits`` significant digits: ``0.0123``, ``12,346``, ``1.2 × 10⁻⁷``; integers in full."""
    amount = _number_or_none(value)
    if amount is None:
        return MISSING
    if math.isinf(amount):
        return "∞" if amount > 0 else f"{_MINUS}∞"
    size = abs(amount)
    if size >= _LARGEST_PLAIN or 0 < size < _SMALLEST_PLAIN:
        return _scientific(amount, digits)
    if amount == int(amount):
        return _signed_text(f"{amount:,.0f}")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return _signed_text(_trim(f"{amount:,.{decimals}f}"))


def fixed(value: Number, decimals: int) -> str:
    """Format a number with exactly ``decimals`` decimals, for aligned columns."""
    amount = _number_or_none(value)
    if amount is None or math.isinf(amount) or abs(amount) >= _LARGEST_PLAIN:
        return number(value)
    return _signed_text(f"{amount:,.{decimals}f}")


def signed(value: Number, digits: int = 3) -> str:
    """Format a difference: like ``number``, with ``+`` for positive values."""
    amount = _number_or_none(value)
    text = number(value, digits)
    return f"+{text}" if amount is not None and amount > 0 else text


def count(value: Number) -> str:
    """Format an integer with thousands separators: ``12,346``."""
    amount = _number_or_none(value)
    if amount is None or math.isinf(amount):
        return number(value)
    return _signed_text(f"{amount:,.0f}")


def rows(value: Number) -> str:
    """Format a number of rows: ``1 row``, ``12,346 rows``."""
    return f"{count(value)} row" if _number_or_none(value) == 1 else f"{count(value)} rows"


def percent(value: Number, decimals: int = 1) -> str:
    """Format a share (0.123 is ``12.3%``). Tiny shares keep a digit; only exact values become 0% or 100%."""
    amount = _number_or_none(value)
    if amount is None or math.isinf(amount):
        return number(value)
    share = amount * 100
    if abs(share) >= _LARGEST_PLAIN:
        return f"{number(share)}%"
    for places in range(decimals, decimals + 4):
        text = _signed_text(f"{share:,.{places}f}")
        rounded_away = float(f"{share:.{places}f}") in {0.0, 100.0, -100.0} and share not in {0.0, 100.0, -100.0}
        if not rounded_away:
            return f"{_trim(text) if share in {0.0, 100.0, -100.0} else text}%"
    return f"under {10**-places:.{places}f}%" if abs(share) < 1 else f"{_trim(text)}%"


def duration(seconds: Number) -> str:
    """Format a duration: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 03 min``."""
    amount = _number_or_none(seconds)
    if amount is None or math.isinf(amount):
        return number(seconds)
    if amount < 0:
        return f"{_MINUS}{duration(-amount)}"
    if amount < 9.95:
        return f"{amount:.1f} s"
    whole = round(amount)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{count(whole // 3600)} h {whole % 3600 // 60:02d} min"


def level(value: Number) -> str:
    """Format a confidence level with its own digits: ``95%``, ``97.5%``."""
    amount = _number_or_none(value)
    return MISSING if amount is None else f"{number(amount * 100, 5)}%"


def p_value(value: Number) -> str:
    """Format a p-value: ``0.032``, ``< 0.001``."""
    amount = _number_or_none(value)
    if amount is None or math.isinf(amount):
        return number(value)
    return "< 0.001" if amount < 0.001 else _trim(f"{amount:.3f}")


def decimals_for(low: Number, high: Number) -> int:
    """Number of decimals for an interval: two significant digits of its width, at most six.

    A lower end above zero keeps a non-zero digit within three decimals, so that no ratio's interval seems to reach
    zero.
    """
    ends = [end for end in (_number_or_none(low), _number_or_none(high)) if end is not None and math.isfinite(end)]
    width = max(ends) - min(ends) if len(ends) == 2 else 0.0
    if not math.isfinite(width):
        return 0
    if width <= 0:
        width = max((abs(end) for end in ends), default=1.0) / 10 or 1.0
    decimals = 1 - math.floor(math.log10(width))
    if len(ends) == 2 and min(ends) > 0:
        decimals = max(decimals, min(3, -math.floor(math.log10(min(ends)))))
    return min(6, max(0, decimals))


def interval(ends: tuple[Number, Number] | None, *, unit: str = "") -> str:
    """Format an interval: ``0.712 to 0.741``; one-sided: ``at least 0.71``, ``at most 0.74``.

    Args:
        ends: (low, high); an infinite or missing end is open.
        unit: ``"%"`` formats shares as percentages, ``"points"`` differences of shares; any other unit is appended.
    """
    if ends is None:
        return MISSING
    if unit == POINTS:
        low, high = (None if end is None else 100 * end for end in map(_number_or_none, ends))
        text = interval((low, high))
        return text if text == MISSING else f"{text} points"
    low, high = (None if end is None or not math.isfinite(end) else end for end in map(_number_or_none, ends))
    if low is None and high is None:
        return MISSING
    if low is None:
        return f"at most {quantity(high, unit=unit)}"
    if high is None:
        return f"at least {quantity(low, unit=unit)}"
    return f"{quantity(low, ends, unit=unit)} to {quantity(high, ends, unit=unit)}"


def quantity(value: Number, ends: tuple[Number, Number] | None = None, *, unit: str = "") -> str:
    """Format an estimate with the decimals of its interval.

    Args:
        value: the estimate.
        ends: its interval; without one the value has three significant digits.
        unit: ``"%"`` formats a share as a percentage, ``"points"`` a difference of shares; any other unit is appended.
    """
    amount = _number_or_none(value)
    if amount is None:
        return MISSING
    if unit == POINTS:
        low, high = (None if end is None else 100 * end for end in map(_number_or_none, ends or (None, None)))
        text = quantity(100 * amount, None if ends is None else (low, high))
        return f"{text} point" if text.lstrip(_MINUS) == "1" else f"{text} points"
    if unit == "%":
        if ends is None:
            return percent(amount)
        low, high = (None if end is None else end * 100 for end in map(_number_or_none, ends))
        return f"{fixed(amount * 100, min(3, decimals_for(low, high)))}%"
    if ends is None:
        text = number(amount)
    elif amount != 0 and abs(amount) < _SMALLEST_PLAIN:
        text = number(amount, 2)
    else:
        text = fixed(amount, decimals_for(*ends))
    return f"{text} {unit}" if unit else text


def size(n_bytes: Number) -> str:
    """Format a size in bytes: ``812 B``, ``3.4 MB``."""
    amount = _number_or_none(n_bytes)
    if amount is None or math.isinf(amount):
        return number(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{number(amount)} {unit}"
        amount /= 1000
    return f"{number(amount)} TB"


def moment(value: datetime | None) -> str:
    """Format a time, to the second, with time zone: ``2026-03-01 14:05:09 UTC``."""
    if value is None:
        return MISSING
    return f"{value:%Y-%m-%d %H:%M:%S} {value.tzname() or ''}".rstrip()


def href(target: str) -> str:
    """Escape a link target for an attribute; ``#`` for a scheme that could execute code."""
    if urlsplit(target).scheme.lower() not in _SAFE_SCHEMES:
        return "#"
    return quote(target, safe="/:#?&=%~+@,;!$'()*")


def shorten(text: str, longest: int = 60) -> str:
    """Shorten a text longer than ``longest`` in its middle, since names often differ at their ends."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 3
    return f"{text[: longest - 1 - tail]}…{text[len(text) - tail :]}"


def _number_or_none(value: Number) -> float | None:
    if value is None:
        return None
    try:
        amount = float(value)
    except OverflowError:  # an int beyond the largest float
        return -math.inf if isinstance(value, int) and value < 0 else math.inf
    return None if math.isnan(amount) else amount


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_signed_text(_trim(mantissa))} × 10{superscript(int(exponent))}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed_text(text: str) -> str:
    """Replace ``-`` by a minus sign, and drop it before a zero."""
    if not text.startswith("-"):
        return text
    return f"{_MINUS}{text[1:]}" if text.strip("-0.,") else text[1:]
