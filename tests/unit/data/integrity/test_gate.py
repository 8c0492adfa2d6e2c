"""The gate as a whole: everything broken at once, what is on by default, and what cannot be asked."""

import pyarrow as pa
import pytest

from builders.integrity import QUIET, checks, examine, statuses
from builders.other_words import require_same_in_other_words
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.reports.views.integrity import integrity_page, integrity_view

N = 600
EVERYTHING = {
    "keys": [{"columns": ["order"]}],
    "references": [{"columns": ["customer"], "table": "customers"}],
    "categories": [{"column": "city", "table": "cities"}],
    "joins": [{"columns": ["customer"], "table": "customers", "kind": "inner"}],
    "order": [{"earlier": "applied", "later": "decided"}],
    "period": [{"column": "applied", "not_after": 500}],
    "sequence": [{"column": "applied", "along": "order"}],
    "splits_in_time": True,
    "across_splits": [{"columns": ["x"]}],
    "conflicts": {"max_share": 0.0},
    "label_rate": {"tolerance": 0.1},
}
ROLES = {"label": "y", "time": "applied", "exclude": ["order", "customer", "applied", "decided", "city"]}


def part(start, *, broken):
    """One split of 600 rows; ``broken``: everything that can be wrong is."""
    numbers = list(range(start, start + N))
    y = [int(n % (2 if broken and not start else 3) == 0) for n in numbers]
    return {
        "order": [numbers[0] if broken else n for n in numbers],
        "customer": [n % 7 for n in numbers],
        "city": ["Osl0" if broken and n % 2 else "Oslo" for n in numbers],
        "applied": [n % 977 if broken else n for n in numbers],
        "decided": [n % 977 - 1 if broken else n + 1 for n in numbers],
        "x": [n % 5 if broken else n for n in numbers],
        "after": [1.0 * (one if n % 400 else 1 - one) if broken else 0.5 for n, one in zip(numbers, y, strict=True)],
        "y": y,
    }


def run(tmp_path, policy=EVERYTHING, *, broken):
    splits = {"train": part(0, broken=broken), "test": part(N, broken=broken)}
    customers = {"customer": [0, 0, 1, 2, 3] if broken else list(range(7))}
    policy = policy if broken else {**policy, "period": [{"column": "applied", "not_after": 10**6}]}
    return examine(tmp_path, splits, policy, roles=ROLES, customers=customers, cities={"city": ["Oslo"]})


def test_a_sound_table_passes_every_check(tmp_path):
    found = run(tmp_path, broken=False)
    assert {name for name, status in statuses(found).items() if status != "pass"} == set()
    assert found.verdict.summary == f"1,200 rows are sound in {len(found.verdict.checks)} checks."
    assert len(found.verdict.checks) == 15


def test_a_table_with_everything_wrong_fails_every_check(tmp_path):
    found = run(tmp_path, broken=True)
    assert {name for name, status in statuses(found).items() if status == "fail"} == {
        "key: order",
        "reference: customer in customers",
        "categories: city in cities",
        "join: customer with customers, rows",
        "join: customer with customers, loss",
        "order: applied, decided",
        "period: applied",
        "sequence: applied along order",
        "splits in time: train, test",
        "across splits: test, x",
        "labels: conflicts",
        "leakage: after",
        "label rate: train",
        "label rate: test",
    }
    assert {name for name, status in statuses(found).items() if status == "pass"} == {"leakage: x"}
    assert found.verdict.status == "fail"
    assert "more like this" in found.verdict.summary


def test_every_check_says_a_whole_sentence_and_has_a_name_of_its_own(tmp_path):
    for broken in (False, True):
        found = run(tmp_path / str(broken), broken=broken)
        names = [check.name for check in found.verdict.checks]
        assert len(set(names)) == len(names)
        for check in found.verdict.checks:
            assert check.reason.endswith((".", "?"))
            assert check.sample_size


def test_two_rules_about_the_same_columns_keep_names_of_their_own(tmp_path):
    order = {"earlier": "a", "later": "b"}
    policy = {**QUIET, "order": [order, {**order, "strict": True}]}
    assert statuses(examine(tmp_path, {"a": [1, 2], "b": [1, 3]}, policy)) == {
        "order: a, b": "pass",
        "order: a, b (2)": "fail",
    }


def test_the_page_shows_what_is_broken(tmp_path):
    page = integrity_page(run(tmp_path, broken=True))
    for words in (
        "Is the table sound?",
        "Osl0",
        "What each column says about the label",
        "The label from span to span",
    ):
        assert words in page


@pytest.mark.parametrize("broken", [True, False])
def test_gate_and_page_are_the_same_whatever_checks_are_called(tmp_path, broken):
    def made():
        result = run(tmp_path, broken=broken)
        return [result.verdict, integrity_view(result)]

    require_same_in_other_words(made)


