"""What a text could be read as, and what it could not."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data import reading as forms
from gauntlet.data.reading import CODE, PLAIN
from gauntlet.data.readings import may_be_read, mean_missing, read
from hypothesis_profiles import examples

READ = {
    ("number", PLAIN): ["12", "-12.5", "1e3", ".5", "5."],
    ("number", forms.COMMA): ["1,234", "-1,234"],
    ("number", forms.DECIMAL_COMMA): ["1,5", "-0,9548", "1.234,56", ",5", "1,5e-3"],
    ("number", forms.THOUSANDS): ["1,234.5", "1,234,567", "1'234.50", "1’234", "1,23,456.00"],
    ("number", forms.GROUPS): ["1 234", "1 234,5", "1\u00a0234", "1\u202f234.5", "1.234.567", "1_234"],
    ("number", forms.PARENTHESES): ["(1,234.50)", "(1,100)", "($5)", "$ (4,662)"],
    ("number", forms.NUMBERED): ["(5)"],
    ("number", forms.COMPARED): ["<5", "> 100", "<=0.1", "≥3", "~7"],
    ("number", forms.SIGNED): ["+5", "+0.25", "−5", "- 5", "12.50-", "1100-"],
    ("number", forms.PERCENT): ["12%", "12 %", "12,5 %", "3‰"],
    ("number", forms.CURRENCY): [
        *("$12", "$1,234.50", "€ 5", "5 €", "5 EUR", "USD 5", "-$5", "$-5", "€110.5M", "$3k"),
        *("US$5", "R$5", "₩1,200", "Rs. 5", "RM12.50", "kr 5"),
    ],
    ("number", forms.UNIT): ["12 kg", "12kg", "37.5 °C", "36 months", "1 year", "120 km/h"],
    ("number", forms.WORD): [
        *("5 s", "4.5 stars", "4.1/5", "8 out of 10", "12 mg/dL", "21 kg/m2", "900 sq. ft.", "1248cc", '5.5"', "5more"),
    ],
    ("number", forms.MAGNITUDE): ["64K", "3M", "1.5k", "2 million"],
    ("number", forms.CLOCK): ["08:30", "9:20 PM", "1:02:03", "100:15", "3 days 02:03:04", "1h 30m", "PT5H", "P1DT2H"],
    ("number", forms.QUOTED): ["'12'", '"12.5"', '="12"', "'12"],
    ("number", forms.DIGITS): ["１２", "٣٫٥", "१२"],
    ("number", forms.SPACED): [" 5", "\u00a05", "5\u202f", "5\u200b"],
    ("number", CODE): ["007", "01234", "-07", "00,5"],
    ("number", forms.LONG): ["12345678901234567890"],
    ("boolean", PLAIN): ["true", "False", "TRUE"],
    ("time", forms.ISO): ["2024-01-31", "2024-01-31 02:43", "2024-01-31T02:43:25.123456"],
    ("time", forms.ISO_ZONED): ["2024-01-31T02:43:25Z", "2024-01-31 02:43:25+01:00"],
    ("time", "year-month-day"): [
        "2024-1-31",
        "2024/01/31",
        "2024-01-31 02:43:25.123456789+0100",
        "2024-01-31 02:43:25 EST",
        "2024-01-31 02:43 America/New_York",
    ],
    ("time", "yearmonthday and a time"): ["20240131T101500Z"],
    ("time", "day.month.year"): ["31.01.2024", "1/31/2024 10:15 PM", "31-1-2024"],
    ("time", "month/day/year"): ["1/31/24", "31/1/24 10:15"],
    ("time", "month names"): [
        *("05-Jan-2024", "Jan 5, 2024", "5 January 2024", "Wed, 31 Jan 2024 10:00:00 GMT", "9. Mai 2024"),
        *("12 de marzo de 2024", "31 août 2024", "Mon Mar  9 20:00:00 2020", "[09/Mar/2021:20:00:00 +0000]"),
    ],
    ("time", "year, month and day in words"): ["2024年1月31日", "2024년 1월 31일"],
    ("time", forms.PARTIAL): ["2024-01", "Dec-2015", "2024-W05", "2024Q1", "01/2024"],
    ("time", forms.SHORT): ["31.01.24", "31-01-24"],
}

TEXT = {
    "a word": ["north", "", "e", "-", "inf"],
    "a code": [
        "A12",
        "E11.9",
        "12A",
        "101a",
        "12E",
        "3f2a-11",
        "V57",
        "Room 12",
        "ISO 9001",
        "H&M 12",
        "1080p",
        "2T",
        "R12",
        "RM12",
        "10th",
        "19th century",
    ],
    "a version": ["1.2.3", "v1.2", "1.2.3-rc1"],
    "an address": ["192.168.100.200", "10.0.0.1", "127.000.000.001"],
    "a telephone number": ["555-1234", "+4915112345678", "+48 612 345 678", "(555) 123-4567"],
    "a size or a range": ["12 x 30", "18-24", "5'11", "16:9", "<18-24", "10+ years", "30s", "<=50K"],
    "a list": ["1,2,3", "1;2"],
    "a part of a date": ["Q1 2024", "12-05", "Jan"],
    "no date": [
        "2024-13-05",
        "32.01.2024",
        "31.31.2024",
        "2024-00-10",
        "99/99/99",
        "01.02.1500",
        "2021-02-30",
        "30.02.2021",
    ],
    "a grade": ["1-", "2+"],
    "a number with gaps": ["123-45-6789", "1234 5678 9012", "978-3-16-148410-0"],
    "two units": ["$5 kg"],
}


@pytest.mark.parametrize(
    ("family", "form", "text"), [(family, form, text) for (family, form), texts in READ.items() for text in texts]
)
def test_what_is_read(family, form, text):
    reading = read(text)
    assert reading is not None
    assert (reading.family, reading.form) == (family, form)


@pytest.mark.parametrize("text", [text for texts in TEXT.values() for text in texts])
def test_what_is_text(text):
    assert read(text) is None


@pytest.mark.parametrize("text", [text for texts in READ.values() for text in texts])
def test_the_rough_look_lets_through_whatever_is_read(text):
    assert may_be_read(pa.array([text])).to_pylist() == [True]


@examples(300)
@given(st.text(st.sampled_from("0123456789.,-+()$€%'\" /:eEkKMTZhmsd\u00a0٣１_<>=[]JanPM°"), max_size=14))
def test_the_rough_look_lets_through_whatever_could_be_read(text):
    assert read(text) is None or may_be_read(pa.array([text])).to_pylist() == [True]


def test_the_rough_look_keeps_most_words_out():
    words = ["north", "Never-married", "A12", "Taxi Affiliation Services", "", "a" * 50, "1" * 50]
    assert may_be_read(pa.array(words)).to_pylist() == [False] * len(words)


def test_units_tell_numbers_apart():
    assert {text: read(text).unit for text in ("5 ms", "5 m", "1 year", "2 years", "$5", "5 %")} == {
        "5 ms": "ms",
        "5 m": "m",
        "1 year": "year",
        "2 years": "year",
        "$5": "$",
        "5 %": "%",
    }


def test_markers_of_a_missing_value():
    texts = ["n.a.", "N.A.", " - ", "?", "#DIV/0!", "\\N", "unknown", "", "north", "0"]
    assert mean_missing(pa.array(texts)).to_pylist() == [True] * 8 + [False] * 2
