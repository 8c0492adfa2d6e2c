"""Names that come twice and headers that come again; what the message says to do works."""

import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_parquet
from gauntlet.errors import DataError

HEADERS = ["a,b,y", '"a","b","y"', "a, b,y", "größe,b,y"]
ROWS = "1,2,0\n3,4,1\n"


def write(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    return tmp_path / "a.csv"


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_in_the_middle(tmp_path, header):
    path = write(tmp_path, f"{header}\n{ROWS}{header}\n{ROWS}{header}\n{ROWS}")
    with pytest.raises(DataError, match="repeats the header") as caught:
        load(path, tmp_path / "out")
    assert caught.value.field == f"{path}: row 3"
    (way,) = ways_out(caught.value.mend)
    table = load(path, tmp_path / "out", reader=way, split=ALL_TRAIN).table("train")
    assert table["y"].to_pylist() == [0, 1] * 3
    assert table["b"].to_pylist() == [2, 4] * 3


def test_a_header_far_behind(tmp_path):
    path = write(tmp_path, "a,b,y\n" + ROWS * 800_000 + "a,b,y\n")
    with pytest.raises(DataError, match="repeats the header") as caught:
        load(path, tmp_path / "out")
    assert caught.value.field == f"{path}: row 1600001"


def test_a_header_that_was_said_not_to_be_there(tmp_path):
    path = write(tmp_path, f"a,b,y\n{ROWS}")
    options = {"header": False, "column_names": ["a", "b", "y"]}
    with pytest.raises(DataError, match="repeats the header") as caught:
        load(path, tmp_path / "out", reader=options)
    (way,) = ways_out(caught.value.mend)
    assert load(path, tmp_path / "out", reader={**options, **way}, split=ALL_TRAIN).splits == {"train": 2}


def test_a_row_with_some_of_the_names_is_a_row(tmp_path):
    path = write(tmp_path, "a,b,y\na,x,0\nz,b,1\na,b,0\n")
    assert load(path, tmp_path / "out", split=ALL_TRAIN).splits == {"train": 3}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,a,y", ["a", "a_2", "y"]),
        ("a, a,y", ["a", "a_2", "y"]),
        ("a,a,y,a", ["a", "a_2", "y", "a_3"]),
        ("a,a,y,b,b", ["a", "a_2", "y", "b", "b_2"]),
        ("a,a,y,a_2", ["a", "a_3", "y", "a_2"]),
    ],
)
@pytest.mark.parametrize("rename", [{}, {"a": "a1"}], ids=["as they are", "renamed"])
def test_two_columns_of_one_name(tmp_path, header, names, rename):
    width = header.count(",") + 1
    path = write(tmp_path, "\n".join([header, *(",".join([str(row)] * width) for row in (0, 1))]) + "\n")
    with pytest.raises(DataError, match="occurs twice") as caught:
        load(path, tmp_path / "out", reader={"rename": rename})
    (way,) = ways_out(caught.value.mend)
    snapshot = load(path, tmp_path / "out", reader={"rename": rename, **way}, split=ALL_TRAIN)
    assert list(snapshot.columns) == [rename.get(name, name) for name in names]


def test_one_name_by_renaming(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", a=[1, 2], b=[1, 2], y=[0, 1])
    with pytest.raises(DataError, match="occurs twice") as caught:
        load(path, tmp_path / "out", reader={"rename": {"a": "b"}})
    assert "reader.rename" in caught.value.mend


@pytest.mark.parametrize(
    ("header", "left_out"),
    [(",x,z,y", 1), ("x,,z,y", 1), ("x,z,y,", 1), (",,x,y", 2), ("unnamed,,x,y", 1), ("x,y,,", 2), ("Z,z,,y", 1)],
)
@pytest.mark.parametrize("reader", [{}, {"rename": {"z": "zz"}, "drop": ["zz"]}], ids=["", "with others"])
def test_columns_without_a_name(tmp_path, header, left_out, reader):
    """As where pandas wrote its index, or a line ends in a comma."""
    path = write(tmp_path, "\n".join([header, *(",".join(str(row + column) for column in range(4)) for row in (0, 1))]))
    if "z" not in header.split(","):
        reader = {}
    with pytest.raises(DataError, match="has no name") as caught:
        load(path, tmp_path / "out", reader=reader)
    way, *_ = ways_out(caught.value.mend)
    snapshot = load(path, tmp_path / "out", reader={**reader, **way}, split=ALL_TRAIN)
    named = [reader.get("rename", {}).get(name, name) for name in header.split(",") if name]
    assert list(snapshot.columns) == [name for name in named if name not in reader.get("drop", [])]
    assert len(named) == 4 - left_out
