"""Foreign keys, categories and joins, beside what loops over the rows count."""

import datetime
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.integrity import QUIET, checks, examine, statuses
from gauntlet.errors import ConfigurationError, DataError
from hypothesis_profiles import examples

KEYS = st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=25)


def ints(values):
    return pa.array(values, pa.int64())


@examples(40)
@given(ours=KEYS, theirs=KEYS)
def test_orphans_fan_out_and_loss_are_counted_exactly(ours, theirs):
    policy = {
        **QUIET,
        "references": [{"columns": ["c"], "table": "t", "references": ["k"]}],
        "joins": [{"columns": ["c"], "table": "t", "references": ["k"], "kind": "inner"}],
    }
    with tempfile.TemporaryDirectory() as folder:
        found = checks(examine(Path(folder), {"train": pa.table({"c": ints(ours)})}, policy, t={"k": ints(theirs)}))
    known = Counter(key for key in theirs if key is not None)
    asked = [key for key in ours if key is not None]
    reference = found["reference: c in t"]
    if asked:
        assert reference.measured == pytest.approx(sum(key not in known for key in asked) / len(asked))
    else:
        assert reference.status == "error"
    partnered = [key for key in asked if key in known]
    rows = found["join: c with t, rows"]
    if partnered:
        assert rows.measured == pytest.approx(sum(known[key] for key in partnered) / len(partnered))
        assert rows.status == ("fail" if rows.measured > 1 else "pass")
    else:
        assert rows.status == "error"
    assert found["join: c with t, loss"].measured == pytest.approx(1 - len(partnered) / len(ours))


def test_orphans_are_named_with_their_rows_and_no_more_of_them_than_told(tmp_path):
    policy = {**QUIET, "examples": 1, "references": [{"columns": ["c"], "table": "customers"}]}
    found = examine(tmp_path, {"c": ["a", "b", "b", "z", None]}, policy, customers={"c": ["a"]})
    (check,) = found.verdict.checks
    assert check.status == "fail"
    assert check.reason == (
        "3 of 4 rows (75.0%) have a `c` that is not in `customers`: `b (2 rows)` and others; allowed: none."
    )


def test_a_missing_value_breaks_a_reference_that_is_required(tmp_path):
    rule = {"columns": ["c"], "table": "t", "required": True}
    found = examine(tmp_path, {"c": ["a", None]}, {**QUIET, "references": [rule]}, t={"c": ["a"]})
    assert checks(found)["reference: c in t"].measured == 0.5


@pytest.mark.parametrize(
    ("orphans", "status"), [(0, "pass"), (2, "pass"), (49, "inconclusive"), (100, "fail"), (500, "fail")]
)
def test_a_tolerance_is_held_against_an_exact_interval(tmp_path, orphans, status):
    rule = {"columns": ["c"], "table": "t", "max_share": 0.05}
    rows = ["z"] * orphans + ["a"] * (1000 - orphans)
    found = examine(tmp_path, {"train": pa.table({"c": rows})}, {**QUIET, "references": [rule]}, t={"c": ["a"]})
    (check,) = found.verdict.checks
    assert check.status == status
    assert check.interval[0] <= check.measured <= check.interval[1]
    assert (check.rows_needed is not None) == (status == "inconclusive")
    if status == "inconclusive":
        assert check.rows_needed > 1000


def test_clustered_rows_count_for_less(tmp_path):
    """All rows of a person are orphans or none is: 300 rows of 30 people say what 30 rows would."""
    rule = {"columns": ["c"], "table": "t", "max_share": 0.2}
    rows = {"c": [key for key in ["z"] * 3 + ["a"] * 27 for _ in range(10)], "who": [n // 10 for n in range(300)]}
    policy = {**QUIET, "references": [rule]}
    alone = checks(examine(tmp_path, rows, policy, t={"c": ["a"]}))["reference: c in t"]
    shared = checks(examine(tmp_path, rows, policy, roles={"cluster": "who"}, t={"c": ["a"]}))["reference: c in t"]
    assert alone.status == "pass"
    assert shared.status == "inconclusive"
    assert shared.measured == alone.measured == 0.1


def test_categories_that_the_table_does_not_list(tmp_path):
    policy = {**QUIET, "categories": [{"column": "city", "table": "cities", "values": "name"}]}
    found = examine(tmp_path, {"city": ["Oslo", "Osl0", None]}, policy, cities={"name": ["Oslo", "Bern"]})
    (check,) = found.verdict.checks
    assert check.status == "fail"
    assert "`Osl0 (1 row)`" in check.reason
    assert statuses(examine(tmp_path, {"city": ["Oslo"]}, policy, cities={"name": ["Oslo"]})) == {
        "categories: city in cities": "pass"
    }


def test_a_join_that_multiplies_says_by_how_much(tmp_path):
    policy = {**QUIET, "joins": [{"columns": ["a", "b"], "table": "t"}]}
    found = examine(tmp_path, {"a": [1, 1, 2], "b": ["x", "x", "y"]}, policy, t={"a": [1, 1, 2], "b": ["x", "x", "y"]})
    check = checks(found)["join: a, b with t, rows"]
    assert check.status == "fail"
    assert check.measured == pytest.approx(5 / 3)
    assert "makes 5 rows of 3 (×1.67): 1 key is there more than once: `1 | x (×2)`" in check.reason


def test_values_are_compared_by_what_they_are_not_by_how_a_file_writes_them(tmp_path):
    moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    (tmp_path / "t.csv").write_text("n,day\n7,2024-01-01T00:00:00Z\n")
    rows = pa.table({"n": [7.0], "day": pa.array([moment], pa.timestamp("us", tz="UTC"))})
    policy = {**QUIET, "references": [{"columns": ["n", "day"], "table": "t"}]}
    found = examine(tmp_path, {"train": rows}, policy, sources=[{"uri": str(tmp_path / "t.csv"), "table": "t"}])
    assert statuses(found) == {"reference: n, day in t": "pass"}


def test_a_table_of_several_files_is_one_table(tmp_path):
    for part, value in enumerate("ab"):
        (tmp_path / f"part{part}.csv").write_text(f"c;other\n{value};1\n")
    policy = {**QUIET, "references": [{"columns": ["c"], "table": "t"}], "readers": {"t": {"delimiter": ";"}}}
    found = examine(
        tmp_path,
        {"train": pa.table({"c": ["a", "b"]})},
        policy,
        sources=[{"uri": str(tmp_path / "part*.csv"), "table": "t"}],
    )
    assert statuses(found) == {"reference: c in t": "pass"}


def test_a_table_of_another_type_is_a_data_error(tmp_path):
    policy = {**QUIET, "references": [{"columns": ["c"], "table": "t"}]}
    with pytest.raises(DataError, match=r"not of type int.*reader\.types\.c: string"):
        examine(tmp_path, {"c": [1]}, policy, t={"c": ["one"]})


def test_a_table_without_the_column_is_a_configuration_error(tmp_path):
    policy = {**QUIET, "references": [{"columns": ["customer"], "table": "t"}]}
    with pytest.raises(ConfigurationError, match=r"no such column.*Did you mean 'customers'"):
        examine(tmp_path, {"customer": [1]}, policy, t={"customers": [1]})
