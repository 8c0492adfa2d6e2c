"""Text columns that are nearly all numbers stop the import, and every setting that the message names lets it go on."""

import datetime
import random

import pyarrow as pa
import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_csv, write_jsonl, write_parquet
from gauntlet.data.reader import ReaderOptions
from gauntlet.errors import DataError

ROWS = 200


def rising(write=str, rows=ROWS):
    return [write(number) for number in range(1, rows + 1)]


def with_strays(values, *strays, at=7):
    return [*values[:at], *strays, *values[at + len(strays) :]]


def german(number):
    return f"{number}," + "5"


def days(form):
    return [(datetime.datetime(2024, 1, 1) + datetime.timedelta(days=number)).strftime(form) for number in range(ROWS)]


def stop(tmp_path, path, **options):
    with pytest.raises(DataError, match="read as text") as caught:
        load(path, tmp_path / "out", split=ALL_TRAIN, **options)
    assert not (tmp_path / "out").exists()
    return caught.value


def try_ways_out(tmp_path, path, error, reader=None, **options):
    """Import with each setting the mend names; returns the types that x then has."""
    found = []
    for number, way in enumerate(ways_out(error.mend)):
        both = {**(reader or {}), **way}
        snapshot = load(path, tmp_path / f"out-{number}", split=ALL_TRAIN, reader=both, **options)
        found.append(snapshot.columns["x"])
    return found


def labelled(values):
    return {"x": values, "y": [number % 2 for number in range(len(values))]}


STRAYS = {
    "n.a.": with_strays(rising(), "n.a."),
    "many dashes": ["-" if number % 3 else str(number) for number in range(ROWS)],
    "a typing error": with_strays(rising(lambda number: f"{number}.5"), "12..5"),
    "two of them": with_strays(rising(), "?", "unknown"),
    "the last value": [*rising(), "tbd"],
    "one cell in twenty rows": with_strays(rising(rows=20), "oops"),
    "in times": with_strays(days("%Y-%m-%dT00:00:00Z"), "soon"),
    "in booleans": with_strays(["true", "false"] * 100, "n.a."),
}


@pytest.mark.parametrize("kind", STRAYS)
def test_a_few_values_that_are_something_else(tmp_path, kind):
    path = write_csv(tmp_path / "a.csv", **labelled(STRAYS[kind]))
    error = stop(tmp_path, path)
    row = int(error.field.rsplit(" ", 1)[1])
    assert STRAYS[kind][row - 1] == error.value
    assert f"of its {len(STRAYS[kind])} values" in error.message
    others = (
        "bool" if "booleans" in kind else "timestamp" if "times" in kind else "float" if "typing" in kind else "int"
    )
    assert try_ways_out(tmp_path, path, error) == [others, "string"]


