"""Who a row is depends on its values alone: not on how a file spells them, nor on its format or on what came before."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.sources import ALL_TRAIN, load, write_csv, write_jsonl, write_parquet
from gauntlet.errors import DataError
from hypothesis_profiles import examples

ROWS = 60
Y = [number % 2 for number in range(ROWS)]
TIMES = [datetime.datetime(2024, 1, 1 + number % 28, number % 24, 30, 5, tzinfo=datetime.UTC) for number in range(ROWS)]


def spelt(**spellings):
    return spellings


# One column in several spellings, each of which says the same.
NUMBERS = [number / 8 if number % 3 else float(number) for number in range(-20, ROWS - 20)]
SAME = {
    "whole numbers, as pandas writes them beside a blank": spelt(
        plain=[str(number) for number in range(ROWS)], other=[f"{number}.0" for number in range(ROWS)]
    ),
    "trailing zeros": spelt(plain=[str(number) for number in NUMBERS], other=[f"{number:.4f}" for number in NUMBERS]),
    "exponents": spelt(
        plain=[f"{number}500" for number in range(1, ROWS + 1)],
        other=[f"{number}.5E3" for number in range(1, ROWS + 1)],
    ),
    "a negative zero": spelt(plain=["0", *map(str, range(1, ROWS))], other=["-0", *map(str, range(1, ROWS))]),
    "a negative real zero": spelt(plain=["0.0"] + ["0.5"] * (ROWS - 1), other=["-0.0"] + ["0.5"] * (ROWS - 1)),
    "booleans": spelt(plain=["true", "false"] * (ROWS // 2), other=["True", "FALSE"] * (ROWS // 2)),
    "times": spelt(
        plain=[time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in TIMES],
        other=[time.strftime("%Y-%m-%d %H:%M:%S") for time in TIMES],
        elsewhere=[
            time.astimezone(datetime.timezone(datetime.timedelta(hours=2))).isoformat(timespec="milliseconds")
            for time in TIMES
        ],
    ),
    "blanks": spelt(plain=["", *map(str, range(1, ROWS))], other=["NaN", *map(str, range(1, ROWS))]),
}


def sides(snapshot):
    """Row by row, as they came: example_id and split."""
    found = {}
    for split, count in snapshot.splits.items():
        if count:
            found |= dict.fromkeys(snapshot.table(split)["example_id"].to_pylist(), split)
    return found


ROLES = {
    "by content": ({"label": "y"}, {}),
    "by key": ({"label": "y", "key": ["x", "n"]}, {}),
    "by cluster": ({"label": "y", "cluster": "x"}, {}),
    "by the split's key": ({"label": "y", "key": ["n"]}, {"key": ["x"]}),
}


def pairs() -> list[tuple[str, str]]:
    """Every column with every way to know rows, but keys are never missing, and two clusters are not split in three."""
    found = []
    for kind, spellings in SAME.items():
        values = spellings["plain"]
        ways = ["by content"] if "" in values else ["by content", "by key"]
        if len(set(values)) > 2 and "" not in values:
            ways += ["by cluster", "by the split's key"]
        found += [(kind, known) for known in ways]
    return found


@pytest.mark.parametrize(("kind", "known"), pairs())
def test_one_value_is_one_identity(tmp_path, kind, known):
    roles, split = ROLES[known]
    columns = {"n": list(range(ROWS)), "y": Y}
    found = [
        sides(load(write_csv(tmp_path / "a.csv", x=x, **columns), tmp_path / name, roles=roles, split=split))
        for name, x in SAME[kind].items()
    ]
    for other in found[1:]:
        assert other == found[0]


@pytest.mark.parametrize("known", ROLES)
def test_every_format_gives_the_same_identities(tmp_path, known):
    roles, split = ROLES[known]
    columns = {
        "x": NUMBERS,
        "n": list(range(ROWS)),
        "big": [2**53 + number for number in range(ROWS)],
        "c": [f"c{number % 5}" for number in range(ROWS)],
        "b": [number % 2 == 0 for number in range(ROWS)],
        "y": Y,
    }
    written = {name: [str(value) for value in values] for name, values in columns.items()}
    objects = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    times = [time.isoformat() for time in TIMES]
    paths = [
        write_csv(tmp_path / "a.csv", **written, t=times),
        write_parquet(tmp_path / "a.parquet", **columns, t=pa.array(TIMES, pa.timestamp("ms", "Asia/Tokyo"))),
        write_jsonl(tmp_path / "a.jsonl", [{**one, "t": time} for one, time in zip(objects, times, strict=True)]),
        write_parquet(
            tmp_path / "b.parquet",
            **{**columns, "n": pa.array(map(float, range(ROWS))), "x": pa.array(map(str, NUMBERS))},
            t=pa.array(TIMES, pa.timestamp("ns", "UTC")),
        ),
    ]
    types = {"t": "timestamp", "x": "float"}
    found = [
        sides(load(path, tmp_path / path.name.replace(".", "-"), roles=roles, split=split, reader={"types": types}))
        for path in paths
    ]
    for other in found[1:]:
        assert other == found[0]


def test_a_file_that_pandas_wrote_again_after_a_value_was_lost(tmp_path):
    import pandas as pd

    first = write_csv(
        tmp_path / "a.csv", n=list(range(ROWS)), x=[f"{number}.50" for number in range(ROWS)], c=["a"] * ROWS, y=Y
    )
    frame = pd.read_csv(first)
    frame.loc[7, "n"] = None
    frame.to_csv(tmp_path / "b.csv", index=False)
    assert "8.0,8.5,a" in (tmp_path / "b.csv").read_text()
    before, after = sides(load(first, tmp_path / "a")), sides(load(tmp_path / "b.csv", tmp_path / "b"))
    assert len(before.keys() & after.keys()) == ROWS - 1
    assert all(after[row] == side for row, side in before.items() if row in after)


@examples(50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), st.data())
def test_numbers_that_are_equal_are_one_and_others_are_not(tmp_path_factory, values, data):
    tmp_path = tmp_path_factory.mktemp("numbers")
    spellings = st.sampled_from([repr, "{:.17e}".format, lambda value: format(Decimal(value), "f")])
    texts = [data.draw(spellings)(value) for value in values]
    y = [number % 2 for number in range(len(texts) + 1)]
    written = write_csv(tmp_path / "a.csv", x=["0.5", *texts], y=y)
    exact = write_parquet(tmp_path / "a.parquet", x=[0.5, *values], y=y)
    found = [
        load(path, tmp_path / str(number), split=ALL_TRAIN, reader={"types": {"x": "float"}})
        for number, path in enumerate((written, exact))
    ]
    ids = [snapshot.table("train")["example_id"].to_pylist() for snapshot in found]
    assert ids[0] == ids[1]
    first = [name.split("-")[0] for name in ids[0]]
    assert len(set(first)) == len({0.5, *values})


TEXTS = ["8", "8.0", "8.00", "08", "8e0", "true", "True"]


@pytest.mark.parametrize("reader", [{}, {"types": {"x": "string"}}], ids=["found", "declared"])
def test_texts_are_themselves(tmp_path, reader):
    path = write_csv(tmp_path / "a.csv", x=TEXTS, y=[0, 1, 0, 1, 0, 1, 0])
    snapshot = load(path, tmp_path / "a", roles={"label": "y", "key": ["x"]}, reader=reader, split=ALL_TRAIN)
    assert snapshot.table("train")["example_id"].to_pylist() == TEXTS
    ids = load(path, tmp_path / "b", reader=reader, split=ALL_TRAIN).table("train")["example_id"].to_pylist()
    assert len({name.split("-")[0] for name in ids}) == len(TEXTS)


LATE = {
    "codes after numbers": ([f"{number}.0" for number in range(ROWS)], "A7"),
    "leading zeros after numbers": ([str(number) for number in range(ROWS)], "007"),
    "words after booleans": (["True", "false"] * (ROWS // 2), "north"),
    "words after times": ([time.isoformat() for time in TIMES], "north"),
    "a fraction after long numbers": ([str(2**53 + number) for number in range(ROWS)], "0.5"),
    "a fraction after whole numbers": ([str(number) for number in range(ROWS)], "0.5"),
}


@pytest.mark.parametrize("formats", ["csv", "csv and parquet"])
@pytest.mark.parametrize("kind", LATE)
def test_what_a_column_turns_out_to_be_counts_for_rows_before_too(tmp_path, kind, formats):
    """Two files, so that the first batch is identified before the column's type is known."""
    early, late = LATE[kind]
    rest = {"n": list(range(ROWS)), "y": Y}
    last = write_parquet if formats == "csv and parquet" else write_csv
    numbers = formats == "csv and parquet" and "fraction" in kind
    late_value = pa.array([float(late)] * ROWS) if numbers else [late] * ROWS
    ids = []
    for first_name, last_name in (("a", "b"), ("b", "a")):
        folder = tmp_path / first_name
        folder.mkdir()
        write_csv(folder / f"{first_name}.csv", x=early, **rest)
        last(folder / f"{last_name}.{'parquet' if last is write_parquet else 'csv'}", x=late_value, **rest)
        found = load(folder, tmp_path / f"{first_name}-out", roles={"label": "y", "exclude": ["x"]})
        told = load(folder, tmp_path / f"{first_name}-told", reader={"types": {"x": found.columns["x"]}})
        ids += [sides(found), sides(told)]
    for other in ids[1:]:
        assert other == ids[0]
    assert len(ids[0]) == 2 * ROWS


