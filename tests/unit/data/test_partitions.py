"""Columns that folders hold (Hive's layout), and pandas' index, which is none."""

import pandas as pd
import pytest

from builders.sources import COLUMNS, load, rows, write_csv, write_jsonl, write_parquet
from gauntlet.errors import DataError

PART = {name: values[:40] for name, values in COLUMNS.items() if name != "id"}


def lay_out(folder, write, values):
    for position, value in enumerate(values):
        path = folder / f"site={value}" / f"year={2020 + position}" / "part"
        path.parent.mkdir(parents=True)
        write(path)


WRITERS = {
    "csv": lambda path: write_csv(path.with_suffix(".csv"), **PART),
    "parquet": lambda path: write_parquet(path.with_suffix(".parquet"), **PART),
    "jsonl": lambda path: write_jsonl(
        path.with_suffix(".jsonl"), [dict(zip(PART, row, strict=True)) for row in zip(*PART.values(), strict=True)]
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_columns_of_folders_are_read(tmp_path, kind):
    lay_out(tmp_path / "logs", WRITERS[kind], ["alpha", "b%20c", "__HIVE_DEFAULT_PARTITION__"])
    snapshot = load(tmp_path / "logs", tmp_path / "out", reader={"rename": {"site": "plant"}})
    assert (snapshot.columns["plant"], snapshot.columns["year"]) == ("string", "int")
    found = {(row["plant"], row["year"]) for row in rows(snapshot)}
    assert found == {("alpha", 2020), ("b c", 2021), (None, 2022)}
    assert sum(snapshot.splits.values()) == 3 * 40


def test_a_column_of_the_file_stands_for_itself(tmp_path):
    lay_out(tmp_path / "logs", lambda path: write_csv(path.with_suffix(".csv"), **PART, site=["own"] * 40), ["alpha"])
    assert {row["site"] for row in rows(load(tmp_path / "logs", tmp_path / "out"))} == {"own"}


def test_a_header_that_comes_twice_is_still_noticed(tmp_path):
    lay_out(tmp_path / "logs", lambda path: path.with_suffix(".csv").write_text("a,y\n1,0\na,y\n2,1\n"), ["alpha"])
    with pytest.raises(DataError, match="repeats the header"):
        load(tmp_path / "logs", tmp_path / "out")


def test_the_unnamed_index_of_a_frame_is_no_column(tmp_path):
    frame = pd.DataFrame(COLUMNS)
    frame[frame.n % 3 > 0].to_parquet(tmp_path / "a.parquet")
    snapshot = load(tmp_path / "a.parquet", tmp_path / "out")
    assert list(snapshot.columns) == list(COLUMNS)
    assert sum(snapshot.splits.values()) == int((frame.n % 3 > 0).sum())


def test_an_index_with_a_name_and_a_column_that_is_called_so_stay(tmp_path):
    pd.DataFrame(COLUMNS).set_index("id").to_parquet(tmp_path / "a.parquet")
    assert "id" in load(tmp_path / "a.parquet", tmp_path / "1").columns
    write_parquet(tmp_path / "b.parquet", **PART, __index_level_0__=list(range(40)))
    assert "__index_level_0__" in load(tmp_path / "b.parquet", tmp_path / "2").columns
