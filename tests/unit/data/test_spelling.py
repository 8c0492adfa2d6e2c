"""Numbers and times that are written in a way of their own, where the user has said so."""

import datetime

import pyarrow as pa
import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_jsonl, write_parquet
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.spelling import Spelling
from gauntlet.data.spelling_guesses import TimeForms
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse

NUMBERS = [0.5, -12.25, 1234.5, 1234567.0, 8.0, 0.125]


def lines(tmp_path, name="a.csv", **columns):
    """A CSV file with semicolons, and a label beside the columns."""
    rows = [*zip(*columns.values(), strict=True)]
    text = "".join(";".join([*map(str, row), str(number % 2)]) + "\n" for number, row in enumerate(rows))
    (tmp_path / name).write_text(";".join([*columns, "y"]) + "\n" + text)
    return tmp_path / name


def read(path, out, **reader):
    return load(path, out, reader={"delimiter": ";", **reader}, split=ALL_TRAIN)


def spelt(decimal, thousands):
    return [f"{number:,}".replace(",", "_").replace(".", decimal).replace("_", thousands) for number in NUMBERS]


@pytest.mark.parametrize(
    ("decimal", "thousands", "written"),
    [
        (",", "", [f"{number:f}".replace(".", ",") for number in NUMBERS]),
        (",", ".", spelt(",", ".")),
        (",", " ", spelt(",", "\u00a0")),
        (",", " ", spelt(",", "\u202f")),
        (".", ",", [*spelt(".", ",")[:3], "12,34,567.0", *spelt(".", ",")[4:]]),
        (".", "'", spelt(".", "’")),
        (".", "_", spelt(".", "_")),
        (",", "", ["5e-1", "-1225e-2", "1,2345E3", "1234567,", "8", ",125"]),
    ],
)
def test_numbers(tmp_path, decimal, thousands, written):
    path = lines(tmp_path, x=written)
    snapshot = read(path, tmp_path / "out", decimal=decimal, thousands=thousands)
    assert snapshot.table("train")["x"].to_pylist() == NUMBERS
    plain = read(lines(tmp_path, "b.csv", x=NUMBERS), tmp_path / "plain")
    assert snapshot.digest == plain.digest  # every row is who it was, in its split


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        (Spelling(","), "12.5"),
        (Spelling(","), "1.234"),
        (Spelling(",", "."), "12.34,5"),
        (Spelling(",", "."), "1,234,567"),
        (Spelling(".", ","), "1,23"),
        (Spelling(".", ","), "12,34,56"),
        (Spelling(".", " "), "1 2345"),
        (Spelling("."), "12 345"),
    ],
)
def test_what_is_written_otherwise_is_not_read(spelling, text):
    """12.5 might be 125 where commas are decimal: it stays text, and is suspected."""
    assert not spelling.reads(text)
    assert spelling.is_plain or spelling.plain_numbers(pa.array([text])) is None


def test_words_with_commas_stay_as_they_are(tmp_path):
    words = ["a,b", "12,5 and more", "1.234", "x", "1,2,3", "-"]
    snapshot = read(lines(tmp_path, x=words), tmp_path / "out", decimal=",", thousands=".")
    assert snapshot.table("train")["x"].to_pylist() == words


def test_codes_stay_codes(tmp_path):
    snapshot = read(lines(tmp_path, x=["007,5", "1,5"]), tmp_path / "out", decimal=",")
    assert snapshot.columns["x"] == "string"


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_text_of_files_that_have_types(tmp_path, form):
    written = [str(number).replace(".", ",") for number in NUMBERS]
    y = [0, 1] * 3
    if form == "parquet":
        path = write_parquet(tmp_path / "a.parquet", x=written, y=y)
    else:
        path = write_jsonl(tmp_path / "a.jsonl", [{"x": x, "y": one} for x, one in zip(written, y, strict=True)])
    with pytest.raises(DataError, match="a decimal comma") as caught:
        load(path, tmp_path / "out", split=ALL_TRAIN)
    way, _ = ways_out(caught.value.mend)
    assert way == {"decimal": ",", "types": {"x": "float"}}
    assert load(path, tmp_path / "out", reader=way, split=ALL_TRAIN).table("train")["x"].to_pylist() == NUMBERS


