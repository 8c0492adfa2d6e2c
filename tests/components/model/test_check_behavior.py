"""The behavior gate's component, called as the executor calls it, on the clean demo's loans."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import roc_auc_score

from builders.artifacts import artifact, load_component
from builders.demo_loans import EXAMPLES, demo_model, demo_snapshot
from gauntlet.behavior.gate import judge_behavior
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sources import parse_suite
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import resolve
from gauntlet.model_digest import digest_model
from gauntlet.prediction.batch import predict_split
from gauntlet.prediction.format import read_rows
from gauntlet.verdict import Status, Verdict

SUITE = EXAMPLES / "loans-behavior.yaml"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo_model(demo_snapshot(folder / "snapshot"), folder / "model")
    return folder


def pinned(path: Path) -> list[dict[str, Any]]:
    """As ``resolve_source`` returns it and a pipeline hands it on: numbers become doubles."""
    return [{**one.to_json(), "size": float(one.size)} for one in resolve([{"uri": str(path)}])]


def run(demo: Path, out: Path, **parameters: Any) -> SimpleNamespace:
    load_component("model", "check_behavior")(
        model=artifact("Model", demo / "model", digest=digest_model(demo / "model")),
        snapshot=artifact("Dataset", demo / "snapshot"),
        verdict=artifact("Artifact", out / "verdict"),
        report=artifact("HTML", out / "report.html"),
        **parameters,
    )
    return SimpleNamespace(verdict=Verdict.read(out / "verdict"), page=(out / "report.html").read_text())


def test_the_clean_demos_model_keeps_the_examples_suite(demo: Path, tmp_path: Path) -> None:
    found = run(demo, tmp_path, suite=pinned(SUITE), policy={"max_rows": 5000.0, "seed": 1.0})
    assert found.verdict.status is Status.PASS, found.verdict.summary
    assert len(found.verdict.checks) == 10
    assert "more late payments never help" in found.page
    assert "://" not in found.page.replace("http://www.w3.org/2000/svg", "")


def test_the_examples_suite_passes_with_room(demo: Path) -> None:
    """Every rate's upper end is at most two thirds of its limit."""
    suite, document = parse_suite(SUITE.read_text(), SUITE.name)
    result = judge_behavior(
        demo / "model", Snapshot.open(demo / "snapshot"), suite, document, BehaviorPolicy.model_validate({})
    )
    for found in result.rules:
        assert found.check.interval is not None
        assert found.check.bound is not None
        assert found.check.interval[1] < 2 / 3 * found.check.bound, found.check.reason


def test_records_of_late_payments_tidied_away_lose_a_known_answer(demo: Path, tmp_path: Path) -> None:
    """The lender's feature code that reads six late payments and more as not known: no average shows it."""
    shutil.copytree(demo / "snapshot", tmp_path / "snapshot")
    for features, status in (("as_recorded", Status.PASS), ("payments_cleaned", Status.FAIL)):
        recipe = {"trainer": "gauntlet.demo.scorecard:train", "options": {"features": features}}
        demo_model(Snapshot.open(tmp_path / "snapshot"), tmp_path / "model", recipe=recipe)
        found = run(tmp_path, tmp_path / features, suite=pinned(SUITE))
        assert found.verdict.status is status
    assert "an applicant late seven times is no safe bet: answered with a score of 0." in found.verdict.summary


def test_without_a_suite_nothing_is_asked(demo: Path, tmp_path: Path) -> None:
    found = run(demo, tmp_path)
    assert found.verdict.status is Status.NOT_ASKED
    assert "No behavior file is given" in found.page


def test_a_model_that_lost_a_known_answer_fails(demo: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        SUITE.read_text().replace("class: 0", "class: 1", 1).replace("score: {max: 0.2}", "score: {min: 0.5}")
    )
    found = run(demo, tmp_path / "out", suite=pinned(suite))
    assert [check.name for check in found.verdict.with_status(Status.FAIL)] == [
        "an applicant who cannot carry the loan is refused"
    ]
    assert "it must be a score of at least 0.5 and class 1" in found.verdict.summary


def without_the_best(loans: pa.Table) -> pa.Table:
    """Outcomes as after a join that lost the accounts of the most secure applicants: one row in eighty."""
    secure = pc.and_(pc.greater(loans["income"], 4000.0), pc.less(loans["debt_ratio"], 0.2))
    lost = pc.and_(secure, pc.equal(loans["late_payments"], 0))
    assert 0.01 < pc.mean(lost).as_py() < 0.02
    return loans.set_column(loans.schema.get_field_index("repaid"), "repaid", pc.if_else(lost, 0, loans["repaid"]))


def test_a_fault_that_metrics_forgive_loses_a_known_answer(tmp_path: Path) -> None:
    broken = demo_snapshot(tmp_path / "snapshot", change=without_the_best)
    demo_model(broken, tmp_path / "model")
    predict_split(tmp_path / "model", broken, tmp_path / "predictions")
    scored = read_rows(tmp_path / "predictions")
    assert roc_auc_score(scored["label"], scored["score"]) > 0.72, "well above the example's floor of 0.7"
    found = run(tmp_path, tmp_path / "out", suite=pinned(SUITE))
    assert found.verdict.status is Status.FAIL
    assert found.verdict.summary.startswith("a secure applicant is accepted: answered with a score of 0.")
    assert "more late payments never help" in {check.name for check in found.verdict.with_status(Status.FAIL)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("whitespace:", "whitepsace:", "unknown key", id="an unknown key"),
        pytest.param("by: 1.5", "by: much", "should be a valid number", id="a wrong type"),
        pytest.param("column: late_payments", "column: late_payment", "no such column", id="an unknown column"),
        pytest.param("column: late_payments", "column: age", "the model does not read age", id="an unread column"),
        pytest.param("{min: 0.9}", "{min: 0.9, max: 0.1}", "min 0.9 is above max 0.1", id="a contradiction"),
    ],
)
def test_a_bad_file_exits_two_with_its_line_and_leaves_nothing(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    text = SUITE.read_text()
    line = next(number for number, one in enumerate(text.splitlines(), 1) if old in one)
    suite = tmp_path / "suite.yaml"
    suite.write_text(text.replace(old, new, 1))
    with pytest.raises(SystemExit) as caught:
        run(demo, tmp_path / "out", suite=pinned(suite))
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"suite.yaml, line {line}: suite" in said
    assert message in said
    assert not (tmp_path / "out").exists()


def test_an_empty_file_and_a_wrong_policy_exit_two(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "suite.yaml"
    empty.write_text("# nothing yet\n")
    for parameters, message in (
        ({"suite": pinned(empty)}, "is empty"),
        ({"suite": [], "policy": {"confidnce": 0.9}}, "policy.confidnce: unknown key"),
    ):
        with pytest.raises(SystemExit) as caught:
            run(demo, tmp_path / "out", **parameters)
        assert caught.value.code == 2
        assert message in capsys.readouterr().err
