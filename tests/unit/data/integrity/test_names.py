"""Whatever columns and tables are called, the gate says the same of them."""

import datetime
import re
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.integrity import QUIET, checks, examine, statuses
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.integrity.sql import text
from gauntlet.settings import parse
from hypothesis_profiles import examples
from snapshots import write_snapshot

COLUMNS = ("id", "who", "city", "amount", "opened", "closed", "step", "gone", "label")
REFERENCED = ("their_id", "their_city")
TABLE = "customers"
N = 240

HOSTILE = (
    *("hours", "Hours", "HOURS", "n", "N", "h", "m", "there", "Example_ID", "EXAMPLE_ID", "rowid", "filename"),
    *("file_row_number", "file_index", "COLUMNS(*)", "*", "c0", "C1", "c10", "held", "select", 'a"b', "it's", "a\nb"),
    *("ß", "ẞ", "ss", "SS", "İ", "i", "I", "ı", " ", " a ", "日本", "🚲", "x" * 300, "?", "$1", "--", "/*", "\\", "0"),
)


class Spy:
    """A connection that keeps every query."""

    def __init__(self, connection):
        self.connection = connection
        self.queries = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def execute(self, query):
        self.queries.append(query)
        return self.connection.execute(query)


@pytest.fixture
def queries(monkeypatch):
    """Every query that is run."""
    connect, spies = duckdb.connect, []

    def spied(*positional, **named):
        spies.append(Spy(connect(*positional, **named)))
        return spies[-1]

    monkeypatch.setattr("duckdb.connect", spied)
    return lambda: [query for spy in spies for query in spy.queries]


def moments(days):
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    return pa.array([start + datetime.timedelta(days=int(day)) for day in days], pa.timestamp("us", tz="UTC"))


def rows():
    """Something to say in every check: a key that repeats, orphans, a fan-out, a leak, twins with two labels."""
    rng = np.random.default_rng(4)
    label = (rng.random(N) < 0.5).astype(np.int64)
    opened = np.sort(rng.integers(0, 300, N))
    cities = rng.choice(["Oslo", "Bern", "Osl0"], N)
    gone = np.where(label == 1, rng.random(N), np.nan)
    return {
        "id": pa.array([max(1, n) for n in range(N)]),
        "who": pa.array([f"p{n // 3}" for n in range(N)]),
        "city": pa.array(cities.tolist()),
        "amount": pa.array(np.round(rng.gamma(2, 5, N))),
        "opened": moments(opened),
        "closed": moments(opened + rng.integers(-1, 9, N)),
        "step": pa.array(rng.permutation(N)),
        "gone": pa.array(gone, mask=np.isnan(gone)),
        "label": pa.array(label),
    }


def judged(folder, names, table=TABLE, *, clustered=False, values=None):
    """The gate's verdict when the columns bear other names, column → name."""
    called = dict(zip((*COLUMNS, *REFERENCED), names, strict=True))
    held = values or rows()
    renamed = pa.table(list(held.values()), names=[called[name] for name in held])
    theirs = {called["their_id"]: [1, 1, 2, 3], called["their_city"]: ["Oslo", "Bern", "Rome", "Rome"]}
    policy = {
        "keys": [{"columns": [called["who"], called["city"]]}, {"columns": [called["their_id"]], "table": table}],
        "references": [{"columns": [called["id"]], "table": table, "references": [called["their_id"]]}],
        "categories": [{"column": called["city"], "table": table, "values": called["their_city"]}],
        "joins": [
            {"columns": [called["id"]], "table": table, "references": [called["their_id"]], "kind": "inner"},
        ],
        "order": [{"earlier": called["opened"], "later": called["closed"]}],
        "period": [{"not_before": "2024-02-01"}],
        "sequence": [{"column": called["opened"], "along": called["step"], "within": [called["who"]]}],
        "splits_in_time": True,
        "across_splits": [{"columns": [called["city"], called["amount"]]}, {}],
        "label_rate": {"by": "quarter", "tolerance": 0.05, "min_rows": 20},
    }
    roles = {"label": called["label"], "key": [called["id"]], "time": called["opened"]}
    roles["exclude"] = [called["step"], called["closed"]]
    if clustered:
        roles["cluster"] = called["who"]
    splits = {"train": renamed.slice(0, 200), "test": renamed.slice(200)}
    return examine(Path(folder), splits, policy, roles=roles, **{table: theirs}).verdict


def numbers(verdict):
    """What was decided and measured, check by check; names and sentences left out.

    To twelve digits: two threads add numbers up in another order every time.
    """
    return [
        (check.status, *map(_rounded, (check.measured, *(check.interval or ()))), check.bound, check.sample_size)
        for check in verdict.checks
    ]


def _rounded(number):
    return None if number is None else float(f"{number:.12g}")


