"""Text columns that are nearly all numbers stop the import, and every setting that the message names lets it go on."""

import datetime

import pyarrow as pa
import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_csv, write_jsonl, write_parquet
from gauntlet.data.reader_options import ReaderOptions
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
    "one cell in eight rows": with_strays(rising(rows=8), "oops"),
    "footnotes": with_strays(rising(), "12*", "3 (est.)", "44†", "51[1]"),
    "a total": [*rising(), "Total"],
    "one day that is none": with_strays(days("%Y-%m-%dT00:00:00Z"), "2021-02-30"),
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
        "bool"
        if "booleans" in kind
        else "timestamp"
        if "times" in kind or "day" in kind
        else "float"
        if "typing" in kind
        else "int"
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
    "thousands with spaces that do not break, all of one length": rising(
        lambda number: f"{1000 + 7 * number:,}".replace(",", "\u00a0") + ",50"
    ),
    "one thousand to nine": rising(lambda number: f"{1000 + 7 * number:,}".replace(",", " ")),
    "accounting, mostly negative": rising(lambda number: f"({number}.50)" if number % 4 else f"{number}.50"),
    "accounting in dollars": rising(lambda number: f"$ ({number}.50)" if number % 4 else f"$ {number}.50"),
    "dollars of another country": rising(lambda number: f"R${number}.50"),
    "won": rising(lambda number: f"₩{number}"),
    "ratings": rising(lambda number: f"{number % 50 / 10} stars"),
    "ratings out of": rising(lambda number: f"{number % 50 / 10}/5"),
    "a unit that nobody listed": rising(lambda number: f"{number} mmol/L"),
    "a unit of two words": rising(lambda number: f"{number} sq. ft."),
    "a unit without a space": rising(lambda number: f"{number}cc"),
    "underscores": rising(lambda number: f"{999 * number:_}"),
    "full-width digits": rising(
        lambda number: str(number).translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    ),
    "Arabic digits": rising(lambda number: str(number).translate({48 + digit: 0x660 + digit for digit in range(10)})),
    "quotes": rising(lambda number: f"'{number}'"),
    "quotes of a spreadsheet": rising(lambda number: f'="{number}"'),
    "a zero-width space": rising(lambda number: f"{number}\u200b"),
    "durations": rising(lambda number: f"{number // 60}:{number % 60:02}:00"),
    "durations in words": rising(lambda number: f"{number // 60}h {number % 60}m"),
    "magnitudes": rising(lambda number: f"{number / 10}{'kM'[number % 2]}"),
    "with a stray too": with_strays(rising(german), "n.a."),
    "European days": days("%d.%m.%Y"),
    "American days": days("%m/%d/%Y"),
    "American times": days("%m/%d/%y %H:%M"),
    "months by name": days("%d-%b-%Y"),
    "months by name in another language": [f"{1 + number % 28}. Mai {1900 + number}" for number in range(ROWS)],
    "a log's": days("[%d/%b/%Y:10:15:00 +0000]"),
    "zones by name": days("%Y-%m-%d 10:15:00 EST"),
    "months of many years": [f"{1900 + number}-05" for number in range(ROWS)],
    "one day without zeros": with_strays(days("%Y-%m-%d"), "2024-1-8"),
    "zones here and there": with_strays(days("%Y-%m-%dT00:00:00Z"), "2024-01-01T00:00:00"),
    "nanoseconds": days("%Y-%m-%dT00:00:00.123456789Z"),
}


SAID = {
    "a decimal comma": ["float"],
    "decimal and thousands": ["float"],
    "thousands": ["float", "int"],
    "thousands, one of them": ["float", "int"],
    "thousands with apostrophes": ["int"],
    "thousands with spaces": ["int"],
    "thousands with dots": ["int"],
    "thousands with spaces that do not break, all of one length": ["float"],
    "one thousand to nine": ["int"],
    "underscores": ["int"],
    "with a stray too": ["float"],
    "European days": ["timestamp"],
    "American days": ["timestamp"],
    "American times": ["timestamp"],
    "months by name": ["timestamp"],
    "a log's": ["timestamp"],
    "months of many years": ["timestamp"],
    "one day without zeros": ["timestamp"],
}
"""What the settings that say how they are written make of them."""


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_read_once_it_is_said_or_written_otherwise(tmp_path, kind):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{value};{number % 2}\n" for number, value in enumerate(WRITTEN[kind])))
    error = stop(tmp_path, path, reader={"delimiter": ";"})
    assert ("at the source" in error.mend) is (kind not in SAID)
    assert try_ways_out(tmp_path, path, error, {"delimiter": ";"}) == [*SAID.get(kind, []), "string"]


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


@pytest.mark.parametrize(
    ("values", "at"),
    [
        (["True", "false", "1", "0"] * 50, 3),
        ([*["true", "false"] * 100, "1"], 201),
        ([*["1", "0"] * 100, "True"], 1),
        (["1.0", "true", "0.0", "false", "n.b."][:4] * 50, 1),
    ],
    ids=["half of them", "one of them", "all but one", "as real numbers"],
)
def test_true_here_and_one_there(tmp_path, values, at):
    path = write_csv(tmp_path / "a.csv", **labelled(values))
    error = stop(tmp_path, path)
    assert "its values are 1 and 0 here, true and false there" in error.message
    assert error.field.endswith(f"row {at}")
    assert try_ways_out(tmp_path, path, error) == ["bool", "string"]