def test_what_is_on_by_default(tmp_path):
    columns = {"id": list(range(N)), "x": list(range(N)), "y": [0, 1] * (N // 2)}
    found = examine(tmp_path, columns, {}, roles={"label": "y", "key": ["id"]})
    assert list(statuses(found)) == ["key: id", "labels: conflicts", "leakage: x"]


def test_without_a_label_what_is_on_by_default_is_left_out_and_what_was_asked_is_an_error(tmp_path):
    found = examine(tmp_path / "a", {"id": [1, 2]}, {}, roles={"key": ["id"]})
    assert statuses(found) == {"key: id": "pass"}
    assert found.left_out == (("conflicting labels and leakage", "the snapshot has no label"),)
    asked = {"leakage": {}, "label_rate": {}, "conflicts": False}
    assert statuses(examine(tmp_path / "b", {"id": [1, 2]}, asked)) == {"leakage": "error", "label rate": "error"}


def test_a_table_of_which_nothing_is_asked_says_so(tmp_path):
    found = examine(tmp_path, {"x": [1]}, QUIET)
    assert statuses(found) == {"integrity": "not_asked"}


COLUMNS = {"customer": [1], "name": ["a"], "applied_at": [1.0], "y": [0]}


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"keys": [{"columns": ["custmer"]}]}, r"policy\.keys\[0\]\.columns.*custmer.*Did you mean 'customer'"),
        (
            {"references": [{"columns": ["custmer"], "table": "t"}]},
            r"references\[0\]\.columns.*Did you mean 'customer'",
        ),
        ({"references": [{"columns": ["customer"], "table": "tt"}]}, r"references\[0\]\.table.*Did you mean 't'"),
        ({"references": [{"columns": ["customer"], "table": "t", "references": ["a", "b"]}]}, "2 columns for 1"),
        ({"categories": [{"column": "nam", "table": "t"}]}, r"categories\[0\]\.column.*Did you mean 'name'"),
        ({"joins": [{"columns": ["customer"], "table": "people"}]}, r"joins\[0\]\.table.*Use one of: t"),
        ({"order": [{"earlier": "applied", "later": "customer"}]}, r"order\[0\]\.earlier.*Did you mean 'applied_at'"),
        ({"order": [{"earlier": "name", "later": "customer"}]}, "neither times nor numbers"),
        ({"period": [{"not_before": "2024-01-01"}]}, "needs event times.*roles.time"),
        ({"period": [{"column": "applied_at"}]}, "needs not_before or not_after"),
        ({"period": [{"column": "applied_at", "not_before": "yesterday"}]}, "neither ISO 8601 nor epoch seconds"),
        ({"period": [{"column": "applied_at", "not_before": 2, "not_after": 1}]}, "lies before"),
        ({"sequence": [{"column": "customer", "along": "n"}]}, r"sequence\[0\]\.along"),
        ({"splits_in_time": True}, "needs event times"),
        ({"label_rate": {"by": "month"}}, "needs event times"),
        ({"label_rate": {"column": "spam"}}, r"label_rate\.column"),
        ({"leakage": {"exclude": ["nme"]}}, "Did you mean 'name'"),
        ({"readers": {"u": {}}}, r"policy\.readers.*Did you|policy\.readers.*Use one of"),
        ({"across_splits": [{"columns": ["z"]}]}, r"across_splits\[0\]"),
        ({"memory_mb": 1}, "greater than or equal to 64"),
        ({"leekage": {}}, "Did you mean 'leakage'"),
    ],
)
def test_what_cannot_be_checked_is_refused_before_anything_is_read(tmp_path, monkeypatch, policy, message):
    monkeypatch.setattr("gauntlet.data.integrity.gate.open_tables", lambda *_: pytest.fail("something was read"))
    with pytest.raises(ConfigurationError, match=message):
        examine(tmp_path, COLUMNS, policy, roles={"label": "y"}, t={"k": [1]})


def test_a_reference_table_needs_a_name(tmp_path):
    (tmp_path / "t.csv").write_text("k\n1\n")
    with pytest.raises(ConfigurationError, match="without a name"):
        examine(tmp_path, COLUMNS, QUIET, sources=[{"uri": str(tmp_path / "t.csv")}])


def test_a_part_that_is_no_parquet_is_a_data_error(tmp_path):
    from gauntlet.data.integrity.gate import check_integrity
    from gauntlet.data.integrity.policy import IntegrityPolicy
    from snapshots import write_snapshot

    snapshot = write_snapshot(tmp_path / "s", {"train": pa.table({"x": [1]})})
    (tmp_path / "s/train/part-00000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read"):
        check_integrity(snapshot, [], IntegrityPolicy.model_validate({"keys": [{"columns": ["x"]}]}))


def test_no_character_of_a_path_or_a_name_means_anything(tmp_path):
    columns = {"a \"b'; DROP": [1, 1], "x": ["it's", 'a "b"']}
    splits = {"train": columns, "te'st": columns}
    policy = {**QUIET, "keys": [{"columns": ["a \"b'; DROP", "x"]}], "across_splits": [{"columns": ["x"]}]}
    found = examine(tmp_path / "a [1] *? 'folder", splits, policy)
    assert checks(found)["across splits: te'st, x"].measured == 1.0
    assert "it's" in checks(found)["key: a \"b'; DROP, x"].reason


def test_memory_that_does_not_suffice_is_said_to_be_so(tmp_path):
    """A value that no memory of this size can hold."""
    rows = {"train": pa.table({"x": ["v" * 60_000_000, "w" * 60_000_000], "n": [1, 2]})}
    with pytest.raises(ConfigurationError, match=r"policy\.memory_mb.*too little"):
        examine(tmp_path, rows, {**QUIET, "memory_mb": 64, "threads": 1, "keys": [{"columns": ["x"]}]})
