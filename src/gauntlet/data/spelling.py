"""How a column's numbers and times are written, where the user has said so: ``reader.decimal`` and its siblings.

A value that is not written so is not read: 12.5 is no number where commas are decimal, as 1.234 would be another one.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}
"""Epoch units → microseconds in one of them."""
SPACE = " "
_SIGNS_OF = {SPACE: " \u00a0\u2009\u202f", "'": "'’"}
"""What is typed for a separator, where there is more than one way."""
_INSTANTS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
_FIRST, _LAST = (round(instant.timestamp()) * 1_000_000 for instant in _INSTANTS)


@dataclass(frozen=True)
class Spelling:
    """How values are written.

    Attributes:
        decimal: between a number's whole part and its fraction, ``.`` or ``,``.
        thousands: between groups of three digits; empty: nothing. A space stands for those that do not break, too.
        time: of times, in directives of ``datetime.strptime``, or what they are counted in since 1970 (``UNITS``);
            empty: ISO 8601.
    """

    decimal: str = "."
    thousands: str = ""
    time: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self.decimal == "." and not self.thousands

    def plain_numbers(self, texts: pa.Array) -> pa.Array | None:
        """Texts with what this spelling says of numbers undone; ``None`` if one holds separators as no number has them.

        >>> import pyarrow as pa
        >>> Spelling(decimal=",", thousands=".").plain_numbers(pa.array(["1.234,5", "-7", "north"])).to_pylist()
        ['1234.5', '-7', 'north']
        >>> Spelling(decimal=",").plain_numbers(pa.array(["12,5", "12.5"])) is None
        True
        """
        import pyarrow.compute as pc

        if self.is_plain:
            return texts
        separated = pc.match_substring_regex(texts, self._separator)
        if not pc.any(separated).as_py():
            return texts
        if not pc.all(pc.match_substring_regex(texts.filter(separated), self._number)).as_py():
            return None
        if self.thousands:
            texts = pc.replace_substring_regex(texts, f"[{_signs(self.thousands)}]", "")
        return texts if self.decimal == "." else pc.replace_substring(texts, self.decimal, ".")

    def reads(self, text: str) -> bool:
        """Whether a text is a number in this spelling, for a text that is one in some."""
        return text.isdecimal() or _compiled(self).search(text) is not None

    @property
    def _separator(self) -> str:
        return f"[.,{_signs(self.thousands)}]"

    @property
    def _number(self) -> str:
        point = re.escape(self.decimal)
        fraction = rf"(?:{point}[0-9]*)?"
        sign = f"[{_signs(self.thousands)}]"
        groups = rf"(?:{sign}[0-9]{{3}})+"
        if self.thousands == ",":  # India writes 12,34,567
            groups = rf"(?:{groups}|(?:,[0-9]{{2}})+,[0-9]{{3}})"
        grouped = rf"[0-9]{{1,3}}{groups}{fraction}|" if self.thousands else ""
        return rf"^[-+]?(?:{grouped}[0-9]+{fraction}|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?$"

    def times(self, column: pa.Array) -> pa.Array | None:
        """Texts or numbers as microseconds since 1970 (UTC), a part of one cut off.

        ``None``: one is not written so, or not in the years 1 to 9999.
        """
        import pyarrow as pa

        if self.time in UNITS:
            return self._counted(column)
        text = column if column.type == pa.string() else _digits(column)
        if text is None:
            return None
        encoded = text.dictionary_encode()
        moments = [moment(value, self.time) for value in encoded.dictionary.to_pylist()]
        if None in moments:
            return None
        return pa.array(moments, pa.int64()).take(encoded.indices).cast(pa.timestamp("us", tz="UTC"))

    def _counted(self, column: pa.Array) -> pa.Array | None:
        import numpy as np
        import pyarrow as pa

        numbers = self._as_numbers(column)
        if numbers is None:
            return None
        missing = numbers.is_null().to_numpy(zero_copy_only=False)
        values = numbers.fill_null(0).to_numpy(zero_copy_only=False)
        factor = UNITS[self.time]
        about = values.astype(np.float64) * factor
        if not np.all((about <= _LAST) & (about >= _FIRST)):
            return None
        micros = values // round(1 / factor) if factor < 1 else _multiplied(values, int(factor))
        return pa.array(micros.astype(np.int64), mask=missing).cast(pa.timestamp("us", tz="UTC"))

    def _as_numbers(self, column: pa.Array) -> pa.Array | None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if column.type != pa.string():
            return column if column.type in (pa.int64(), pa.float64()) else None
        plain = self.plain_numbers(column)
        for target in (pa.int64(), pa.float64()):
            try:
                return None if plain is None else pc.cast(plain, target)
            except pa.ArrowInvalid:
                continue
        return None


PLAIN_SPELLING = Spelling()


@functools.cache
def _compiled(spelling: Spelling) -> re.Pattern[str]:
    return re.compile(spelling._number)


def _signs(separator: str) -> str:
    """For a character class."""
    return re.escape(_SIGNS_OF.get(separator, separator))


def _multiplied(values: np.ndarray, factor: int) -> np.ndarray:
    """Whole microseconds; a double of seconds is rounded to what its digits say, as 0.1 is a bit more than it."""
    import numpy as np

    if values.dtype != np.float64:
        product: np.ndarray = values * factor
        return product
    whole = np.floor(values)
    rounded: np.ndarray = whole * factor + np.round((values - whole) * factor)
    return rounded


def _digits(column: pa.Array) -> pa.Array | None:
    """Whole numbers as text: 20240131."""
    import pyarrow as pa

    try:
        return column.cast(pa.int64()).cast(pa.string()) if column.type in (pa.int64(), pa.float64()) else None
    except pa.ArrowInvalid:
        return None


@functools.lru_cache(maxsize=4096)
def moment(text: str | None, form: str) -> int | None:
    """A text as microseconds since 1970, UTC where it names no zone; ``None``: it is not in this form.

    >>> moment("31.01.2024 12:00", "%d.%m.%Y %H:%M")
    1706702400000000
    """
    if text is None:
        return None
    try:
        parsed = datetime.strptime(text, form)  # UTC below
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def fault_of_form(form: str) -> str:
    """Why something cannot be the form of times; empty if it can.

    >>> fault_of_form("%d-%M-%Y")
    'has no month (%m; %M are minutes)'
    """
    if form in UNITS:
        return ""
    try:
        written = datetime(2024, 11, 28, 13, 59, 58, tzinfo=UTC).strftime(form)
        datetime.strptime(written, form)  # what it says is not used
    except (ValueError, re.error) as error:  # the latter says that a directive comes twice
        return f"cannot be read: {error}"
    directives = set(re.findall(r"%(.)", form))
    if not directives & set("YyGcx"):
        known = ", ".join(UNITS)
        return f"has no year (%Y); write it in directives of strptime (%d.%m.%Y), or as a unit since 1970 ({known})"
    if "d" in directives and not directives & set("mbB"):
        return "has no month (%m; %M are minutes)"
    return ""
