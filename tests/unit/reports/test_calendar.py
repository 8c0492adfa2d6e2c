"""Axes of points in time: what a reader sees below the bars of a column of dates."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.reports.calendar import step_of, ticks, written


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (at(2020, 3, 5), at(2026, 3, 1), ["2022", "2024", "2026"]),
        (at(2025, 1, 5), at(2025, 12, 9), ["2025-04", "2025-07", "2025-10"]),
        (at(2026, 1, 5), at(2026, 2, 3), ["2026-01-08", "2026-01-15", "2026-01-22", "2026-01-29"]),
        (at(2026, 1, 5, 3), at(2026, 1, 7, 3), ["01-05 12:00", "01-06 00:00", "01-06 12:00", "01-07 00:00"]),
        (at(2026, 1, 5, 3), at(2026, 1, 5, 4), ["03:00", "03:15", "03:30", "03:45", "04:00"]),
        (at(2026, 1, 5), at(2026, 1, 5, 0, 0, 40), ["00:00:00", "00:00:10", "00:00:20", "00:00:30", "00:00:40"]),
    ],
    ids=["years", "months", "weeks", "half days", "minutes", "seconds"],
)
def test_ticks_are_as_coarse_as_the_span(low, high, words):
    found = ticks(low, high, 5)
    assert [name for _, name in found] == words
    assert all(low <= place <= high for place, _ in found)


def test_a_tick_of_a_month_is_its_first_second():
    assert ticks(at(2025, 1, 5), at(2025, 12, 9), 5)[0] == (at(2025, 4, 1), "2025-04")


@pytest.mark.parametrize(
    ("step", "words"), [(86_400, "2026-03-14"), (60, "2026-03-14 06:05"), (1, "2026-03-14 06:05:09")]
)
def test_a_point_in_time_is_as_exact_as_its_bar(step, words):
    assert written(at(2026, 3, 14, 6, 5, 9), step) == words


def test_bars_hold_whole_days_where_they_are_long_and_whole_minutes_where_they_are_short():
    assert step_of(50 * 86_400, 60) == 86_400
    assert step_of(3_600, 60) == 60
    assert step_of(1e12, 10) == 1e11, "beyond years any length"


@given(st.floats(-1e13, 1e13), st.floats(1e-3, 1e13))
def test_any_span_has_ticks_on_it_and_not_too_many(low, span):
    found = ticks(low, low + span, 5)
    assert len(found) <= 12
    assert [place for place, _ in found] == sorted({place for place, _ in found})
    assert written(low)