def test_repeated_rows_are_found_whatever_their_spelling(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=["8", "8.0", "8.5"], y=[0, 1, 0])
    ids = load(path, tmp_path / "out", split=ALL_TRAIN).table("train")["example_id"].to_pylist()
    assert ids[1] == f"{ids[0]}-1"
    with pytest.raises(DataError, match=r"1 row has a key that an earlier row has: '8' in .*a.csv row 2 and .*row 1"):
        load(path, tmp_path / "out", roles={"label": "y", "key": ["x"]}, split=ALL_TRAIN)
    kept = load(
        path,
        tmp_path / "out",
        roles={"label": "y", "key": ["x"]},
        reader={"duplicates": "keep_first"},
        split=ALL_TRAIN,
    )
    assert kept.table("train")["example_id"].to_pylist() == ["8", "8.5"]


def test_json_lines_spell_numbers_among_texts_alike(tmp_path):
    rows = [{"x": value, "y": number % 2} for number, value in enumerate([8.0, 8, "eight", True, 12.5])]
    reader = {"types": {"x": "string"}}
    for name, some in (("mixed", rows), ("numbers", rows[:2])):
        path = write_jsonl(tmp_path / f"{name}.jsonl", some)
        table = load(path, tmp_path / name, reader=reader, split=ALL_TRAIN).table("train")
        assert table["x"].to_pylist() == ["8", "8", "eight", "true", "12.5"][: len(some)]


