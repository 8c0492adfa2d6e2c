"""The skew gate: what moves, what is only noise, and what could not be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from builders.other_words import require_same_in_other_words
from gauntlet.data.phrasing import amount
from gauntlet.data.schema import ChosenSchema, choose_schema
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.skew import detect_skew
from gauntlet.data.skew_policy import SkewPolicy
from gauntlet.data.statistics import Statistics, write_statistics
from gauntlet.errors import ConfigurationError
from gauntlet.reports.format import number
from gauntlet.reports.views.skew import skew_view
from gauntlet.settings import parse
from gauntlet.verdict import Status
from snapshots import write_snapshot

ROLES = {"label": "label", "positive": "yes", "categorical": ["zone"], "key": ["id"]}
NOT_AT_SERVING = ("label", "id")


def columns(rows: int, seed: int) -> dict[str, pa.Array]:
    rng = np.random.default_rng(seed)
    return {
        "id": pa.array([f"{seed}-{row}" for row in range(rows)]),
        "income": pa.array(np.round(rng.lognormal(np.log(41_000), 0.4, rows))),
        "age": pa.array(rng.integers(18, 80, rows)),
        "city": pa.array(rng.choice(["Oslo", "Bern", "Rome"], rows, p=[0.5, 0.3, 0.2]).tolist()),
        "zone": pa.array(rng.integers(0, 4, rows)),
        "seen": pa.array(rng.integers(0, 10**15, rows), pa.timestamp("us", tz="UTC")),
        "label": pa.array(rng.choice(["no", "yes"], rows).tolist()),
    }


def make(folder, data, split, roles=ROLES) -> Statistics:
    kept = {name: array for name, array in data.items() if array is not None}
    return write_statistics(
        write_snapshot(folder / f"{split}-snapshot", {split: pa.table(kept)}, roles), folder / split
    )


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> Statistics:
    return make(tmp_path_factory.mktemp("training"), columns(6000, 0), "train")


@pytest.fixture(scope="module")
def schema(training) -> ChosenSchema:
    return choose_schema(training, [], InferencePolicy())


def serving(folder, rows=4000, **changes) -> Statistics:
    data = {name: array for name, array in columns(rows, 1).items() if name not in NOT_AT_SERVING}
    return make(folder, data | changes, "serving", {"categorical": ["zone"]})


def policy(**values) -> SkewPolicy:
    return parse(SkewPolicy, {"replicates": 2000, **values}, field="policy")


def checks_of(result, column: str) -> dict[str, object]:
    found = [c for c in result.verdict.checks if c.subject == column and c.code.startswith("detect_skew.serving.")]
    return {c.code.rpartition(".")[2].replace("_", " "): c for c in found}


def test_two_samples_of_one_distribution_pass_and_everything_is_accounted_for(training, schema, tmp_path):
    result = detect_skew(training, serving(tmp_path), training, schema, policy())
    assert result.verdict.status is Status.PASS, result.verdict.summary
    compared = {(comparison.against, comparison.column) for comparison in result.comparisons}
    features = {"income", "age", "city", "zone"}
    assert compared == {("serving", f) for f in features} | {("previous", f) for f in features | {"label"}}
    assert set(result.left_out) == {"id", "seen"}


def test_a_column_times_a_thousand_fails_and_says_so(training, schema, tmp_path):
    income = np.asarray(columns(4000, 1)["income"]) * 1000
    result = detect_skew(training, serving(tmp_path, income=pa.array(income)), None, schema, policy())
    (failed,) = result.verdict.with_status(Status.FAIL)
    assert failed.name == "serving: income, distribution"
    old, new = (f"{value:,.0f}" for value in (np.median(columns(6000, 0)["income"]), np.median(income)))
    assert "`income` moved: median " in failed.reason
    assert "(×1000)" in failed.reason
    assert old[:2] in failed.reason
    assert new[:2] in failed.reason
    assert failed.measured > 0.95
    assert "income" in result.verdict.summary
    first, *others = skew_view(result).movement
    assert (first.label, first.status) == ("income (serving)", "fail")
    assert first.estimate == pytest.approx(failed.measured / failed.bound)
    assert 1 > others[0].estimate >= others[-1].estimate, "what moved most comes first"


def test_gate_and_page_are_the_same_whatever_checks_are_called(training, schema, tmp_path):
    moved = serving(tmp_path, income=pa.array(np.asarray(columns(4000, 1)["income"]) * 1000), city=None)

    def made():
        result = detect_skew(training, moved, training, schema, policy(columns={"nobody": {"max_distance": 0.2}}))
        return [result.verdict, skew_view(result)]

    require_same_in_other_words(made)


def test_a_standardised_column_is_called_that(training, schema, tmp_path):
    age = np.asarray(columns(4000, 1)["age"]).astype(float)
    result = detect_skew(
        training, serving(tmp_path, age=pa.array((age - age.mean()) / age.std())), None, schema, policy()
    )
    assert "it looks standardised" in checks_of(result, "age")["distribution"].reason


def test_integer_codes_are_compared_as_categories(training, schema, tmp_path):
    zones = np.where(np.arange(4000) % 2 == 0, 0, np.asarray(columns(4000, 1)["zone"]))
    result = detect_skew(training, serving(tmp_path, zone=pa.array(zones)), None, schema, policy())
    found = checks_of(result, "zone")["distribution"]
    assert found.status is Status.FAIL
    assert found.measured == pytest.approx(0.375, abs=0.03)
    assert "'0' 2" in found.reason
    assert "grew" in found.reason


def test_missing_values_are_a_comparison_of_their_own(training, schema, tmp_path):
    city = pa.array(columns(4000, 1)["city"].to_pylist(), mask=np.arange(4000) % 5 < 3)
    found = checks_of(detect_skew(training, serving(tmp_path, city=city), None, schema, policy()), "city")
    assert found["distribution"].status is Status.PASS
    assert found["missing values"].status is Status.FAIL
    assert "missing in 0% of rows (training) → 60.0% (serving)" in found["missing values"].reason
    assert found["missing values"].interval[0] > 0.55


def test_unseen_categories_are_a_comparison_of_their_own(training, schema, tmp_path):
    city = pa.array(["Atlantis"] * 120 + columns(4000, 1)["city"].to_pylist()[120:])
    found = checks_of(detect_skew(training, serving(tmp_path, city=city), None, schema, policy()), "city")
    assert found["distribution"].status is Status.PASS
    assert found["unseen categories"].status is Status.FAIL
    assert "'Atlantis' in 3.0% of values (serving), never seen in training" in found["unseen categories"].reason


def test_a_column_without_values_at_serving_fails(training, schema, tmp_path):
    empty = pa.array([None] * 4000, pa.string())
    found = checks_of(detect_skew(training, serving(tmp_path, city=empty), None, schema, policy()), "city")
    assert found["distribution"].status is Status.FAIL
    assert "no value at all in serving" in found["distribution"].reason


def test_few_rows_are_inconclusive_and_say_how_many_would_do(training, schema, tmp_path):
    result = detect_skew(training, serving(tmp_path, rows=60), None, schema, policy(number_max_distance=0.01))
    found = checks_of(result, "income")["distribution"]
    assert found.status is Status.INCONCLUSIVE
    assert found.rows_needed > 60


def test_a_feature_that_serving_lacks_is_an_error_not_a_pass(training, schema, tmp_path):
    result = detect_skew(training, serving(tmp_path, income=None), None, schema, policy())
    (error,) = result.verdict.with_status(Status.ERROR)
    assert error.reason == "`income` is not in serving, so it was not compared."


def test_a_column_that_is_new_cannot_have_moved_yet(training, schema, tmp_path):
    before = make(tmp_path, columns(4000, 2) | {"income": None}, "train")
    (found,) = detect_skew(training, None, before, schema, policy()).verdict.with_status(Status.INCONCLUSIVE)
    assert found.reason == "`income` is new: the previous snapshot does not have it, so it cannot have moved yet."
    asked = policy(columns={"income": {"max_distance": 0.1}})
    assert detect_skew(training, None, before, schema, asked).verdict.status is Status.ERROR


def test_numbers_against_text_are_an_error(training, schema, tmp_path):
    text = pa.array([str(age) for age in columns(4000, 1)["age"].to_pylist()])
    found = checks_of(detect_skew(training, serving(tmp_path, age=text), None, schema, policy()), "age")
    assert found["distribution"].status is Status.ERROR
    assert "numbers in training but categories in serving" in found["distribution"].reason


def test_what_tfdv_did_not_measure_is_an_error(training, schema, tmp_path, monkeypatch):
    monkeypatch.setattr("gauntlet.data.skew.measure", lambda pairs: {})
    result = detect_skew(training, serving(tmp_path), None, schema, policy())
    assert result.verdict.status is Status.ERROR
    assert "TFDV measured nothing" in checks_of(result, "age")["distribution"].reason


@pytest.mark.parametrize("column", ["agee", "id", "seen"], ids=["unknown", "no feature", "a point in time"])
def test_what_is_configured_but_not_compared_is_an_error(training, schema, tmp_path, column):
    limits = {"columns": {column: {"max_distance": 0.1}}}
    result = detect_skew(training, serving(tmp_path), None, schema, policy(**limits))
    (error,) = result.verdict.with_status(Status.ERROR)
    assert f"limits for `{column}`, but it was not compared" in error.reason


def test_limits_and_exclusions_are_the_policys(training, schema, tmp_path):
    moved = serving(tmp_path, income=pa.array(np.asarray(columns(4000, 1)["income"]) * 2))
    wide = detect_skew(training, moved, None, schema, policy(columns={"income": {"max_distance": 0.99}}))
    assert wide.verdict.status is Status.PASS
    without = detect_skew(training, moved, None, schema, policy(exclude=["income"]))
    assert without.verdict.status is Status.PASS
    assert without.left_out["income"] == "excluded by the policy"


def with_comparator(schema: ChosenSchema, column: str, text: str) -> ChosenSchema:
    from google.protobuf import text_format

    proto = type(schema.proto).FromString(schema.proto.SerializeToString())
    feature = next(feature for feature in proto.feature if feature.name == column)
    text_format.Merge(text, feature)
    return ChosenSchema(proto, "curated file", curated=True)


def test_thresholds_in_a_curated_schema_replace_the_defaults(training, schema, tmp_path):
    strict = with_comparator(schema, "city", "skew_comparator { infinity_norm { threshold: 0.002 } }")
    found = checks_of(detect_skew(training, serving(tmp_path), None, strict, policy()), "city")["distribution"]
    assert found.bound == 0.002
    assert found.status is Status.INCONCLUSIVE
    assert "chance alone reaches" in found.reason


def test_a_comparator_that_would_measure_nothing_is_an_error(training, schema, tmp_path):
    blind = with_comparator(schema, "age", "skew_comparator { infinity_norm { threshold: 0.01 } }")
    found = checks_of(detect_skew(training, serving(tmp_path), None, blind, policy()), "age")["configured"]
    assert found.status is Status.ERROR
    assert "measures nothing on a number" in found.reason


def test_with_neither_side_it_says_what_to_configure(training, schema):
    verdict = detect_skew(training, None, None, schema, policy()).verdict
    assert verdict.status is Status.NOT_ASKED
    assert len(verdict.checks) == 1
    assert "Configure the serving source" in verdict.summary


def test_the_same_inputs_give_the_same_verdict(training, schema, tmp_path):
    sample = serving(tmp_path)
    one, two = (detect_skew(training, sample, None, schema, policy()).verdict.to_json() for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number_max_distances": 0.1}, "Did you mean 'number_max_distance'"),
        ({"number_max_distance": 1.5}, "less than 1"),
        ({"columns": {"age": {"max_distance": 0}}}, r"policy\.columns\.age\.max_distance"),
    ],
    ids=["unknown key", "out of range", "a column's limit"],
)
def test_a_policy_that_cannot_be_meant_is_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(SkewPolicy, values, field="policy")


def test_a_serving_sample_of_several_splits_is_refused(training, schema, tmp_path):
    tables = {name: pa.table({"age": pa.array([1, 2])}) for name in ("a", "b")}
    sample = write_statistics(write_snapshot(tmp_path / "snapshot", tables), tmp_path / "out")
    with pytest.raises(ConfigurationError, match="could be any of several splits"):
        detect_skew(training, sample, None, schema, policy())


def test_sentences_and_pictures_call_categories_by_their_readable_names(tmp_path, training, schema):
    named = replace(training, roles=training.roles.model_copy(update={"labels": {"zone": {"0": "city", "1": "coast"}}}))
    moved = serving(tmp_path, zone=pa.array(np.repeat([0, 1, 2, 3, 7], [3000, 250, 250, 250, 250])))
    result = detect_skew(named, moved, None, schema, policy())
    found = checks_of(result, "zone")
    assert "'city' 2" in found["distribution"].reason
    assert "'coast' 2" in found["distribution"].reason
    assert "has '7' in 6.2" in found["unseen categories"].reason, "a value without a name keeps its own"
    (comparison,) = (one for one in result.comparisons if one.column == "zone")
    assert comparison.after.values[0] == "city"
    same = replace(training, roles=training.roles.model_copy(update={"labels": {"zone": {"0": "1"}}}))
    (unnamed,) = (one for one in detect_skew(same, moved, None, schema, policy()).comparisons if one.column == "zone")
    assert unnamed.after.values[0] == "0", "a name that is another value would make two values one"


def test_small_distances_are_written_as_reports_write_them():
    assert (
        [amount(value) for value in (8.37e-5, -3e-7, 2.5e17, 0.0132)]
        == [
            "8.37 × 10⁻⁵",
            "−3 × 10⁻⁷",
            "2.5 × 10¹⁷",
            "0.0132",
        ]
        == [number(value) for value in (8.37e-5, -3e-7, 2.5e17, 0.0132)]
    )
