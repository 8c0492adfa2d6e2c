"""The gate on real models: ours and strangers', two classes, many and none."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gauntlet.behavior.gate import BehaviorResult, judge_behavior, nothing_asked
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sources import parse_suite
from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse
from gauntlet.storage import write_absent
from gauntlet.verdict import Status
from snapshots import write_snapshot

AMOUNT = [{"add": {"column": "amount", "by": 1.5}}]
RISES = {"name": "a larger amount helps", "change": AMOUNT, "expect": {"score": "not_decreases", "tolerance": 0.1}}
LARGE, SMALL = (
    {"amount": amount, "count": 10, "region": region, "code": 2, "member": member}
    for amount, region, member in ((2.5, "east", True), (-2.5, "north", False))
)


def judge(
    given, document: dict[str, Any], name: str = "suite.yaml", split: str = "test", **policy: Any
) -> BehaviorResult:
    model, snapshot = given
    suite, read = parse_suite(json.dumps(document, indent=1), name)
    allowed = parse(BehaviorPolicy, {"max_failures": 0.05, **policy}, field="policy")
    return judge_behavior(model, snapshot, suite, read, allowed, split=split)


def statuses(result: BehaviorResult) -> dict[str, str]:
    return {check.name: check.status.value for check in result.verdict.checks}


def golden(name: str, row: dict[str, Any], expect: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "row": row, "expect": expect, **more}


def test_a_sound_model_passes_and_the_verdict_says_on_what(trained):
    result = judge(
        trained(),
        {
            "golden": [golden("large", LARGE, {"class": "paid"}), golden("small", SMALL, {"score": {"max": 0.3}})],
            "invariance": [
                {"name": "codes", "change": [{"swap": {"column": "code"}}], "expect": {"max_change": 0.25}},
            ],
            "directional": [RISES],
        },
    )
    assert result.verdict.status is Status.PASS, result.verdict.summary
    assert result.verdict.gate == "check_behavior"
    assert result.verdict.summary == "All 4 known cases and rules hold."
    assert result.verdict.facts["golden"] == 2
    assert result.verdict.facts["rules"] == 2
    assert result.clustered
    trial = result.rules[1].trial
    assert trial is not None
    assert 150 < trial.units < trial.rows < 900, "rows with a missing amount cannot be raised; people come twice"


def test_every_kind_of_check_can_fail(trained):
    result = judge(
        trained(),
        {
            "golden": [golden("large", LARGE, {"class": "late"}), golden("small", SMALL, {"score": {"min": 0.9}})],
            "invariance": [
                {"name": "moves", "change": AMOUNT, "expect": {"max_change": 0.01}},
                {
                    "name": "turns",
                    "change": [{"scale": {"column": "amount", "by": -1}}],
                    "expect": {"same_decision": True},
                },
            ],
            "directional": [
                {"name": "falls", "change": AMOUNT, "expect": {"score": "decreases"}},
            ],
        },
    )
    assert set(statuses(result).values()) == {"fail"}
    assert len(statuses(result)) == 5
    assert "large: answered with a score of" in result.verdict.summary
    assert "it must be class late. And 4 more like this." in result.verdict.summary
    assert all(one.trial is not None and one.trial.offenders for one in result.rules)


def test_too_few_rows_are_inconclusive_and_say_how_many_would_tell(trained):
    result = judge(trained(), {"directional": [RISES]}, max_rows=20, max_failures=0.05)
    check = result.verdict.checks[0]
    assert check.status is Status.INCONCLUSIVE
    assert check.rows_needed is not None
    assert check.sample_size is not None
    assert check.rows_needed > check.sample_size
    assert "policy.max_rows lets no more be tried" in check.reason


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"where": "amount > 1000"}, "no row of split test matches `amount > 1000`, so nothing was tried."),
        (
            {"change": [{"case": {"column": "region", "to": "lower"}}]},
            "matching rows as they were, so nothing was tried.",
        ),
    ],
)
def test_a_rule_that_tried_nothing_is_an_error_and_never_a_pass(trained, rule, words):
    result = judge(trained(), {"invariance": [{"name": "a", "change": AMOUNT, "expect": {"max_change": 0.9}, **rule}]})
    assert statuses(result) == {"a": "error"}
    assert words in result.verdict.summary


def test_rows_are_units_where_nothing_is_clustered(trained):
    result = judge(trained(clustered=False), {"directional": [RISES]})
    trial = result.rules[0].trial
    assert trial is not None
    assert trial.units == trial.rows
    assert not result.clustered
    assert " rows (" in result.verdict.checks[0].reason


def test_other_rules_in_the_file_change_nothing_for_a_rule_but_the_shared_error(trained):
    noisy = {"name": "noise", "change": [{"noise": {"column": "amount", "sd": 0.2}}], "expect": {"max_change": 0.1}}
    alone = judge(trained(), {"invariance": [noisy]}, max_rows=100)
    among = judge(trained(), {"invariance": [{**noisy, "name": "other"}, noisy], "directional": [RISES]}, max_rows=100)
    first, second = alone.rules[0].trial, among.rules[1].trial
    assert first is not None
    assert second is not None
    assert first.moves.tolist() == second.moves.tolist()


def test_many_classes(trained):
    result = judge(
        trained("multiclass"),
        {
            "golden": [
                golden("large", LARGE, {"class": "mid"}),
                golden("small", SMALL, {"score": {"min": 0.9, "of": "mid"}}),
            ],
            "invariance": [{"name": "a", "change": AMOUNT, "expect": {"same_decision": True}}],
            "directional": [
                {"name": "b", "change": AMOUNT, "expect": {"score": "not_increases", "tolerance": 0.2, "of": "high"}}
            ],
        },
    )
    assert statuses(result) == {"large": "pass", "small": "fail", "a": "fail", "b": "pass"}
    assert result.task == "multiclass"


def test_a_regression(trained):
    document = {
        "golden": [golden("large", LARGE, {"score": {"min": 1}})],
        "directional": [{**RISES, "expect": {"score": "not_decreases", "tolerance": 0.5}}],
    }
    assert set(statuses(judge(trained("regression"), document)).values()) == {"pass"}
    document["invariance"] = [{"name": "a", "change": AMOUNT, "expect": {"same_decision": True}}]
    with pytest.raises(
        ConfigurationError, match=r"suite.yaml, line \d+: .*same_decision: a regression decides nothing"
    ):
        judge(trained("regression"), document)
    result = judge(trained("regression"), document, threshold=0.5)
    assert statuses(result)["a"] == "fail"


def test_a_stranger_logged_through_mlflow(trained, tmp_path):
    """A scikit-learn pipeline that gives labels only: a score is 0 or 1, and a decision is still a decision."""
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    _, snapshot = trained()
    frame = snapshot.table("train", ["amount", "member", "outcome"]).to_pandas().fillna({"amount": 0.0})
    fitted = LogisticRegression().fit(frame[["amount", "member"]].astype(float), frame["outcome"])
    example = frame[["amount", "member"]].astype(float).head(3)
    mlflow.sklearn.save_model(fitted, str(tmp_path / "model"), input_example=example, skops_trusted_types=None)
    whole = snapshot.table("test").select(["amount", "member", "outcome", "person"])
    member = whole.column("member").cast(pa.int64()).cast(pa.float64())
    full = whole.set_column(1, "member", member).filter(whole.column("amount").is_valid())
    data = write_snapshot(
        tmp_path / "snapshot", {"train": full, "test": full}, {"label": "outcome", "cluster": "person"}
    )
    result = judge(
        (tmp_path / "model", data),
        {
            "golden": [golden("filled in", {"amount": 3.0}, {"class": "paid"}, fill="example")],
            "invariance": [
                {
                    "name": "a hair",
                    "change": [{"noise": {"column": "amount", "sd": 1e-6}}],
                    "expect": {"same_decision": True},
                }
            ],
            "directional": [RISES],
        },
    )
    assert set(statuses(result).values()) == {"pass"}, result.verdict.summary


def test_a_model_that_fails_on_changed_rows_spoils_its_own_check_only(trained):
    huge = {"name": "huge", "change": [{"set": {"column": "amount", "to": 1e300}}], "expect": {"max_change": 0.9}}
    result = judge(trained(), {"golden": [golden("beyond", {**LARGE, "amount": 1e300}, {"class": "paid"})],
                               "invariance": [huge], "directional": [RISES]})  # fmt: skip
    assert statuses(result) == {"beyond": "error", "huge": "error", RISES["name"]: "pass"}
    assert "huge: could not be checked: amount: holds a number beyond" in next(
        check.reason for check in result.verdict.checks if check.name == "huge"
    )


@pytest.fixture
def bulk(trained, tmp_path):
    """Known cases and rows to change, kept in Parquet beside the suite."""
    table = trained()[1].table("validation").drop(["example_id"])
    keep = table.filter(table.column("amount").is_valid())
    large = keep.filter(pa.compute.greater(keep.column("amount"), 1.5))
    pq.write_table(large.append_column("answer", pa.array(["paid"] * large.num_rows)), tmp_path / "cases.parquet")
    pq.write_table(keep, tmp_path / "rows.parquet")

    def named(file: str) -> dict[str, str]:
        return {"uri": file, "sha256": digest_file(tmp_path / file)}

    return named, str(tmp_path / "suite.yaml"), keep


def test_bulk_rows_are_cases_and_rows_to_change(trained, bulk):
    named, name, keep = bulk
    document = {
        "golden": [{"name": "known", "rows": named("cases.parquet"), "expect": {"class_column": "answer"}}],
        "directional": [{**RISES, "rows": named("rows.parquet"), "where": "code > 1"}],
    }
    result = judge(trained(), document, name)
    assert set(statuses(result).values()) == {"pass"}, result.verdict.summary
    trial = result.rules[0].trial
    assert trial is not None
    assert trial.rows == pa.compute.sum(pa.compute.greater(keep.column("code"), 1)).as_py()
    assert trial.clustered, "the file holds the snapshot's cluster column"
    lost = judge(
        trained(),
        {"golden": [{"name": "known", "rows": named("cases.parquet"), "expect": {"class": "late"}}]},
        name,
    )
    assert "known answers are lost; row 1 was answered with a score of" in lost.verdict.summary


def test_bulk_rows_of_another_digest_stop_the_gate_at_their_line(trained, bulk):
    named, name, _ = bulk
    wrong = {**named("rows.parquet"), "sha256": "0" * 63 + "a"}
    with pytest.raises(DataError, match=r"suite.yaml, line \d+: suite.directional.0.rows.sha256: the file's digest is"):
        judge(trained(), {"directional": [{**RISES, "rows": wrong}]}, name)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"directional": [{**RISES, "change": [{"add": {"column": "amuont", "by": 1}}]}]}, "Did you mean 'amount'"),
        ({"directional": [{**RISES, "change": [{"set": {"column": "person", "to": 1}}]}]}, "does not read person"),
        ({"golden": [golden("a", {"amount": 1.0}, {"class": "paid"})]}, "the model reads count, which is not given"),
    ],
)
def test_a_suite_that_does_not_fit_the_model_names_its_line(trained, document, words):
    with pytest.raises(ConfigurationError, match=r"^suite.yaml, line \d+: suite") as caught:
        judge(trained(), document)
    assert words in str(caught.value)


def test_a_split_that_is_not_there(trained):
    with pytest.raises(ConfigurationError, match="no such split"):
        judge(trained(), {"directional": [RISES]}, split="tset")


@pytest.mark.parametrize(("task", "threshold"), [("multiclass", 0.5), ("binary", 1.5)])
def test_a_threshold_that_means_nothing(trained, task, threshold):
    with pytest.raises(ConfigurationError, match=r"policy.threshold"):
        judge(trained(task), {"golden": [golden("a", LARGE, {"class": "paid"})]}, threshold=threshold)


def test_a_model_that_is_absent_leaves_what_was_asked_unchecked(trained, tmp_path):
    write_absent(tmp_path / "model", "no champion yet")
    result = judge((tmp_path / "model", trained()[1]), {"directional": [RISES]})
    assert result.verdict.status is Status.ERROR
    assert result.verdict.summary == "The behavior file could not be checked: no champion yet"


def test_without_a_file_nothing_is_asked():
    verdict = nothing_asked().verdict
    assert verdict.status is Status.NOT_ASKED
    assert "nothing was asked" in verdict.summary


def test_the_same_inputs_give_the_same_verdict(trained):
    document = {
        "invariance": [{"name": "a", "change": [{"typo": {"column": "region"}}], "expect": {"max_change": 0.05}}]
    }
    assert judge(trained(), document).verdict == judge(trained(), document).verdict