def test_a_sample_is_of_the_same_rows(tmp_path):
    found = []
    for name, form in (("a", "{}"), ("b", "{}.0")):
        path = write_csv(tmp_path / f"{name}.csv", x=[form.format(number) for number in range(2000)], y=[0, 1] * 1000)
        found.append(sides(load(path, tmp_path / name, most_rows=300)))
    assert found[0] == found[1]
    assert 200 < len(found[0]) < 400


def test_identifiers_are_readable(tmp_path):
    path = write_parquet(
        tmp_path / "a.parquet",
        x=[12.5, 8.0],
        b=[True, False],
        t=pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.datetime(2024, 1, 2, microsecond=70)]),
        y=[0, 1],
    )
    snapshot = load(path, tmp_path / "out", roles={"label": "y", "key": ["x", "b", "t"]}, split=ALL_TRAIN)
    assert snapshot.table("train")["example_id"].to_pylist() == [
        "12.5|true|2024-01-02T03:04:05Z",
        "8|false|2024-01-02T00:00:00.00007Z",
    ]


class TestLongNumbers:
    IDS = [2**53 + number for number in range(20)]

    @pytest.mark.parametrize(
        "data_type",
        [pa.int64(), pa.uint64(), pa.decimal128(20, 0), pa.decimal128(38, 0), pa.decimal256(40, 0)],
        ids=str,
    )
    def test_are_exact(self, tmp_path, data_type):
        values = [Decimal(one) for one in self.IDS] if pa.types.is_decimal(data_type) else self.IDS
        path = write_parquet(tmp_path / "a.parquet", id=pa.array(values, data_type), y=[0, 1] * 10)
        snapshot = load(path, tmp_path / "out", roles={"label": "y", "key": ["id"]}, split=ALL_TRAIN)
        assert snapshot.columns["id"] == "int"
        assert snapshot.table("train")["example_id"].to_pylist() == [str(one) for one in self.IDS]

    def test_are_exact_in_text(self, tmp_path):
        ids = [str(10**25 + number) for number in range(20)]
        path = write_csv(tmp_path / "a.csv", id=ids, y=[0, 1] * 10)
        snapshot = load(path, tmp_path / "out", roles={"label": "y", "key": ["id"]}, split=ALL_TRAIN)
        assert snapshot.table("train")["example_id"].to_pylist() == ids

    @pytest.mark.parametrize("role", ["key", "cluster"])
    @pytest.mark.parametrize("form", ["doubles", "decimals", "text"])
    def test_that_lost_their_digits_identify_nothing(self, tmp_path, form, role):
        if form == "text":
            path = write_csv(tmp_path / "a.csv", id=["1.0", *(f"{one}.0" for one in self.IDS)], y=[0, 1] * 10 + [0])
        else:
            values = [1.0, *map(float, self.IDS)]
            ids = pa.array(values) if form == "doubles" else pa.array(map(Decimal, values), pa.decimal128(38, 9))
            path = write_parquet(tmp_path / "a.parquet", id=ids, y=[0, 1] * 10 + [0])
        roles = {"label": "y", role: ["id"] if role == "key" else "id"}
        with pytest.raises(DataError, match="last digits are lost") as caught:
            load(path, tmp_path / "out", roles=roles, reader={"duplicates": "keep_first"}, split=ALL_TRAIN)
        assert caught.value.field == f"{path}: row 2"
        assert json.dumps({"id": "string"}) in caught.value.mend
        if form == "text":
            kept = load(path, tmp_path / "out", roles=roles, reader={"types": {"id": "string"}}, split=ALL_TRAIN)
            assert kept.splits == {"train": 21}


