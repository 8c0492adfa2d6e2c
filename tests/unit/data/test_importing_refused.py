"""What cannot be imported: each a sentence with its mend, and nothing half-written."""

import gzip

import pyarrow as pa
import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, COLUMNS, KEYED, N, column, csv_text, load, write_csv, write_jsonl, write_parquet
from gauntlet.data import row_index
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError


def refuse(tmp_path, path, message, error=DataError, **options):
    with pytest.raises(error, match=message) as caught:
        load(path, tmp_path / "out", **options)
    assert caught.value.mend
    left = {entry.name for entry in tmp_path.iterdir()} - {"a.csv", "b.csv", "a.parquet", "b.parquet", "a.jsonl"}
    assert left == set(), "something half-written was left"
    return caught.value


@pytest.mark.parametrize("content", ["", "\n", "x,y\n"], ids=["empty", "blank", "only a header"])
def test_a_file_without_rows(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    refuse(tmp_path, tmp_path / "a.csv", "has no rows|cannot be read")


def test_a_parquet_file_without_rows(tmp_path):
    write_parquet(tmp_path / "a.parquet", x=pa.array([], pa.int64()), y=pa.array([], pa.int64()))
    refuse(tmp_path, tmp_path / "a.parquet", "has no rows")


def test_an_empty_file_beside_others_is_no_error(tmp_path):
    write_parquet(tmp_path / "a.parquet", x=pa.array([], pa.int64()), y=pa.array([], pa.int64()))
    write_parquet(tmp_path / "b.parquet", x=[1, 2], y=[0, 1])
    snapshot = load(tmp_path / "*.parquet", tmp_path / "out", split=ALL_TRAIN)
    assert [source["rows"] for source in snapshot.sources] == [0, 2]


def test_a_truncated_parquet_file(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", **COLUMNS)
    path.write_bytes(path.read_bytes()[:-50])
    error = refuse(tmp_path, path, "cannot be read as parquet")
    assert error.field == str(path)


def test_a_truncated_gzip_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(gzip.compress(csv_text(**COLUMNS).encode())[:-40])
    refuse(tmp_path, tmp_path / "a.csv", "cannot be read as csv")


def test_a_line_with_too_few_fields(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,0\n2\n")
    error = refuse(tmp_path, tmp_path / "a.csv", "cannot be read as csv")
    assert "same number of fields" in error.mend


def test_another_encoding(tmp_path):
    (tmp_path / "a.csv").write_bytes("x,y\nKöln,0\n".encode("latin-1"))
    assert "reader.encoding" in refuse(tmp_path, tmp_path / "a.csv", "cannot be read as csv").mend


@pytest.mark.parametrize("header", ["x,,y", "x,x,y", "x, x,y"])
def test_names_that_name_nothing(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header}\n1,2,0\n1,2,1\n")
    refuse(tmp_path, tmp_path / "a.csv", "has no name|occurs twice")


def test_files_of_different_columns(tmp_path):
    write_csv(tmp_path / "a.csv", x=[1, 2], y=[0, 1])
    write_csv(tmp_path / "b.csv", z=[1, 2], y=[0, 1])
    error = refuse(tmp_path, tmp_path / "*.csv", "lacks column 'x', unlike .*a.csv")
    assert error.field == str(tmp_path / "b.csv")


def test_files_of_different_types(tmp_path):
    write_parquet(tmp_path / "a.parquet", x=[1, 2], y=[0, 1])
    write_parquet(tmp_path / "b.parquet", x=["one", "two"], y=[0, 1])
    error = refuse(tmp_path, tmp_path / "*.parquet", "column x is string here and int in .*a.parquet")
    assert error.field == str(tmp_path / "b.parquet")


def test_a_nested_column(tmp_path):
    write_parquet(tmp_path / "a.parquet", x=[[1], [2]], y=[0, 1])
    assert refuse(tmp_path, tmp_path / "a.parquet", "nested").field.endswith("a.parquet: column x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"y": 1, "x": {"a": 1}}', "nested"),
        ('{"y": 1, "x": "two"}', "mixes types"),
        ('{"y": 1, "x": 99999999999999999999}', "too large"),
        ('{"y": 1,', "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"y": 1, "x": 2, "x": 3}', "names a column twice"),
    ],
)
def test_a_line_that_does_not_fit(tmp_path, line, message):
    (tmp_path / "a.jsonl").write_text('{"y": 0, "x": 1}\n\n' + line + "\n")
    assert refuse(tmp_path, tmp_path / "a.jsonl", message).field.endswith("a.jsonl: line 3")


def test_a_value_that_is_not_of_the_declared_type(tmp_path):
    values = ["1"] * 70_000 + ["abc"] + ["2"] * 3
    path = write_csv(tmp_path / "a.csv", x=values, y=[number % 2 for number in range(len(values))])
    error = refuse(tmp_path, path, "column x holds what is not of type int", reader={"types": {"x": "int"}})
    assert (error.field, error.value) == (f"{path}: row 70001", "abc")


def test_a_value_that_the_mapping_does_not_list(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2, 3], y=["no", "yes", "maybe"])
    error = refuse(tmp_path, path, "mapping does not list", reader={"values": {"y": {"no": 0, "yes": 1}}})
    assert (error.field, error.value) == (f"{path}: row 3", "maybe")


def test_an_infinite_number(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1.5, "inf"], y=[0, 1])
    assert refuse(tmp_path, path, "infinite").field == f"{path}: row 2"


@pytest.mark.parametrize("written", ["inf", "-Inf", "Infinity"])
def test_an_infinite_number_read_as_missing(tmp_path, written):
    path = write_csv(tmp_path / "a.csv", x=[1.5, written, 2], y=[0, 1, 0])
    (way,) = ways_out(refuse(tmp_path, path, "infinite").mend)
    assert load(path, tmp_path / "2", reader=way, split=ALL_TRAIN).table("train")["x"].to_pylist() == [1.5, None, 2.0]


def json_lines(tmp_path, *values):
    return write_jsonl(tmp_path / "a.jsonl", [{"x": value, "y": row % 2} for row, value in enumerate(values)])


@pytest.mark.parametrize("marker", ["NA", "", " null "])
def test_a_missing_value_among_numbers_of_json_lines(tmp_path, marker):
    path = json_lines(tmp_path, 1, marker, 3)
    snapshot = load(path, tmp_path / "out", split=ALL_TRAIN)
    assert snapshot.columns["x"] == "int"
    assert snapshot.table("train")["x"].to_pylist() == [1, None, 3]


def test_a_batch_of_nothing_but_missing_values_in_json_lines(tmp_path):
    path = json_lines(tmp_path, *range(65_536), "NA", None)
    assert load(path, tmp_path / "out", split=ALL_TRAIN).columns["x"] == "int"


def test_a_time_too_far_away(tmp_path):
    """In the number of bits that there are it would begin again from the other end."""
    path = write_parquet(tmp_path / "a.parquet", x=pa.array([0, 2**60], pa.timestamp("ms")), y=[0, 1])
    assert refuse(tmp_path, path, "too far away").field == f"{path}: column x"


def test_words_among_numbers_of_json_lines(tmp_path):
    """The numbers stay numbers, unless the user says otherwise."""
    path = json_lines(tmp_path, 1, "n.a.", 3, "tbd", 5.5)
    error = refuse(tmp_path, path, "mixes types")
    assert (error.field, error.value) == (f"{path}: line 2", "n.a.")
    kinds = [
        load(path, tmp_path / str(number), reader=way, split=ALL_TRAIN).columns["x"]
        for number, way in enumerate(ways_out(error.mend))
    ]
    assert kinds == ["float", "string"]


@pytest.mark.parametrize("odd", ["7", True, "2024-01-31"])
def test_what_is_a_value_elsewhere_is_not_read_as_missing_in_json_lines(tmp_path, odd):
    path = json_lines(tmp_path, 1, 2, odd, 3)
    error = refuse(tmp_path, path, "mixes types")
    assert (error.field, error.value) == (f"{path}: line 3", odd)
    assert "missing_values" not in error.mend


def test_a_column_without_values(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2], e=["", "NA"], y=[0, 1])
    assert refuse(tmp_path, path, "no value in any row", split=ALL_TRAIN).field == "column e"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"roles": {"label": "Y"}}, "roles.label"),
        ({"roles": {"label": "y", "weight": "i"}}, "roles.weight"),
        ({"roles": {"label": "y", "key": ["i"]}}, "roles.key"),
        ({"roles": {"label": "y", "cluster": "i"}}, "roles.cluster"),
        ({"roles": {"label": "y", "exclude": ["i"]}}, "roles.exclude"),
        ({"split": {"key": ["i"]}}, "split.key"),
        ({"reader": {"types": {"i": "int"}}}, "reader.types"),
        ({"reader": {"values": {"i": {"a": 1}}}}, "reader.values"),
        ({"reader": {"rename": {"i": "j"}}}, "reader.rename"),
        ({"reader": {"drop": ["i"]}}, "reader.drop"),
    ],
)
def test_a_column_that_is_not_there(tmp_path, options, field):
    path = write_csv(tmp_path / "a.csv", **COLUMNS)
    assert refuse(tmp_path, path, "no such column", **options).field == field


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": {}}, "needs a label"),
        ({"roles": {"label": "y", "key": ["y"]}}, "label and key name the same column, 'y'"),
        ({"roles": {"label": "y", "weight": "y"}}, "label and weight name the same column, 'y'"),
        ({"reader": {"drop": ["y"]}}, "roles name"),
        ({"reader": {"derive": {"x": "n + 1"}}}, "column of this name"),
        ({"reader": {"derive": {"z": "q + 1"}}}, "not there"),
        ({"reader": {"values": {"c": {"north": 1, "south": "s"}}}}, "several types"),
        ({"reader": {"values": {"c": {}}}}, "maps nothing"),
        ({"reader": {"rename": {"x": "example_id"}}}, "every snapshot has"),
        ({"reader": {"delimiter": "::"}}, "one ASCII character"),
        ({"reader": {"header": False}}, "column_names"),
        ({"reader": {"encoding": "klingon"}}, "encoding"),
        ({"reader": {"types": {"x": "decimal"}}}, "int"),
        ({"reader": {"strip": True}}, "unknown key"),
        ({"split": {"by": "time", "until": {"train": 1, "test": None}}}, "splitting by time"),
        ({"purpose": "fun"}, "training, serving, history"),
    ],
)
def test_options_that_contradict(tmp_path, options, message):
    path = write_csv(tmp_path / "a.csv", **COLUMNS)
    refuse(tmp_path, path, message, ConfigurationError, **options)