WRITTEN = {
    "a decimal comma": rising(german),
    "decimal and thousands": rising(lambda number: f"{number}.000,50"),
    "thousands": rising(lambda number: f"{1000 * number:,}"),
    "thousands, one of them": with_strays(rising(), "1,234"),
    "thousands with apostrophes": rising(lambda number: f"{1000 * number:,}".replace(",", "'")),
    "thousands with spaces": rising(lambda number: f"{1000 * number:,}".replace(",", " ")),
    "thousands with dots": rising(lambda number: f"{100_000 * number:,}".replace(",", ".")),
    "percent": rising(lambda number: f"{number}%"),
    "dollars": rising(lambda number: f"${1000 * number:,}.50"),
    "euros": rising(lambda number: f"{german(number)} €"),
    "kilograms": rising(lambda number: f"{number} kg"),
    "years": rising(lambda number: "1 year" if number == 1 else f"{number} years"),
    "accounting": rising(lambda number: f"({number}.5)" if number % 4 == 0 else f"{number}.5"),
    "below the limit of detection": rising(lambda number: f"<{number}" if number % 10 == 0 else str(number)),
    "signs": rising(lambda number: f"+{number}" if number % 2 else f"-{number}"),
    "a unicode minus": rising(lambda number: f"−{number}"),
    "with a stray too": with_strays(rising(german), "n.a."),
    "European days": days("%d.%m.%Y"),
    "American days": days("%m/%d/%Y"),
    "American times": days("%m/%d/%y %H:%M"),
    "months by name": days("%d-%b-%Y"),
    "zones here and there": with_strays(days("%Y-%m-%dT00:00:00Z"), "2024-01-01T00:00:00"),
    "nanoseconds": days("%Y-%m-%dT00:00:00.123456789Z"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_cannot_be_read_yet(tmp_path, kind):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{value};{number % 2}\n" for number, value in enumerate(WRITTEN[kind])))
    error = stop(tmp_path, path, reader={"delimiter": ";"})
    assert "at the source" in error.mend
    assert try_ways_out(tmp_path, path, error, {"delimiter": ";"}) == ["string"]


def test_several_columns_are_said_at_once(tmp_path):
    y = [number % 2 for number in range(ROWS)]
    columns = {"x": with_strays(rising(), "n.a."), "z": with_strays(rising(), "?", at=9), "c": ["a", "b"] * 100, "y": y}
    path = write_csv(tmp_path / "a.csv", **columns)
    error = stop(tmp_path, path)
    assert "z (1 of 200 values)" in error.message
    assert " c " not in error.message
    missing, text = ways_out(error.mend)
    assert load(path, tmp_path / "1", reader=missing).columns == {"x": "int", "z": "int", "c": "string", "y": "int"}
    assert load(path, tmp_path / "2", reader=text).columns == {**dict.fromkeys("xzc", "string"), "y": "int"}


def test_a_stray_far_behind_is_found(tmp_path):
    """Whatever came in earlier batches counts."""
    values = [str(number) for number in range(1_200_000)]
    path = write_csv(tmp_path / "a.csv", **labelled([*values, "n.a.", *values[:10]]))
    error = stop(tmp_path, path)
    assert error.field == f"{path}: row 1200001"
    assert "all but 1 of its 1200011 values" in error.message


def test_a_stray_in_the_first_row_of_the_second_file(tmp_path):
    write_csv(tmp_path / "a.csv", **labelled(rising()))
    second = write_csv(tmp_path / "b.csv", **labelled(["n.a.", *rising()]))
    error = stop(tmp_path, tmp_path / "*.csv")
    assert error.field == f"{second}: row 1"


def test_a_label_with_one_odd_cell(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=rising(), y=with_strays(["0", "1"] * 100, "n.a."))
    error = stop(tmp_path, path)
    assert error.message.startswith("column y ")
    missing, text = ways_out(error.mend)
    assert load(path, tmp_path / "1", reader=missing).columns["y"] == "int"
    with pytest.raises(DataError, match="class of one row"):
        load(path, tmp_path / "2", reader=text)


CODES = {
    "leading zeros": [f"{number:05}" if number % 9 else str(number + 10_000) for number in range(ROWS)],
    "postal codes, some longer": [
        str(10_000 + number) + ("-1234" if number % 50 == 0 else "") for number in range(ROWS)
    ],
    "telephone numbers": [f"612 345 {number:03}" for number in range(ROWS)],
    "international telephone numbers": [f"+4930{1_234_567 + number}" for number in range(ROWS)],
    "letters and digits": rising(lambda number: f"A{number}"),
    "invoices, some cancelled": [("C" if number % 40 == 0 else "") + str(536_365 + number) for number in range(ROWS)],
    "diagnoses": [f"E{number % 30}.{number % 10}" for number in range(ROWS)],
    "versions": [f"1.{number % 5}.{number % 30}" for number in range(ROWS)],
    "addresses": [f"192.168.100.{100 + number % 100}" for number in range(ROWS)],
    "sizes": [f"{number} x {number + 1}" for number in range(ROWS)],
    "ranges": [f"{number}-{number + 5}" for number in range(ROWS)],
    "decades": [f"{10 * (number % 9)}s" for number in range(ROWS)],
    "seats": [f"{number}{'ABC'[number % 3]}" for number in range(ROWS)],
    "income classes": ["<=50K", ">50K"] * 100,
    "two sides of a limit": ["<50", ">=50"] * 100,
    "list numbers": rising(lambda number: f"({number})"),
    "doses": [("500 mg", "10 ml")[number % 2] for number in range(ROWS)],
    "one word in ten": [str(number) if number % 10 else "crew" for number in range(ROWS)],
    "a third words": [str(number) if number % 3 else f"word {number}" for number in range(ROWS)],
    "months": [f"2024-{number % 12 + 1:02}" for number in range(ROWS)],
    "clock times": [f"{number % 24:02}:30" for number in range(ROWS)],
    "tuples": [f"{number},{number},{number}" for number in range(ROWS)],
    "yes and no": ["yes", "no"] * 100,
    "four numbers": ["1", "2", "3", "4", "x"],
    "hexadecimal": [f"{random.Random(number).getrandbits(64):016x}" for number in range(ROWS)],
}


@pytest.mark.parametrize("kind", CODES)
def test_codes_are_text(tmp_path, kind):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{value};{number % 2}\n" for number, value in enumerate(CODES[kind])))
    assert load(path, tmp_path / "out", reader={"delimiter": ";"}, split=ALL_TRAIN).columns["x"] == "string"


@pytest.mark.parametrize(
    ("roles", "reader"),
    [
        ({"key": ["x"]}, {}),
        ({"cluster": "x"}, {}),
        ({"exclude": ["x"]}, {}),
        ({"time": "x"}, {}),
        ({"categorical": ["x"]}, {}),
        ({}, {"types": {"x": "string"}}),
        ({}, {"values": {"x": {**{str(number): "some" for number in range(1, ROWS + 1)}, "n.b.": "none"}}}),
        ({}, {"drop": ["x"]}),
    ],
    ids=["key", "cluster", "exclude", "time", "categorical", "types", "values", "drop"],
)
def test_what_the_user_has_said_is_not_asked_again(tmp_path, roles, reader):
    path = write_csv(tmp_path / "a.csv", **labelled(with_strays(rising(), "n.b.")), z=rising())
    load(path, tmp_path / "out", roles={"label": "y", **roles}, reader=reader, split=ALL_TRAIN)


def test_a_time_to_split_by_is_looked_at(tmp_path):
    path = write_csv(tmp_path / "a.csv", **labelled(with_strays(days("%Y-%m-%d"), "soon")))
    split = {"by": "time", "until": {"train": "2024-03-01", "validation": "2024-04-01"}}
    with pytest.raises(DataError, match="column x is read as text, though all but 1 of its 200 values are times"):
        load(path, tmp_path / "out", roles={"label": "y", "time": "x"}, split=split)


TYPED = {
    "fractions": (rising(lambda number: f"{number}.5"), ["float", "string"]),
    "fractions and a stray": (with_strays(rising(lambda number: f"{number}.5"), "n.a."), ["float", "string"]),
    "whole numbers and a stray": (with_strays(rising(), "n.a."), ["int", "string"]),
    "a decimal comma": (rising(german), ["string"]),
    "times": (days("%Y-%m-%dT00:00:00Z"), ["timestamp", "string"]),
}
TYPED_AS_MEANT = {
    "digits": rising(),
    "booleans": ["True", "False"] * 100,
    "codes": rising(lambda number: f"A{number}"),
    "leading zeros": rising(lambda number: f"{number:04}"),
}


def typed_file(tmp_path, form, values):
    if form == "parquet":
        return write_parquet(tmp_path / "a.parquet", **labelled(values))
    if form == "categories":
        return write_parquet(tmp_path / "a.parquet", **labelled(pa.array(values).dictionary_encode()))
    return write_jsonl(tmp_path / "a.jsonl", [{"x": value, "y": row % 2} for row, value in enumerate(values)])


@pytest.mark.parametrize("form", ["parquet", "categories", "jsonl"])
@pytest.mark.parametrize("kind", TYPED)
def test_files_that_call_numbers_text(tmp_path, form, kind):
    values, expected = TYPED[kind]
    path = typed_file(tmp_path, form, values)
    assert try_ways_out(tmp_path, path, stop(tmp_path, path)) == expected


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("kind", TYPED_AS_MEANT)
def test_files_that_mean_the_text_they_say(tmp_path, form, kind):
    path = typed_file(tmp_path, form, TYPED_AS_MEANT[kind])
    assert load(path, tmp_path / "out", split=ALL_TRAIN).columns["x"] == "string"


def test_with_a_key_text_columns_of_parquet_are_looked_at_too(tmp_path):
    columns = {**labelled(rising(german)), "id": list(range(ROWS))}
    path = write_parquet(tmp_path / "a.parquet", **columns)
    assert "column x " in stop(tmp_path, path, roles={"label": "y", "key": ["id"]}).message


def test_white_space_that_was_to_stay(tmp_path):
    path = write_csv(tmp_path / "a.csv", **labelled(rising(lambda number: f" {number}")))
    error = stop(tmp_path, path, reader={"strip_whitespace": False})
    assert try_ways_out(tmp_path, path, error, {"strip_whitespace": False}) == ["int", "string"]


def test_the_missing_values_are_those_of_pandas():
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(ReaderOptions().missing_values) == STR_NA_VALUES | {"None"}  # the last since pandas 2


@pytest.mark.parametrize("token", [token for token in ReaderOptions().missing_values if token])
def test_each_of_them_is_missing_in_numbers(tmp_path, token):
    path = write_csv(tmp_path / "a.csv", **labelled(with_strays(rising(), token)))
    snapshot = load(path, tmp_path / "out", split=ALL_TRAIN)
    assert snapshot.columns["x"] == "int"
    assert snapshot.table("train")["x"].null_count == 1


def test_a_declared_time_among_times_of_the_other_kind_is_named(tmp_path):
    values = [*days("%Y-%m-%dT00:00:00")[:9], "2024-01-10T00:00:00Z", *days("%Y-%m-%dT00:00:00")[10:]]
    path = write_csv(tmp_path / "a.csv", **labelled(values))
    with pytest.raises(DataError, match="not of type timestamp") as caught:
        load(path, tmp_path / "out", reader={"types": {"x": "timestamp"}}, split=ALL_TRAIN)
    assert (caught.value.field, caught.value.value) == (f"{path}: row 10", "2024-01-10T00:00:00Z")
