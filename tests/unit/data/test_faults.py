"""Everything that can be known to be wrong with a file is said in one round."""

import pytest

from builders.sources import load, write_csv, write_parquet
from gauntlet.data.faults import MOST_SAID, check_all
from gauntlet.errors import ConfigurationError, DataError

ROWS = 60
Y = [row % 2 for row in range(ROWS)]
COMMAS = [f'"{row},5"' for row in range(ROWS)]
ROLES = {"label": "Y", "time": "when", "exclude": ["out"]}
READER = {"types": {"zz": "int"}, "drop": ["qq"]}
SAID = {"Y", "when", "out", "zz", "qq"}


def stop(tmp_path, path, **options):
    with pytest.raises(DataError) as caught:
        load(path, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    return str(caught.value)


@pytest.mark.parametrize("first", ["", "a key", "text"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_all_columns_that_are_not_there(tmp_path, form, first):
    x = COMMAS if form == "csv" else [one.strip('"') for one in COMMAS]
    columns = {"x": x if first == "text" else Y, "y": Y}
    path = (write_csv if form == "csv" else write_parquet)(tmp_path / f"a.{form}", **columns)
    roles = {**ROLES, **({"key": ["id"]} if first == "a key" else {})}
    text = stop(tmp_path, path, roles=roles, reader=READER)
    for name in SAID | ({"id"} if first == "a key" else set()):
        assert f"the data have no such column; found '{name}'" in text
    assert ("a decimal comma" in text) is (first == "text")


def test_what_is_known_once_all_rows_are_read(tmp_path):
    y = ["a", "b"] * (ROWS // 2 - 1) + ["a", "c"]
    path = write_csv(tmp_path / "a.csv", x=list(range(ROWS)), e=[""] * ROWS, f=["NA"] * ROWS, y=y)
    text = stop(tmp_path, path, split={"fractions": {"train": 0.999999, "test": 0.000001}})
    for said in ("column e: has no value", "column f: has no value", "a class of one row", "split test got no rows"):
        assert said in text


def test_one_fault_is_said_alone(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=Y, y=Y)
    assert "as well" not in stop(tmp_path, path, roles={"label": "Y"})


def test_what_contradicts_the_settings_is_theirs(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=Y, y=Y)
    with pytest.raises(ConfigurationError, match="leaves out a column that roles name"):
        load(path, tmp_path / "out", reader={"drop": ["y"]})


def test_a_hundred_are_counted():
    def fail():
        raise DataError("is wrong", mend="Mend it.")

    with pytest.raises(DataError, match=f"And {99 - MOST_SAID} more"):
        check_all([fail] * 100)
    check_all([])