@pytest.mark.parametrize("limit", [1 << 20, 7], ids=["in memory", "spilling to disk"])
def test_keys_that_occur_twice(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(row_index, "_ROWS_IN_MEMORY", limit)
    write_csv(tmp_path / "a.csv", **COLUMNS)
    write_csv(tmp_path / "b.csv", **{**COLUMNS, "id": ["r7", *(f"z{number}" for number in range(1, N))]})
    message = r"1 row has .*'r7' in .*b\.csv row 1 and .*a\.csv row 8"
    error = refuse(tmp_path, tmp_path / "*.csv", message, roles=KEYED)
    assert error.field == "roles.key (id)"


def test_unless_the_first_is_kept(tmp_path):
    path = write_csv(tmp_path / "a.csv", id=["a", "b", "a"], x=[1, 2, 3], y=[0, 1, 1])
    snapshot = load(path, tmp_path / "out", roles=KEYED, reader={"duplicates": "keep_first"}, split=ALL_TRAIN)
    assert column(snapshot, "x") == [1, 2]


def test_history_with_one_key_at_one_time_twice(tmp_path):
    path = write_csv(tmp_path / "a.csv", id=["p", "p"], at=["2024-01-01", "2024-01-01"], x=[1, 2])
    options = {"roles": {"key": ["id"], "time": "at"}, "purpose": "history"}
    refuse(tmp_path, path, "an earlier row has", **options)


def test_a_key_that_is_missing(tmp_path):
    path = write_csv(tmp_path / "a.csv", id=["a", ""], x=[1, 2], y=[0, 1])
    assert refuse(tmp_path, path, "roles.key is missing", roles=KEYED).field == f"{path}: row 2"


def test_labels_of_one_class(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2], y=[1, 1])
    assert refuse(tmp_path, path, "same value in every row", split=ALL_TRAIN).field == "label y"


