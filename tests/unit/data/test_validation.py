"""The schema, inferred or curated, and what planted faults are said to be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.data.contract import Contract
from gauntlet.data.findings import Problem
from gauntlet.data.proposal import propose, update, write_proposal
from gauntlet.data.schema import (
    ChosenSchema,
    choose_schema,
    contract_of,
    read_curated,
    read_schema,
    schema_text,
    write_schema,
)
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.source import resolve
from gauntlet.data.statistics import Statistics, write_statistics
from gauntlet.data.validation import SchemaPolicy, subjects_of, validate_schema
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict
from snapshots import write_snapshot

ROWS = 3000
ROLES = {"label": "label", "positive": "yes", "categorical": ["zone"], "key": ["id"], "weight": "weight"}


def columns(rows: int = ROWS, seed: int = 0) -> dict[str, pa.Array]:
    rng = np.random.default_rng(seed)
    return {
        "id": pa.array([f"{seed}-{row}" for row in range(rows)]),
        "age": pa.array(rng.integers(18, 80, rows)),
        "income": pa.array(rng.lognormal(10, 0.5, rows)),
        "city": pa.array(rng.choice(["Oslo", "Bern", "Rome"], rows).tolist(), mask=rng.random(rows) < 0.1),
        "zone": pa.array(rng.integers(0, 4, rows)),
        "member": pa.array(rng.random(rows) < 0.3),
        "weight": pa.array(rng.gamma(2, size=rows)),
        "label": pa.array(rng.choice(["no", "yes"], rows).tolist()),
    }


def statistics_of(folder, train, roles=ROLES, split="train", **more) -> Statistics:
    splits = {split: pa.table(train), **{name: pa.table(data) for name, data in more.items()}}
    return write_statistics(write_snapshot(folder / "snapshot", splits, roles), folder / "statistics")


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Statistics:
    return statistics_of(tmp_path_factory.mktemp("clean"), columns(), test=columns(800, 1))


@pytest.fixture(scope="module")
def inferred(clean) -> ChosenSchema:
    return choose_schema(clean, [], InferencePolicy())


def serving_with(tmp_path, **changes) -> Statistics:
    """A serving sample: no label, no weight, no id; and the changes (None takes a column out)."""
    found = {name: array for name, array in columns(1000, 2).items() if name not in ("label", "weight", "id")}
    found |= changes
    found = {name: array for name, array in found.items() if array is not None}
    return statistics_of(tmp_path, found, {"categorical": ["zone"]}, split="serving")


def only(verdict: Verdict) -> object:
    (found,) = [check for check in verdict.checks if check.status is not Status.PASS]
    return found


def test_what_is_inferred_leaves_nothing_open(inferred, tmp_path):
    write_schema(inferred, tmp_path / "schema")
    found = Contract.read(tmp_path / "schema").columns
    assert (found["age"].minimum, found["age"].maximum, found["age"].required) == (0, 110, True)
    assert found["city"].values == ("Bern", "Oslo", "Rome")
    assert not found["city"].required
    assert found["zone"].categorical
    assert found["zone"].values == ("0", "1", "2", "3")
    assert found["member"].type == "bool"
    assert found["id"].values is None
    assert [name for name, column in found.items() if not column.serving] == ["id", "weight", "label"]
    assert "example_id" not in found


def test_a_schema_survives_being_written_and_any_tfdv_text_parser(inferred, tmp_path):
    write_schema(inferred, tmp_path / "schema")
    again = read_schema(tmp_path / "schema")
    assert again.proto == inferred.proto
    assert (again.origin, again.curated) == ("inferred from split train", False)


def test_the_data_it_was_inferred_from_pass_in_every_split_and_at_serving(clean, inferred, tmp_path):
    verdict = validate_schema(clean, serving_with(tmp_path), inferred, SchemaPolicy())
    assert verdict.status is Status.PASS, verdict.summary
    assert {check.name.split(":")[0] for check in verdict.checks} == {"train", "test", "serving"}


FAULTS = {
    "negative ages": (
        lambda data: {"age": pa.array(-np.asarray(data["age"]))},
        Problem.OUT_OF_RANGE,
        "`age` goes down to −79, with 100% of values (1,000 of 1,000) below the inferred minimum of 0",
    ),
    "a category never seen": (
        lambda data: {"city": pa.array(["Atlantis"] * 40 + ["Oslo"] * 960)},
        Problem.UNSEEN_CATEGORIES,
        "`city` has 'Atlantis' in 4.0% of values (40 of 1,000), which the schema does not list; allowed: at most 0.3%",
    ),
    "a code never seen": (
        lambda data: {"zone": pa.array([99] * 40 + [1] * 960)},
        Problem.UNSEEN_CATEGORIES,
        "`zone` has '99' in 4.0% of values",
    ),
    "60 % missing": (
        lambda data: {"income": pa.array(np.ones(1000) * 3e4, mask=np.arange(1000) < 600)},
        Problem.MISSING_VALUES,
        "`income` is missing in 60.0% of rows (600 of 1,000); none was in 3,800 rows before",
    ),
    "60 % missing where some may be": (
        lambda data: {"city": pa.array(["Oslo"] * 1000, mask=np.arange(1000) < 600)},
        Problem.MISSING_VALUES,
        "`city` is missing in 60.0% of rows (600 of 1,000); allowed: at most",
    ),
    "a missing column": (
        lambda data: {"income": None},
        Problem.MISSING_COLUMN,
        "`income` is missing: the schema asks for a float column of this name",
    ),
    "a wrong type": (
        lambda data: {"age": pa.array([str(age) for age in data["age"]])},
        Problem.WRONG_TYPE,
        "`age` holds text where the schema asks for whole numbers",
    ),
    "a new column": (
        lambda data: {"shoe": pa.array(np.ones(1000))},
        Problem.UNKNOWN_COLUMN,
        "`shoe` is a column the schema does not know",
    ),
    "no values": (
        lambda data: {"city": pa.array([None] * 1000, pa.string())},
        Problem.NO_VALUES,
        "`city` has no value in any of 1,000 rows",
    ),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_planted_fault_is_one_failed_check_with_its_sentence(clean, inferred, tmp_path, fault):
    plant, problem, sentence = FAULTS[fault]
    serving = serving_with(tmp_path, **plant(columns(1000, 2)))
    check = only(validate_schema(clean, serving, inferred, SchemaPolicy()))
    assert check.status is Status.FAIL
    assert sentence in check.reason
    assert check.code == f"validate_schema.{problem.value}"
    assert check.reason.startswith("In serving, ")


def test_whole_numbers_are_numbers(clean, inferred, tmp_path):
    """A sample of a column with fractions may have none; its range holds all the same."""
    income = np.round(np.asarray(columns(1000, 2)["income"])).astype(np.int64)
    serving = serving_with(tmp_path / "a", income=pa.array(income))
    assert validate_schema(clean, serving, inferred, SchemaPolicy()).status is Status.PASS
    kept = replace(inferred, curated=True)
    assert propose(kept, subjects_of(clean, serving), validate_schema(clean, serving, kept, SchemaPolicy())) is None
    below = serving_with(tmp_path / "b", income=pa.array(np.where(np.arange(1000) < 9, -5, income)))
    assert "`income` goes down to −5" in only(validate_schema(clean, below, inferred, SchemaPolicy())).reason


def test_tolerances_and_severities_are_the_policys(clean, inferred, tmp_path):
    serving = serving_with(tmp_path, city=pa.array(["Atlantis"] * 40 + ["Oslo"] * 960))
    for values, status in [
        ({"unseen_categories_max_share": 0.05}, Status.PASS),
        ({"columns": {"city": {"unseen_categories_max_share": 0.05}}}, Status.PASS),
        ({"columns": {"city": {"unseen_categories_max_share": 0.038}}}, Status.INCONCLUSIVE),
        ({"severity": {"unseen_categories": "inconclusive"}}, Status.INCONCLUSIVE),
        ({"columns": {"city": {"severity": {"unseen_categories": "ignore"}}}}, Status.PASS),
    ]:
        assert validate_schema(clean, serving, inferred, parse(SchemaPolicy, values, field="policy")).status is status


def test_a_share_above_the_tolerance_by_chance_asks_for_more_rows(clean, inferred, tmp_path):
    serving = serving_with(tmp_path, city=pa.array(["Atlantis"] * 40 + ["Oslo"] * 960))
    check = only(validate_schema(clean, serving, inferred, SchemaPolicy(unseen_categories_max_share=0.038)))
    assert check.rows_needed > 1000
    assert check.interval[0] < 0.038 < check.measured


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"unseen_categories_max_shares": 0.1}, "Did you mean 'unseen_categories_max_share'"),
        ({"unseen_categories_max_share": 1.5}, "less than 1"),
        ({"severity": {"unseen": "fail"}}, r"policy\.severity\.unseen"),
    ],
    ids=["unknown key", "out of range", "unknown problem"],
)
def test_a_policy_that_cannot_be_meant_is_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(SchemaPolicy, values, field="policy")


def test_a_policy_for_a_column_nobody_has_is_refused(clean, inferred):
    with pytest.raises(ConfigurationError, match=r"policy\.columns.*'agee'"):
        validate_schema(clean, None, inferred, parse(SchemaPolicy, {"columns": {"agee": {}}}, field="policy"))


def curated_file(tmp_path, text: str):
    (tmp_path / "schema.pbtxt").write_text(text)
    return resolve([{"uri": str(tmp_path / "schema.pbtxt")}])


def test_a_curated_schema_is_used_as_it_stands(clean, inferred, tmp_path):
    text = schema_text(inferred.proto).replace("max: 110", "max: 60")
    chosen = choose_schema(clean, curated_file(tmp_path, text), InferencePolicy())
    assert chosen.curated
    assert chosen.origin.startswith("curated file ")
    failed = [c.name for c in validate_schema(clean, None, chosen, SchemaPolicy()).with_status(Status.FAIL)]
    assert failed == ["train: age, out of range", "test: age, out of range"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,income\n1,2\n", "is not a TensorFlow Metadata schema"),
        ("", "declares no columns"),
        ('feature { name: "a" type: INT } feature { name: "a" type: INT }', "declares a column twice"),
    ],
    ids=["another format", "empty", "twice"],
)
def test_a_curated_file_that_is_no_schema_is_refused(clean, tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        choose_schema(clean, curated_file(tmp_path, text), InferencePolicy())


def test_a_curated_file_that_is_not_text_is_refused(clean, tmp_path):
    (tmp_path / "schema.pbtxt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not text"):
        choose_schema(clean, resolve([{"uri": str(tmp_path / "schema.pbtxt")}]), InferencePolicy())


def test_two_curated_files_are_refused(clean, tmp_path):
    both = [*curated_file(tmp_path, "x"), *curated_file(tmp_path, "x")]
    with pytest.raises(ConfigurationError, match="more than one file"):
        choose_schema(clean, both, InferencePolicy())


def test_the_first_run_proposes_the_schema_it_inferred(clean, inferred, tmp_path):
    verdict = validate_schema(clean, None, inferred, SchemaPolicy())
    proposal = propose(inferred, subjects_of(clean, None), verdict)
    assert read_curated(proposal.text, "proposal") == inferred.proto
    assert proposal.diff == ""
    write_proposal(proposal, tmp_path / "proposal")
    assert "keep it" in json.loads((tmp_path / "proposal" / "proposal.json").read_text())["reason"]


def test_a_later_run_that_agrees_proposes_nothing(clean, inferred):
    kept = ChosenSchema(inferred.proto, "curated file schema.pbtxt", curated=True)
    assert propose(kept, subjects_of(clean, None), validate_schema(clean, None, kept, SchemaPolicy())) is None


def test_a_later_run_that_differs_proposes_the_change_and_its_diff(clean, inferred, tmp_path):
    kept = ChosenSchema(inferred.proto, "curated file schema.pbtxt", curated=True)
    data = columns(1000, 2)
    changed = {
        "age": pa.array(-np.asarray(data["age"])),
        "city": pa.array(["Atlantis"] * 1000),
        "zone": pa.array([99] * 1000),
        "income": pa.array([str(value) for value in data["income"]]),
    }
    serving = serving_with(tmp_path, **changed)
    subjects = subjects_of(clean, serving)
    before = schema_text(kept.proto)
    proposal = propose(kept, subjects, validate_schema(clean, serving, kept, SchemaPolicy()))
    assert schema_text(kept.proto) == before  # the schema in force is not touched
    assert '+    value: "Atlantis"' in proposal.diff
    assert "--- schema in force" in proposal.diff
    for words in ("`age` has the minimum −79; so far 0.", "`city` may also be 'Atlantis'.", "`zone` may also be '99'."):
        assert words in proposal.changes
    assert "`income` becomes string; so far float." in proposal.changes


def test_the_label_stays_out_of_serving_in_a_proposal(clean, inferred, tmp_path):
    proposed = update(inferred.proto, subjects_of(clean, serving_with(tmp_path)))
    assert proposed == inferred.proto


@pytest.mark.parametrize("name", ["Temp (C)", "Temp.C", "it's", "(", "."])
def test_a_finding_on_a_column_that_tfdv_quotes_is_said_of_the_column(tmp_path, name):
    """TFDV keys what it found with the name in quotes, so that it was taken for another column's."""
    train = {name: pa.array([1.0, 2.0, 3.0] * 50), "beside": pa.array(["a", "b", "c"] * 50)}
    known = statistics_of(tmp_path / "train", train, roles={})
    schema = choose_schema(known, [], InferencePolicy())
    far = statistics_of(tmp_path / "far", train | {name: pa.array([1.0, 2.0, 900.0] * 50)}, roles={}, split="serving")
    verdict = validate_schema(known, far, schema, SchemaPolicy())
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == [f"serving: {name}, out of range"]
    text = statistics_of(tmp_path / "text", train | {name: pa.array(["x", "y", "x"] * 50)}, roles={}, split="serving")
    proposed = contract_of(update(schema.proto, subjects_of(known, text)))
    assert proposed.columns[name].type == "string"
