"""Axes of points in time: bars and ticks at whole seconds, minutes, hours, days, months or years, in UTC."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (round((end - _EPOCH).total_seconds()) for end in (
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
))  # fmt: skip
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 7, 14, 28, 91, 182, 365)),
)
"""Lengths of bars in seconds, of which whole numbers fit into a minute, an hour or a day where they are shorter."""
_MONTHS = (1, 2, 3, 6)
_YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MONTH, _YEAR = 30.4 * DAY, 365.25 * DAY


def step_of(span: float, most: int) -> float:
    """Length in seconds of bars of which at most ``most`` cover a span."""
    least = span / most
    return float(_STEPS[place]) if (place := bisect_left(_STEPS, least)) < len(_STEPS) else least


def ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Ticks between two points in time.

    Args:
        low, high: in seconds since 1970, UTC.
        most: number of ticks.

    Returns:
        (seconds since 1970, words), as coarse as keeps two of them apart: ``2026``, ``2026-03``, ``2026-03-14``,
        ``03-14 06:00``, ``06:00:30``.
    """
    low, high = (min(_LAST, max(_FIRST, end)) for end in (low, high))
    least = (high - low) / most
    short = [step for step in _STEPS if step <= 14 * DAY]
    if least <= short[-1]:
        step = short[bisect_left(short, least)]
        first = -(-low // step)
        places = [step * (first + i) for i in range(int(high // step - first) + 1)]
        pattern = "%Y-%m-%d" if step >= DAY else "%m-%d %H:%M" if high - low > DAY else "%H:%M"
        return [(place, _at(place).strftime(pattern if step >= MINUTE else "%H:%M:%S")) for place in places]
    months = next((months for months in _MONTHS if months * _MONTH >= least), None)
    years = next((years for years in _YEARS if years * _YEAR >= least), _YEARS[-1])
    starts = _starts(_at(low), _at(high), months or 12 * years)
    return [(start.timestamp(), f"{start.year:04d}" if months is None else f"{start:%Y-%m}") for start in starts]


def written(seconds: float, step: float = 1.0) -> str:
    """A point in time, as exact as ``step`` asks for: ``2026-03-14``, ``2026-03-14 06:00``, ``2026-03-14 06:00:09``.

    Points beyond the years 1 to 9999 are written as their end.
    """
    at = _at(min(_LAST, max(_FIRST, seconds)))
    clock = "" if step >= DAY else " %H:%M" if step >= MINUTE else " %H:%M:%S"
    return f"{at.date()}{at:{clock}}" if clock else f"{at.date()}"


def _at(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _starts(low: datetime, high: datetime, months: int) -> list[datetime]:
    """Starts of months from ``low`` to ``high``, every ``months`` months since the year 0."""
    first = -(-(12 * low.year + low.month - 1) // months) * months
    counted = range(first, 12 * high.year + high.month, months)
    starts = [datetime(year, month + 1, 1, tzinfo=UTC) for year, month in (divmod(i, 12) for i in counted) if year > 0]
    return [start for start in starts if low <= start <= high]