def test_labels_that_are_missing(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2, 3], y=[1, 0, "nan"])
    assert refuse(tmp_path, path, "missing in some rows", split=ALL_TRAIN).value == "1 of 3 rows"


def test_unless_rows_without_a_label_are_dropped(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2, 3], y=[1, 0, ""])
    snapshot = load(path, tmp_path / "out", reader={"missing_label": "drop"}, split=ALL_TRAIN)
    assert snapshot.table("train")["x"].to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, -1], "negative"), ([1, ""], "missing"), (["a", "b"], "must be numbers")],
)
def test_weights_that_are_none(tmp_path, weights, message):
    path = write_csv(tmp_path / "a.csv", x=[1, 2], w=weights, y=[0, 1])
    refuse(tmp_path, path, message, roles={"label": "y", "weight": "w"}, split=ALL_TRAIN)


def test_a_split_without_rows(tmp_path):
    path = write_csv(tmp_path / "a.csv", x=[1, 2], y=[0, 1], t=["2014-01-01", "2014-01-02"])
    refuse(
        tmp_path,
        path,
        "split test got no rows",
        roles={"label": "y", "time": "t"},
        split={"by": "time", "until": {"train": "2014-01-02", "validation": "2015-01-01"}},
    )


def test_a_damaged_gzip_file_is_a_data_error(tmp_path):
    content = bytearray(gzip.compress(csv_text(**COLUMNS).encode()))
    content[60:90] = b"\xff" * 30
    (tmp_path / "a.csv").write_bytes(content)
    refuse(tmp_path, tmp_path / "a.csv", "cannot be read as csv")