HUNDRED = range(100)
POINTS = [f"{number}.25" for number in HUNDRED]
COMMAS = [f"{number},25" for number in HUNDRED]
MANY = [f"{1000 * number:,}" for number in HUNDRED]


@pytest.mark.parametrize(
    ("columns", "reader", "way"),
    [
        ({"a": COMMAS, "b": COMMAS}, {}, {"decimal": ","}),
        ({"a": COMMAS, "b": MANY}, {}, {"decimal": ","}),  # one has 1,000 as its only form, the other settles it
        ({"a": COMMAS, "b": POINTS}, {}, {"decimal": {"a": ","}}),
        ({"a": COMMAS, "b": POINTS}, {"decimal": ","}, {"decimal": {"a": ","}}),
        ({"a": COMMAS, "b": POINTS}, {"decimal": {"b": ","}}, {"decimal": {"a": ","}}),
        ({"a": COMMAS, "b": [f"1.{number:03},5" for number in HUNDRED]}, {"decimal": ","}, {"thousands": "."}),
        (
            {"a": [f"1.{number:03},5" for number in HUNDRED], "b": POINTS},
            {},
            {"decimal": {"a": ","}, "thousands": {"a": "."}},
        ),
        (
            {"a": COMMAS, "b": [f"{1 + number % 28:02}.01.2024" for number in HUNDRED]},
            {},
            {"decimal": ",", "date_formats": {"b": "%d.%m.%Y"}},
        ),
        ({"a": COMMAS, "b": [*POINTS[:-1], "n.b."]}, {}, None),
        ({"a": [*COMMAS[:-1], "n.b."], "b": COMMAS}, {}, None),
    ],
)
def test_the_first_mend_makes_all_columns_what_they_are(tmp_path, columns, reader, way):
    path = lines(tmp_path, **columns)
    with pytest.raises(DataError, match="read as text") as caught:
        read(path, tmp_path / "out", **reader)
    first, *_ = ways_out(caught.value.mend)
    assert way in (first, None)
    kinds = read(path, tmp_path / "out", **{**reader, **first}).columns
    assert set(kinds.values()) <= {"int", "float", "timestamp"}


def test_both_meanings_are_said_where_only_the_user_knows(tmp_path):
    path = lines(tmp_path, x=MANY)
    with pytest.raises(DataError) as caught:
        read(path, tmp_path / "out")
    small, large, _ = ways_out(caught.value.mend)
    assert read(path, tmp_path / "1", **small).table("train")["x"].to_pylist()[2] == 2.0
    assert read(path, tmp_path / "2", **large).table("train")["x"].to_pylist()[2] == 2000
    path = lines(tmp_path, x=[f"{1 + number % 12}/{1 + number % 11}/2024" for number in HUNDRED])
    with pytest.raises(DataError, match="written as day") as caught:
        read(path, tmp_path / "out")
    found = [way["date_formats"]["x"] for way in ways_out(caught.value.mend) if "date_formats" in way]
    assert found == ["%m/%d/%Y", "%d/%m/%Y"]


NOON = datetime.datetime(2024, 1, 31, 12, 30, 15, tzinfo=datetime.UTC)
SECONDS = 1_706_704_215


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("31.01.2024 12:30:15", "%d.%m.%Y %H:%M:%S"),
        ("01/31/2024 12:30:15 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("31-Jan-2024 13:30:15 +0100", "%d-%b-%Y %H:%M:%S %z"),
        ("[31/Jan/2024:07:30:15 -0500]", "[%d/%b/%Y:%H:%M:%S %z]"),
        ("Wed, 31 Jan 2024 12:30:15 GMT", "%a, %d %b %Y %H:%M:%S GMT"),
        ("2024/01/31T12:30:15.000Z", "%Y/%m/%dT%H:%M:%S.%f%z"),
    ],
)
def test_times(tmp_path, written, form):
    snapshot = read(lines(tmp_path, x=[written, ""]), tmp_path / "out", date_formats={"x": form})
    assert snapshot.table("train")["x"].to_pylist() == [NOON, None]
    assert TimeForms().narrowed(written).named == (form,)  # what a message would say to set