PLAIN = (*COLUMNS, *REFERENCED)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The verdict with plain names, without clusters and with them."""
    found = [numbers(judged(tmp_path_factory.mktemp("plain"), PLAIN, clustered=one)) for one in (False, True)]
    assert {status.value for status, *_ in found[0]} >= {"pass", "fail", "inconclusive"}
    return found


def test_no_name_of_a_person_reaches_a_query(tmp_path, queries):
    judged(tmp_path, [f"zqx{name}" for name in PLAIN], "zqxtable", clustered=True)
    assert len(queries()) > 30
    assert [query for query in queries() if "zqx" in query.lower()] == []


@pytest.mark.parametrize("spelled", [str, str.upper], ids=["as-written", "in-capitals"])
def test_a_column_may_bear_any_word_of_our_queries(tmp_path, queries, plain, spelled):
    judged(tmp_path / "words", PLAIN, clustered=True)
    words = sorted({spelled(word) for query in queries() for word in re.findall(r"[A-Za-z_]\w*", query)})
    assert {spelled(word) for word in ("n", "h", "m", "there", "c0", "rowid", "sample")} <= {*words}
    words += [f"plain {number}" for number in range(-len(words) % len(PLAIN))]
    for start in range(0, len(words), len(PLAIN)):
        named = words[start : start + len(PLAIN)]
        assert numbers(judged(tmp_path / str(start), named, clustered=True)) == plain[1], named


@examples(25)
@given(
    names=st.lists(
        st.sampled_from(HOSTILE) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        min_size=len(PLAIN) + 1,
        max_size=len(PLAIN) + 1,
        unique=True,
    ),
    clustered=st.booleans(),
)
def test_another_name_never_changes_a_verdict(plain, names, clustered):
    # White space around a name is taken off where a table is read, so two names may not differ by it alone.
    names = [name if name.strip() == name else f"<{name}>" for name in names]
    with tempfile.TemporaryDirectory() as folder:
        assert numbers(judged(folder, names[1:], clustered=clustered)) == plain[clustered]


def test_names_that_differ_by_case_alone_are_two_columns(tmp_path):
    """The second of two is a leak, and no key: neither hides behind the first."""
    rng = np.random.default_rng(1)
    broken = (rng.random(800) < 0.4).astype(int)
    columns = {"hours": rng.gamma(2, 500, 800), "Hours": broken, "broken": broken}
    found = examine(
        tmp_path, {"train": pa.table(columns)}, {"keys": [{"columns": ["Hours"]}]}, roles={"label": "broken"}
    )
    assert statuses(found)["leakage: Hours"] == "fail"
    assert statuses(found)["leakage: hours"] == "pass"
    assert statuses(found)["key: Hours"] == "fail"


def test_reference_columns_that_differ_by_case_alone_are_two(tmp_path):
    rules = [{"columns": ["c"], "table": "t", "references": [theirs]} for theirs in ("id", "ID")]
    found = examine(tmp_path, {"c": [1]}, {**QUIET, "references": rules}, t={"id": [2], "ID": [1]})
    assert statuses(found) == {"reference: c in t": "fail", "reference: c in t (2)": "pass"}


def test_tables_that_differ_by_case_alone_are_two_and_a_name_may_be_long(tmp_path):
    long = "x" * 300
    sources = []
    for name, value in (("t", 1), ("T", 2), (long, 1)):
        path = tmp_path / f"file-{len(sources)}.csv"
        path.write_text(f"c\n{value}\n")
        sources.append({"uri": str(path), "table": name})
    rules = [{"columns": ["c"], "table": name} for name in ("t", "T", long)]
    found = examine(tmp_path, {"c": [1]}, {**QUIET, "references": rules}, sources=sources)
    assert [check.status.value for check in found.verdict.checks] == ["pass", "fail", "pass"]


@pytest.mark.parametrize("name", ["n", "h", "m", "there", "found", "y", "previous_one", "split_name", "row_id"])
def test_messages_speak_of_columns_as_people_call_them(tmp_path, name):
    policy = {
        **QUIET,
        "keys": [{"columns": [name]}],
        "joins": [{"columns": [name], "table": "t"}],
        "references": [{"columns": [name], "table": "t"}],
    }
    found = checks(examine(tmp_path, {name: [1, 1, 2]}, policy, t={name: [1, 1, 3]}))
    assert found[f"key: {name}"].reason.startswith(f"1 value of `{name}` occurs more than once, in 1 rows too many")
    assert "makes 4 rows of 2 (×2)" in found[f"join: {name} with t, rows"].reason
    assert f"1 of 3 rows (33.3%) have a `{name}` that is not in `t`" in found[f"reference: {name} in t"].reason


def test_parts_are_bound_by_their_own_order_of_columns(tmp_path):
    """Each part says itself where its columns stand."""
    snapshot = write_snapshot(tmp_path, {"train": pa.table({"a": [1, 2, 3, 4], "A": [5, 5, 5, 5]})}, rows_per_part=2)
    part = tmp_path / snapshot.parts["train"][1]
    held = pq.read_table(part)
    pq.write_table(held.select(["A", "example_id", "a"]), part)
    policy = parse(IntegrityPolicy, {**QUIET, "keys": [{"columns": ["a"]}, {"columns": ["A"]}]}, field="policy")
    assert statuses(check_integrity(snapshot, [], policy)) == {"key: a": "pass", "key: A": "fail"}


@pytest.mark.parametrize("value", ["", "'", "a'b", "\0", "a\0b", "''\0'", '"', "\n", "日本"])
def test_a_piece_of_text_is_nothing_but_itself(value):
    assert duckdb.sql(f"SELECT {text(value)}").fetchone() == (value,)
