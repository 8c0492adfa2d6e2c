"""Numbers that rows have a time by: seconds since 1970, or what the user says they are."""

import datetime

import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_csv, write_parquet
from gauntlet.errors import ConfigurationError, DataError

DAYS = [datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC) + datetime.timedelta(days=day) for day in range(60)]
SECONDS = [round(day.timestamp()) for day in DAYS]
SPLIT = {"by": "time", "until": {"train": "2024-02-01", "validation": "2024-02-10"}}
SIZES = {"train": 31, "validation": 9, "test": 20}
TIMED = {"label": "y", "time": "t"}


def packed(form):
    return [int(day.strftime(form)) for day in DAYS]


# What the numbers are, and what the message says of them.
OTHERS = {
    "milliseconds": ([second * 1000 for second in SECONDS], "ms"),
    "microseconds": ([second * 10**6 for second in SECONDS], "us"),
    "nanoseconds": ([second * 10**9 for second in SECONDS], "ns"),
    "milliseconds with a fraction": ([second * 1000 + 0.25 for second in SECONDS], "ms"),
    "days": (packed("%Y%m%d"), "%Y%m%d"),
    "days and seconds": (packed("%Y%m%d%H%M%S"), "%Y%m%d%H%M%S"),
    "days and minutes": (packed("%Y%m%d%H%M"), "%Y%m%d%H%M"),
}


@pytest.mark.parametrize("write", [write_csv, write_parquet])
@pytest.mark.parametrize("kind", OTHERS)
def test_no_seconds(tmp_path, kind, write):
    values, said = OTHERS[kind]
    path = write(tmp_path / f"a.{'csv' if write is write_csv else 'parquet'}", t=values, y=[0, 1] * 30)
    for split in (SPLIT, {}):
        with pytest.raises(DataError, match=r"numbers are seconds since 1970.*2024-01-01") as caught:
            load(path, tmp_path / "out", roles=TIMED, split=split)
        assert (caught.value.field, caught.value.value) == (f"{path}: row 1", values[0])
        (way,) = ways_out(caught.value.mend)
        assert way == {"date_formats": {"t": said}}
        assert load(path, tmp_path / "out", roles=TIMED, reader=way, split=split).columns["t"] == "timestamp"
    assert load(path, tmp_path / "out", roles=TIMED, reader=way, split=SPLIT).splits == SIZES


def test_one_of_another_unit_among_seconds(tmp_path):
    values = [*SECONDS[:7], SECONDS[7] * 1000, *SECONDS[8:]]
    path = write_csv(tmp_path / "a.csv", t=values, y=[0, 1] * 30)
    with pytest.raises(DataError, match="milliseconds") as caught:
        load(path, tmp_path / "out", roles=TIMED, split=SPLIT)
    assert caught.value.field == f"{path}: row 8"


@pytest.mark.parametrize("form", ["%Y%m", "%Y"])
def test_months_and_years_are_none_only_beside_dates(tmp_path, form):
    path = write_csv(tmp_path / "a.csv", t=packed(form), y=[0, 1] * 30)
    with pytest.raises(DataError, match="digits of a date") as caught:
        load(path, tmp_path / "out", roles=TIMED, split=SPLIT)
    assert ways_out(caught.value.mend) == [{"date_formats": {"t": form}}]
    assert load(path, tmp_path / "out", roles=TIMED, split=ALL_TRAIN).columns["t"] == "int"


def test_steps_that_are_split_at_steps(tmp_path):
    path = write_csv(tmp_path / "a.csv", t=range(60), y=[0, 1] * 30)
    split = {"by": "time", "until": {"train": 31, "validation": 40}}
    assert load(path, tmp_path / "out", roles=TIMED, split=split).splits == SIZES


def test_an_empty_split_says_when_the_rows_are_from(tmp_path):
    path = write_csv(tmp_path / "a.csv", t=[45_292 + day for day in range(60)], y=[0, 1] * 30)
    with pytest.raises(DataError, match="times run from 1970-01-01T12:34:52Z to 1970-01-01T12:35:51Z"):
        load(path, tmp_path / "out", roles=TIMED, split=SPLIT)


def test_a_boundary_of_another_unit(tmp_path):
    path = write_csv(tmp_path / "a.csv", t=SECONDS, y=[0, 1] * 30)
    with pytest.raises(ConfigurationError, match="1706745600000 is no time in seconds"):
        load(path, tmp_path / "out", roles=TIMED, split={"by": "time", "until": {"train": 1_706_745_600_000}})


@pytest.mark.parametrize("split", [SPLIT, {}], ids=["by time", "at random"])
def test_a_time_that_is_text_is_asked_about(tmp_path, split):
    path = write_csv(tmp_path / "a.csv", t=[day.strftime("%d.%m.%Y") for day in DAYS], y=[0, 1] * 30)
    with pytest.raises(DataError, match=r"times written as day.month.year") as caught:
        load(path, tmp_path / "out", roles=TIMED, split=split)
    way = ways_out(caught.value.mend)[0]
    assert load(path, tmp_path / "out", roles=TIMED, reader=way, split=SPLIT).splits == SIZES
