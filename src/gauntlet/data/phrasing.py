"""Numbers, shares and lists as the data gates say them in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MINUS = "−"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def amount(value: float) -> str:
    """A value of a column: ``41,000,000``, ``0.0132``, ``−90``, ``8.37 × 10⁻⁵``."""
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        text = f"{value:,.0f}"
    elif size >= 1000:
        text = f"{value:,.0f}" if size < 1e15 else f"{value:.3g}"
    else:
        text = f"{value:.3g}"
    mantissa, exponential, power = text.partition("e")
    tenfold = f" × 10{superscript(int(power))}" if exponential else ""
    return mantissa.replace("-", _MINUS) + tenfold


def superscript(power: int) -> str:
    """An exponent as superscript: ``⁻⁷``."""
    return str(power).translate(_SUPERSCRIPTS)


def share(value: float) -> str:
    """A share of rows: ``12.3%``, ``0.02%``; never 0% for what is not zero, nor 100% for what is not all."""
    if value <= 0:
        return "0%"
    if value >= 1:
        return "100%"
    for places in range(1, 6):
        text = f"{100 * value:.{places}f}"
        if float(text) not in (0.0, 100.0):
            return f"{text}%"
    return "under 0.00001%" if value < 0.5 else "over 99.99999%"


def quoted(values: Sequence[str], most: int = 3) -> str:
    """Category names: ``'Oslo', 'Bern' and 4 more``."""
    shown = [f"'{value if len(value) <= 40 else value[:39] + '…'}'" for value in values[:most]]
    rest = len(values) - len(shown)
    if rest:
        return ", ".join(shown) + f" and {rest:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def counted(number: int, thing: str) -> str:
    """``1 column``, ``3 columns``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
