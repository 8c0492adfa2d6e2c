"""Tables that are drawn, written in every format by hand and by pandas: each row is who it is, in its split."""

import datetime
import json
import random
import warnings
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from builders.sources import load, write_parquet

ROWS = 120
ROLES = {
    "content": {"label": "y"},
    "key": {"label": "y", "key": ["k", "n"]},
    "cluster": {"label": "y", "cluster": "n"},
}
Y = [row % 2 for row in range(ROWS)]
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def drawn(rng):
    """Columns of each type, some values missing where no role needs them."""

    def some(draw):
        return [None if rng.random() < 0.1 else draw() for _ in range(ROWS)]

    return {
        "k": [f"k{row}" for row in range(ROWS)],
        "n": [rng.randrange(-50, 50) for _ in range(ROWS)],
        "i": some(lambda: rng.randrange(-(10**6), 10**6)),
        "big": [2**53 + rng.randrange(10**6) for _ in range(ROWS)],
        "x": some(lambda: rng.choice([rng.gauss(0, 1), round(rng.uniform(-99, 99), 1), rng.random() * 1e-7, 1e21])),
        "b": some(lambda: rng.random() < 0.5),
        "c": some(lambda: rng.choice(["north", "south", "ä,ö", 'a "b"', "7 up", "x;y"])),
        "t": some(lambda: START + datetime.timedelta(seconds=rng.randrange(10**8), milliseconds=rng.choice([0, 250]))),
    }


def number(value, rng):
    """One number in one of the ways in which programs write it."""
    ways = [repr(value), f"{value}0" if "." in repr(value) and "e" not in repr(value) else repr(value)]
    if isinstance(value, int):
        ways += [f"{value}.0", f"{value}.00"]
    return rng.choice([*ways, f"{value:.17e}" if isinstance(value, float) else str(value)])


def instant(value, rng):
    zone = datetime.timezone(datetime.timedelta(hours=rng.randrange(-11, 12), minutes=rng.choice([0, 30])))
    return value.astimezone(zone).isoformat(sep=rng.choice(" T"), timespec=rng.choice(["milliseconds", "microseconds"]))


def cell(name, value, rng):
    if value is None:
        return rng.choice(["", "NA", "NaN", "null"])
    if name == "b":
        return rng.choice(["true", "True", "TRUE"] if value else ["false", "False", "FALSE"])
    if name == "big":  # as a real number it would be another one
        return str(value)
    if name == "c":
        return '"' + value.replace('"', '""') + '"'
    return instant(value, rng) if name == "t" else number(value, rng) if name in "nix" else value


def by_hand(folder, columns, rng):
    lines = [",".join([*columns, "y"])]
    for row, y in zip(zip(*columns.values(), strict=True), Y, strict=True):
        lines.append(",".join([*(cell(name, one, rng) for name, one in zip(columns, row, strict=True)), str(y)]))
    (folder / "hand.csv").write_text("\n".join(lines))
    return folder / "hand.csv"


def frame(columns):
    table = pd.DataFrame(columns)
    table["t"] = pd.to_datetime(table["t"], utc=True)
    return table.assign(y=Y)


def csv_of_pandas(folder, columns, rng):
    """Whole numbers beside a missing one become real, as pandas has it."""
    table = frame(columns)
    assert table["i"].dtype == float
    table.to_csv(folder / "pandas.csv", index=False)
    return folder / "pandas.csv"


def parquet_of_pandas(folder, columns, rng):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pandas looks whether large real numbers are whole ones
        table = frame(columns).convert_dtypes()
    table.to_parquet(folder / "pandas.parquet")
    return folder / "pandas.parquet"


def parquet_of_arrow(folder, columns, rng):
    typed = {
        **columns,
        "n": pa.array(columns["n"], pa.int8()),
        "big": pa.array([*map(Decimal, columns["big"])], pa.decimal128(20, 0)),
        "c": pa.array(columns["c"]).dictionary_encode(),
        "t": pa.array(columns["t"], pa.timestamp("ms", "Asia/Kolkata")),
    }
    return write_parquet(folder / "arrow.parquet", **typed, y=Y)


def jsonl_by_hand(folder, columns, rng):
    def value(name, one):
        if one is None or name in "kcb" or name == "big":
            return one
        return instant(one, rng) if name == "t" else json.loads(number(one, rng))

    lines = []
    for row, y in zip(zip(*columns.values(), strict=True), Y, strict=True):
        pairs = [(name, value(name, one)) for name, one in zip(columns, row, strict=True)]
        rng.shuffle(pairs)
        lines.append(
            json.dumps({**{name: one for name, one in pairs if one is not None or rng.random() < 0.5}, "y": y})
        )
    (folder / "hand.jsonl").write_text("\n".join(lines))
    return folder / "hand.jsonl"


def jsonl_of_pandas(folder, columns, rng):
    frame(columns).to_json(
        folder / "pandas.jsonl", orient="records", lines=True, date_format="iso", double_precision=15
    )
    return folder / "pandas.jsonl"


def sides(snapshot):
    found = {}
    for split in snapshot.splits:
        found |= dict.fromkeys(snapshot.table(split)["example_id"].to_pylist(), split)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_one_value_is_one_identity_in_every_format(tmp_path, seed):
    rng = random.Random(seed)
    columns, roles = drawn(rng), list(ROLES.values())[seed % 3]

    def read(write, *drop):
        reader = {"types": {"t": "timestamp"}, "drop": drop}
        return sides(load(write(tmp_path, columns, rng), tmp_path / write.__name__, roles=roles, reader=reader))

    expected = read(by_hand)
    assert len(expected) == ROWS
    for write in (csv_of_pandas, parquet_of_pandas, parquet_of_arrow, jsonl_by_hand):
        assert read(write) == expected, write.__name__
    assert read(jsonl_of_pandas, "x") == read(by_hand, "x")  # it rounds real numbers to 15 digits