@pytest.mark.parametrize("known", ["by content", "by cluster"])
def test_true_is_one(tmp_path, known):
    """What one program writes as a boolean, another writes as a number."""
    roles, _ = ROLES[known]
    truths = [number % 3 == 0 for number in range(ROWS)]
    columns = {"n": list(range(ROWS)), "y": Y}
    if known == "by cluster":
        columns["x"], columns["y"] = columns.pop("n"), Y
    written = [[str(one) for one in truths], [str(int(one)) for one in truths], [f"{int(one)}.0" for one in truths]]
    mixed = [spelling[row] for row, spelling in enumerate(written * (ROWS // 3))]
    found = [sides(load(write_csv(tmp_path / "a.csv", b=b, **columns), tmp_path / "a", roles=roles)) for b in written]
    types = {"types": {"b": "bool"}}
    found += [
        sides(load(write_csv(tmp_path / "a.csv", b=mixed, **columns), tmp_path / "b", roles=roles, reader=types)),
        sides(load(write_parquet(tmp_path / "a.parquet", b=truths, **columns), tmp_path / "c", roles=roles)),
    ]
    for other in found[1:]:
        assert other == found[0]


def test_identities_are_the_same_in_every_environment(tmp_path):
    """Another version of Arrow, of NumPy or of ours must not make other rows of the same data."""
    path = write_csv(
        tmp_path / "a.csv",
        x=["12.50", "8.0", "-0.1"],
        n=[1, "", str(2**53 + 1)],
        t=["2024-01-02T00:00:00+01:00", "2024-01-02T03:04:05Z", ""],
        b=["true", "False", ""],
        c=["north", "07", "ü"],
        y=[0, 1, 0],
    )
    assert load(path, tmp_path / "out", split=ALL_TRAIN).table("train")["example_id"].to_pylist() == FROZEN


FROZEN = ["e5583a45396267cb27f29e069a1788f2", "87d5093e5296227079d6e7821a93a0a1", "34e9a3abcbf3ab6fe553d25c70eda005"]