def test_true_here_and_one_there_in_json_lines(tmp_path):
    rows = [{"x": value, "y": row % 2} for row, value in enumerate([True, 1, False, 0, None] * 9)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(DataError, match="mixes types") as caught:
        load(path, tmp_path / "out", split=ALL_TRAIN)
    assert try_ways_out(tmp_path, path, caught.value) == ["bool", "string"]


def test_a_stray_far_behind_is_found(tmp_path):
    """Whatever came in earlier batches counts."""
    values = [str(number) for number in range(300_000)]
    path = write_csv(tmp_path / "a.csv", **labelled([*values, "n.a.", *values[:10]]))
    error = stop(tmp_path, path)
    assert error.field == f"{path}: row 300001"
    assert "all but 1 of its 300011 values" in error.message


def test_a_stray_in_the_first_row_of_the_second_file(tmp_path):
    write_csv(tmp_path / "a.csv", **labelled(rising()))
    second = write_csv(tmp_path / "b.csv", **labelled(["n.a.", *rising()]))
    error = stop(tmp_path, tmp_path / "*.csv")
    assert error.field == f"{second}: row 1"


def test_a_label_with_one_odd_cell(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=rising(), y=with_strays(["0", "1"] * 100, "n.a."))
    error = stop(tmp_path, path)
    assert error.message.startswith("column y ")
    (missing,) = ways_out(error.mend)  # as text it would have a class of one row
    assert load(path, tmp_path / "1", reader=missing).columns["y"] == "int"


def test_a_label_of_numbers_is_not_offered_as_text(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=rising(), y=[f"{number} %" for number in rising()])
    assert ways_out(stop(tmp_path, path).mend) == []


@pytest.mark.parametrize(
    ("values", "stray"),
    [
        (["true", "false"] * 100, "7"),
        (days("%Y-%m-%d"), "0"),
        (rising(), "2024-01-31"),
        (rising(), "true"),
        (rising(), "9" * 25),
    ],
    ids=["a number", "a zero", "a day", "a boolean", "a number too long"],
)
def test_a_value_that_other_columns_hold_is_not_read_as_missing(tmp_path, values, stray):
    """All of theirs would go missing, and nothing would say so."""
    columns = {**labelled(with_strays(values, stray)), "z": [stray, "0", "1", "2024-01-31"] * 50}
    path = write_csv(tmp_path / "a.csv", **columns)
    error = stop(tmp_path, path, reader={"types": {"z": "string"}})
    assert error.value == stray
    assert ways_out(error.mend) == [{"types": {"x": "string"}}]


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u3000", "\t "])
def test_white_space_of_any_kind_is_removed(tmp_path, space):
    values = rising(lambda number: f"{number}{space}" if number % 3 else f"{space}{number}")
    path = write_csv(tmp_path / "a.csv", **labelled(values))
    assert load(path, tmp_path / "out", split=ALL_TRAIN).columns["x"] == "int"


def test_the_one_time_that_is_written_otherwise_is_shown(tmp_path):
    path = write_csv(tmp_path / "a.csv", **labelled(with_strays(days("%Y-%m-%dT00:00:00Z"), "2024-01-08")))
    error = stop(tmp_path, path)
    assert (error.field, error.value) == (f"{path}: row 8", "2024-01-08")
    assert "1 of its 200 values are times written as ISO 8601 without a zone" in error.message


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
    "a decimal comma": (rising(german), ["float", "string"]),
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


def test_a_stray_in_csv_beside_parquet(tmp_path):
    """That the files disagree is not what is to be mended."""
    write_parquet(tmp_path / "a.parquet", **labelled(list(range(ROWS))))
    path = write_csv(tmp_path / "b.csv", **labelled(with_strays(rising(), "n.b.")))
    error = stop(tmp_path, tmp_path / "[ab].*")
    assert (error.field, error.value) == (f"{path}: row 8", "n.b.")
    assert try_ways_out(tmp_path, tmp_path / "[ab].*", error) == ["int", "string"]


def test_a_stray_in_a_column_that_others_are_derived_from(tmp_path):
    """That text is compared with a number is not what is to be mended."""
    path = write_csv(tmp_path / "a.csv", **labelled(with_strays(rising(), "n.b.")))
    reader = {"derive": {"large": "x > 100"}}
    error = stop(tmp_path, path, reader=reader)
    assert (error.field, error.value) == (f"{path}: row 8", "n.b.")
    missing, _ = ways_out(error.mend)
    assert load(path, tmp_path / "1", reader={**reader, **missing}, split=ALL_TRAIN).columns["large"] == "bool"


def test_with_a_key_text_columns_of_parquet_are_looked_at_too(tmp_path):
    columns = {**labelled(rising(german)), "id": list(range(ROWS))}
    path = write_parquet(tmp_path / "a.parquet", **columns)
    assert "column x " in stop(tmp_path, path, roles={"label": "y", "key": ["id"]}).message


def test_white_space_that_was_to_stay(tmp_path):
    path = write_csv(tmp_path / "a.csv", **labelled(rising(lambda number: f" {number}")))
    error = stop(tmp_path, path, reader={"strip_whitespace": False})
    assert "numbers written with white space around them" in error.message
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