def test_a_failed_import_leaves_the_snapshot_before_it_untouched(tmp_path):
    path = write_csv(tmp_path / "a.csv", **COLUMNS)
    before = load(path, tmp_path / "out", roles=KEYED)
    with pytest.raises(DataError):
        load(path, tmp_path / "out", roles={"label": "nothing"})
    assert Snapshot.open(tmp_path / "out") == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.csv", "out"}


@pytest.mark.parametrize("same", ["a copy", "a hard link"])
def test_a_copy_of_a_file(tmp_path, same):
    """Its rows would be learnt, and judged by."""
    first = write_csv(tmp_path / "a.csv", x=list(range(20)), y=[0, 1] * 10)
    second = tmp_path / "b.csv"
    second.hardlink_to(first) if same == "a hard link" else second.write_bytes(first.read_bytes())
    sources = [{"uri": str(first), "split": "train"}, {"uri": str(second), "split": "test"}]
    with pytest.raises(DataError, match=f"holds the same 20 rows as {first}, byte for byte") as caught:
        load(sources, tmp_path / "out")
    assert caught.value.field == str(second)


def test_equal_files_of_two_folders_that_say_what_they_are(tmp_path):
    for site in ("site=a", "site=b"):
        (tmp_path / "in" / site).mkdir(parents=True)
        write_csv(tmp_path / "in" / site / "part.csv", x=[1, 2], y=[0, 1])
    assert load(tmp_path / "in", tmp_path / "out", split=ALL_TRAIN).splits == {"train": 4}
