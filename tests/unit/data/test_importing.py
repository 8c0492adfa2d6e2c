"""From files to snapshots: what comes out, that it never changes side, and what is refused."""

import gzip
import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.sources import (
    ALL_TRAIN,
    COLUMNS,
    KEYED,
    N,
    csv_text,
    load,
    rows,
    write_csv,
    write_jsonl,
    write_parquet,
)
from gauntlet.data import writing
from gauntlet.errors import DataError
from hypothesis_profiles import examples


def sides(snapshot):
    return {row["example_id"]: row["split"] for row in rows(snapshot, ["example_id"])}


class TestWhatComesOut:
    def test_csv_parquet_and_json_lines_give_the_same_snapshot(self, tmp_path):
        write_csv(tmp_path / "a.csv", **COLUMNS)
        write_parquet(tmp_path / "a.parquet", **COLUMNS)
        write_jsonl(
            tmp_path / "a.jsonl", [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
        )
        found = [load(tmp_path / f"a.{kind}", tmp_path / kind, roles=KEYED) for kind in ("csv", "parquet", "jsonl")]
        assert found[0].columns == {"id": "string", "x": "float", "n": "int", "c": "string", "y": "int"}
        assert len({snapshot.digest for snapshot in found}) == 1
        assert rows(found[0]) == rows(found[1]) == rows(found[2])

    def test_gzip_is_read_whatever_its_name(self, tmp_path):
        content = csv_text(**COLUMNS).encode()
        (tmp_path / "a.csv").write_bytes(content)
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content))
        (tmp_path / "b.csv").write_bytes(gzip.compress(content))
        digests = {load(tmp_path / name, tmp_path / "out").digest for name in ("a.csv", "a.csv.gz", "b.csv")}
        assert len(digests) == 1

    def test_what_is_missing_is_null(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,s,t,y\n1,,a,0\n,b,NA,1\nNaN,?,c,0\n")
        snapshot = load(
            tmp_path / "a.csv", tmp_path / "out", split=ALL_TRAIN, reader={"missing_values": ["", "?", "NA"]}
        )
        table = snapshot.table("train")
        assert table["x"].to_pylist() == [1.0, None, None]
        assert table["s"].to_pylist() == [None, "b", None]
        assert table["t"].to_pylist() == ["a", None, "c"]

    def test_nan_in_parquet_is_null_too(self, tmp_path):
        write_parquet(tmp_path / "a.parquet", x=[1.0, float("nan")], s=["", "b"], y=[0, 1])
        table = load(tmp_path / "a.parquet", tmp_path / "out", split=ALL_TRAIN).table("train")
        assert table["x"].to_pylist() == [1.0, None]
        assert table["s"].to_pylist() == [None, "b"]

    def test_a_file_as_the_census_wrote_it(self, tmp_path):
        (tmp_path / "a.data").write_text(
            "|1x3 Cross validator\n age, work, Y\n39, State-gov, <=50K\n50, ?, >50K\n\n28, Private, <=50K.\n"
        )
        labels = {"<=50K": 0.0, "<=50K.": 0.0, ">50K": 1.0, ">50K.": 1.0}  # a pipeline makes doubles of numbers
        snapshot = load(
            tmp_path / "a.data",
            tmp_path / "out",
            roles={"label": "over"},
            reader={
                "comment": "|",
                "missing_values": ["?"],
                "rename": {"Y": "over"},
                "values": {"over": labels},
                "derive": {"senior": "age >= 50"},
                "drop": ["age"],
            },
            split=ALL_TRAIN,
        )
        assert snapshot.columns == {"work": "string", "over": "int", "senior": "bool"}
        table = snapshot.table("train")
        assert table["work"].to_pylist() == ["State-gov", None, "Private"]
        assert table["over"].to_pylist() == [0, 1, 0]
        assert table["senior"].to_pylist() == [False, True, False]

    def test_a_fraction_in_the_last_row_makes_the_column_float(self, tmp_path):
        values = [*range(70_000), 0.5]
        write_csv(tmp_path / "a.csv", x=values, y=[value % 2 for value in range(len(values))])
        snapshot = load(tmp_path / "a.csv", tmp_path / "out", split=ALL_TRAIN)
        assert snapshot.columns["x"] == "float"
        assert snapshot.table("train")["x"].to_pylist() == values

    def test_types_may_be_declared(self, tmp_path):
        write_csv(tmp_path / "a.csv", zip=["00501", "10001"], n=["1.0", "2.0"], t=["2014-01-01", ""], y=[0, 1])
        snapshot = load(
            tmp_path / "a.csv",
            tmp_path / "out",
            reader={"types": {"zip": "int", "n": "int", "t": "string", "y": "bool"}},
            split=ALL_TRAIN,
        )
        assert snapshot.columns == {"zip": "int", "n": "int", "t": "string", "y": "bool"}
        assert snapshot.table("train")["zip"].to_pylist() == [501, 10001]

    def test_no_header_other_delimiter_other_encoding(self, tmp_path):
        (tmp_path / "a.txt").write_bytes("Köln;1\nBern;0\n".encode("latin-1"))
        options = {"column_names": ["city", "y"], "header": False, "delimiter": ";", "encoding": "latin-1"}
        table = load(tmp_path / "a.txt", tmp_path / "out", reader=options, split=ALL_TRAIN).table("train")
        assert table["city"].to_pylist() == ["Köln", "Bern"]

    def test_quoted_values_keep_delimiters_and_line_breaks(self, tmp_path):
        (tmp_path / "a.csv").write_text('s,y\n"a,b",0\n"a\nb",1\n')
        table = load(tmp_path / "a.csv", tmp_path / "out", split=ALL_TRAIN).table("train")
        assert table["s"].to_pylist() == ["a,b", "a\nb"]

    def test_many_files_are_one_snapshot_in_order_of_their_names(self, tmp_path):
        write_csv(tmp_path / "b.csv", x=[3, 4], y=[0, 1])
        write_csv(tmp_path / "a.csv", y=[0, 1], x=[1, 2])
        snapshot = load(tmp_path / "*.csv", tmp_path / "out", split=ALL_TRAIN)
        assert snapshot.table("train")["x"].to_pylist() == [1, 2, 3, 4]
        assert [source["rows"] for source in snapshot.sources] == [2, 2]

    def test_json_lines_may_leave_keys_out(self, tmp_path):
        write_jsonl(tmp_path / "a.jsonl", [{"y": 0, "a": 1}, {"y": 1, "b": "x"}, {"y": 0, "a": 2.5, "b": None}])
        snapshot = load(tmp_path / "a.jsonl", tmp_path / "out", split=ALL_TRAIN)
        assert snapshot.columns == {"y": "int", "a": "float", "b": "string"}
        assert snapshot.table("train")["b"].to_pylist() == [None, "x", None]

    def test_repeated_rows_have_ids_of_their_own(self, tmp_path):
        write_csv(tmp_path / "a.csv", x=[1, 1, 2, 1], y=[0, 0, 1, 1])
        ids = load(tmp_path / "a.csv", tmp_path / "out", split=ALL_TRAIN).table("train")["example_id"].to_pylist()
        assert len(set(ids)) == 4
        assert ids[1] == f"{ids[0]}-1"
        assert ids[3] == f"{ids[0]}-2"

    def test_the_key_is_the_example_id(self, tmp_path):
        write_csv(tmp_path / "a.csv", a=["p", "p", "q"], b=[1, 2, 1], y=[0, 1, 0])
        snapshot = load(tmp_path / "a.csv", tmp_path / "out", roles={"label": "y", "key": ["a", "b"]}, split=ALL_TRAIN)
        assert snapshot.table("train")["example_id"].to_pylist() == ["p|1", "p|2", "q|1"]


class TestSplits:
    def test_three_splits_by_default(self, tmp_path):
        snapshot = load(write_csv(tmp_path / "a.csv", **COLUMNS), tmp_path / "out", roles=KEYED)
        assert list(snapshot.splits) == ["train", "validation", "test"]
        assert sum(snapshot.splits.values()) == N

    @examples(25)
    @given(st.data())
    def test_rows_that_come_or_go_move_no_other(self, tmp_path_factory, data):
        keyed = data.draw(st.booleans())
        tmp_path = tmp_path_factory.mktemp("stable")
        kept = data.draw(st.lists(st.integers(0, N - 1), min_size=60, max_size=N, unique=True))
        text = {name: [values[row] for row in kept] for name, values in COLUMNS.items()}
        if data.draw(st.booleans()):
            text["n"][0] = 0.5  # now a column of floats
        roles = KEYED if keyed else {"label": "y"}
        before = sides(load(write_csv(tmp_path / "a.csv", **COLUMNS), tmp_path / "a", roles=roles))
        after = sides(load(write_csv(tmp_path / "b.csv", **text), tmp_path / "b", roles=roles))
        shared = before.keys() & after.keys()
        assert len(shared) >= len(kept) - 1
        assert {row: before[row] for row in shared} == {row: after[row] for row in shared}

    def test_what_a_cluster_shares_stays_together(self, tmp_path):
        person = [f"p{number % 40}" for number in range(N)]
        path = write_csv(tmp_path / "a.csv", **COLUMNS, person=person)
        snapshot = load(path, tmp_path / "out", roles={**KEYED, "cluster": "person"})
        seen = {}
        for row in rows(snapshot, ["person"]):
            seen.setdefault(row["person"], set()).add(row["split"])
        assert all(len(found) == 1 for found in seen.values())
        assert set().union(*seen.values()) == {"train", "validation", "test"}

    def test_equal_rows_stay_together_whatever_their_label(self, tmp_path):
        values = [number % 50 for number in range(N)]
        snapshot = load(write_csv(tmp_path / "a.csv", x=values, y=[n // 50 % 2 for n in range(N)]), tmp_path / "out")
        seen = {}
        for row in rows(snapshot, ["x"]):
            seen.setdefault(row["x"], set()).add(row["split"])
        assert all(len(found) == 1 for found in seen.values())

    @pytest.mark.parametrize("seconds", [True, False], ids=["epoch seconds", "timestamps"])
    def test_by_time(self, tmp_path, seconds):
        when = [1_388_534_400 + 86_400 * day if seconds else f"2014-01-{day + 1:02}" for day in range(10)]
        path = write_csv(tmp_path / "a.csv", when=when, x=list(range(10)), y=[0, 1] * 5)
        snapshot = load(
            path,
            tmp_path / "out",
            roles={"label": "y", "time": "when"},
            split={"by": "time", "until": {"validation": "2014-01-08", "train": "2014-01-06"}},
        )
        found = {name: snapshot.table(name)["x"].to_pylist() for name in snapshot.splits}
        assert found == {"train": [0, 1, 2, 3, 4], "validation": [5, 6], "test": [7, 8, 9]}

    def test_a_source_that_says_its_split_wins(self, tmp_path):
        write_csv(tmp_path / "a.csv", **COLUMNS)
        write_csv(tmp_path / "b.csv", **{**COLUMNS, "id": [f"z{number}" for number in range(N)]})
        sources = [{"uri": str(tmp_path / "a.csv")}, {"uri": str(tmp_path / "b.csv"), "split": "test"}]
        shares = {"fractions": {"train": 0.8, "validation": 0.2}}
        snapshot = load(sources, tmp_path / "out", roles=KEYED, split=shares)
        assert list(snapshot.splits) == ["train", "validation", "test"]
        assert all(row["example_id"].startswith("z") == (row["split"] == "test") for row in rows(snapshot))

    def test_serving_requests_are_one_split_and_may_lack_the_label_and_what_it_is_made_of(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", fare=[1, 2], c=["a", ""])
        snapshot = load(
            path,
            tmp_path / "out",
            roles={"label": "big", "exclude": ["tips"], "weight": "w", "key": ["id"]},
            reader={"derive": {"big": "tips > 0.2 * fare"}, "types": {"tips": "float"}, "drop": ["gone"]},
            purpose="serving",
        )
        assert snapshot.splits == {"serving": 2}
        assert (snapshot.roles.label, snapshot.roles.exclude, snapshot.roles.key) == (None, (), ())
        assert snapshot.features == ("fare", "c")

    def test_serving_requests_may_have_the_label(self, tmp_path):
        snapshot = load(write_csv(tmp_path / "a.csv", x=[1], y=[""]), tmp_path / "out", purpose="serving")
        assert snapshot.roles.label == "y"
        assert snapshot.table("serving")["y"].to_pylist() == [None]

    def test_history_keeps_its_spans_and_knows_a_row_by_key_and_time(self, tmp_path):
        write_csv(tmp_path / "a.csv", id=["p", "q"], at=["2024-01-01", "2024-01-02"], x=[1, 2], y=[0, 1])
        write_csv(tmp_path / "b.csv", id=["p", "q"], at=["2024-04-01", "2024-04-02"], x=[3, 4], y=["", 1])
        sources = [{"uri": str(tmp_path / "b.csv"), "split": "spring"}, {"uri": str(tmp_path / "a.csv")}]
        roles = {"label": "y", "key": ["id"], "time": "at", "exclude": ["gone"]}
        snapshot = load(sources, tmp_path / "out", roles=roles, purpose="history")
        assert snapshot.splits == {"spring": 2, "history": 2}
        assert snapshot.table("spring")["y"].to_pylist() == [None, 1]
        assert len({row["example_id"] for row in rows(snapshot)}) == 4


class TestSample:
    def sample(self, tmp_path, rows, **options):
        ids = [f"r{number}" for number in range(rows)]
        people = [f"p{number // 4}" for number in range(rows)]
        write_csv(tmp_path / "a.csv", id=ids, who=people, x=list(range(rows)), y=[n % 2 for n in range(rows)])
        return load(
            tmp_path / "a.csv",
            tmp_path / "out",
            roles={"label": "y", "key": ["id"], **options},
            most_rows=500,
        )

    def test_about_so_many_rows_stay_and_splits_keep_their_shares(self, tmp_path):
        splits = self.sample(tmp_path, 5_000).splits
        assert abs(sum(splits.values()) - 500) < 5 * 500**0.5
        assert 0.6 < splits["train"] / sum(splits.values()) < 0.8

    def test_rows_of_a_group_stay_or_go_together(self, tmp_path):
        kept = rows(self.sample(tmp_path, 5_000, cluster="who"))
        people = [row["who"] for row in kept]
        assert {people.count(person) for person in set(people)} == {4}

    def test_fewer_rows_than_that_all_stay(self, tmp_path):
        assert sum(self.sample(tmp_path, 400).splits.values()) == 400


class TestParts:
    @pytest.fixture
    def small_parts(self, monkeypatch):
        monkeypatch.setattr(writing, "ROWS_PER_PART", 50)
        monkeypatch.setattr(writing, "ROW_GROUP", 20)

    def test_parts_hold_a_limited_number_of_rows_in_order(self, tmp_path, small_parts):
        snapshot = load(write_csv(tmp_path / "a.csv", **COLUMNS), tmp_path / "out", split=ALL_TRAIN)
        files = [pq.ParquetFile(snapshot.path / part) for part in snapshot.parts["train"]]
        assert [file.metadata.num_rows for file in files] == [40, 40, 40, 40, 40]
        assert snapshot.table("train")["n"].to_pylist() == COLUMNS["n"]

    def test_the_same_input_gives_the_same_bytes(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", **COLUMNS)
        (tmp_path / "elsewhere").mkdir()
        moved = tmp_path / "elsewhere/b.csv"
        moved.write_bytes(path.read_bytes())
        first, second = load(path, tmp_path / "one", roles=KEYED), load(moved, tmp_path / "two", roles=KEYED)
        assert first.digest == second.digest
        for split, parts in first.parts.items():
            for part in parts:
                assert (first.path / part).read_bytes() == (second.path / part).read_bytes(), split

    @pytest.mark.parametrize(
        ("change", "options"),
        [
            ({"x": [*COLUMNS["x"][:-1], -1.0]}, {}),
            ({"c": [*COLUMNS["c"][:-1], ""]}, {}),
            ({"id": COLUMNS["id"][::-1]}, {}),
            ({}, {"reader": {"types": {"n": "float"}}}),
            ({}, {"reader": {"rename": {"n": "m"}}}),
            ({}, {"roles": {**KEYED, "exclude": ["c"]}}),
            ({}, {"split": {"fractions": {"train": 0.5, "test": 0.5}}}),
        ],
        ids=["value", "missing", "order", "type", "name", "role", "split"],
    )
    def test_another_content_is_another_digest(self, tmp_path, change, options):
        first = load(write_csv(tmp_path / "a.csv", **COLUMNS), tmp_path / "one", roles=KEYED)
        path = write_csv(tmp_path / "b.csv", **{**COLUMNS, **change})
        second = load(path, tmp_path / "two", **{"roles": KEYED, **options})
        assert first.digest != second.digest

    def test_the_digest_does_not_depend_on_how_rows_arrive(self, tmp_path):
        whole = load(write_parquet(tmp_path / "a.parquet", **COLUMNS), tmp_path / "one", roles=KEYED)
        (tmp_path / "many").mkdir()
        for start in range(0, N, 30):
            part = {name: values[start : start + 30] for name, values in COLUMNS.items()}
            write_csv(tmp_path / f"many/{start:03}.csv", **part)
        assert load(tmp_path / "many", tmp_path / "two", roles=KEYED).digest == whole.digest

    def test_the_digest_is_the_same_in_every_environment(self, tmp_path):
        """Another version of Arrow must not make another snapshot of the same data: this is its digest everywhere."""
        snapshot = load(write_csv(tmp_path / "a.csv", **COLUMNS), tmp_path / "out", roles=KEYED)
        assert snapshot.digest == FROZEN_DIGEST


FROZEN_DIGEST = "sha256:8df33e4182602c1c78907b815e4593cd682ef851a43240ddf7f019894bd03124"


def test_the_manifest_keeps_the_order_of_columns_and_names_its_sources(tmp_path):
    path = write_csv(tmp_path / "a.csv", zebra=[1, 2], apple=[3, 4], y=[0, 1])
    load(path, tmp_path / "out", split=ALL_TRAIN)
    document = json.loads((tmp_path / "out/snapshot.json").read_text())
    assert list(document["columns"]) == ["zebra", "apple", "y"]
    assert document["sources"][0]["uri"] == str(path)
    assert document["sources"][0]["version"].startswith("sha256:")


cells = st.one_of(st.none(), st.text(alphabet="abc ,\"'\nü0", max_size=5))


@examples(40)
@given(st.lists(st.tuples(cells, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))), min_size=2, max_size=30))
def test_what_goes_in_comes_out(tmp_path_factory, values):
    import csv

    tmp_path = tmp_path_factory.mktemp("round")
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["s", "n", "y"])
        writer.writerow(["word", 1, 0])
        writer.writerows([[text, number, (row + 1) % 2] for row, (text, number) in enumerate(values)])
    snapshot = load(tmp_path / "a.csv", tmp_path / "out", reader={"types": {"s": "string"}}, split=ALL_TRAIN)
    table = snapshot.table("train")
    ids = table["example_id"].to_pylist()
    assert len(set(ids)) == len(ids) == len(values) + 1
    assert table["s"].to_pylist()[1:] == [(text or "").strip(" \n") or None for text, _ in values]
    assert table["n"].to_pylist()[1:] == [number for _, number in values]


def test_a_table_of_labels_alone_is_a_snapshot(tmp_path):
    snapshot = load(write_csv(tmp_path / "a.csv", y=[0, 1, 1]), tmp_path / "out", split=ALL_TRAIN)
    assert len(set(snapshot.table("train")["example_id"].to_pylist())) == 3


def test_what_values_are_called_is_no_part_of_the_data(tmp_path):
    path = write_csv(tmp_path / "a.csv", race=[0, 1], y=[0, 1])
    plain = load(path, tmp_path / "plain", split=ALL_TRAIN)
    named = load(path, tmp_path / "named", split=ALL_TRAIN, roles={"label": "y", "labels": {"race": {0: "Black"}}})
    assert named.digest == plain.digest
    assert named.roles.labels == {"race": {"0": "Black"}}
    with pytest.raises(DataError, match=r"roles\.labels: the data have no such column; found 'rac'.*'race'"):
        load(path, tmp_path / "wrong", split=ALL_TRAIN, roles={"label": "y", "labels": {"rac": {0: "Black"}}})