@pytest.mark.parametrize(
    ("unit", "factor"), [("s", 1), ("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_000)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_times_counted_since_1970(tmp_path, unit, factor, form):
    values = [SECONDS * factor, None, -factor]
    y = [0, 1, 0]
    if form == "csv":
        path = lines(tmp_path, x=["" if value is None else value for value in values])
    elif form == "parquet":
        path = write_parquet(tmp_path / "a.parquet", x=values, y=y)
    else:
        path = write_jsonl(tmp_path / "a.jsonl", [{"x": x, "y": one} for x, one in zip(values, y, strict=True)])
    snapshot = load(path, tmp_path / "out", reader={"delimiter": ";", "date_formats": {"x": unit}}, split=ALL_TRAIN)
    before = datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    assert snapshot.table("train")["x"].to_pylist() == [NOON, None, before]


def test_digits_of_a_date_in_numbers(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", x=[20240131, 20240229], y=[0, 1])
    days = load(path, tmp_path / "out", reader={"date_formats": {"x": "%Y%m%d"}}, split=ALL_TRAIN).table("train")["x"]
    assert [day.day for day in days.to_pylist()] == [31, 29]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["31.01.2024", "31.02.2024"], "%d.%m.%Y"),
        (["31.01.2024", "01/31/2024"], "%d.%m.%Y"),
        ([SECONDS, SECONDS * 1000], "s"),
        ([SECONDS, "soon"], "ms"),
    ],
)
def test_a_time_that_is_written_otherwise_is_named(tmp_path, values, form):
    with pytest.raises(DataError, match=f"not of type timestamp, written as {form}") as caught:
        read(lines(tmp_path, x=values), tmp_path / "out", date_formats={"x": form})
    assert caught.value.value == str(values[1])
    assert caught.value.field.endswith("row 2")
    assert "reader.date_formats.x" in caught.value.mend


def test_the_same_instant_in_any_zone_is_one(tmp_path):
    path = lines(tmp_path, x=["2024-01-31T12:30:15Z", "2024-01-31T07:30:15-05:00", "2024-01-31 13:30:15+01"])
    assert read(path, tmp_path / "out").table("train")["x"].to_pylist() == [NOON] * 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"date_formats": {"d": "%d-%M-%Y"}}, "has no month"),
        ({"date_formats": {"d": "%d.%m"}}, "has no year"),
        ({"date_formats": {"d": "dd.mm.yyyy"}}, "has no year"),
        ({"date_formats": {"d": "%Q"}}, "bad directive"),
        ({"date_formats": {"d": "%d.%m.%Y %d"}}, "redefinition"),
        ({"date_formats": {"d": "ms"}, "types": {"d": "int"}}, "types says that d is int"),
        ({"decimal": ",", "thousands": ","}, "are both ','"),
        ({"decimal": {"x": ","}, "thousands": ","}, "of x are both ','"),
        ({"thousands": "."}, "are both '.'"),
        ({"decimal": ";"}, "decimal"),
    ],
)
def test_settings_that_say_nothing(options, says):
    with pytest.raises(ConfigurationError, match=says):
        parse(ReaderOptions, options, field="reader")


@pytest.mark.parametrize("option", [{"decimal": {"z": ","}}, {"thousands": {"z": ","}}, {"date_formats": {"z": "ms"}}])
def test_a_column_that_is_not_there(tmp_path, option):
    with pytest.raises(DataError, match="no such column") as caught:
        read(lines(tmp_path, x=[1, 2]), tmp_path / "out", **option)
    assert caught.value.field == f"reader.{next(iter(option))}"
