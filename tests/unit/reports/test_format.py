import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.reports import format as formats

ANY = st.one_of(st.none(), st.floats(), st.integers())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (12345.678, "12,346"),
        (-1234567, "−1,234,567"),
        (0.012345, "0.0123"),
        (0.9999, "1"),
        (1.2e-7, "1.2 × 10⁻⁷"),
        (3.456e12, "3.46 × 10¹²"),
        (10**400, "∞"),
    ],
)
def test_number(value, text):
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "12.3%"),
        (0.04, "4.0%"),
        (0, "0%"),
        (1, "100%"),
        (0.99995, "99.995%"),
        (0.0004, "0.04%"),
        (-0.00000001, "under 0.0001%"),
        (-0.05, "−5.0%"),
        (None, "–"),
    ],
)
def test_percent(value, text):
    """Only what is whole is called 0% or 100%."""
    assert formats.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (184.2, "3 min 04 s"), (7380, "2 h 03 min"), (None, "–")],
)
def test_duration(seconds, text):
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "ends", "unit", "text"),
    [
        (0.92634, (0.9212, 0.9314), "", "0.926"),
        (0.05, (-0.0012, 0.1), "%", "5%"),
        (0.0512, (0.0502, 0.0522), "%", "5.12%"),
        (12.0, (10.0, 14.0), "ms", "12.0 ms"),
        (3.0, (3.0, 3.0), "", "3.00"),
        (None, None, "", "–"),
    ],
)
def test_a_quantity_has_the_digits_its_interval_is_worth(value, ends, unit, text):
    assert formats.quantity(value, ends, unit=unit) == text


def test_an_open_interval_is_said_in_words():
    assert formats.interval((0.7123, 0.7412)) == "0.712 to 0.741"
    assert formats.interval((0.05, 1.1)) == "0.05 to 1.10"
    assert formats.interval((-math.inf, 0.7)) == "at most 0.7"
    assert formats.interval((0.7, None)) == "at least 0.7"
    assert formats.interval((math.nan, math.inf)) == "–"
    assert formats.interval(None) == "–"


def test_small_words():
    assert formats.rows(1) == "1 row"
    assert formats.rows(32561) == "32,561 rows"
    assert formats.signed(0.004) == "+0.004"
    assert formats.signed(-0.004) == "−0.004"
    assert formats.signed(0) == "0"
    assert formats.p_value(0.0000001) == "< 0.001"
    assert formats.level(0.95) == "95%"
    assert formats.level(0.975) == "97.5%"
    assert formats.p_value(0.0321) == "0.032"
    assert formats.size(3_400_000) == "3.4 MB"
    assert formats.moment(datetime(2026, 3, 1, 14, 5, 9, 123456, tzinfo=UTC)) == "2026-03-01 14:05:09 UTC"


def test_a_name_keeps_its_ends_when_shortened():
    assert formats.shorten("a" * 10, 10) == "a" * 10
    short = formats.shorten("native_country=Holand-Netherlands × sex=Female", 20)
    assert len(short) == 20
    assert short.startswith("native_co")
    assert short.endswith("Female")


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_a_link_that_could_run_code_leads_nowhere(target):
    assert formats.href(target) == "#"


def test_a_link_to_a_file_is_quoted():
    assert formats.href('artifacts/my "run"/a.html#top') == "artifacts/my%20%22run%22/a.html#top"


@given(ANY)
def test_no_value_is_ever_written_as_not_a_number_or_minus_zero(value):
    functions = (
        *(formats.number, formats.signed, formats.count, formats.rows, formats.percent),
        *(formats.level, formats.duration, formats.p_value, formats.size, formats.quantity),
    )
    for function in functions:
        text = function(value)
        assert text
        assert "nan" not in text.lower()
        assert "inf" not in text.lower()
        assert text.strip("%s") not in {"-0", "−0", "-0.0", "−0.0"}
        assert len(text) < 40 or abs(value) > 1e9


@given(ANY, ANY, ANY)
def test_every_interval_can_be_written(value, low, high):
    for unit in ("", "%"):
        text = formats.interval((low, high), unit=unit) + formats.quantity(value, (low, high), unit=unit)
        assert "nan" not in text
        assert "inf" not in text


@pytest.mark.parametrize(
    ("value", "ends", "expected"),
    [
        (0.17, (0.09, 0.25), "17 points"),
        (-0.02, (-0.1, 0.05), "−2 points"),
        (0.01, (-0.1, 0.2), "1 point"),
        (-0.01, (-0.1, 0.2), "−1 point"),
        (0.2, None, "20 points"),
        (None, None, "–"),
    ],
)
def test_differences_of_shares_are_points(value, ends, expected):
    assert formats.quantity(value, ends, unit="points") == expected


def test_intervals_of_differences_of_shares_are_in_points():
    assert formats.interval((-0.1, 0.05), unit="points") == "−10 to 5 points"
    assert formats.interval((None, 0.05), unit="points") == "at most 5 points"
    assert formats.interval(None, unit="points") == "–"
