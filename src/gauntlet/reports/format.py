"""How numbers are written in every report: few digits, thousands separated, no ``-0.0``, nothing that is not a number.

All functions take what a view holds (``None``, NaN and infinities included) and return plain text for people. They are
the Jinja filters of the same names.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import SupportsFloat
from urllib.parse import quote, urlsplit

MISSING = "–"
"""What stands where there is no value."""

_MINUS = "−"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_PLAIN = 1e9
_SMALLEST_PLAIN = 1e-4
_SAFE_SCHEMES = {"", "file", "http", "https"}

Number = SupportsFloat | None


def number(value: Number, digits: int = 3) -> str:
    """A number with ``digits`` significant digits: ``0.0123``, ``12,346``, ``1.2 × 10⁻⁷``; whole ones in full."""
    found = _known(value)
    if found is None:
        return MISSING
    if math.isinf(found):
        return "∞" if found > 0 else f"{_MINUS}∞"
    size = abs(found)
    if size >= _LARGEST_PLAIN or 0 < size < _SMALLEST_PLAIN:
        return _scientific(found, digits)
    if found == int(found):
        return _signed_text(f"{found:,.0f}")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return _signed_text(_trim(f"{found:,.{decimals}f}"))


def fixed(value: Number, decimals: int) -> str:
    """A number with exactly ``decimals`` decimals, so that a column of them lines up."""
    found = _known(value)
    if found is None or math.isinf(found) or abs(found) >= _LARGEST_PLAIN:
        return number(value)
    return _signed_text(f"{found:,.{decimals}f}")


def signed(value: Number, digits: int = 3) -> str:
    """A difference: like ``number``, with ``+`` before what is positive."""
    found = _known(value)
    text = number(value, digits)
    return f"+{text}" if found is not None and found > 0 else text


def count(value: Number) -> str:
    """A whole number with its thousands separated: ``12,346``."""
    found = _known(value)
    if found is None or math.isinf(found):
        return number(value)
    return _signed_text(f"{found:,.0f}")


def rows(value: Number) -> str:
    """A number of rows with its unit: ``1 row``, ``12,346 rows``."""
    return f"{count(value)} row" if _known(value) == 1 else f"{count(value)} rows"


def percent(value: Number, decimals: int = 1) -> str:
    """A share (0.123 is ``12.3%``). Tiny shares keep a digit, and only what is whole is called 0% or 100%."""
    found = _known(value)
    if found is None or math.isinf(found):
        return number(value)
    share = found * 100
    if abs(share) >= _LARGEST_PLAIN:
        return f"{number(share)}%"
    for places in range(decimals, decimals + 4):
        text = _signed_text(f"{share:,.{places}f}")
        rounded_away = float(f"{share:.{places}f}") in {0.0, 100.0, -100.0} and share not in {0.0, 100.0, -100.0}
        if not rounded_away:
            return f"{_trim(text) if share in {0.0, 100.0, -100.0} else text}%"
    return f"under {10**-places:.{places}f}%" if abs(share) < 1 else f"{_trim(text)}%"


def duration(seconds: Number) -> str:
    """A duration in the units one would say it in: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 03 min``."""
    found = _known(seconds)
    if found is None or math.isinf(found):
        return number(seconds)
    if found < 0:
        return f"{_MINUS}{duration(-found)}"
    if found < 9.95:
        return f"{found:.1f} s"
    whole = round(found)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{count(whole // 3600)} h {whole % 3600 // 60:02d} min"


def level(value: Number) -> str:
    """A confidence level, in the digits it was chosen with: ``95%``, ``97.5%``."""
    found = _known(value)
    return MISSING if found is None else f"{number(found * 100, 5)}%"


def p_value(value: Number) -> str:
    """A p-value: ``0.032``, ``< 0.001``."""
    found = _known(value)
    if found is None or math.isinf(found):
        return number(value)
    return "< 0.001" if found < 0.001 else _trim(f"{found:.3f}")


def decimals_for(low: Number, high: Number) -> int:
    """How many decimals an interval is worth: two significant digits of its width, at most six.

    A low end above zero keeps a digit within three decimals, so that no ratio's interval seems to reach zero.
    """
    ends = [end for end in (_known(low), _known(high)) if end is not None and math.isfinite(end)]
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
    """An interval in words: ``0.712 to 0.741``; ``at least 0.71`` or ``at most 0.74`` where it has one end.

    Args:
        ends: (low, high); an infinite or missing end is open.
        unit: ``"%"`` if the ends are shares to be written as percentages, otherwise appended as it is.
    """
    if ends is None:
        return MISSING
    low, high = (None if end is None or not math.isfinite(end) else end for end in map(_known, ends))
    if low is None and high is None:
        return MISSING
    if low is None:
        return f"at most {quantity(high, unit=unit)}"
    if high is None:
        return f"at least {quantity(low, unit=unit)}"
    return f"{quantity(low, ends, unit=unit)} to {quantity(high, ends, unit=unit)}"


def quantity(value: Number, ends: tuple[Number, Number] | None = None, *, unit: str = "") -> str:
    """A measured value, written with the digits its interval is worth.

    Args:
        value: the estimate.
        ends: its interval; without one the value gets three significant digits.
        unit: ``"%"`` if the value is a share to be written as a percentage, otherwise appended as it is.
    """
    found = _known(value)
    if found is None:
        return MISSING
    if unit == "%":
        if ends is None:
            return percent(found)
        low, high = (None if end is None else end * 100 for end in map(_known, ends))
        return f"{fixed(found * 100, min(3, decimals_for(low, high)))}%"
    if ends is None:
        text = number(found)
    elif found != 0 and abs(found) < _SMALLEST_PLAIN:
        text = number(found, 2)
    else:
        text = fixed(found, decimals_for(*ends))
    return f"{text} {unit}" if unit else text


def size(n_bytes: Number) -> str:
    """A size in bytes: ``812 B``, ``3.4 MB``."""
    found = _known(n_bytes)
    if found is None or math.isinf(found):
        return number(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(found) < 1000:
            return f"{number(found)} {unit}"
        found /= 1000
    return f"{number(found)} TB"


def moment(value: datetime | None) -> str:
    """A point in time, to the second, with its zone: ``2026-03-01 14:05:09 UTC``."""
    if value is None:
        return MISSING
    return f"{value:%Y-%m-%d %H:%M:%S} {value.tzname() or ''}".rstrip()


def href(target: str) -> str:
    """A link target made safe for an attribute: characters quoted, and ``#`` for a scheme that could run code."""
    if urlsplit(target).scheme.lower() not in _SAFE_SCHEMES:
        return "#"
    return quote(target, safe="/:#?&=%~+@,;!$'()*")


def shorten(text: str, longest: int = 60) -> str:
    """``text`` with its middle cut out where it is longer than ``longest``: names often differ at their ends."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 3
    return f"{text[: longest - 1 - tail]}…{text[len(text) - tail :]}"


def superscript(power: int) -> str:
    """A power as it is written above the line: ``⁻⁷``."""
    return str(power).translate(_SUPERSCRIPTS)


def _known(value: Number) -> float | None:
    if value is None:
        return None
    try:
        found = float(value)
    except OverflowError:  # an int beyond the largest float
        return -math.inf if isinstance(value, int) and value < 0 else math.inf
    return None if math.isnan(found) else found


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_signed_text(_trim(mantissa))} × 10{superscript(int(exponent))}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed_text(text: str) -> str:
    """A real minus sign, and none before a zero."""
    if not text.startswith("-"):
        return text
    return f"{_MINUS}{text[1:]}" if text.strip("-0.,") else text[1:]
