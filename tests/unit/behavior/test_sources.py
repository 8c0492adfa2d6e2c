"""Behavior files and bulk rows: good ones, and every way of being bad, with its line and its mend."""

from __future__ import annotations

import copy
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.behavior_files import good_suites, mutated
from builders.stores import add_memory_store
from gauntlet.behavior.sources import parse_suite, read_rows, read_suite
from gauntlet.behavior.suite import BulkRows
from gauntlet.data.source import resolve
from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.storage import WORKDIR

RULE = """\
invariance:
  - name: one
    change:
      - {change}
    expect: {expect}
"""
DIRECTIONAL = "directional:\n  - name: x\n    change: [{add: {column: a, by: 1}}]\n"


def rule(change: str = "case: {column: region, to: upper}", expect: str = "{max_change: 0.1}") -> str:
    return RULE.format(change=change, expect=expect)


BAD = {
    "unknown key": ("golden:\n  - name: one\n    rwo: {a: 1}\n", 3, "suite.golden.0.rwo: unknown key", "'row'"),
    "unknown section": ("goldne: []\n", 1, "suite.goldne: unknown key", "'golden'"),
    "unknown change": (rule("cse: {column: a}"), 4, "change.0.cse: unknown key", "'case'"),
    "a list where a mapping belongs": ("golden:\n  - name: one\n    row: [1]\n", 3, "should be a mapping", ""),
    "a mapping where a list belongs": ("golden:\n  name: one\n", 1, "suite.golden: input should be a list", ""),
    "no mapping at all": ("- golden\n", 1, "suite: must be a mapping", "golden"),
    "text for a number": (rule("add: {column: a, by: '1'}"), 4, "by: input should be a valid number", ""),
    "true for a number": (rule("add: {column: a, by: true}"), 4, "by: input should be a valid number", ""),
    "text for a flag": (rule(expect="{same_decision: 'yes'}"), 5, "same_decision: input should be a valid bool", ""),
    "a list for a value": (
        "golden:\n  - name: one\n    row:\n      a: [1]\n    expect: {class: x}\n",
        4,
        "suite.golden.0.row.a: must be one value",
        "",
    ),
    "an infinite value": (rule("set: {column: a, to: .inf}"), 4, "change.0.set.to: has no place in a snapshot", ""),
    "no name": ("golden:\n  - row: {a: 1}\n    expect: {class: x}\n", 2, "suite.golden.0.name: is required", ""),
    "nothing asked": ("golden: []\n", 1, "suite: asks nothing", ""),
    "an empty row": ("golden:\n  - name: x\n    row: {}\n    expect: {class: x}\n", 3, "at least 1 item", ""),
    "no change": ("invariance:\n  - name: x\n    change: []\n    expect: {max_change: 1}\n", 3, "at least 1 item", ""),
    "two changes in one": (rule("{add: {column: a, by: 1}, set: {column: a, to: 1}}"), 4, "set and add at once", ""),
    "a change of nothing": (rule("{}"), 4, "names no change", ""),
    "nothing expected": (rule(expect="{}"), 5, "expects nothing: give max_change", ""),
    "row and rows": (
        "golden:\n  - name: x\n    row: {a: 1}\n    rows: {uri: a, sha256: " + "a" * 64 + "}\n    expect: {class: x}\n",
        2,
        "give row (one case) or rows",
        "",
    ),
    "a column for a single row": (
        "golden:\n  - name: x\n    row: {a: 1}\n    expect: {class_column: b}\n",
        2,
        "gives a single row",
        "",
    ),
    "a score that cannot be": (
        "golden:\n  - name: x\n    row: {a: 1}\n    expect:\n      score: {min: 0.9, max: 0.1}\n",
        5,
        "min 0.9 is above max 0.1",
        "",
    ),
    "a range that cannot be": (rule("noise: {column: a, sd: 1, min: 2, max: 1}"), 4, "min 2 is above max 1", ""),
    "a column without tolerance": (
        "golden:\n  - name: x\n    row: {a: 1}\n    expect: {score: {column: b}}\n",
        4,
        "column and tolerance go together",
        "",
    ),
    "adding nothing": (rule("add: {column: a, by: 0}"), 4, "by is 0, so nothing would change", ""),
    "scaling by one": (rule("scale: {column: a, by: 1}"), 4, "by is 1, so nothing would change", ""),
    "noise of two kinds": (rule("noise: {column: a, sd: 1, share: 0.1}"), 4, "give sd", ""),
    "a swap with itself": (rule("swap: {columns: [a, a]}"), 4, "names 'a' twice", ""),
    "a swap of nothing": (rule("swap: {}"), 4, "give columns", ""),
    "a swap of three": (rule("swap: {columns: [a, b, c]}"), 4, "at most 2 items", ""),
    "shuffled within itself": (rule("shuffle: {columns: [a], within: [a]}"), 4, "'a' is shuffled within itself", ""),
    "shuffled twice": (rule("shuffle: {columns: [a, a]}"), 4, "names a column twice", ""),
    "a rate of zero": (rule() + "    max_failures: 0\n", 6, "max_failures: input should be greater than 0", ""),
    "a short digest": (
        "golden:\n  - name: x\n    rows: {uri: a, sha256: abc}\n    expect: {class: x}\n",
        3,
        "sha256: string should match",
        "",
    ),
    "tolerance of a strict direction": (
        DIRECTIONAL + "    expect: {score: increases, tolerance: 0.1}\n",
        4,
        "tolerance goes with not_increases",
        "",
    ),
    "by of a barred direction": (
        DIRECTIONAL + "    expect: {score: not_increases, by: 0.1}\n",
        4,
        "by goes with increases",
        "",
    ),
    "both directions in one rule": (
        DIRECTIONAL + "    expect:\n      score: increases\n      score: decreases\n",
        6,
        "is given twice",
        "",
    ),
    "a direction that is none": (
        "directional:\n  - name: x\n    change: [{add: {column: a, by: 1}}]\n    expect: {score: up}\n",
        4,
        "should be 'increases', 'decreases'",
        "",
    ),
    "a name used twice": (
        rule() + "directional:\n  - name: one\n    change: [{add: {column: a, by: 1}}]\n"
        "    expect: {score: increases}\n",
        7,
        "suite.directional.0.name: the name is taken by suite.invariance.0",
        "",
    ),
}


