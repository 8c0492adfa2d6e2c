"""Numbers that stand for times: seconds since 1970, unless ``reader.date_formats`` says otherwise.

Milliseconds taken for seconds are a time in the year 56,000: after every boundary of a split, and days apart where they
are minutes. So a number that cannot be meant in seconds is refused with what it can be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gauntlet.data.spelling import UNITS, moment
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from gauntlet.data.rows import Place

LATEST_SECOND = 1e11
"""The year 5138. As milliseconds it is in 1973."""
_UNITS = {"ms": ("milliseconds", 1e14), "us": ("microseconds", 1e17), "ns": ("nanoseconds", float("inf"))}
"""Unit → its name, and up to what a number is of it."""
_PACKED = {"%Y%m%d%H%M%S": 14, "%Y%m%d%H%M": 12, "%Y%m%d": 8}
_PARTS = {"%Y%m": 6, "%Y": 4}
_YEARS = (1900, 2200)
_LOOKED_AT = 1000


def require_seconds(times: pa.Array, name: str, place: Place, *, by_date: bool) -> None:
    """Make sure that numbers by which rows have a time are seconds since 1970.

    Args:
        times: any column; only numbers are looked at.
        name: its name.
        place: where it stands.
        by_date: they are compared with dates; then 2024 and 202401 are none of 1970 either.

    Raises:
        DataError: they are of another unit, or digits of a date; names the first, what it is, and how to say so.
    """
    import numpy as np
    import pyarrow as pa

    if times.type not in (pa.int64(), pa.float64()) or times.null_count == len(times):
        return
    values = times.drop_null().to_numpy()
    form = _form_of(values, by_date=by_date)
    position = 0 if form else int(np.argmax(np.abs(values) >= LATEST_SECOND))
    value = values[position].item()
    if not form and abs(value) < LATEST_SECOND:
        return
    what, said, meant = _reading(value, form)
    first = next(row for row, one in enumerate(times.to_pylist()) if one == value)
    raise DataError(
        f"column {name} is to hold times, and numbers are seconds since 1970; this is none, but {what} ({meant})",
        field=place.row(first),
        value=value,
        mend=f"Say so: reader.date_formats: {json.dumps({name: said}, ensure_ascii=False)}",
    )


def _reading(value: float, form: str) -> tuple[str, str, str]:
    """What a number is, the setting that says so, and the day it is."""
    import numpy as np

    if form:
        micros = moment(str(int(value)), form)
        assert micros is not None
        return f"digits of a date, {form}", form, str(np.datetime64(micros, "us").astype("datetime64[D]"))
    unit, (words, _) = next((unit, each) for unit, each in _UNITS.items() if abs(value) < each[1])
    day = np.datetime64(int(value * UNITS[unit]), "us").astype("datetime64[D]")
    return words, unit, str(day)


def _form_of(values: Any, *, by_date: bool) -> str:
    """The form of ``strptime`` in which all of them are dates; empty if there is none."""
    import numpy as np

    some = np.unique(values)[:_LOOKED_AT].tolist()
    if any(value != int(value) or value < 0 for value in some):
        return ""
    texts = [str(int(value)) for value in some]
    for form, digits in {**_PACKED, **(_PARTS if by_date else {})}.items():
        years = (int(text[:4]) for text in texts)
        if all(len(text) == digits for text in texts) and all(_YEARS[0] <= year <= _YEARS[1] for year in years):
            return form if all(moment(text, form) is not None for text in texts) else ""
    return ""
