"""What a person should know of data that are imported all the same."""

import pytest

from builders.sources import ALL_TRAIN, load, write_csv
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.statistics import Statistics, write_statistics
from gauntlet.errors import DataError
from gauntlet.reports.views.statistics import statistics_page

ROWS = 60
Y = [row % 2 for row in range(ROWS)]
X = [row * 37 % 101 for row in range(ROWS)]


def notes(tmp_path, *, split=None, roles=None, reader=None, **columns):
    path = write_csv(tmp_path / "a.csv", **columns)
    snapshot = load(path, tmp_path / "out", roles=roles, reader=reader, split=split or ALL_TRAIN)
    assert Snapshot.open(tmp_path / "out").notes == snapshot.notes
    return list(snapshot.notes)


def test_nothing_to_say(tmp_path):
    assert notes(tmp_path, x=X, y=Y) == []


@pytest.mark.parametrize("value", ["a", 7, "0.5", "true", "2024-01-01"])
def test_a_constant(tmp_path, value):
    (sentence,) = notes(tmp_path, x=X, k=[value] * ROWS, y=Y)
    assert sentence.startswith("Column k has the same value in every row")


def test_many_constants_are_one_sentence(tmp_path):
    (sentence,) = notes(tmp_path, x=X, **{f"k{number}": ["a"] * ROWS for number in range(9)}, y=Y)
    assert sentence.startswith("Columns k0, k1, k2, k3, k4 and 4 more have")


@pytest.mark.parametrize("kept", [[*["a"] * (ROWS - 1), "b"], [*["a"] * (ROWS - 1), None]], ids=["another", "missing"])
def test_a_value_and_another_are_no_constant(tmp_path, kept):
    assert notes(tmp_path, x=X, k=kept, y=Y) == []


@pytest.mark.parametrize("first", [0, 1, 100_001])
def test_the_number_of_the_row(tmp_path, first):
    number = list(range(first, first + ROWS))
    (sentence,) = notes(tmp_path, n=number, x=X, y=Y)
    assert sentence.startswith("Column n has the number of the row")
    for roles in ({"exclude": ["n"]}, {"key": ["n"]}, {"time": "n"}):
        assert notes(tmp_path, n=number, x=X, y=Y, roles={"label": "y", **roles}) == []
    number[-1] += 1
    assert notes(tmp_path, n=number, x=X, y=Y) == []


def test_the_number_of_the_row_in_each_file(tmp_path):
    for name in "ab":
        write_csv(tmp_path / f"{name}.csv", n=list(range(ROWS)), x=X if name == "a" else X[::-1], y=Y)
    snapshot = load(tmp_path / "*.csv", tmp_path / "out", split=ALL_TRAIN)
    assert "Column n has the number of the row" in snapshot.notes[-1]


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1"])
def test_an_index_of_pandas_is_no_feature(tmp_path, name):
    columns = {name: list(range(ROWS)), "x": X, "y": Y}
    with pytest.raises(DataError, match="as an index that pandas wrote does") as caught:
        notes(tmp_path, **columns)
    assert caught.value.field == f"column {name}"
    assert notes(tmp_path, **columns, reader={"drop": [name]}) == []
    notes(tmp_path, **columns, reader={"types": {name: "int"}})
    notes(tmp_path, **{name: X, "x": X[::-1], "y": Y})  # no index, whatever it is called


@pytest.mark.parametrize("rows", [2, 4])
def test_a_class_of_hardly_any_rows(tmp_path, rows):
    (sentence,) = notes(tmp_path, x=X, y=[*["a", "b"] * ((ROWS - rows) // 2), *["c"] * rows])
    assert f"a class of fewer than 5 of {ROWS} rows, too few to judge by: 'c' ({rows})" in sentence
    assert notes(tmp_path, x=X, y=[*["a", "b"] * ((ROWS - 6) // 2), *["c"] * 6]) == []


def test_rows_that_repeat_another(tmp_path):
    columns = {"x": [*X[:40], *X[:20]], "t": [*range(40), *range(20)], "y": Y}
    (sentence,) = notes(tmp_path, **columns)
    assert sentence.startswith("20 of 60 rows (33.3%) repeat an earlier one in everything but the label")
    assert "stay in the split of the first" in sentence
    by_time = {"by": "time", "until": {"train": 10, "validation": 15}}
    (sentence,) = notes(tmp_path, **columns, roles={"label": "y", "time": "t"}, split=by_time)
    assert "may lie in another split" in sentence


def test_rows_that_were_left_out(tmp_path):
    roles = {"label": "y", "key": ["x"]}
    reader = {"duplicates": "keep_first", "missing_label": "drop"}
    labels = [None, None, None, *Y[3:]]
    assert notes(tmp_path, x=[*X[:40], *X[:20]], y=labels, roles=roles, reader=reader) == [
        "3 of 60 rows were left out: they have no label.",
        "20 of 60 rows (33.3%) were left out: an earlier row has their key (x).",
    ]


def test_the_page_of_the_data_says_them(tmp_path):
    (sentence,) = notes(tmp_path, x=X, k=["a"] * ROWS, y=Y)
    write_statistics(Snapshot.open(tmp_path / "out"), tmp_path / "statistics")
    assert sentence in statistics_page(Statistics.open(tmp_path / "statistics"))