@pytest.mark.parametrize(("text", "line", "words", "mend"), BAD.values(), ids=BAD)
def test_a_bad_file_names_line_and_mend(text, line, words, mend):
    with pytest.raises(ConfigurationError) as caught:
        parse_suite(text, "suite.yaml")
    said = str(caught.value)
    assert said.startswith(f"suite.yaml, line {line}: suite")
    assert words in said
    assert caught.value.mend
    assert mend in caught.value.mend


@given(good_suites())
def test_a_good_file_is_read_and_comes_back_the_same(document):
    suite, read = parse_suite(json.dumps(document), "suite.yaml")
    assert len(suite.cases) == len(document.get("golden", []))
    assert len(suite.rules) == len(document.get("invariance", [])) + len(document.get("directional", []))
    again = suite.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert parse_suite(json.dumps(again), "suite.yaml")[0] == suite
    assert all(read.line(path) >= 1 for path, _ in (*suite.cases, *suite.rules))


@given(good_suites(), st.data())
def test_a_file_with_one_fault_is_refused_in_words(document, data):
    broken, fault = mutated(copy.deepcopy(document), data)
    with pytest.raises(ConfigurationError) as caught:
        parse_suite(json.dumps(broken, indent=1), "suite.yaml")
    assert str(caught.value).startswith("suite.yaml, line "), fault
    assert caught.value.mend


_KEYS = ["golden", "invariance", "directional", "name", "row", "expect", "change", "set", "column", "to", "score"]
_LEAVES = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text("abn_ ", max_size=4)


def _branches(tree: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(tree, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), tree, max_size=3)


@given(st.recursive(_LEAVES, _branches))
def test_any_tree_is_read_or_refused_in_words(tree):
    refusal = ""
    try:
        parse_suite(json.dumps(tree), "suite.yaml")
    except ConfigurationError as error:
        refusal = str(error)
    assert refusal == "" or refusal.startswith("suite.yaml")


