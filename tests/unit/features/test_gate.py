from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders.features import DEVIATION, KEY, MEAN, MODULE, World, log_pipeline, raw, save_model, team_code, world
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.features.diagnosis import Kind
from gauntlet.features.findings import Pattern
from gauntlet.features.gate import FeaturesResult, judge_features
from gauntlet.features.inputs import FeatureInputs
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.properties.policy import Property
from gauntlet.settings import parse
from gauntlet.verdict import Status

ROWS = 600
NO_PROPERTIES = {"leave_out": [one.value for one in Property]}
Judge = Callable[..., FeaturesResult]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return team_code(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def model(team: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on features as ``after`` computes them."""
    return save_model(tmp_path_factory.mktemp("model") / "model", team.after, raw(3, 2_000))


@pytest.fixture
def judge(model: Path) -> Judge:
    def run(made: World, code: str = "after", **given: Any) -> FeaturesResult:
        policy = {"properties": NO_PROPERTIES, **given.pop("policy", {})}
        arguments = {
            "model": model,
            "snapshot": made.snapshot,
            "split": "test",
            "history": made.history,
            "stored": made.stored,
            "feature_code": f"{MODULE}:{code}" if code else "",
            **given,
        }
        return judge_features(FeatureInputs(**arguments), parse(FeaturesPolicy, policy, field="policy"))

    return run


def pattern(result: FeaturesResult, feature: str = "income") -> Pattern:
    return next(one.pattern for one in result.findings if one.feature == feature)


def drop(name: str) -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    return lambda frame, split: frame.head(0) if split == name else frame


@pytest.mark.parametrize("shuffle", [False, True], ids=["same order", "shuffled"])
def test_the_incident_is_found_named_and_its_harm_is_measured(
    judge: Judge, team: Any, tmp_path: Path, shuffle: bool
) -> None:
    made = world(tmp_path, team.before, team.after, rows=ROWS, shuffle=shuffle)
    result = judge(made, policy={"partition_rows": 1_000})
    assert result.verdict.status is Status.FAIL
    assert [one.feature for one in result.findings if one.check.status is Status.FAIL] == ["income"]
    assert pattern(result) is Pattern.REDEFINED
    found = result.findings[0].diagnosis
    assert found is not None
    assert found.kind is Kind.NORMALIZATION
    assert found.slope == pytest.approx(1 / DEVIATION, rel=1e-6)
    assert found.intercept == pytest.approx(-MEAN / DEVIATION, rel=1e-6)
    assert "was redefined and its past was not recomputed" in result.verdict.summary
    assert "Recompute q1 and q2" in result.verdict.summary
    assert result.impact is not None
    assert result.impact.rows == 2 * ROWS
    assert result.impact.share > 0.1
    assert result.impact.metric is not None
    assert result.impact.metric.stored < result.impact.metric.recomputed - 0.1
    assert next(one for one in result.verdict.checks if one.name == "harm").status is Status.FAIL
    assert result.replays[0].features["income"].beyond == ROWS


def test_applicants_with_several_rows_make_the_harm_less_sure(judge: Judge, team: Any, tmp_path: Path) -> None:
    each, together = (
        judge(world(tmp_path / str(cluster), team.before, team.after, rows=ROWS, cluster=cluster)).impact
        for cluster in (None, "applicant_id")
    )
    assert each is not None
    assert together is not None
    assert (together.rows, together.flips) == (each.rows, each.flips)
    assert np.diff(together.interval) > np.diff(each.interval)
    assert together.metric is not None
    assert each.metric is not None
    assert together.metric.stored == each.metric.stored
    assert together.metric.interval != each.metric.interval


def test_where_nothing_changed_nothing_is_found(judge: Judge, team: Any, tmp_path: Path) -> None:
    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, shuffle=True))
    assert result.verdict.status is Status.PASS
    assert result.impact is None
    assert {one.pattern for one in result.findings} == {Pattern.AGREES}
    assert result.verdict.facts["matched"] == 3 * ROWS


@pytest.mark.parametrize(
    ("past", "now", "code", "expected", "words"),
    [
        pytest.param("before", "before", "after", Pattern.OTHER_CODE, "written to the store by other code", id="other"),
        pytest.param("after", "before", "after", Pattern.LAGS, "the store lags behind", id="lags"),
    ],
)
def test_the_other_corners_of_the_2x2(
    judge: Judge, team: Any, tmp_path: Path, past: str, now: str, code: str, expected: Pattern, words: str
) -> None:
    result = judge(world(tmp_path, getattr(team, past), getattr(team, now), rows=ROWS), code)
    assert result.verdict.status is Status.FAIL
    assert pattern(result) is expected
    assert words in result.verdict.summary


def test_a_store_without_the_new_rows_is_said(judge: Judge, team: Any, tmp_path: Path) -> None:
    result = judge(world(tmp_path, team.before, team.after, rows=ROWS, edit=drop("test")))
    assert pattern(result) is Pattern.HISTORY
    assert "of which nothing is stored yet" in result.verdict.summary
    assert any("none of the new rows" in note for note in result.notes)


def test_a_span_the_store_does_not_know_is_inconclusive(judge: Judge, team: Any, tmp_path: Path) -> None:
    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, edit=drop("q1")))
    assert result.verdict.status is Status.INCONCLUSIVE
    check = result.verdict.with_status(Status.INCONCLUSIVE)[0]
    assert (check.name, check.sample_size, check.rows_needed) == ("q1: stored rows", 0, ROWS // 2)


def test_only_the_span_that_differs_is_named(judge: Judge, team: Any, tmp_path: Path) -> None:
    def one_quarter(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        return frame.assign(income=frame["income"] * 1000) if split == "q2" else frame

    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, edit=one_quarter))
    finding = result.findings[0]
    assert [one.differs for one in finding.comparisons] == [False, True, False]
    assert finding.diagnosis is not None
    assert finding.diagnosis.kind is Kind.UNIT
    assert "Recompute q2 with" in finding.mend


def test_constants_that_change_from_span_to_span_are_said(judge: Judge, team: Any, tmp_path: Path) -> None:
    def own_scale(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        return frame.assign(income=frame["income"] * {"q1": 2.0, "q2": 4.0, "test": 1.0}[split])

    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, edit=own_scale))
    assert "the constants change from span to span (a from 0.25 to 0.5)" in result.verdict.summary


def test_a_relabelled_category_is_shown_as_a_map(judge: Judge, team: Any, tmp_path: Path) -> None:
    def codes(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        return frame if split == "test" else frame.assign(purpose=frame["purpose"].replace({"car": "auto"}))

    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, edit=codes))
    finding = result.findings[0]
    assert (finding.feature, finding.diagnosis and finding.diagnosis.kind) == ("purpose", Kind.RELABELLED)
    assert "auto → car" in finding.check.reason


def test_a_changed_policy_for_missing_values_says_what_fills_them(judge: Judge, team: Any, tmp_path: Path) -> None:
    def filled(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        return (
            frame
            if split == "test"
            else frame.assign(late_payments=frame["late_payments"].astype(float).replace(0, np.nan))
        )

    result = judge(world(tmp_path, team.after, team.after, rows=ROWS, edit=filled))
    finding = result.findings[0]
    assert finding.feature == "late_payments"
    assert finding.diagnosis is not None
    assert finding.diagnosis.kind is Kind.MISSING
    assert "missing values became 0" in finding.check.reason


def test_a_share_of_rows_below_the_limit_is_let_through_and_above_it_is_not(
    judge: Judge, team: Any, tmp_path: Path
) -> None:
    def late(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        frame.loc[:2, "income"] += 1.0
        return frame

    made = world(tmp_path, team.after, team.after, rows=ROWS, edit=late)
    assert judge(made, policy={"max_share": 0.01}).verdict.status is Status.PASS
    assert judge(made, policy={"max_share": 0.001}).verdict.status is Status.FAIL


def test_without_keys_distributions_tell_and_find_the_same_line(judge: Judge, team: Any, tmp_path: Path) -> None:
    result = judge(world(tmp_path, team.before, team.after, rows=ROWS, keys=False))
    assert pattern(result) is Pattern.REDEFINED
    found = result.findings[0].diagnosis
    assert found is not None
    assert found.slope == pytest.approx(1 / DEVIATION, rel=0.01)
    assert found.intercept == pytest.approx(-MEAN / DEVIATION, rel=0.01)
    assert [one.feature for one in result.findings if one.check.status is Status.FAIL] == ["income"]
    assert any("could not be joined" in note for note in result.notes)


def test_keys_that_match_nothing_fall_back_to_distributions(judge: Judge, team: Any, tmp_path: Path) -> None:
    def other_keys(frame: pd.DataFrame, split: str) -> pd.DataFrame:
        return frame.assign(**{KEY: "x" + frame[KEY]})

    result = judge(world(tmp_path, team.before, team.after, rows=ROWS, edit=other_keys))
    assert pattern(result) is Pattern.REDEFINED
    assert any("no historical row's key is in it" in note for note in result.notes)


def test_a_store_of_other_features_is_an_error(judge: Judge, team: Any, tmp_path: Path) -> None:
    made = world(tmp_path, team.after, team.after, rows=ROWS, edit=lambda frame, _: frame[[KEY, "applied_at"]])
    result = judge(made)
    assert result.verdict.status is Status.ERROR
    assert "None of the features" in result.verdict.summary


def test_with_nothing_stored_nothing_is_asked(judge: Judge, team: Any, tmp_path: Path) -> None:
    result = judge(world(tmp_path, team.before, team.after, rows=ROWS), stored=None)
    assert result.verdict.status is Status.NOT_ASKED
    assert "no features were compared" in result.verdict.summary


def test_history_may_be_absent(judge: Judge, team: Any, tmp_path: Path) -> None:
    made = world(tmp_path, team.before, team.before, rows=ROWS)
    result = judge(made, history=None)
    assert pattern(result) is Pattern.OTHER_CODE
    assert judge(made, "before", history=None).verdict.status is Status.PASS


def test_two_stored_rows_of_one_key_are_refused(judge: Judge, team: Any, tmp_path: Path) -> None:
    made = world(tmp_path, team.before, team.after, rows=ROWS, edit=lambda frame, _: pd.concat([frame, frame.head(3)]))
    with pytest.raises(DataError, match=r"stored \(application_id, applied_at\): holds .* rows more than it has keys"):
        judge(made)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(
            {"names": {"salary": "income"}}, r"policy\.names: .* gives no such feature; found 'salary'", id="name"
        ),
        pytest.param({"exclude": ["salary"]}, r"policy\.exclude: .* gives no such feature", id="exclude"),
        pytest.param({"names": {"income": "wage"}}, r"policy\.names\.income: nothing is stored", id="column"),
    ],
)
def test_a_policy_that_names_nothing_is_refused(
    judge: Judge, team: Any, tmp_path: Path, policy: dict[str, Any], message: str
) -> None:
    made = world(tmp_path, team.before, team.after, rows=ROWS)
    with pytest.raises(ConfigurationError, match=message):
        judge(made, policy=policy)


def test_features_stored_under_other_names_and_excluded_ones(judge: Judge, team: Any, tmp_path: Path) -> None:
    made = world(
        tmp_path, team.before, team.after, rows=ROWS, edit=lambda frame, _: frame.rename(columns={"income": "wage"})
    )
    assert pattern(judge(made, policy={"names": {"income": "wage"}})) is Pattern.REDEFINED
    result = judge(made, policy={"names": {"income": "wage"}, "exclude": ["income"]})
    assert result.verdict.status is Status.PASS
    assert result.left_out == {"income": "the policy leaves it out"}


NUMERIC = ["income", "debt_ratio", "late_payments", "history_years"]


def scaled_model(folder: Path, table: Any, columns: list[str]) -> Path:
    """A scikit-learn Pipeline that standardizes some of its inputs, as a team's own trainer would return it."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    frame = table.to_pandas()[NUMERIC]
    scale = ColumnTransformer([("scale", StandardScaler(), columns)], remainder="passthrough")
    steps = [("fill", SimpleImputer().set_output(transform="pandas")), ("encode", scale)]
    pipeline = Pipeline([*steps, ("model", LogisticRegression(max_iter=2000))])
    return log_pipeline(folder, pipeline.fit(frame, np.asarray(table.column("repaid"))), NUMERIC)


def raw_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[NUMERIC]


def test_the_steps_inside_the_candidate_are_feature_code(judge: Judge, team: Any, tmp_path: Path) -> None:
    candidate = scaled_model(tmp_path / "candidate", raw(3, 2_000), ["income"])
    made = world(tmp_path / "world", raw_numbers, raw_numbers, rows=ROWS)
    result = judge(made, "", model=candidate, policy={"exclude": ["history_years"]})
    finding = result.findings[0]
    assert finding.feature == "income"
    assert finding.diagnosis is not None
    assert finding.diagnosis.kind is Kind.NORMALIZATION
    assert result.impact is not None
    assert result.impact.share > 0.1
    same = judge(made, "", model=candidate, policy={"store_holds": "inputs"})
    assert same.verdict.status is Status.PASS


def test_the_champions_steps_stand_in_for_a_store_and_a_refit_is_no_change(judge: Judge, tmp_path: Path) -> None:
    made = world(tmp_path / "world", raw_numbers, raw_numbers, rows=ROWS)
    champion = scaled_model(tmp_path / "champion", raw(1, 2_000), ["income"])
    refitted = scaled_model(tmp_path / "refitted", raw(3, 2_000), ["income"])
    changed = scaled_model(tmp_path / "changed", raw(3, 2_000), ["income", "debt_ratio"])
    calm = judge(made, "", model=refitted, champion=champion, stored=None)
    assert calm.verdict.status is Status.PASS
    assert any("stands in for it" in note for note in calm.notes)
    assert any("was fitted anew" in note for note in calm.notes)
    result = judge(made, "", model=changed, champion=champion, stored=None)
    assert [one.feature for one in result.findings if one.check.status is Status.FAIL] == ["debt_ratio"]
    assert "no longer is what the champion's code computes" in result.verdict.summary
    assert "the champion's feature steps (" in result.findings[0].mend


def test_steps_that_read_no_time_are_tried_on_the_past_alone_all_the_same(judge: Judge, tmp_path: Path) -> None:
    made = world(tmp_path / "world", raw_numbers, raw_numbers, rows=ROWS)
    candidate = scaled_model(tmp_path / "candidate", raw(3, 2_000), ["income"])
    others = [one.value for one in Property if one is not Property.POINT_IN_TIME]
    policy = {"exclude": ["history_years"], "properties": {"leave_out": others}}
    result = judge(made, "", model=candidate, policy=policy)
    tried = next(check for check in result.verdict.checks if check.name == "point in time")
    assert tried.reason.startswith("Rows are what they were without the rows after them")


def test_properties_and_contract_are_part_of_the_verdict(judge: Judge, team: Any, tmp_path: Path, model: Path) -> None:
    made = world(tmp_path, team.after, team.after, rows=ROWS)
    result = judge(made, champion=model, policy={"properties": {}})
    names = {check.name for check in result.verdict.checks}
    assert {"determinism", "point in time", "contract", "features that agree"} <= names
    assert result.verdict.status is Status.PASS


def test_harm_that_cannot_be_measured_is_said_and_the_finding_stands(judge: Judge, team: Any, tmp_path: Path) -> None:
    made = world(tmp_path / "world", team.before, team.after, rows=ROWS)
    other = log_pipeline(tmp_path / "other", _constant_model(), ["nowhere"])
    result = judge(made, model=other)
    assert result.verdict.status is Status.FAIL
    assert result.impact is None
    assert any("The impact on decisions could not be measured" in note and "nowhere" in note for note in result.notes)


def _constant_model() -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier().fit(np.zeros((4, 1)), [0, 1, 0, 1])