def test_a_pinned_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKDIR, str(tmp_path))
    (tmp_path / "suite.yaml").write_text(rule())
    pinned = resolve([{"uri": "suite.yaml"}])
    found = read_suite(pinned)
    assert found is not None
    assert found[0].rules[0][1].name == "one"
    assert found[1].name == "suite.yaml"
    (tmp_path / "suite.yaml").write_text(rule() + "\n")
    with pytest.raises(DataError, match="has changed since it was resolved"):
        read_suite(pinned)


def test_no_file_asks_nothing_and_two_are_one_too_many(tmp_path):
    assert read_suite([]) is None
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(rule())
    with pytest.raises(ConfigurationError, match="suite: names more than one file"):
        read_suite(resolve([{"uri": f"{tmp_path}/*.yaml"}]))


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_suite(resolve([{"uri": str(tmp_path / "a.yaml")}]))


@pytest.fixture
def bulk(tmp_path):
    """A Parquet file of three rows beside a behavior file."""
    pq.write_table(pa.table({"a": pa.array([1, 2, 3], pa.int32()), "b": ["x", None, "z"]}), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_bulk_rows_lie_beside_the_file_and_widen_to_a_snapshots_types(bulk):
    named = BulkRows(uri="rows.parquet", sha256=digest_file(bulk))
    table = read_rows(named, str(bulk.parent / "suite.yaml"), "suite.golden.0.rows")
    assert table.column("a").type == pa.int64()
    assert table.num_rows == 3
    bare = BulkRows(uri=str(bulk), sha256=digest_file(bulk).removeprefix("sha256:"))
    assert read_rows(bare, "elsewhere/suite.yaml", "field") == table


@pytest.mark.parametrize(
    ("write", "words"),
    [
        pytest.param(lambda path: path.write_bytes(b"PAR1"), "cannot be read as Parquet", id="no Parquet"),
        pytest.param(
            lambda path: pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path), "no rows", id="none"
        ),
        pytest.param(lambda path: pq.write_table(pa.table({"a": [[1]]}), path), "nested", id="nested"),
    ],
)
def test_bulk_rows_that_cannot_be_used(bulk, write, words):
    write(bulk)
    with pytest.raises(DataError, match=words):
        read_rows(BulkRows(uri=str(bulk), sha256=digest_file(bulk)), "suite.yaml", "suite.golden.0.rows")


def test_another_content_is_an_error_that_gives_the_digest_found(bulk):
    with pytest.raises(DataError, match=r"suite.golden.0.rows.sha256: the file's digest is sha256:[0-9a-f]{64}"):
        read_rows(BulkRows(uri=str(bulk), sha256="0" * 64), "suite.yaml", "suite.golden.0.rows")


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read_rows(BulkRows(uri="x.parquet", sha256="0" * 64), str(tmp_path / "suite.yaml"), "suite.golden.0.rows")


def test_bulk_rows_lie_beside_the_file_in_a_bucket_too(bulk, monkeypatch):
    bucket = add_memory_store(monkeypatch)
    bucket.put("mem://loans/rows.parquet", bulk.read_bytes())
    home = "mem://loans/suite.yaml"
    named = BulkRows(uri="rows.parquet", sha256=digest_file(bulk))
    local = BulkRows(uri=str(bulk), sha256=digest_file(bulk))
    assert read_rows(named, home, "rows") == read_rows(local, home, "rows")
    full = BulkRows(uri="mem://loans/rows.parquet", sha256=digest_file(bulk))
    assert read_rows(full, "suite.yaml", "rows") == read_rows(local, home, "rows")
    bucket.put("mem://loans/rows.parquet", b"others")
    with pytest.raises(DataError, match="the file's digest is sha256:"):
        read_rows(named, home, "rows")
    bucket.remove("mem://loans/rows.parquet")
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read_rows(named, home, "rows")


def test_rows_in_storage_of_another_kind_are_refused():
    with pytest.raises(ConfigurationError, match="is of a kind that is not supported") as caught:
        read_rows(BulkRows(uri="s3://loans/rows.parquet", sha256="0" * 64), "suite.yaml", "suite.golden.0.rows")
    assert caught.value.field == "suite.golden.0.rows.uri"
